/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The numbers under which the successor asks for things: any, but the same in both programs. */
enum { KEY_MEMORY = 1, KEY_DEVICE = 1, LABEL = 0xed0 };

/* The device sends 28 bits of an address. */
enum { IOVA = 0x100000, BOTH = LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE };

bool complain(const char *what)
{
	char text[512];

	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "live-update: %s: %s\n", what, text);
	return false;
}

bool complain_of(const char *what, int error)
{
	fprintf(stderr, "live-update: %s: %s\n", what, strerror(error));
	return false;
}

static int open_first(struct machine *machine)
{
	struct libiommu_device_list *list;
	uint32_t vendor, device, class_code;
	int error = libiommu_device_list_new(NULL, &list);

	if (error)
		return error;
	error = -ENODEV;
	for (size_t i = 0;
	     error == -ENODEV && !libiommu_device_list_ids(list, i, &vendor, &device, &class_code);
	     i++)
		if (vendor == 0x1234 && device == 0x11e8)
			error = libiommu_device_open_pci(
				machine->ctx, libiommu_device_list_address(list, i), &machine->dev);
	libiommu_device_list_free(list);
	return error;
}

static bool map_memory(struct machine *machine)
{
	machine->memory =
		mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, machine->file, 0);
	if (machine->memory == MAP_FAILED)
		machine->memory = NULL;
	return machine->memory || complain_of("mmap", errno);
}

/*
 * As the file, so that the successor can be charged for it; kernels before 6.13 know only this
 * process's addresses.
 */
static int map_for_device(struct machine *machine)
{
	const int error = libiommu_ioas_map_file_fixed(machine->ioas, machine->file, 0,
	                                               PAGES * PAGE, BOTH, IOVA);

	if (error != -ENOTTY)
		return error;
	return libiommu_ioas_map_fixed(machine->ioas, machine->memory, PAGES * PAGE, BOTH, IOVA);
}

bool machine_open(struct machine *machine, const char *address)
{
	*machine = (struct machine){.file = memfd_create("machine", MFD_CLOEXEC)};
	if (machine->file < 0 || ftruncate(machine->file, PAGES * PAGE))
		return complain_of("memory", errno);
	if (!map_memory(machine))
		return false;
	if (libiommu_ctx_new(NULL, &machine->ctx) ||
	    (address ? libiommu_device_open_pci(machine->ctx, address, &machine->dev)
	             : open_first(machine)) ||
	    libiommu_device_bind(machine->dev, LABEL, NULL, 0) ||
	    libiommu_ioas_alloc(machine->ctx, &machine->ioas) ||
	    libiommu_device_attach_ioas(machine->dev, machine->ioas) || map_for_device(machine) ||
	    libiommu_pci_set_bus_master(machine->dev, true))
		return complain("no machine");
	return true;
}

bool machine_add(const struct machine *machine, struct libiommu_handover *handover)
{
	/* Parents before children. */
	return !libiommu_handover_add_ioas(handover, KEY_MEMORY, machine->ioas) &&
	       !libiommu_handover_add_device(handover, KEY_DEVICE, machine->dev);
}

bool machine_take(struct machine *machine, struct libiommu_takeover *takeover, int file)
{
	*machine = (struct machine){.file = file};
	return map_memory(machine) && !libiommu_takeover_ctx(takeover, &machine->ctx) &&
	       !libiommu_takeover_ioas(takeover, KEY_MEMORY, &machine->ioas) &&
	       !libiommu_takeover_device(takeover, KEY_DEVICE, &machine->dev);
}

bool machine_resume(struct machine *machine)
{
	if (libiommu_pci_bar_map(machine->dev, 0, 0, 0, LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE,
	                         &machine->bar))
		return complain("no registers");
	machine->regs = libiommu_bar_map_address(machine->bar);
	return true;
}

void machine_print(const struct machine *machine)
{
	uint64_t label = 0, bytes = 0, others = 0;
	uint32_t device = 0, ioas = 0, table = 0;

	libiommu_device_label(machine->dev, &label);
	libiommu_device_id(machine->dev, &device);
	libiommu_device_pt_id(machine->dev, &table);
	libiommu_ioas_id(machine->ioas, &ioas);
	libiommu_ioas_mapped(machine->ioas, &bytes, &others);
	printf("  device %" PRIu32 ", label 0x%" PRIx64 ", attached to page table %" PRIu32 "\n",
	       device, label, table);
	printf("  address space %" PRIu32 ": %" PRIu64 " bytes mapped, %" PRIu64
	       " of them from a file\n",
	       ioas, bytes, bytes - others);
}

void machine_close(struct machine *machine)
{
	libiommu_bar_map_destroy(machine->bar);
	libiommu_device_destroy(machine->dev);
	libiommu_ioas_destroy(machine->ioas);
	libiommu_ctx_destroy(machine->ctx);
	if (machine->memory)
		munmap(machine->memory, PAGES * PAGE);
	if (machine->file >= 0)
		close(machine->file);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "pci.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "heap.h"
#include "machine.h"

static bool is_power_of_two(uint64_t value)
{
	return value && !(value & (value - 1));
}

uint32_t emu_pci_get(const struct emu_pci *pci, unsigned int at, unsigned int size)
{
	uint32_t value = 0;

	for (unsigned int i = size; i--;)
		value = value << 8 | pci->config[at + i];
	return value;
}

void emu_pci_set(struct emu_pci *pci, unsigned int at, unsigned int size, uint32_t value)
{
	for (unsigned int i = 0; i < size; i++, value >>= 8)
		pci->config[at + i] = (uint8_t)value;
}

void emu_pci_allow(struct emu_pci *pci, unsigned int at, unsigned int size, uint32_t bits)
{
	for (unsigned int i = 0; i < size; i++, bits >>= 8)
		pci->writable[at + i] = (uint8_t)bits;
}

void emu_pci_init(struct emu_pci *pci, const struct emu_pci_ops *ops, void *user,
                  const struct emu_pci_ids *ids)
{
	pci->ops = *ops;
	pci->user = user;
	pci->config_size = EMU_PCI_CONVENTIONAL_SIZE;
	pci->room = EMU_PCI_HEADER_SIZE;
	pci->room_extended = EMU_PCI_CONVENTIONAL_SIZE;
	pci->rom = -1;
	for (unsigned int i = 0; i < EMU_PCI_BARS; i++)
		pci->bars[i].memory = -1;
	emu_pci_set(pci, EMU_PCI_VENDOR, 2, ids->vendor);
	emu_pci_set(pci, EMU_PCI_DEVICE, 2, ids->device);
	emu_pci_set(pci, EMU_PCI_SUBSYSTEM_VENDOR, 2, ids->subsystem_vendor);
	emu_pci_set(pci, EMU_PCI_SUBSYSTEM, 2, ids->subsystem);
	emu_pci_set(pci, EMU_PCI_REVISION, 1, ids->revision);
	emu_pci_set(pci, EMU_PCI_CLASS, 3, ids->class_code);
	emu_pci_allow(pci, EMU_PCI_COMMAND, 2, EMU_PCI_COMMAND_WRITABLE);
	emu_pci_allow(pci, EMU_PCI_CACHE_LINE, 1, 0xff);
	emu_pci_allow(pci, EMU_PCI_LATENCY, 1, 0xff);
	emu_pci_allow(pci, EMU_PCI_LINE, 1, 0xff);
}

void emu_pci_free(struct emu_pci *pci)
{
	struct emu_pci *const own = pci->own ? pci : NULL;

	for (unsigned int i = 0; i < EMU_PCI_BARS; i++) {
		emu_pci_bar_end(&pci->bars[i]);
		if (pci->bars[i].memory >= 0)
			close(pci->bars[i].memory);
	}
	if (pci->rom >= 0)
		close(pci->rom);
	if (pci->ops.end)
		pci->ops.end(pci->user);
	emu_release(own);
}

struct emu_pci *emu_pci_of(const struct emu_dev *dev)
{
	return dev->model;
}

static int make_memory(struct emu_bar *bar)
{
	bar->memory = memfd_create("libiommu-emu-bar", MFD_CLOEXEC);
	if (bar->memory < 0)
		return -errno;
	if (!ftruncate(bar->memory, (off_t)bar->size))
		return 0;
	close(bar->memory);
	bar->memory = -1;
	return -ENOMEM;
}

int emu_pci_add_bar(struct emu_pci *pci, unsigned int index, uint64_t size, unsigned int flags)
{
	const bool wide = flags & EMU_BAR_64;
	struct emu_bar *bar;

	if (index + wide >= EMU_PCI_BARS || !is_power_of_two(size) || size < 16 ||
	    size > (UINT64_C(1) << 40) || (!wide && size > (UINT64_C(1) << 31)))
		return -EINVAL;
	bar = &pci->bars[index];
	if (bar->size || (wide && bar[1].size) ||
	    (index && pci->bars[index - 1].size && pci->bars[index - 1].flags & EMU_BAR_64))
		return -EINVAL;
	bar->size = size;
	bar->flags = flags;
	if (flags & EMU_BAR_MEMORY && make_memory(bar)) {
		bar->size = 0;
		return -ENOMEM;
	}
	return 0;
}

/* The host's firmware puts each where none other is. */
static void place(struct emu_pci *pci, unsigned int index)
{
	struct emu_bar *const bar = &pci->bars[index];
	const bool wide = bar->flags & EMU_BAR_64;
	uint64_t *const next = bar->flags & EMU_BAR_IO ? &pci->dev->emu->next_port
	                       : wide                  ? &pci->dev->emu->next_wide
	                                               : &pci->dev->emu->next_narrow;
	const uint64_t align =
		bar->size > 4096 || bar->flags & EMU_BAR_IO ? bar->size : UINT64_C(4096);

	bar->address = (*next + align - 1) & ~(align - 1);
	*next = bar->address + align;
	emu_pci_set(pci, EMU_PCI_BAR + 4 * index, 4,
	            (uint32_t)bar->address | (bar->flags & EMU_BAR_IO ? EMU_PCI_BAR_IO : 0) |
	                    (wide ? EMU_PCI_BAR_64 : 0) |
	                    (bar->flags & EMU_BAR_PREFETCH ? EMU_PCI_BAR_PREFETCH : 0));
	if (wide)
		emu_pci_set(pci, EMU_PCI_BAR + 4 * index + 4, 4, (uint32_t)(bar->address >> 32));
}

void emu_pci_plug(struct emu_pci *pci, struct emu_dev *dev)
{
	if (dev->model)
		emu_pci_free(dev->model);
	pci->dev = dev;
	dev->model = pci;
	if (pci->express && emu_dev_pasid_bits(dev))
		emu_pci_add_pasid(pci, emu_dev_pasid_bits(dev));
	if (pci->express && dev->page_requests)
		emu_pci_add_page_requests(pci);
	for (unsigned int i = 0; i < EMU_PCI_BARS; i++)
		if (pci->bars[i].size)
			place(pci, i);
}

unsigned int emu_pci_add_capability(struct emu_pci *pci, uint8_t id, unsigned int size)
{
	const unsigned int at = pci->room;

	if (size < 2 || size > EMU_PCI_CONVENTIONAL_SIZE - at)
		return 0;
	emu_pci_set(pci, at, 1, id);
	emu_pci_set(pci, pci->last ? pci->last + 1U : EMU_PCI_CAPABILITIES, 1, at);
	emu_pci_set(pci, EMU_PCI_STATUS, 2,
	            emu_pci_get(pci, EMU_PCI_STATUS, 2) | EMU_PCI_STATUS_CAPABILITIES);
	pci->last = (uint16_t)at;
	pci->room = (uint16_t)(at + ((size + 3) & ~3U));
	return at;
}

unsigned int emu_pci_add_extended(struct emu_pci *pci, uint16_t id, unsigned int version,
                                  unsigned int size)
{
	const unsigned int at = pci->room_extended;

	if (!pci->express || size < 4 || size > EMU_PCI_EXPRESS_SIZE - at)
		return 0;
	emu_pci_set(pci, at, 4, id | version << 16);
	if (pci->last_extended)
		emu_pci_set(pci, pci->last_extended + 2U, 2,
		            emu_pci_get(pci, pci->last_extended + 2U, 2) | at << 4);
	pci->last_extended = (uint16_t)at;
	pci->room_extended = (uint16_t)(at + ((size + 3) & ~3U));
	return at;
}

uint32_t emu_pci_config_read(const struct emu_pci *pci, unsigned int at, unsigned int size)
{
	uint32_t value;

	if (!emu_dev_responds(pci->dev))
		return UINT32_MAX >> (32 - 8 * size);
	value = emu_pci_get(pci, at, size);
	if (pci->intx && at <= EMU_PCI_STATUS && at + size > EMU_PCI_STATUS)
		value |= EMU_PCI_STATUS_INTX << 8 * (EMU_PCI_STATUS - at);
	return value;
}

void emu_pci_config_write(struct emu_pci *pci, unsigned int at, unsigned int size, uint32_t value)
{
	if (!emu_dev_responds(pci->dev))
		return;
	for (unsigned int i = 0; i < size; i++, value >>= 8) {
		const uint8_t writable = pci->writable[at + i];
		uint8_t *const byte = &pci->config[at + i];

		*byte = (uint8_t)((*byte & ~writable) | (value & writable));
	}
	if (pci->ops.configured)
		pci->ops.configured(pci->user, at, size);
}

/* False: nothing does with the accesses to it. */
static bool decodes(const struct emu_pci *pci, unsigned int bar)
{
	const uint32_t command = emu_pci_get(pci, EMU_PCI_COMMAND, 2);

	if (pci->pm && emu_pci_get(pci, pci->pm + EMU_PM_CONTROL, 2) & EMU_PM_STATE)
		return false;
	return command &
	       (pci->bars[bar].flags & EMU_BAR_IO ? EMU_PCI_COMMAND_IO : EMU_PCI_COMMAND_MEMORY);
}

uint64_t emu_pci_bar_read(struct emu_pci *pci, unsigned int bar, uint64_t offset, unsigned int size)
{
	const struct emu_bar *const region = &pci->bars[bar];
	uint64_t value = 0;

	if (!emu_dev_responds(pci->dev) || !decodes(pci, bar))
		return UINT64_MAX >> (64 - 8 * size);
	if (region->memory >= 0)
		return pread(region->memory, &value, size, (off_t)offset) < 0 ? 0 : value;
	value = pci->ops.read ? pci->ops.read(pci->user, bar, offset, size) : 0;
	return value & UINT64_MAX >> (64 - 8 * size);
}

void emu_pci_bar_write(struct emu_pci *pci, unsigned int bar, uint64_t offset, unsigned int size,
                       uint64_t value)
{
	const struct emu_bar *const region = &pci->bars[bar];

	if (!emu_dev_responds(pci->dev) || !decodes(pci, bar))
		return;
	/* What a full memory refuses to take is lost, as on a bus. */
	if (region->memory >= 0) {
		if (pwrite(region->memory, &value, size, (off_t)offset) < 0)
			return;
	} else if (pci->ops.write) {
		pci->ops.write(pci->user, bar, offset, size, value);
	}
}

void emu_pci_reset(struct emu_pci *pci)
{
	pci->intx = false;
	if (emu_dev_responds(pci->dev) && pci->ops.reset)
		pci->ops.reset(pci->user);
}

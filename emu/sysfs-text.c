/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What the files of sysfs say. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pci.h"
#include "sysfs.h"

/* Kinds of resources, as the kernel numbers them. */
#define RESOURCE_IO       0x00040101U
#define RESOURCE_MEMORY   0x00040200U
#define RESOURCE_PREFETCH 0x00002000U
#define RESOURCE_64       0x00100000U
#define RESOURCES         13

#define VFIO_MAJOR 511U

static size_t say_resources(const struct emu_pci *pci, char *text, size_t size)
{
	size_t used = 0;

	for (unsigned int i = 0; i < RESOURCES; i++) {
		const struct emu_bar *const bar = i < EMU_PCI_BARS ? &pci->bars[i] : NULL;
		uint32_t kind = 0;

		if (bar && bar->size)
			kind = (bar->flags & EMU_BAR_IO ? RESOURCE_IO : RESOURCE_MEMORY) |
			       (bar->flags & EMU_BAR_PREFETCH ? RESOURCE_PREFETCH : 0) |
			       (bar->flags & EMU_BAR_64 ? RESOURCE_64 : 0);
		used += (size_t)snprintf(text + used, size - used,
		                         "0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx32 "\n",
		                         kind ? bar->address : 0,
		                         kind ? bar->address + bar->size - 1 : 0, kind);
	}
	return used;
}

static size_t say_modalias(const struct emu_pci *pci, char *text, size_t size)
{
	const uint32_t class_code = emu_pci_get(pci, EMU_PCI_CLASS, 3);

	return (size_t)snprintf(text, size,
	                        "pci:v%08" PRIX32 "d%08" PRIX32 "sv%08" PRIX32 "sd%08" PRIX32
	                        "bc%02" PRIX32 "sc%02" PRIX32 "i%02" PRIX32 "\n",
	                        emu_pci_get(pci, EMU_PCI_VENDOR, 2),
	                        emu_pci_get(pci, EMU_PCI_DEVICE, 2),
	                        emu_pci_get(pci, EMU_PCI_SUBSYSTEM_VENDOR, 2),
	                        emu_pci_get(pci, EMU_PCI_SUBSYSTEM, 2), class_code >> 16,
	                        class_code >> 8 & 0xff, class_code & 0xff);
}

static size_t say_uevent(const struct emu_dev *dev, const struct emu_pci *pci, char *text,
                         size_t size)
{
	return (size_t)snprintf(text, size,
	                        "DRIVER=%s\nPCI_CLASS=%" PRIX32 "\nPCI_ID=%04" PRIX32 ":%04" PRIX32
	                        "\nPCI_SLOT_NAME=%s\n",
	                        dev->host ? "emu-host" : "vfio-pci",
	                        emu_pci_get(pci, EMU_PCI_CLASS, 3),
	                        emu_pci_get(pci, EMU_PCI_VENDOR, 2),
	                        emu_pci_get(pci, EMU_PCI_DEVICE, 2), dev->address);
}

static size_t say_number(const struct emu_pci *pci, const char *name, char *text, size_t size)
{
	static const struct {
		const char *name;
		unsigned int at, bytes;
	} numbers[] = {
		{"vendor", EMU_PCI_VENDOR, 2},
		{"device", EMU_PCI_DEVICE, 2},
		{"subsystem_vendor", EMU_PCI_SUBSYSTEM_VENDOR, 2},
		{"subsystem_device", EMU_PCI_SUBSYSTEM, 2},
		{"class", EMU_PCI_CLASS, 3},
		{"revision", EMU_PCI_REVISION, 1},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strcmp(name, numbers[i].name))
			return (size_t)snprintf(text, size, "0x%0*" PRIx32 "\n",
			                        (int)(2 * numbers[i].bytes),
			                        emu_pci_get(pci, numbers[i].at, numbers[i].bytes));
	return 0;
}

static size_t say_dev(const struct emu_dev *dev, const char *name, char *text, size_t size)
{
	const struct emu_pci *const pci = emu_pci_of(dev);

	if (!strcmp(name, "dev"))
		return (size_t)snprintf(text, size, "%u:%u\n", VFIO_MAJOR, dev->node);
	if (!strcmp(name, "resource"))
		return say_resources(pci, text, size);
	if (!strcmp(name, "modalias"))
		return say_modalias(pci, text, size);
	if (!strcmp(name, "uevent"))
		return say_uevent(dev, pci, text, size);
	if (!strcmp(name, "driver_override"))
		return (size_t)snprintf(text, size, "%s\n", dev->host ? "(null)" : "vfio-pci");
	if (!strcmp(name, "irq"))
		return (size_t)snprintf(text, size, "0\n");
	if (!strcmp(name, "numa_node"))
		return (size_t)snprintf(text, size, "-1\n");
	if (!strcmp(name, "config") && size >= pci->config_size) {
		memcpy(text, pci->config, pci->config_size);
		return pci->config_size;
	}
	return say_number(pci, name, text, size);
}

/* Each range once; they are few. */
static size_t say_reserved(const struct emu_group *group, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (struct emu_dev *dev = group->first; dev; dev = dev->sibling) {
		struct emu_reserved range;

		for (size_t i = 0; emu_dev_reserved(dev, i, &range); i++) {
			char line[64];

			snprintf(line, sizeof(line), "0x%016" PRIx64 " 0x%016" PRIx64 " reserved\n",
			         range.start, range.last);
			if (strstr(text, line) || used + strlen(line) >= size)
				continue;
			memcpy(text + used, line, strlen(line) + 1);
			used += strlen(line);
		}
	}
	return used;
}

size_t emu_place_text(const struct emu_place *file, char *text, size_t size)
{
	if (file->dev)
		return say_dev(file->dev, file->name, text, size);
	if (!file->group)
		return 0;
	if (!strcmp(file->name, "type"))
		return (size_t)snprintf(text, size, "DMA\n");
	if (!strcmp(file->name, "name"))
		return (size_t)snprintf(text, size, "vfio-noiommu\n");
	return say_reserved(file->group, text, size);
}

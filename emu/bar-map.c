/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "bar-map.h"

#include <sys/mman.h>

#include "machine.h"
#include "mapping.h"
#include "vfio-dmabuf.h"

#define OFFSET_MASK ((UINT64_C(1) << EMU_VFIO_SHIFT) - 1)

/* Memory that the device does not decode is not there. */
static void show(const struct emu_mapping *mapping, const struct emu_vfio *vfio)
{
	const unsigned int bar = (unsigned int)(mapping->hold.offset >> EMU_VFIO_SHIFT);

	if (vfio->pci->bars[bar].memory >= 0)
		mprotect((void *)mapping->address, mapping->length,
		         emu_vfio_memory_enabled(vfio) && emu_dev_responds(vfio->dev)
		                 ? mapping->hold.prot
		                 : PROT_NONE);
}

void emu_bar_placed(void *user, uintptr_t address, size_t length)
{
	const struct emu_vfio_file *const file = user;

	(void)address;
	(void)length;
	emu_vfio_region_show(file->vfio);
}

void emu_vfio_region_show(struct emu_vfio *vfio)
{
	const struct emu_mapping *mapping = vfio->dev->emu->mappings;

	for (; mapping; mapping = mapping->next) {
		const struct emu_vfio_file *const file = emu_vfio_file_of(&mapping->hold);

		if (file && file->vfio == vfio)
			show(mapping, vfio);
	}
	emu_vfio_dmabufs_show(vfio, false);
}

bool emu_bar_find(struct libiommu_emu *emu, uintptr_t address, struct emu_register *found)
{
	const struct emu_mapping *mapping = emu->mappings;
	const struct emu_vfio_file *file;
	uint64_t offset;

	while (mapping &&
	       (address < mapping->address || address - mapping->address >= mapping->length))
		mapping = mapping->next;
	file = mapping ? emu_vfio_file_of(&mapping->hold) : NULL;
	if (!file)
		return false;
	offset = mapping->hold.offset + (address - mapping->address);
	found->vfio = file->vfio;
	found->bar = (unsigned int)(offset >> EMU_VFIO_SHIFT);
	found->offset = offset & OFFSET_MASK;
	found->prot = mapping->hold.prot;
	return true;
}

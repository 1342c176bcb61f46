/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Regions of a device: BARs, ROM and configuration space at offsets of its descriptor. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bar-map.h"
#include "trap.h"
#include "vfio.h"

#define OFFSET_MASK ((UINT64_C(1) << EMU_VFIO_SHIFT) - 1)
#define PAGE        UINT64_C(4096)
#define ROM_PIECE   4U
#define BAR_PIECE   8U

/* An access to a BAR; reads of what lies from @hidden to @hidden_end are ones, writes are lost. */
struct span {
	unsigned int bar;
	uint64_t hidden, hidden_end;
	unsigned int widest;
	bool write;
};

/* Where the vectors of MSI-X are, which are the kernel's. */
static void hide_table(const struct emu_pci *pci, struct span *span)
{
	uint32_t table;

	if (!pci->msix)
		return;
	table = emu_pci_get(pci, pci->msix + EMU_MSIX_TABLE, 4);
	if ((table & EMU_MSIX_BAR) != span->bar)
		return;
	span->hidden = table & ~EMU_MSIX_BAR;
	span->hidden_end = span->hidden + 16 * (uint64_t)emu_pci_msix_count(pci);
}

static uint64_t read_rom(const struct emu_pci *pci, uint64_t offset, unsigned int size)
{
	uint64_t value = 0;

	if (!emu_dev_responds(pci->dev) || pread(pci->rom, &value, size, (off_t)offset) < 0)
		return UINT64_MAX;
	return value;
}

static int move(struct emu_vfio *vfio, const struct emu_task *task, const struct span *span,
                uintptr_t buffer, uint64_t offset, unsigned int size)
{
	uint64_t value = 0;

	if (span->write && emu_get(task, &value, buffer, size))
		return -EFAULT;
	if (span->bar < EMU_PCI_BARS && !(vfio->pci->bars[span->bar].flags & EMU_BAR_IO) &&
	    !emu_vfio_memory_enabled(vfio))
		return -EIO;
	if (span->write) {
		emu_pci_bar_write(vfio->pci, span->bar, offset, size, value);
		return 0;
	}
	value = span->bar < EMU_PCI_BARS ? emu_pci_bar_read(vfio->pci, span->bar, offset, size)
	                                 : read_rom(vfio->pci, offset, size);
	return emu_put(task, buffer, &value, size);
}

static int fill_ones(const struct emu_task *task, uintptr_t buffer, size_t size)
{
	uint8_t ones[256];

	memset(ones, 0xff, sizeof(ones));
	for (size_t done = 0; done < size; done += sizeof(ones))
		if (emu_put(task, buffer + done, ones,
		            size - done < sizeof(ones) ? size - done : sizeof(ones)))
			return -EFAULT;
	return 0;
}

/* In the largest pieces that are aligned. */
static ssize_t move_all(struct emu_vfio *vfio, const struct emu_task *task, const struct span *span,
                        uintptr_t buffer, size_t size, uint64_t offset)
{
	size_t done = 0;
	int error = 0;

	while (done < size && !error) {
		const uint64_t at = offset + done;
		size_t part = size - done;

		if (at >= span->hidden && at < span->hidden_end) {
			part = part < span->hidden_end - at ? part : span->hidden_end - at;
			if (!span->write)
				error = fill_ones(task, buffer + done, part);
		} else {
			unsigned int piece = span->widest;

			if (at < span->hidden && part > span->hidden - at)
				part = span->hidden - at;
			while (piece > part || at % piece)
				piece /= 2;
			part = piece;
			error = move(vfio, task, span, buffer + done, at, piece);
		}
		done += part;
	}
	return error ? error : (ssize_t)done;
}

static ssize_t access_bar(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t buffer,
                          size_t size, uint64_t offset, bool write)
{
	const struct emu_pci *const pci = vfio->pci;
	const unsigned int index = (unsigned int)(offset >> EMU_VFIO_SHIFT);
	struct span span = {.bar = index, .widest = BAR_PIECE, .write = write};
	const bool rom = index == UAPI_VFIO_PCI_ROM_REGION_INDEX;
	const uint64_t end = rom ? pci->rom_size : pci->bars[index].size;

	offset &= OFFSET_MASK;
	if ((rom && write) || offset >= end)
		return -EINVAL;
	if (size > end - offset)
		size = end - offset;
	if (rom) {
		if (!emu_vfio_has_rom(pci))
			return -ENOMEM;
		span.widest = ROM_PIECE;
		span.hidden = (uint64_t)lseek(pci->rom, 0, SEEK_END);
		span.hidden_end = end;
	} else {
		hide_table(pci, &span);
	}
	return move_all(vfio, task, &span, buffer, size, offset);
}

/* The host shows an image only that begins as one does. */
bool emu_vfio_has_rom(const struct emu_pci *pci)
{
	uint8_t signature[2];

	return pci->rom >= 0 && emu_dev_responds(pci->dev) &&
	       pread(pci->rom, signature, sizeof(signature), 0) == sizeof(signature) &&
	       signature[0] == 0x55 && signature[1] == 0xaa;
}

static ssize_t access_region(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t buffer,
                             size_t size, uint64_t offset, bool write)
{
	const uint64_t index = offset >> EMU_VFIO_SHIFT;

	if (!size)
		return 0;
	emu_vfio_wake(vfio);
	if (index > UAPI_VFIO_PCI_CONFIG_REGION_INDEX)
		return -EINVAL;
	if (index < UAPI_VFIO_PCI_CONFIG_REGION_INDEX)
		return access_bar(vfio, task, buffer, size, offset, write);
	offset &= OFFSET_MASK;
	return write ? emu_vfio_config_write(vfio, task, buffer, size, offset)
	             : emu_vfio_config_read(vfio, task, buffer, size, offset);
}

ssize_t emu_vfio_region_read(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t buffer,
                             size_t size, uint64_t offset)
{
	return access_region(vfio, task, buffer, size, offset, false);
}

ssize_t emu_vfio_region_write(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t buffer,
                              size_t size, uint64_t offset)
{
	return access_region(vfio, task, buffer, size, offset, true);
}

/* A BAR of less than a page has that page for itself. */
bool emu_vfio_can_map(const struct emu_pci *pci, unsigned int bar)
{
	const struct emu_bar *const region = &pci->bars[bar];

	return region->size && !(region->flags & EMU_BAR_IO) &&
	       (region->memory >= 0 || emu_trap_works());
}

int emu_vfio_region_mmap(struct emu_vfio *vfio, size_t length, int flags, uint64_t offset,
                         struct emu_backing *backing)
{
	const uint64_t index = offset >> EMU_VFIO_SHIFT;
	uint64_t end;

	if (index >= UAPI_VFIO_PCI_ROM_REGION_INDEX || (flags & MAP_TYPE) == MAP_PRIVATE ||
	    !emu_vfio_can_map(vfio->pci, (unsigned int)index))
		return -EINVAL;
	end = (vfio->pci->bars[index].size + PAGE - 1) & ~(PAGE - 1);
	offset &= OFFSET_MASK;
	length = (length + PAGE - 1) & ~(PAGE - 1);
	if (offset > end || length > end - offset)
		return -EINVAL;
	if (!emu_trap_add(vfio->dev->emu))
		return -ENOMEM;
	backing->fd = vfio->pci->bars[index].memory;
	backing->offset = offset;
	backing->trapped = backing->fd < 0;
	backing->placed = emu_bar_placed;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* BARs as other devices reach them by DMA. */
#include <errno.h>
#include <string.h>

#include "machine.h"
#include "pages.h"
#include "pci.h"

/* The largest piece at an offset that is as aligned as it is large. */
static unsigned int piece(uint64_t offset, size_t left)
{
	unsigned int size = 8;

	while (offset % size || size > left)
		size /= 2;
	return size;
}

static void transfer(struct emu_bar *bar, uint64_t offset, void *to, const void *from,
                     unsigned int size)
{
	struct emu_pci *const pci = bar->pci;
	const unsigned int index = (unsigned int)(bar - pci->bars);
	uint64_t value = 0;

	if (to) {
		value = emu_pci_bar_read(pci, index, offset, size);
		memcpy(to, &value, size);
	} else {
		memcpy(&value, from, size);
		emu_pci_bar_write(pci, index, offset, size, value);
	}
}

static int reach(struct emu_window *window, uint64_t offset, void *to, const void *from,
                 size_t size)
{
	struct emu_bar *const bar = EMU_OF(struct emu_bar, window, window);
	unsigned int now;

	/* A register that starts DMA to itself would have no end. */
	if (bar->in_use || !emu_dev_responds(bar->pci->dev) || offset >= bar->size ||
	    size > bar->size - offset)
		return -EFAULT;
	bar->in_use = true;
	for (size_t done = 0; done < size; done += now) {
		now = piece(offset + done, size - done);
		transfer(bar, offset + done, to ? (char *)to + done : NULL,
		         from ? (const char *)from + done : NULL, now);
	}
	bar->in_use = false;
	return 0;
}

int emu_pci_bar_place(struct emu_pci *pci, unsigned int index, emu_phys *phys)
{
	struct emu_bar *const bar = &pci->bars[index];
	int error;

	if (!bar->pci) {
		bar->window.access = reach;
		error = emu_window_add(pci->dev->emu, &bar->window, bar->size);
		if (error)
			return error;
		bar->pci = pci;
	}
	*phys = bar->window.range.start;
	return 0;
}

void emu_pci_bar_end(struct emu_bar *bar)
{
	if (bar->pci)
		emu_window_remove(bar->pci->dev->emu, &bar->window);
}

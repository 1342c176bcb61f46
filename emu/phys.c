/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "phys.h"

#include <errno.h>

#include "machine.h"
#include "word.h"

/* Of the pages of any IOMMU, the largest that devices have a use for: 1 GiB. */
#define ALIGNMENT (UINT64_C(1) << 30)

static const struct emu_task machine_itself;

/* Not more than one window has, or what lies in front of them. */
static int access_part(struct libiommu_emu *emu, emu_phys at, void *to, const void *from,
                       size_t *size)
{
	struct emu_range *range;
	struct emu_window *window;

	if (at < EMU_PHYS_WINDOW) {
		if (*size > EMU_PHYS_WINDOW - at)
			*size = EMU_PHYS_WINDOW - at;
		return to ? emu_get(&machine_itself, to, (uintptr_t)at, *size)
		          : emu_put(&machine_itself, (uintptr_t)at, from, *size);
	}
	range = emu_ranges_meet(&emu->windows, at, at);
	if (!range)
		return -EFAULT;
	if (*size - 1 > range->last - at)
		*size = range->last - at + 1;
	window = (struct emu_window *)range;
	return window->access(window, at - range->start, to, from, *size);
}

int emu_phys_read(struct libiommu_emu *emu, emu_phys at, void *to, size_t size)
{
	size_t part;
	int error = 0;

	for (size_t done = 0; done < size && !error; done += part) {
		part = size - done;
		error = access_part(emu, at + done, (char *)to + done, NULL, &part);
	}
	return error;
}

int emu_phys_write(struct libiommu_emu *emu, emu_phys at, const void *from, size_t size)
{
	size_t part;
	int error = 0;

	for (size_t done = 0; done < size && !error; done += part) {
		part = size - done;
		error = access_part(emu, at + done, NULL, (const char *)from + done, &part);
	}
	return error;
}

int emu_phys_set_bits(struct libiommu_emu *emu, emu_phys at, uint32_t bits)
{
	uint64_t value;

	if (at < EMU_PHYS_WINDOW)
		return emu_word_or((uintptr_t)at + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0),
		                   bits);
	if (emu_phys_read(emu, at, &value, sizeof(value)))
		return -EFAULT;
	value |= bits;
	return emu_phys_write(emu, at, &value, sizeof(value));
}

int emu_window_add(struct libiommu_emu *emu, struct emu_window *window, uint64_t length)
{
	uint64_t start, last;

	if (!length || length > UINT64_MAX - ALIGNMENT + 1)
		return -ENOSPC;
	/* All begin at a multiple of it, so that each gap does too. */
	length = (length + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (!emu_ranges_gap(&emu->windows, EMU_PHYS_WINDOW, EMU_PHYS_NONE - 1, length, &start,
	                    &last))
		return -ENOSPC;
	window->range.start = start;
	window->range.last = start + length - 1;
	emu_ranges_add(&emu->windows, &window->range);
	return 0;
}

void emu_window_remove(struct libiommu_emu *emu, struct emu_window *window)
{
	emu_ranges_remove(&emu->windows, &window->range);
}

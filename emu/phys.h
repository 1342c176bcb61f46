/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Physical addresses of the emulated machine. Memory of this process is at its own address; what
 * is somewhere else (in a child, in a device) is in a window, above all of those.
 */
#ifndef EMU_PHYS_H
#define EMU_PHYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "range.h"

struct libiommu_emu;

typedef uint64_t emu_phys;

#define EMU_PAGE        UINT64_C(4096)
#define EMU_PHYS_NONE   UINT64_MAX
#define EMU_PHYS_WINDOW (UINT64_C(1) << 56) /* the first that is not this process's */

/* As a device does it: 0, or -EFAULT where there is no memory any more. */
int emu_phys_read(struct libiommu_emu *emu, emu_phys at, void *to, size_t size);
int emu_phys_write(struct libiommu_emu *emu, emu_phys at, const void *from, size_t size);

/*
 * Bits below 0x800 of a 64-bit word are set: 0 or -EFAULT. In memory of this process in one step.
 */
int emu_phys_set_bits(struct libiommu_emu *emu, emu_phys at, uint32_t bits);

/* Part of a larger thing. */
struct emu_window {
	struct emu_range range; /* range.start is where it begins */
	/* 0 or -EFAULT; @to is NULL when @from is written. */
	int (*access)(struct emu_window *window, uint64_t offset, void *to, const void *from,
	              size_t size);
};

/* Finds a place for @length bytes, at an address that is as aligned as a page can be large. */
int emu_window_add(struct libiommu_emu *emu, struct emu_window *window, uint64_t length);
void emu_window_remove(struct libiommu_emu *emu, struct emu_window *window);

#endif

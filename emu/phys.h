/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Physical addresses of the emulated machine. Memory of this process is at its own address; what
 * is somewhere else (in a child, in a device) has an address above all of those.
 */
#ifndef EMU_PHYS_H
#define EMU_PHYS_H

#include <stddef.h>
#include <stdint.h>

struct libiommu_emu;

typedef uint64_t emu_phys;

#define EMU_PHYS_NONE   UINT64_MAX
#define EMU_PHYS_WINDOW (UINT64_C(1) << 56) /* the first that is not this process's */

/* As a device does it: 0, or -EFAULT where there is no memory any more. */
int emu_phys_read(struct libiommu_emu *emu, emu_phys at, void *to, size_t size);
int emu_phys_write(struct libiommu_emu *emu, emu_phys at, const void *from, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Whether memory of this process is there, and allows what it is mapped for. */
#ifndef EMU_LOOK_H
#define EMU_LOOK_H

#include <stdbool.h>
#include <stdint.h>

struct libiommu_emu;

/* Single pages that were there when they were looked at last, and whether for writing. */
struct emu_seen {
	uintptr_t pages[64];
};

/* As the kernel does before it pins: 0 or -EFAULT. What is there only when it is used, is now. */
int emu_look(struct libiommu_emu *emu, uintptr_t address, uint64_t length, bool write);
/* The same, and nothing is remembered. */
int emu_look_at(uintptr_t address, uint64_t length, bool write);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * BARs that a program has mapped. Memory is mapped as it is; registers are not there, and each
 * instruction that uses them is done for the program (trap.h).
 */
#ifndef EMU_BAR_MAP_H
#define EMU_BAR_MAP_H

#include "vfio.h"

/* A register that is mapped. */
struct emu_register {
	struct emu_vfio *vfio;
	unsigned int bar;
	uint64_t offset;
	int prot;
};

/* As emu_backing.placed, of a device's file. */
void emu_bar_placed(void *user, uintptr_t address, size_t length);
/* What a program uses there; false: nothing of the machine's. With the lock. */
bool emu_bar_find(struct libiommu_emu *emu, uintptr_t address, struct emu_register *found);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Registers that are used through a mapping. The program's instruction faults, and is done here by
 * asking the device: what stays as it was is whatever else the process does with the signal.
 */
#ifndef EMU_TRAP_H
#define EMU_TRAP_H

#include <stdbool.h>

struct libiommu_emu;

/* Whether this processor's instructions are known here. */
bool emu_trap_works(void);
/* From now on this machine's mappings are looked at; false: there are too many machines. */
bool emu_trap_add(struct libiommu_emu *emu);
void emu_trap_remove(struct libiommu_emu *emu);

#endif

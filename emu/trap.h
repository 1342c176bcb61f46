/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Registers that are used through a mapping. The program's instruction faults, and is done here by
 * asking the device: what stays as it was is whatever else the process does with the signal.
 */
#ifndef EMU_TRAP_H
#define EMU_TRAP_H

#include <signal.h>
#include <stdbool.h>

struct libiommu_emu;

/* Whether this processor's instructions are known here. */
bool emu_trap_works(void);
/* From now on this machine's mappings are looked at; false: there are too many machines. */
bool emu_trap_add(struct libiommu_emu *emu);
void emu_trap_remove(struct libiommu_emu *emu);
/*
 * What sigaction(2) does with SIGSEGV, for a program that does not know of the machine: its handler
 * gets what is not the machine's. False: it is sigaction(2) that is wanted.
 */
bool emu_trap_sigaction(const struct sigaction *action, struct sigaction *old);

#endif

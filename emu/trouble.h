/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Troubles of a machine: which call meets which. */
#ifndef EMU_TROUBLE_H
#define EMU_TROUBLE_H

#include <stdint.h>

#include <libiommu-emu/trouble.h>

/* What is to happen to a call; all 0: nothing. */
struct emu_strike {
	int error;
	uint32_t allocation;
	uint64_t delay;
};

/* A call that begins, LIBIOMMU_EMU_OPEN or another; with the machine's lock held. */
struct emu_strike emu_trouble_strike(struct libiommu_emu *emu, uint32_t call,
                                     unsigned long request);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Whether two ways lead to the same page. */
#ifndef EMU_PHYS_SAME_H
#define EMU_PHYS_SAME_H

#include "maps.h"
#include "phys.h"

/* What was found out about the last page, which often holds for the next; all zero at first. */
struct emu_sight {
	struct emu_vma at, address;
};

/* The page is what this process has at the address, if at another one too. */
bool emu_phys_is(emu_phys at, uintptr_t address, struct emu_sight *sight);

#endif

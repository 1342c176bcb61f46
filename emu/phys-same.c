/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A page that this process has at several addresses. */
#include "phys-same.h"

static bool home_of(uintptr_t address, struct emu_vma *vma, struct emu_home *home)
{
	if ((address < vma->start || address > vma->last) && !emu_maps_find(0, address, vma))
		return false;
	*home = vma->home;
	home->offset += address - vma->start;
	return vma->shared;
}

bool emu_phys_is(emu_phys at, uintptr_t address, struct emu_sight *sight)
{
	struct emu_home one, other;

	if (at == address)
		return true;
	return at < EMU_PHYS_WINDOW && home_of((uintptr_t)at, &sight->at, &one) &&
	       home_of(address, &sight->address, &other) && emu_home_is_same(&one, &other) &&
	       one.offset == other.offset;
}

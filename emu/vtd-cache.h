/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Translations that VT-d hardware remembers until it is told to forget them. */
#ifndef EMU_VTD_CACHE_H
#define EMU_VTD_CACHE_H

#include "vtd-walk.h"

enum { EMU_VTD_CACHED = 256 };

/* One place for each: a page takes that of another. A size of 0 is a free place. */
struct emu_vtd_cache {
	struct emu_vtd_page pages[EMU_VTD_CACHED];
};

/* NULL: none that has the address. */
const struct emu_vtd_page *emu_vtd_cache_find(const struct emu_vtd_cache *cache, uint64_t iova);
void emu_vtd_cache_keep(struct emu_vtd_cache *cache, const struct emu_vtd_page *page);
/* Whatever lies in a part of this. */
void emu_vtd_cache_forget(struct emu_vtd_cache *cache, uint64_t first, uint64_t last);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vtd-cache.h"

#include <stddef.h>

static const unsigned int shifts[] = {12, 21, 30};

static size_t place(uint64_t iova, unsigned int shift)
{
	return (size_t)((iova >> shift) + shift) % EMU_VTD_CACHED;
}

const struct emu_vtd_page *emu_vtd_cache_find(const struct emu_vtd_cache *cache, uint64_t iova)
{
	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		const struct emu_vtd_page *const page = &cache->pages[place(iova, shifts[i])];

		if (page->size && iova - page->iova < page->size)
			return page;
	}
	return NULL;
}

void emu_vtd_cache_keep(struct emu_vtd_cache *cache, const struct emu_vtd_page *page)
{
	cache->pages[place(page->iova, (unsigned int)__builtin_ctzll(page->size))] = *page;
}

void emu_vtd_cache_forget(struct emu_vtd_cache *cache, uint64_t first, uint64_t last)
{
	for (size_t i = 0; i < EMU_VTD_CACHED; i++) {
		struct emu_vtd_page *const page = &cache->pages[i];

		if (page->iova <= last && page->iova + (page->size - 1) >= first)
			page->size = 0;
	}
}

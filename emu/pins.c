/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* How often the kernel holds a page, found out when somebody asks. */
#include "machine.h"
#include "maps.h"
#include "pages.h"

/* Where the page is in what is pinned: by its address, or by what it is of. */
static bool has(const struct emu_pages *pages, const struct emu_vma *vma, uintptr_t page)
{
	const uint64_t offset = vma->home.offset + (page - vma->start);

	if (!pages->pinned)
		return false;
	if (page >= pages->phys && emu_pages_has_pinned(pages, (page - pages->phys) / EMU_PAGE))
		return true;
	return vma->shared && emu_home_is_same(&vma->home, &pages->home) &&
	       offset >= pages->home.offset &&
	       emu_pages_has_pinned(pages, (offset - pages->home.offset) / EMU_PAGE);
}

static unsigned int count(struct libiommu_emu *emu, const struct emu_vma *vma, uintptr_t page)
{
	unsigned int pins = 0;

	for (const struct emu_pages *pages = emu->pages; pages; pages = pages->next)
		pins += has(pages, vma, page);
	return pins;
}

bool emu_pins_are(struct libiommu_emu *emu, uintptr_t address, uint64_t length, unsigned int wanted)
{
	const struct emu_vma nothing = {.start = address, .last = address + (length - 1)};
	struct emu_vma vma = {0};

	for (uint64_t at = 0; at < length; at += EMU_PAGE) {
		if (address + at > vma.last && !emu_maps_find(0, address + at, &vma))
			vma = nothing;
		if (count(emu, &vma, address + at) != wanted)
			return false;
	}
	return true;
}

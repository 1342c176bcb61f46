/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vtd-walk.h"

#include <errno.h>
#include <stddef.h>

#define PRESENT  (UINT64_C(1) << 0)
#define WRITABLE (UINT64_C(1) << 1)
#define USER     (UINT64_C(1) << 2)
#define ACCESSED (1U << 5)
#define DIRTY    (1U << 6)
#define LARGE    (UINT64_C(1) << 7)
#define EXTENDED (1U << 10)
#define RESERVED (UINT64_C(1) << 63) /* no execution: only where that is enabled */

#define ADDRESS    UINT64_C(0x000ffffffffff000)
#define PAGE_SHIFT 12U
#define INDEX_BITS 9U
#define INDEX_MASK 0x1ffU
#define MOST       5U /* levels */
#define LARGEST    3U /* level of a page, 1 GiB */

struct step {
	uint64_t at, entry;
};

static unsigned int shift_of(unsigned int level)
{
	return PAGE_SHIFT + (level - 1) * INDEX_BITS;
}

/* All bits that no level looks at are as the highest that one does. */
static bool is_canonical(uint64_t iova, unsigned int levels)
{
	const unsigned int top = shift_of(levels) + INDEX_BITS - 1;
	const int64_t rest = (int64_t)iova >> top;

	return rest == 0 || rest == -1;
}

/* The bits below a large page's address, but for its attributes. */
static uint64_t unused(unsigned int level)
{
	return level > 1 ? (UINT64_C(1) << shift_of(level)) - (UINT64_C(1) << (PAGE_SHIFT + 1)) : 0;
}

/* 1: the entry is a page's; 0: a table's. */
static int judge(uint64_t entry, unsigned int level)
{
	if (!(entry & PRESENT))
		return -ENOENT;
	if (entry & RESERVED)
		return -EINVAL;
	if (level > 1 && !(entry & LARGE))
		return 0;
	return level > LARGEST || (entry & unused(level)) ? -EINVAL : 1;
}

/* What a processor sets when it uses entries, and they have not. */
static int mark(const struct emu_vtd_table *table, const struct emu_guest *guest,
                const struct step *steps, size_t count, bool write)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t bits = ACCESSED | (table->extended ? EXTENDED : 0);
		int error;

		if (write && i == count - 1)
			bits |= DIRTY;
		if (!(bits & ~steps[i].entry))
			continue;
		error = guest->set(guest, steps[i].at, bits);
		if (error)
			return error;
	}
	return 0;
}

int emu_vtd_walk(const struct emu_vtd_table *table, const struct emu_guest *guest, uint64_t iova,
                 bool write, struct emu_vtd_page *page)
{
	uint64_t at = table->root & ADDRESS, rights = WRITABLE | USER;
	unsigned int level = table->levels;
	struct step steps[MOST];
	size_t count = 0;
	int found = 0;

	if (!is_canonical(iova, level))
		return -EINVAL;
	for (;; level--) {
		struct step *const step = &steps[count++];

		step->at = at + (iova >> shift_of(level) & INDEX_MASK) * sizeof(uint64_t);
		found = guest->get(guest, step->at, &step->entry);
		if (!found)
			found = judge(step->entry, level);
		if (found < 0)
			return found;
		rights &= step->entry;
		if (found)
			break;
		at = step->entry & ADDRESS;
	}
	if (!(rights & USER) || (write && !(rights & WRITABLE)))
		return -EACCES;
	found = mark(table, guest, steps, count, write);
	if (found)
		return found;
	page->size = UINT64_C(1) << shift_of(level);
	page->iova = iova & -page->size;
	page->gpa = steps[count - 1].entry & ADDRESS & -page->size;
	page->writable = write;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "table.h"

#include <errno.h>

#include "heap.h"

/*
 * An entry is 0, or another table's address, as it is so that whatever looks for leaks finds it, or
 * that of a page, which is aligned to 2 KiB at least, and the bits below.
 */
#define ENTRY_PAGE  UINT64_C(0x001)
#define ENTRY_READ  UINT64_C(0x004)
#define ENTRY_WRITE UINT64_C(0x008)
#define ENTRY_SIZE  4               /* six bits: log2 */
#define ENTRY_DIRTY UINT64_C(0x400) /* of a page's first entry */
#define ENTRY_PHYS  (~UINT64_C(0x7ff))

#define LEVEL_BITS 9
#define ENTRIES    512U

static unsigned int shift_of(const struct emu_table *table, unsigned int level)
{
	return table->granule + level * LEVEL_BITS;
}

static unsigned int index_of(const struct emu_table *table, unsigned int level, uint64_t iova)
{
	return iova >> shift_of(table, level) & (ENTRIES - 1);
}

static uint64_t *below(uint64_t entry)
{
	return (uint64_t *)(uintptr_t)entry;
}

static bool is_table(uint64_t entry)
{
	return entry && !(entry & ENTRY_PAGE);
}

static unsigned int size_of(uint64_t entry)
{
	return entry >> ENTRY_SIZE & 63;
}

int emu_table_init(struct emu_table *table, unsigned int granule, unsigned int levels,
                   uint64_t sizes)
{
	table->root = emu_alloc(ENTRIES * sizeof(uint64_t));
	table->granule = granule;
	table->levels = levels;
	table->sizes = sizes;
	return table->root ? 0 : -ENOMEM;
}

static void free_level(uint64_t *entries)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		if (is_table(entries[i]))
			free_level(below(entries[i]));
	emu_release(entries);
}

void emu_table_end(struct emu_table *table)
{
	if (table->root)
		free_level(table->root);
	table->root = NULL;
}

uint64_t emu_table_last(const struct emu_table *table)
{
	const unsigned int bits = shift_of(table, table->levels);

	return bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
}

/* The entry that has the address, and its level; NULL: the table has no such address. */
static uint64_t *find(const struct emu_table *table, uint64_t iova, unsigned int *level)
{
	uint64_t *entries = table->root;

	if (iova > emu_table_last(table))
		return NULL;
	for (*level = table->levels - 1;; --*level) {
		uint64_t *const entry = &entries[index_of(table, *level, iova)];

		if (!is_table(*entry))
			return entry;
		entries = below(*entry);
	}
}

/* The first of the entries of a page. */
static uint64_t *first_entry(const struct emu_table *table, uint64_t *entry, unsigned int level,
                             uint64_t iova)
{
	const uint64_t into = iova & ((UINT64_C(1) << size_of(*entry)) - 1);

	return entry - (into >> shift_of(table, level));
}

/* Whether all below an entry is empty; then it is freed. */
static bool clear_empty(uint64_t *entry)
{
	uint64_t *const entries = below(*entry);

	for (unsigned int i = 0; i < ENTRIES; i++)
		if (entries[i] && (!is_table(entries[i]) || !clear_empty(&entries[i])))
			return false;
	emu_release(entries);
	*entry = 0;
	return true;
}

/* One page, whose size the table has. */
static int map_page(struct emu_table *table, uint64_t iova, emu_phys phys, unsigned int size,
                    unsigned int access)
{
	const unsigned int leaf = (size - table->granule) / LEVEL_BITS;
	const uint64_t value = phys | ENTRY_PAGE | (uint64_t)size << ENTRY_SIZE |
	                       (access & EMU_READ ? ENTRY_READ : 0) |
	                       (access & EMU_WRITE ? ENTRY_WRITE : 0);
	unsigned int count = 1U << (size - shift_of(table, leaf));
	uint64_t *entries = table->root, *entry;

	for (unsigned int level = table->levels - 1; level > leaf; level--) {
		entry = &entries[index_of(table, level, iova)];
		if (*entry & ENTRY_PAGE)
			return -EADDRINUSE;
		if (!*entry) {
			void *const made = emu_alloc(ENTRIES * sizeof(uint64_t));

			if (!made)
				return -ENOMEM;
			*entry = (uintptr_t)made;
		}
		entries = below(*entry);
	}
	entry = &entries[index_of(table, leaf, iova)];
	for (unsigned int i = 0; i < count; i++)
		if (entry[i] && (!is_table(entry[i]) || !clear_empty(&entry[i])))
			return -EADDRINUSE;
	while (count--)
		entry[count] = value;
	return 0;
}

/* The largest page that fits; 0: the smallest does not. */
static unsigned int best_size(const struct emu_table *table, uint64_t iova, emu_phys phys,
                              uint64_t length)
{
	const uint64_t bits = iova | phys;
	uint64_t fit = table->sizes;

	if (bits)
		fit &= (bits & -bits) | ((bits & -bits) - 1);
	fit &= UINT64_MAX >> __builtin_clzll(length);
	return fit ? 63 - (unsigned int)__builtin_clzll(fit) : 0;
}

int emu_table_map(struct emu_table *table, uint64_t iova, emu_phys phys, uint64_t length,
                  unsigned int access)
{
	uint64_t done = 0;
	int error = 0;

	if (!length || length - 1 > emu_table_last(table) ||
	    iova > emu_table_last(table) - (length - 1))
		return -ERANGE;
	while (!error && done < length) {
		const unsigned int size = best_size(table, iova + done, phys + done, length - done);

		error = size ? map_page(table, iova + done, phys + done, size, access) : -EINVAL;
		if (!error)
			done += UINT64_C(1) << size;
	}
	if (error && done)
		emu_table_unmap(table, iova, done);
	return error;
}

/* Frees the tables that have nothing any more between the two. */
static void prune(const struct emu_table *table, uint64_t *entries, unsigned int level,
                  uint64_t first, uint64_t last)
{
	const uint64_t span = UINT64_C(1) << shift_of(table, level);

	for (unsigned int i = index_of(table, level, first); i <= index_of(table, level, last);
	     i++) {
		const uint64_t from = (last & ~(span * ENTRIES - 1)) + i * span;

		if (!is_table(entries[i]))
			continue;
		if (from >= first && from + (span - 1) <= last)
			clear_empty(&entries[i]);
		else if (level > 1)
			prune(table, below(entries[i]), level - 1, first > from ? first : from,
			      last < from + (span - 1) ? last : from + (span - 1));
	}
}

uint64_t emu_table_unmap(struct emu_table *table, uint64_t iova, uint64_t length)
{
	const uint64_t first = iova;
	uint64_t left = length;

	while (left) {
		unsigned int level;
		uint64_t *entry = find(table, iova, &level);
		uint64_t size, whole;

		if (!entry || !*entry)
			break;
		size = UINT64_C(1) << size_of(*entry);
		whole = size >> shift_of(table, level);
		entry = first_entry(table, entry, level, iova);
		for (uint64_t i = 0; i < whole; i++)
			entry[i] = 0;
		size -= iova & (size - 1);
		iova += size;
		left -= size < left ? size : left;
	}
	if ((iova - first) >> shift_of(table, 1))
		prune(table, table->root, table->levels - 1, first, iova - 1);
	return iova - first;
}

static void describe(const struct emu_table *table, uint64_t *entry, unsigned int level,
                     uint64_t iova, struct emu_page *page)
{
	page->size = UINT64_C(1) << size_of(*entry);
	page->iova = iova & ~(page->size - 1);
	page->phys = *entry & ENTRY_PHYS;
	page->access =
		(*entry & ENTRY_READ ? EMU_READ : 0) | (*entry & ENTRY_WRITE ? EMU_WRITE : 0);
	page->dirty = *first_entry(table, entry, level, iova) & ENTRY_DIRTY;
}

bool emu_table_find(const struct emu_table *table, uint64_t iova, struct emu_page *page)
{
	unsigned int level;
	uint64_t *const entry = find(table, iova, &level);

	if (!entry || !*entry)
		return false;
	describe(table, entry, level, iova, page);
	return true;
}

void emu_table_set_dirty(struct emu_table *table, uint64_t iova, bool dirty)
{
	unsigned int level;
	uint64_t *entry = find(table, iova, &level);

	if (!entry || !*entry)
		return;
	entry = first_entry(table, entry, level, iova);
	*entry = dirty ? *entry | ENTRY_DIRTY : *entry & ~ENTRY_DIRTY;
}

bool emu_table_next(const struct emu_table *table, uint64_t iova, uint64_t last,
                    struct emu_page *page)
{
	unsigned int level;
	uint64_t *entry;

	while (iova <= last && (entry = find(table, iova, &level))) {
		if (*entry) {
			describe(table, entry, level, iova, page);
			return true;
		}
		/* The next entry's; 0: there is no more. */
		iova = ((iova >> shift_of(table, level)) + 1) << shift_of(table, level);
		if (!iova)
			break;
	}
	return false;
}

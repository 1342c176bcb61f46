/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "table.h"

#include <errno.h>

#define ENTRIES 512
/* Memory for nodes comes in so many bytes a time. */
#define POPULATE (UINT64_C(32) * TABLE_PAGE)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* 0, or where there is no memory: to be told of it now is better than a signal later. */
static int populate(struct libiommu_dma_table *table)
{
	if (table->next < table->populated)
		return 0;
	if (table->next >= TABLE_SIZE ||
	    li_sys_populate(table->sys, table->base + table->next, POPULATE))
		return -ENOMEM;
	table->populated = table->next + POPULATE;
	return 0;
}

static void store(struct libiommu_dma_table *table, uint64_t offset, uint64_t index, uint64_t entry)
{
	atomic_store_explicit(table_entry(table->base, offset, index), entry, memory_order_release);
}

/* The offset of the node below an entry, made if there is none; 0 without memory. */
static uint64_t make_node(struct libiommu_dma_table *table, uint64_t offset, uint64_t index,
                          uint64_t flags)
{
	const uint64_t entry = table_load(table->base, offset, index);
	const uint64_t node = entry & ENTRY_OFFSET;

	if (node && (entry & ENTRY_NODE) == flags)
		return node;
	if (populate(table))
		return 0;
	/* What was true of all pages is true of each. */
	for (uint64_t i = 0; entry & ENTRY_GONE && i < ENTRIES; i++)
		store(table, table->next, i, ENTRY_GONE);
	store(table, offset, index, table->next | flags);
	table->next += TABLE_PAGE;
	return table->next - TABLE_PAGE;
}

/* A whole block needs no node, unless it has one. */
static bool is_block(uint64_t key, uint64_t length, uint64_t entry)
{
	return !(entry & ENTRY_NODE) && !(key & (TABLE_BLOCK - 1)) && length >= TABLE_BLOCK;
}

int li_table_prepare(struct libiommu_dma_table *table, enum table_root root, uint64_t key,
                     uint64_t length)
{
	while (length) {
		const uint64_t step = least(length, TABLE_BLOCK - (key & (TABLE_BLOCK - 1)));
		const uint64_t node = make_node(table, root, key >> 30, 0);
		const uint64_t index = key >> 21 & (ENTRIES - 1);

		if (!node)
			return -ENOMEM;
		if (!is_block(key, length, table_load(table->base, node, index)) &&
		    !make_node(table, node, index, ENTRY_NODE))
			return -ENOMEM;
		key += step;
		length -= step;
	}
	return 0;
}

static uint64_t entry_to(uint64_t value, uint64_t length)
{
	return least(length / TABLE_PAGE, ENTRY_MOST) << ENTRY_RUN_SHIFT | value | ENTRY_VALID;
}

/* The entries of @span bytes in one node; @length: how many bytes go on from the first. */
static void fill_node(struct libiommu_dma_table *table, uint64_t node, uint64_t index,
                      uint64_t value, uint64_t length, uint64_t span, bool valid)
{
	for (uint64_t done = 0; done < span; done += TABLE_PAGE)
		store(table, node, index++,
		      valid ? entry_to(value + done, length - done) : ENTRY_GONE);
}

/*
 * Each entry of a range, with @valid what leads to @value and on, else what says that it is gone.
 */
static void fill(struct libiommu_dma_table *table, enum table_root root, uint64_t key,
                 uint64_t value, uint64_t length, bool valid)
{
	while (length) {
		const uint64_t node = table_load(table->base, root, key >> 30) & ENTRY_OFFSET;
		const uint64_t block = key >> 21 & (ENTRIES - 1);
		const uint64_t below = table_load(table->base, node, block);
		uint64_t step = TABLE_BLOCK;

		if (is_block(key, length, below)) {
			store(table, node, block, valid ? entry_to(value, length) : ENTRY_GONE);
		} else {
			step = least(length, TABLE_BLOCK - (key & (TABLE_BLOCK - 1)));
			fill_node(table, below & ENTRY_OFFSET, key >> 12 & (ENTRIES - 1), value,
			          length, step, valid);
		}
		key += step;
		value += step;
		length -= step;
	}
}

void li_table_set(struct libiommu_dma_table *table, enum table_root root, uint64_t key,
                  uint64_t value, uint64_t length)
{
	fill(table, root, key, value, length, true);
}

void li_table_clear(struct libiommu_dma_table *table, enum table_root root, uint64_t key,
                    uint64_t length)
{
	fill(table, root, key, 0, length, false);
}

void li_table_tell(struct libiommu_dma_table *table)
{
	atomic_fetch_add_explicit(&table_header(table)->generation, 1, memory_order_release);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Keys of 20 bits, as PASIDs have, to elements of one size, zeroed at first. Finding one is three
 * loads and waits for nobody; those who make elements serialize among themselves. Memory comes in
 * leaves of 64 elements and stays until the whole table is freed, so that an element, once found,
 * is safe to look at for as long as the table is.
 */
#ifndef LIBIOMMU_BASE_TABLE_H
#define LIBIOMMU_BASE_TABLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_KEYS (UINT32_C(1) << 20)
#define TABLE_LEAF 64
#define TABLE_NODE 128

struct table_node {
	_Atomic(void *) leaves[TABLE_NODE];
};

struct table {
	size_t element; /* bytes, a multiple of 8 or less than that */
	_Atomic(struct table_node *) nodes[TABLE_NODE];
};

void li_table_init(struct table *table, size_t element);
void li_table_free(struct table *table);

/* Seven bits, seven, and six. */
static inline uint32_t table_node_index(uint32_t key)
{
	return key / (TABLE_LEAF * TABLE_NODE);
}

static inline uint32_t table_leaf_index(uint32_t key)
{
	return key / TABLE_LEAF % TABLE_NODE;
}

static inline void *table_element(const struct table *table, void *leaf, uint32_t key)
{
	return (unsigned char *)leaf + key % TABLE_LEAF * table->element;
}

/* NULL where none was made, and for a key that is too large. Inline for the fault path. */
static inline void *table_find(const struct table *table, uint32_t key)
{
	struct table_node *node;
	void *leaf;

	if (key >= TABLE_KEYS)
		return NULL;
	node = atomic_load_explicit(&table->nodes[table_node_index(key)], memory_order_acquire);
	if (!node)
		return NULL;
	leaf = atomic_load_explicit(&node->leaves[table_leaf_index(key)], memory_order_acquire);
	return leaf ? table_element(table, leaf, key) : NULL;
}

/* Finds or makes; NULL without memory. The key is small enough. */
void *li_table_make(struct table *table, uint32_t key);

#endif

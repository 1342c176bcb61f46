/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Keys of 20 bits, as PASIDs have, to elements of one size, zeroed at first. Finding one is always
 * the same few instructions, and waits for nobody; those who make elements serialize among
 * themselves. Memory comes in leaves of 64 elements and stays until the whole table is freed,
 * so that an element, once found, is safe to look at for as long as the table is. A key that is
 * alone takes its leaf and nothing else: what leads to the leaves is no wider than their keys are
 * apart.
 */
#ifndef LIBIOMMU_BASE_TABLE_H
#define LIBIOMMU_BASE_TABLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Seven bits of a key are for the node, seven for the leaf, and six for the element. */
#define TABLE_KEYS (UINT32_C(1) << 20)
#define TABLE_LEAF 64
#define TABLE_NODE 128

/*
 * From keys that have some bits in common to their leaves. It does not change once it is in use,
 * except for what the pointers to nodes and leaves are, which come and stay.
 */
struct table_way {
	uint32_t common; /* which bits */
	uint32_t value;  /* and what they are */
	uint32_t node_mask;
	uint32_t leaf_mask;
	_Atomic(void *) *nodes; /* each is as many leaves as the mask says */
};

/* Not to be moved: it points into itself. */
struct table {
	size_t element;                           /* bytes, a multiple of 8 or less than that */
	_Atomic(const struct table_way *) way;    /* NULL: nothing was made yet */
	struct table_way one_leaf, one_node, all; /* each covers what the one before it does */
	_Atomic(void *) only_leaf;                /* the node of the first way */
	_Atomic(void *) only_node[2];             /* the nodes of the first two */
};

void li_table_init(struct table *table, size_t element);
void li_table_free(struct table *table);

static inline _Atomic(void *) *table_node_at(const struct table_way *way, uint32_t key)
{
	return &way->nodes[key / (TABLE_LEAF * TABLE_NODE) & way->node_mask];
}

static inline _Atomic(void *) *table_leaf_at(const struct table_way *way, void *node, uint32_t key)
{
	return (_Atomic(void *) *)node + (key / TABLE_LEAF & way->leaf_mask);
}

static inline void *table_element(const struct table *table, void *leaf, uint32_t key)
{
	return (unsigned char *)leaf + key % TABLE_LEAF * table->element;
}

/* NULL where none was made, and for a key that is too large. Inline for the fault path. */
static inline void *table_find(const struct table *table, uint32_t key)
{
	const struct table_way *const way = atomic_load_explicit(&table->way, memory_order_acquire);
	void *node, *leaf;

	if (!way || (key & way->common) != way->value)
		return NULL;
	node = atomic_load_explicit(table_node_at(way, key), memory_order_acquire);
	if (!node)
		return NULL;
	leaf = atomic_load_explicit(table_leaf_at(way, node, key), memory_order_acquire);
	return leaf ? table_element(table, leaf, key) : NULL;
}

/* Finds or makes; NULL without memory. The key is small enough. */
void *li_table_make(struct table *table, uint32_t key);

#endif

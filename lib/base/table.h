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

/* NULL where none was made, and for a key that is too large. */
void *li_table_find(const struct table *table, uint32_t key);
/* Finds or makes; NULL without memory. The key is small enough. */
void *li_table_make(struct table *table, uint32_t key);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "table.h"

#include <stdlib.h>

void li_table_init(struct table *table, size_t element)
{
	table->element = element;
	for (size_t i = 0; i < TABLE_NODE; i++)
		atomic_init(&table->nodes[i], NULL);
}

void li_table_free(struct table *table)
{
	for (size_t i = 0; i < TABLE_NODE; i++) {
		struct table_node *const node =
			atomic_load_explicit(&table->nodes[i], memory_order_relaxed);

		for (size_t j = 0; node && j < TABLE_NODE; j++)
			free(atomic_load_explicit(&node->leaves[j], memory_order_relaxed));
		free(node);
	}
}

void *li_table_make(struct table *table, uint32_t key)
{
	_Atomic(struct table_node *) *const at = &table->nodes[table_node_index(key)];
	struct table_node *node = atomic_load_explicit(at, memory_order_relaxed);
	void *leaf;

	if (!node) {
		node = malloc(sizeof(*node));
		if (!node)
			return NULL;
		for (size_t i = 0; i < TABLE_NODE; i++)
			atomic_init(&node->leaves[i], NULL);
		atomic_store_explicit(at, node, memory_order_release);
	}
	leaf = atomic_load_explicit(&node->leaves[table_leaf_index(key)], memory_order_relaxed);
	if (!leaf) {
		leaf = calloc(TABLE_LEAF, table->element);
		if (!leaf)
			return NULL;
		atomic_store_explicit(&node->leaves[table_leaf_index(key)], leaf,
		                      memory_order_release);
	}
	return table_element(table, leaf, key);
}

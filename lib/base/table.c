/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "table.h"

#include <stdbool.h>
#include <stdlib.h>

/* The bits of a key from this power of two on, and those that no key has. */
#define BITS_FROM(power) (~((uint32_t)(power)-1))

void li_table_init(struct table *table, size_t element)
{
	*table = (struct table){
		.element = element,
		.one_leaf = {.common = BITS_FROM(TABLE_LEAF), .nodes = &table->only_node[0]},
		.one_node = {.common = BITS_FROM(TABLE_LEAF * TABLE_NODE),
	                     .leaf_mask = TABLE_NODE - 1,
	                     .nodes = &table->only_node[1]},
		.all = {.common = BITS_FROM(TABLE_KEYS),
	                .node_mask = TABLE_NODE - 1,
	                .leaf_mask = TABLE_NODE - 1},
	};
	atomic_init(&table->only_node[0], &table->only_leaf);
}

static const struct table_way *way_of(const struct table *table)
{
	return atomic_load_explicit(&table->way, memory_order_relaxed);
}

void li_table_free(struct table *table)
{
	const struct table_way *const way = way_of(table);

	for (uint32_t i = 0; way && i <= way->node_mask; i++) {
		_Atomic(void *) *const node =
			atomic_load_explicit(&way->nodes[i], memory_order_relaxed);

		for (uint32_t j = 0; node && j <= way->leaf_mask; j++)
			free(atomic_load_explicit(&node[j], memory_order_relaxed));
		if (node != &table->only_leaf)
			free(node);
	}
	free(table->all.nodes);
}

/* Of nodes or of leaves; NULL without memory. */
static _Atomic(void *) *make_pointers(void)
{
	_Atomic(void *) *const pointers = malloc(TABLE_NODE * sizeof(*pointers));

	for (size_t i = 0; pointers && i < TABLE_NODE; i++)
		atomic_init(&pointers[i], NULL);
	return pointers;
}

/* The node or the leaf there. */
static void *get(_Atomic(void *) *at)
{
	return atomic_load_explicit(at, memory_order_relaxed);
}

static void put(_Atomic(void *) *at, void *made)
{
	atomic_store_explicit(at, made, memory_order_release);
}

static bool widen_to_node(struct table *table)
{
	const uint32_t key = table->one_leaf.value;
	_Atomic(void *) *const leaves = make_pointers();

	if (!leaves)
		return false;
	put(&table->only_node[1], leaves);
	put(table_leaf_at(&table->one_node, leaves, key), get(&table->only_leaf));
	table->one_node.value = key & table->one_node.common;
	return true;
}

static bool widen_to_all(struct table *table)
{
	table->all.nodes = make_pointers();
	if (!table->all.nodes)
		return false;
	put(table_node_at(&table->all, table->one_node.value), get(&table->only_node[1]));
	return true;
}

/* To the next way, which has all that this one has; false without memory. */
static bool widen(struct table *table, uint32_t key)
{
	const struct table_way *const way = way_of(table);
	const struct table_way *next = &table->one_leaf;

	if (way == &table->one_node) {
		next = &table->all;
		if (!widen_to_all(table))
			return false;
	} else if (way) {
		next = &table->one_node;
		if (!widen_to_node(table))
			return false;
	} else {
		table->one_leaf.value = key & table->one_leaf.common;
	}
	atomic_store_explicit(&table->way, next, memory_order_release);
	return true;
}

/* Where the pointer to the key's leaf is, or will be; NULL without memory. */
static _Atomic(void *) *find_place(struct table *table, uint32_t key)
{
	const struct table_way *way = way_of(table);
	_Atomic(void *) *at;

	while (!way || (key & way->common) != way->value) {
		if (!widen(table, key))
			return NULL;
		way = way_of(table);
	}
	at = table_node_at(way, key);
	if (!get(at)) {
		void *const node = make_pointers();

		if (!node)
			return NULL;
		put(at, node);
	}
	return table_leaf_at(way, get(at), key);
}

void *li_table_make(struct table *table, uint32_t key)
{
	void *element = table_find(table, key);
	_Atomic(void *) *at;
	void *leaf;

	if (element)
		return element;
	/* First, so that without memory a table stays as it is. */
	leaf = calloc(TABLE_LEAF, table->element);
	if (!leaf)
		return NULL;
	at = find_place(table, key);
	if (!at) {
		free(leaf);
		return NULL;
	}
	put(at, leaf);
	return table_element(table, leaf, key);
}

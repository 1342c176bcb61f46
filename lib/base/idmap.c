/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "idmap.h"

#include <errno.h>
#include <stdlib.h>

#define ID_LIMIT (UINT32_C(1) << 31)

/* Seven bits in the root, then three times eight. */
static _Atomic(void *) *next_slot(struct idmap_node *node, uint32_t id, int level)
{
	return &node->slots[(id >> (8 * level)) & (IDMAP_NODE - 1)];
}

static _Atomic(void *) *find_slot(struct idmap *map, uint32_t id)
{
	_Atomic(void *) *slot;

	if (id >= ID_LIMIT)
		return NULL;
	slot = &map->root[id >> 24];
	for (int level = IDMAP_LEVELS - 1; level >= 0; level--) {
		struct idmap_node *const node = atomic_load_explicit(slot, memory_order_acquire);

		if (!node)
			return NULL;
		slot = next_slot(node, id, level);
	}
	return slot;
}

void li_idmap_init(struct idmap *map)
{
	for (size_t i = 0; i < IDMAP_ROOT; i++)
		atomic_init(&map->root[i], NULL);
}

static void free_below(struct idmap_node *node, int level)
{
	if (!node)
		return;
	for (size_t i = 0; level > 0 && i < IDMAP_NODE; i++)
		free_below(atomic_load_explicit(&node->slots[i], memory_order_relaxed), level - 1);
	free(node);
}

void li_idmap_free(struct idmap *map)
{
	for (size_t i = 0; i < IDMAP_ROOT; i++)
		free_below(atomic_load_explicit(&map->root[i], memory_order_relaxed),
		           IDMAP_LEVELS - 1);
}

int li_idmap_spare_alloc(struct idmap_spare *spare)
{
	*spare = (struct idmap_spare){0};
	for (int i = 0; i < IDMAP_LEVELS; i++) {
		spare->nodes[i] = malloc(sizeof(*spare->nodes[i]));
		if (!spare->nodes[i]) {
			li_idmap_spare_free(spare);
			return -ENOMEM;
		}
		for (size_t j = 0; j < IDMAP_NODE; j++)
			atomic_init(&spare->nodes[i]->slots[j], NULL);
	}
	return 0;
}

void li_idmap_spare_free(struct idmap_spare *spare)
{
	for (int i = 0; i < IDMAP_LEVELS; i++) {
		free(spare->nodes[i]);
		spare->nodes[i] = NULL;
	}
}

int li_idmap_insert(struct idmap *map, uint32_t id, void *value, struct idmap_spare *spare)
{
	_Atomic(void *) *slot;

	if (id >= ID_LIMIT)
		return -EINVAL;
	slot = &map->root[id >> 24];
	for (int level = IDMAP_LEVELS - 1; level >= 0; level--) {
		struct idmap_node *node = atomic_load_explicit(slot, memory_order_relaxed);

		if (!node) {
			node = spare->nodes[level];
			spare->nodes[level] = NULL;
			atomic_store_explicit(slot, node, memory_order_release);
		}
		slot = next_slot(node, id, level);
	}
	if (atomic_load_explicit(slot, memory_order_relaxed))
		return -EEXIST;
	atomic_store_explicit(slot, value, memory_order_release);
	return 0;
}

void li_idmap_remove(struct idmap *map, uint32_t id, void *value)
{
	_Atomic(void *) *const slot = find_slot(map, id);

	/* The kernel reuses ids at once: what stands here may already be somebody else's. */
	if (slot)
		atomic_compare_exchange_strong(slot, &value, NULL);
}

void *li_idmap_find(struct idmap *map, uint32_t id)
{
	_Atomic(void *) *const slot = find_slot(map, id);

	return slot ? atomic_load_explicit(slot, memory_order_acquire) : NULL;
}

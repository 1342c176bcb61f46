/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "sparse.h"

#include <errno.h>

#include "heap.h"

#define BITS   8
#define SLOTS  (1U << BITS)
#define LEVELS 4

struct emu_sparse_node {
	void *slots[SLOTS];
	unsigned int used;
};

/* Level 0 has the values. */
static unsigned int slot_of(uint32_t at, unsigned int level)
{
	return at >> level * BITS & (SLOTS - 1);
}

void *emu_sparse_get(const struct emu_sparse *sparse, uint32_t at)
{
	const struct emu_sparse_node *node = sparse->root;

	for (unsigned int level = LEVELS - 1; node && level; level--)
		node = node->slots[slot_of(at, level)];
	return node ? node->slots[slot_of(at, 0)] : NULL;
}

/* Frees what has become empty on the way to the number. */
static void prune(struct emu_sparse *sparse, uint32_t at)
{
	struct emu_sparse_node *path[LEVELS] = {sparse->root};
	unsigned int depth = 0;

	while (depth < LEVELS - 1 && path[depth]) {
		path[depth + 1] = path[depth]->slots[slot_of(at, LEVELS - 1 - depth)];
		depth++;
	}
	for (;; depth--) {
		if (path[depth] && path[depth]->used)
			return;
		emu_release(path[depth]);
		if (!depth)
			break;
		if (path[depth]) {
			path[depth - 1]->slots[slot_of(at, LEVELS - depth)] = NULL;
			path[depth - 1]->used--;
		}
	}
	sparse->root = NULL;
}

int emu_sparse_set(struct emu_sparse *sparse, uint32_t at, void *value)
{
	struct emu_sparse_node *node;
	void **slot;

	if (!value && !emu_sparse_get(sparse, at))
		return 0;
	if (!sparse->root)
		sparse->root = emu_alloc(sizeof(*node));
	node = sparse->root;
	for (unsigned int level = LEVELS - 1; node && level; level--) {
		slot = &node->slots[slot_of(at, level)];
		if (!*slot) {
			*slot = emu_alloc(sizeof(*node));
			node->used += *slot ? 1 : 0;
		}
		node = *slot;
	}
	if (node) {
		slot = &node->slots[slot_of(at, 0)];
		node->used += (value ? 1U : 0) - (*slot ? 1U : 0);
		*slot = value;
	}
	if (!node || !value)
		prune(sparse, at);
	return node ? 0 : -ENOMEM;
}

static void *first_from(const struct emu_sparse_node *node, unsigned int level, uint32_t *at)
{
	for (unsigned int i = slot_of(*at, level); node && i < SLOTS; i++) {
		const uint32_t below = (UINT32_C(1) << level * BITS) - 1;
		void *found = node->slots[i];

		if (i != slot_of(*at, level))
			*at = (*at & ~(below | (SLOTS - 1) << level * BITS)) | i << level * BITS;
		if (found && level)
			found = first_from(found, level - 1, at);
		if (found)
			return found;
	}
	return NULL;
}

void *emu_sparse_next(const struct emu_sparse *sparse, uint32_t *at)
{
	return first_from(sparse->root, LEVELS - 1, at);
}

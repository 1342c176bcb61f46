/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "index.h"

#include <stdlib.h>

#define FIRST_SIZE 64

void li_index_free(struct index *index)
{
	free(index->slots);
	*index = (struct index){0};
}

/*
 * Keys count up, or are addresses: the upper bits of the product depend on all of them. An image
 * that means no good could choose keys that meet, and make them slow to find; so where they go
 * depends on where the slots are too, which nobody knows who wrote it.
 */
static uint64_t mix(const struct index *index, uint32_t kind, uint64_t key)
{
	const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
	const uint64_t mixed = ((key + kind) ^ (uintptr_t)index->slots) * factor;

	return (mixed ^ mixed >> 32) * factor;
}

/* The slot with the key, or the free one where it would be. There is a free one. */
static struct index_slot *find(const struct index *index, uint32_t kind, uint64_t key)
{
	size_t at = (size_t)(mix(index, kind, key) >> 32) & (index->size - 1);

	while (index->slots[at].number != INDEX_NONE &&
	       (index->slots[at].key != key || index->slots[at].kind != kind))
		at = (at + 1) & (index->size - 1);
	return &index->slots[at];
}

uint32_t li_index_find(const struct index *index, uint32_t kind, uint64_t key)
{
	return index->size ? find(index, kind, key)->number : INDEX_NONE;
}

bool li_index_reserve(struct index *index)
{
	struct index grown = {.size = index->size ? 2 * index->size : FIRST_SIZE};

	if (2 * (index->used + 1) <= index->size)
		return true;
	grown.slots = malloc(grown.size * sizeof(*grown.slots));
	if (!grown.slots)
		return false;
	for (size_t i = 0; i < grown.size; i++)
		grown.slots[i].number = INDEX_NONE;
	for (size_t i = 0; i < index->size; i++)
		if (index->slots[i].number != INDEX_NONE)
			li_index_add(&grown, index->slots[i].kind, index->slots[i].key,
			             index->slots[i].number);
	free(index->slots);
	*index = grown;
	return true;
}

void li_index_add(struct index *index, uint32_t kind, uint64_t key, uint32_t number)
{
	*find(index, kind, key) = (struct index_slot){key, kind, number};
	index->used++;
}

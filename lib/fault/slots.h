/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The groups that a reader has and has not completed, by token and from the oldest on. Inline: each
 * group goes through here twice.
 */
#ifndef LIBIOMMU_FAULT_SLOTS_H
#define LIBIOMMU_FAULT_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

#define SLOT_GENERATIONS ((UINT64_C(1) << (64 - RING_SLOT_BITS)) - 1)
#define SLOT_NONE        UINT32_MAX

struct slot {
	uint64_t cookie;
	uint64_t generation; /* 44 bits; changes whenever the slot is given back */
	uint64_t published;  /* ns */
	uint32_t source;
	uint32_t end; /* of its records */
	uint32_t older;
	uint32_t newer; /* or the next free one */
	bool busy;
};

struct slots {
	struct slot *slot;
	uint32_t count;
	uint32_t busy;
	uint32_t oldest;
	uint32_t newest;
	uint32_t free;
};

int li_slots_init(struct slots *slots, uint32_t count);
void li_slots_free(struct slots *slots);
/* There must be a free one. It becomes the newest. */
static inline uint32_t slots_take(struct slots *slots)
{
	const uint32_t index = slots->free;
	struct slot *const slot = &slots->slot[index];

	slots->free = slot->newer;
	slot->older = slots->newest;
	slot->newer = SLOT_NONE;
	slot->busy = true;
	if (slots->newest != SLOT_NONE)
		slots->slot[slots->newest].newer = index;
	else
		slots->oldest = index;
	slots->newest = index;
	slots->busy++;
	return index;
}

/* No token names it any more. */
static inline void slots_give(struct slots *slots, uint32_t index)
{
	struct slot *const slot = &slots->slot[index];

	if (slot->older != SLOT_NONE)
		slots->slot[slot->older].newer = slot->newer;
	else
		slots->oldest = slot->newer;
	if (slot->newer != SLOT_NONE)
		slots->slot[slot->newer].older = slot->older;
	else
		slots->newest = slot->older;
	slot->busy = false;
	slot->generation = (slot->generation + 1) & SLOT_GENERATIONS;
	if (!slot->generation)
		slot->generation = 1;
	slot->newer = slots->free;
	slots->free = index;
	slots->busy--;
}

static inline uint64_t slots_token(const struct slots *slots, uint32_t index)
{
	return slots->slot[index].generation << RING_SLOT_BITS | index;
}

/* The slot that a token from an untrusted place names, SLOT_NONE where it is none that is out. */
static inline uint32_t slots_find(const struct slots *slots, uint64_t token, uint32_t source)
{
	const uint32_t index = token & (RING_MAX_SLOTS - 1);
	const struct slot *slot;

	if (index >= slots->count)
		return SLOT_NONE;
	slot = &slots->slot[index];
	if (!slot->busy || slot->generation != token >> RING_SLOT_BITS || slot->source != source)
		return SLOT_NONE;
	return index;
}

#endif

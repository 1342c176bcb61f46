/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "slots.h"

#include <errno.h>
#include <stdlib.h>

#include "layout.h"

#define GENERATION_MASK ((UINT64_C(1) << (64 - RING_SLOT_BITS)) - 1)

int li_slots_init(struct slots *slots, uint32_t count)
{
	slots->slot = calloc(count, sizeof(*slots->slot));
	if (!slots->slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		slots->slot[i].newer = i + 1 < count ? i + 1 : SLOT_NONE;
		/* No token is 0, which records have that nobody need complete. */
		slots->slot[i].generation = 1;
	}
	slots->count = count;
	slots->busy = 0;
	slots->oldest = SLOT_NONE;
	slots->newest = SLOT_NONE;
	slots->free = 0;
	return 0;
}

void li_slots_free(struct slots *slots)
{
	free(slots->slot);
}

uint32_t li_slots_take(struct slots *slots)
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

void li_slots_give(struct slots *slots, uint32_t index)
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
	slot->generation = (slot->generation + 1) & GENERATION_MASK;
	if (!slot->generation)
		slot->generation = 1;
	slot->newer = slots->free;
	slots->free = index;
	slots->busy--;
}

uint64_t li_slots_token(const struct slots *slots, uint32_t index)
{
	return slots->slot[index].generation << RING_SLOT_BITS | index;
}

uint32_t li_slots_find(const struct slots *slots, uint64_t token, uint32_t source)
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

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ids.h"

#include <errno.h>
#include <string.h>

#include "heap.h"

static int make_room(struct emu_ids *ids)
{
	const size_t room = ids->room ? 2 * ids->room : 64;
	void **const slots = emu_grow(ids->slots, room * sizeof(void *));
	uint64_t *taken;

	if (!slots)
		return -ENOMEM;
	ids->slots = slots;
	taken = emu_grow(ids->taken, room / 8);
	if (!taken)
		return -ENOMEM;
	ids->taken = taken;
	memset(slots + ids->room, 0, (room - ids->room) * sizeof(void *));
	memset(taken + ids->room / 64, 0, (room - ids->room) / 8);
	if (!ids->room)
		taken[0] = 1; /* nothing has the number 0 */
	ids->room = room;
	return 0;
}

static size_t lowest_free(const struct emu_ids *ids)
{
	for (size_t word = ids->lowest / 64; word < ids->room / 64; word++)
		if (~ids->taken[word])
			return word * 64 + (size_t)__builtin_ctzll(~ids->taken[word]);
	return ids->room;
}

int emu_ids_add(struct emu_ids *ids, void *thing, uint32_t *id)
{
	size_t free = lowest_free(ids);

	if (free == ids->room) {
		if (make_room(ids))
			return -ENOMEM;
		free = lowest_free(ids);
	}
	ids->slots[free] = thing;
	ids->taken[free / 64] |= UINT64_C(1) << free % 64;
	ids->lowest = free + 1;
	*id = (uint32_t)free;
	return 0;
}

void emu_ids_remove(struct emu_ids *ids, uint32_t id, bool tombstone)
{
	ids->slots[id] = NULL;
	if (tombstone)
		return;
	ids->taken[id / 64] &= ~(UINT64_C(1) << id % 64);
	if (id < ids->lowest)
		ids->lowest = id;
}

void *emu_ids_find(const struct emu_ids *ids, uint32_t id)
{
	return id < ids->room ? ids->slots[id] : NULL;
}

void emu_ids_free(struct emu_ids *ids)
{
	emu_release(ids->slots);
	emu_release(ids->taken);
	memset(ids, 0, sizeof(*ids));
}

bool emu_ids_none(const struct emu_ids *ids)
{
	/* The first bit is of the number 0, which nothing has, mostly. */
	for (size_t word = 0; word < ids->room / 64; word++)
		if (ids->taken[word] & (word ? UINT64_MAX : ~UINT64_C(1)))
			return false;
	return !ids->room || !ids->slots[0];
}

void emu_ids_erase_zero(struct emu_ids *ids)
{
	if (emu_ids_none(ids) || ids->slots[0])
		return;
	ids->taken[0] &= ~UINT64_C(1);
	ids->lowest = 0;
}

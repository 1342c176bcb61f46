/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fault-groups.h"

#include <stdlib.h>

#define INDEX_BITS       20
#define INDEX_MASK       (FAULT_GROUPS_MAX - 1)
#define FIRST_ROOM       UINT32_C(64)
#define GENERATION_LIMIT (UINT64_C(1) << 44)

void li_fault_groups_free(struct fault_groups *groups)
{
	free(groups->groups);
	free(groups->by_cookie);
	free(groups->answers);
	free(groups->answered);
}

/* Each array alone: what has grown before memory ran out is just larger than it needs to be. */
static bool grow_array(void **array, size_t count, size_t size)
{
	void *const grown = realloc(*array, count * size);

	if (grown)
		*array = grown;
	return grown;
}

static bool grow(struct fault_groups *groups, uint32_t room)
{
	void *all = groups->groups;
	void *by_cookie = groups->by_cookie;
	void *answers = groups->answers;
	void *answered = groups->answered;
	/* Cookies begin with 1. */
	const bool grown = grow_array(&all, room, sizeof(*groups->groups)) &&
	                   grow_array(&by_cookie, (size_t)room + 1, sizeof(*groups->by_cookie)) &&
	                   grow_array(&answers, room, sizeof(*groups->answers)) &&
	                   grow_array(&answered, room, sizeof(*groups->answered));

	groups->groups = all;
	groups->by_cookie = by_cookie;
	groups->answers = answers;
	groups->answered = answered;
	if (!grown)
		return false;
	for (uint32_t i = room; i-- > groups->room;) {
		groups->groups[i] = (struct fault_group){.generation = 1, .next = groups->free};
		groups->by_cookie[i + 1] = 0;
		groups->free = i + 1;
	}
	groups->by_cookie[0] = 0;
	groups->room = room;
	return true;
}

uint32_t li_fault_groups_reserve(struct fault_groups *groups, uint32_t count)
{
	const uint32_t wanted =
		count > FAULT_GROUPS_MAX - groups->used ? FAULT_GROUPS_MAX : groups->used + count;
	uint32_t room = groups->room ? groups->room : FIRST_ROOM;

	while (room < wanted)
		room *= 2;
	if (room > groups->room)
		grow(groups, room);
	return groups->room - groups->used < count ? groups->room - groups->used : count;
}

uint64_t li_fault_groups_add(struct fault_groups *groups, uint32_t cookie, const struct slot *slot)
{
	struct fault_group *group;
	uint32_t index;

	if (cookie <= groups->room && groups->by_cookie[cookie])
		li_fault_groups_retire(groups, groups->by_cookie[cookie] - 1);
	index = groups->free - 1;
	group = &groups->groups[index];
	groups->free = group->next;
	groups->used++;
	group->slot = slot;
	group->cookie = cookie;
	group->outstanding = true;
	/* The kernel gives the lowest that is free: there are never more than groups. */
	if (cookie <= groups->room)
		groups->by_cookie[cookie] = index + 1;
	return group->generation << INDEX_BITS | index;
}

bool li_fault_groups_wants(const struct fault_groups *groups, uint64_t token)
{
	const uint32_t index = (uint32_t)(token & INDEX_MASK);

	return index < groups->room && groups->groups[index].outstanding &&
	       groups->groups[index].generation == token >> INDEX_BITS;
}

int32_t li_fault_groups_take(struct fault_groups *groups, uint64_t token)
{
	const uint32_t index = (uint32_t)(token & INDEX_MASK);

	if (!li_fault_groups_wants(groups, token))
		return -1;
	groups->groups[index].outstanding = false;
	return (int32_t)index;
}

void li_fault_groups_give_back(struct fault_groups *groups, uint32_t index)
{
	groups->groups[index].outstanding = true;
}

void li_fault_groups_retire(struct fault_groups *groups, uint32_t index)
{
	struct fault_group *const group = &groups->groups[index];

	if (group->cookie <= groups->room && groups->by_cookie[group->cookie] == index + 1)
		groups->by_cookie[group->cookie] = 0;
	group->outstanding = false;
	group->generation = group->generation + 1 < GENERATION_LIMIT ? group->generation + 1 : 1;
	group->next = groups->free;
	groups->free = index + 1;
	groups->used--;
}

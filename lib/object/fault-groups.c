/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fault-groups.h"

#include <stdlib.h>

#include "../base/array.h"

#define FIRST_ROOM UINT32_C(64)

void li_fault_groups_free(struct fault_groups *groups)
{
	free(groups->groups);
	free(groups->answers);
	free(groups->answered);
}

static bool grow(struct fault_groups *groups, uint32_t room)
{
	void *all = groups->groups;
	void *answers = groups->answers;
	void *answered = groups->answered;
	const bool grown = array_grow(&all, room, sizeof(*groups->groups)) &&
	                   array_grow(&answers, room, sizeof(*groups->answers)) &&
	                   array_grow(&answered, room, sizeof(*groups->answered));

	groups->groups = all;
	groups->answers = answers;
	groups->answered = answered;
	if (!grown)
		return false;
	for (uint32_t i = groups->room; i < room; i++)
		groups->groups[i] =
			(struct fault_group){.token = groups->base + i, .cookie = i + 1};
	groups->room = room;
	return true;
}

/* The place of a group that is gone. */
static void clear(struct fault_groups *groups, uint32_t index)
{
	struct fault_group *const group = &groups->groups[index];

	group->owed = false;
	if (group->cookie == index + 1)
		return;
	group->cookie = index + 1;
	groups->strays--;
}

void li_fault_groups_retire(struct fault_groups *groups, uint32_t index)
{
	struct fault_group *const group = &groups->groups[index];

	group->token += group->token & FAULT_GENERATION;
	groups->used--;
	clear(groups, index);
}

void li_fault_groups_retire_answered(struct fault_groups *groups, uint32_t at, uint32_t end)
{
	groups->used -= end - at;
	if (!groups->strays && !groups->owed)
		return;
	for (; at < end; at++)
		clear(groups, groups->answered[at]);
}

void li_fault_groups_owe(struct fault_groups *groups, uint32_t at)
{
	const uint32_t index = groups->answered[at];

	groups->groups[index].owed = true;
	groups->answers[groups->owed] = groups->answers[at];
	groups->answered[groups->owed++] = index;
}

/* An answer that is owed to a group that has ended is not to be given to the next one. */
static void disown(struct fault_groups *groups, uint32_t index)
{
	const uint32_t owed = groups->owed;

	groups->groups[index].owed = false;
	groups->owed = 0;
	for (uint32_t i = 0; i < owed; i++)
		if (groups->answered[i] != index)
			li_fault_groups_owe(groups, i);
}

static bool has(const struct fault_groups *groups, uint32_t index, uint32_t cookie)
{
	return fault_group_is_used(&groups->groups[index]) &&
	       groups->groups[index].cookie == cookie;
}

/* The place of the group with the cookie; the room where there is none. */
static uint32_t find(const struct fault_groups *groups, uint32_t cookie)
{
	uint32_t index = cookie - 1;

	if (index < groups->room && has(groups, index, cookie))
		return index;
	index = groups->strays && cookie <= groups->highest ? 0 : groups->room;
	while (index < groups->room && !has(groups, index, cookie))
		index++;
	return index;
}

uint32_t li_fault_groups_place(struct fault_groups *groups, uint32_t cookie)
{
	uint32_t index = find(groups, cookie);

	if (index < groups->room) {
		disown(groups, index);
		li_fault_groups_retire(groups, index);
	}
	index = cookie - 1;
	if (index < groups->room && !fault_group_is_used(&groups->groups[index]))
		return index;
	/* There is one: room was made before the group was read. */
	for (index = 0; fault_group_is_used(&groups->groups[index]); index++)
		;
	groups->groups[index].cookie = cookie;
	groups->strays++;
	if (cookie > groups->highest)
		groups->highest = cookie;
	return index;
}

uint32_t li_fault_groups_reserve(struct fault_groups *groups, uint32_t count)
{
	uint32_t wanted =
		count > FAULT_GROUPS_MAX - groups->used ? FAULT_GROUPS_MAX : groups->used + count;
	uint32_t room = groups->room ? groups->room : FIRST_ROOM;

	/* So that there are no more strays, if possible. */
	if (groups->highest > wanted && groups->highest <= FAULT_GROUPS_MAX)
		wanted = groups->highest;
	while (room < wanted)
		room *= 2;
	if (room > groups->room)
		grow(groups, room);
	return groups->room - groups->used < count ? groups->room - groups->used : count;
}

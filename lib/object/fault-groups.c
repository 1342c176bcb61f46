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
		groups->groups[i] = (struct fault_group){.token = groups->base + i};
	groups->room = room;
	return true;
}

void li_fault_groups_retire_answered(struct fault_groups *groups, uint32_t at, uint32_t end)
{
	struct fault_group *const all = groups->groups;
	const uint32_t *const answered = groups->answered;

	if (groups->strays) {
		for (; at < end; at++)
			fault_groups_retire(groups, answered[at]);
		return;
	}
	groups->used -= end - at;
	for (; at < end; at++)
		all[answered[at]].used = false;
}

void li_fault_groups_disown(struct fault_groups *groups, uint32_t index)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < groups->owed; i++) {
		if (groups->answered[i] == index)
			continue;
		groups->answers[kept] = groups->answers[i];
		groups->answered[kept++] = groups->answered[i];
	}
	groups->owed = kept;
}

/* The place of the group with the cookie; the room where there is none. */
static uint32_t find(const struct fault_groups *groups, uint32_t cookie)
{
	uint32_t index = cookie - 1;

	if (index < groups->room && groups->groups[index].used &&
	    groups->groups[index].cookie == cookie)
		return index;
	index = groups->strays && cookie <= groups->highest ? 0 : groups->room;
	while (index < groups->room &&
	       !(groups->groups[index].used && groups->groups[index].cookie == cookie))
		index++;
	return index;
}

uint32_t li_fault_groups_place(struct fault_groups *groups, uint32_t cookie)
{
	uint32_t index = find(groups, cookie);

	if (index < groups->room) {
		li_fault_groups_disown(groups, index);
		fault_groups_retire(groups, index);
	}
	index = cookie - 1;
	if (index < groups->room && !groups->groups[index].used)
		return index;
	/* There is one: room was made before the group was read. */
	for (index = 0; groups->groups[index].used; index++)
		;
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

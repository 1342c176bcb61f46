/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fault-groups.h"

#include <stdlib.h>

#include "../base/array.h"

#define FIRST_ROOM UINT32_C(64)

void li_fault_groups_free(struct fault_groups *groups)
{
	free(groups->groups);
	free(groups->by_cookie);
	free(groups->answers);
	free(groups->answered);
}

static bool grow(struct fault_groups *groups, uint32_t room)
{
	void *all = groups->groups;
	void *by_cookie = groups->by_cookie;
	void *answers = groups->answers;
	void *answered = groups->answered;
	/* Cookies begin with 1. */
	const bool grown = array_grow(&all, room, sizeof(*groups->groups)) &&
	                   array_grow(&by_cookie, (size_t)room + 1, sizeof(*groups->by_cookie)) &&
	                   array_grow(&answers, room, sizeof(*groups->answers)) &&
	                   array_grow(&answered, room, sizeof(*groups->answered));

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
	/* It may have been given out all the same, and have a group. */
	if (!groups->room)
		groups->by_cookie[0] = 0;
	groups->room = room;
	return true;
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

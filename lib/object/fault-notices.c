/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fault-notices.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 16

void li_fault_notices_free(struct fault_notices *notices)
{
	free(notices->list);
}

bool li_fault_notices_reserve(struct fault_notices *notices)
{
	if (notices->count + notices->reserved == notices->room) {
		const size_t room = notices->room ? 2 * notices->room : FIRST_ROOM;
		void *const list = realloc(notices->list, room * sizeof(*notices->list));

		if (!list)
			return false;
		notices->list = list;
		notices->room = room;
	}
	notices->reserved++;
	return true;
}

void li_fault_notices_unreserve(struct fault_notices *notices)
{
	notices->reserved--;
}

void li_fault_notices_add(struct fault_notices *notices, const struct fault_notice *notice)
{
	if (notices->first + notices->count == notices->room) {
		memmove(notices->list, notices->list + notices->first,
		        notices->count * sizeof(*notices->list));
		notices->first = 0;
	}
	notices->list[notices->first + notices->count++] = *notice;
	notices->reserved--;
}

void li_fault_notices_clear(struct fault_notices *notices)
{
	notices->first = notices->count = 0;
}

uint64_t li_fault_notices_groups_before(const struct fault_notices *notices, uint64_t given)
{
	uint64_t after;

	if (!notices->count)
		return UINT64_MAX;
	after = notices->list[notices->first].after;
	return after > given ? after - given : 0;
}

size_t li_fault_notices_take(struct fault_notices *notices, uint64_t given, struct fault_notice *to,
                             size_t max)
{
	const struct fault_notice *const first = notices->list + notices->first;
	size_t count = 0;

	while (count < max && count < notices->count && first[count].after <= given)
		count++;
	if (!count)
		return 0;
	memcpy(to, notices->list + notices->first, count * sizeof(*to));
	notices->count -= count;
	notices->first = notices->count ? notices->first + count : 0;
	return count;
}

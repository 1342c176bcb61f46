/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "extents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

#define FIRST_ROOM 16

void li_extents_init(struct extents *extents)
{
	*extents = (struct extents){0};
}

void li_extents_free(struct extents *extents)
{
	free(extents->all);
}

int li_extents_reserve(struct extents *extents)
{
	const size_t room = extents->room ? 2 * extents->room : FIRST_ROOM;

	if (extents->count < extents->room)
		return 0;
	if (!array_grow((void **)&extents->all, room, sizeof(*extents->all)))
		return -ENOMEM;
	extents->room = room;
	return 0;
}

/* The first one that ends at @address or behind it. */
static size_t find_first(const struct extents *extents, uint64_t address)
{
	size_t from = 0;
	size_t to = extents->count;

	while (from < to) {
		const size_t middle = from + (to - from) / 2;

		if (extents->all[middle].last < address)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

void li_extents_add(struct extents *extents, const struct extent *extent)
{
	const size_t at = find_first(extents, extent->first);

	memmove(&extents->all[at + 1], &extents->all[at],
	        (extents->count - at) * sizeof(*extents->all));
	extents->all[at] = *extent;
	extents->count++;
}

void li_extents_find(const struct extents *extents, uint64_t first, uint64_t last, size_t *from,
                     size_t *to)
{
	*from = find_first(extents, first);
	*to = last == UINT64_MAX ? extents->count : find_first(extents, last + 1);
	/* It ends behind the range, and may begin in it. */
	if (last != UINT64_MAX && *to < extents->count && extents->all[*to].first <= last)
		++*to;
}

uint64_t li_extents_remove(struct extents *extents, size_t from, size_t to)
{
	uint64_t bytes = 0;

	if (from == to)
		return 0;
	for (size_t i = from; i < to; i++)
		bytes += extents->all[i].last - extents->all[i].first + 1;
	if (extents->all[from].first < extents->next)
		extents->next = extents->all[from].first;
	memmove(&extents->all[from], &extents->all[to],
	        (extents->count - to) * sizeof(*extents->all));
	extents->count -= to - from;
	return bytes;
}

/* Up to the next multiple; false where there is none. */
static bool align(uint64_t *address, uint64_t alignment)
{
	const uint64_t up = (*address + alignment - 1) & ~(alignment - 1);

	if (up < *address)
		return false;
	*address = up;
	return true;
}

static bool place_between(const struct extents *extents, uint64_t first, uint64_t last,
                          uint64_t length, uint64_t alignment, uint64_t *found)
{
	uint64_t at = first ? first : 1;

	for (size_t i = find_first(extents, at);; i++) {
		const struct extent *const next = &extents->all[i];

		if (!align(&at, alignment) || at > last || length - 1 > last - at)
			return false;
		if (i == extents->count || (at < next->first && length - 1 < next->first - at)) {
			*found = at;
			return true;
		}
		if (next->last == UINT64_MAX)
			return false;
		if (at <= next->last)
			at = next->last + 1;
	}
}

bool li_extents_place(struct extents *extents, const struct libiommu_iova_range *ranges,
                      size_t count, uint64_t length, uint64_t alignment, uint64_t *first)
{
	const uint64_t starts[] = {extents->next, 0};

	for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
		for (size_t i = 0; i < count; i++) {
			const uint64_t begin =
				ranges[i].start > starts[s] ? ranges[i].start : starts[s];

			if (begin > ranges[i].last || !place_between(extents, begin, ranges[i].last,
			                                             length, alignment, first))
				continue;
			extents->next = *first + length;
			return true;
		}
	}
	return false;
}

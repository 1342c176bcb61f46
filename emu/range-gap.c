/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What is free between ranges, of which every part of the tree knows the most. */
#include "range.h"

struct gap {
	uint64_t start, end;
};

static bool is_gap(uint64_t last, uint64_t start, uint64_t least, struct gap *gap)
{
	if (emu_ranges_between(last, start) < least)
		return false;
	*gap = (struct gap){last + 1, start - 1};
	return true;
}

/* The lowest between two that are @range or below it; there is one. */
static void gap_below(const struct emu_range *range, uint64_t least, struct gap *gap)
{
	for (;;) {
		if (range->left && range->left->gap >= least) {
			range = range->left;
			continue;
		}
		if (range->left && is_gap(range->left->reach, range->start, least, gap))
			return;
		if (is_gap(range->last, range->right->first, least, gap))
			return;
		range = range->right;
	}
}

/* The lowest behind @range; at last all that is free behind the highest. */
static bool gap_behind(const struct emu_range *range, uint64_t least, struct gap *gap)
{
	uint64_t reach;

	for (;;) {
		reach = range->last;
		if (range->right) {
			if (is_gap(range->last, range->right->first, least, gap))
				return true;
			if (range->right->gap >= least) {
				gap_below(range->right, least, gap);
				return true;
			}
			reach = range->right->reach;
		}
		while (range->parent && range->parent->right == range)
			range = range->parent;
		range = range->parent;
		if (!range)
			break;
		if (is_gap(reach, range->start, least, gap))
			return true;
	}
	*gap = (struct gap){reach + 1, UINT64_MAX};
	return reach < UINT64_MAX;
}

static bool clip(const struct gap *gap, uint64_t last, uint64_t least, uint64_t *start,
                 uint64_t *end)
{
	if (gap->start > last)
		return false;
	*start = gap->start;
	*end = gap->end < last ? gap->end : last;
	return *end - *start >= least - 1;
}

bool emu_ranges_gap(const struct emu_ranges *set, uint64_t from, uint64_t last, uint64_t least,
                    uint64_t *start, uint64_t *end)
{
	const struct emu_range *next = emu_ranges_meet_one(set, from, UINT64_MAX);
	struct gap gap = {from, UINT64_MAX};

	/* What is free at @from is cut there. */
	if (next && next->start <= from)
		return gap_behind(next, least, &gap) && clip(&gap, last, least, start, end);
	if (next)
		gap.end = next->start - 1;
	if (clip(&gap, last, least, start, end))
		return true;
	return next && gap_behind(next, least, &gap) && clip(&gap, last, least, start, end);
}

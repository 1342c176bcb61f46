/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* An AVL tree: heights of two siblings differ by one at most. */
#include "range.h"

static int height(const struct emu_range *range)
{
	return range ? range->height : 0;
}

static uint64_t between(uint64_t last, uint64_t start)
{
	return start > last ? start - last - 1 : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What a range says of those below it. */
static void sum_up(struct emu_range *range)
{
	const struct emu_range *const left = range->left, *const right = range->right;
	const int heights[] = {height(left), height(right)};

	range->height = 1 + (heights[0] > heights[1] ? heights[0] : heights[1]);
	range->first = range->start;
	range->reach = range->last;
	range->gap = 0;
	if (left) {
		range->first = left->first;
		range->reach = larger(range->reach, left->reach);
		range->gap = larger(left->gap, between(left->reach, range->start));
	}
	if (right) {
		range->gap = larger(range->gap, between(range->reach, right->first));
		range->gap = larger(range->gap, right->gap);
		range->reach = larger(range->reach, right->reach);
	}
}

static void replace_child(struct emu_ranges *set, struct emu_range *parent, struct emu_range *old,
                          struct emu_range *child)
{
	if (!parent)
		set->root = child;
	else if (parent->left == old)
		parent->left = child;
	else
		parent->right = child;
	if (child)
		child->parent = parent;
}

/* Its right, or left, child takes its place. */
static struct emu_range *rotate(struct emu_ranges *set, struct emu_range *range, bool left)
{
	struct emu_range *const up = left ? range->right : range->left;
	struct emu_range *const middle = left ? up->left : up->right;

	replace_child(set, range->parent, range, up);
	if (left) {
		range->right = middle;
		up->left = range;
	} else {
		range->left = middle;
		up->right = range;
	}
	if (middle)
		middle->parent = range;
	range->parent = up;
	sum_up(range);
	sum_up(up);
	return up;
}

static struct emu_range *balance(struct emu_ranges *set, struct emu_range *range)
{
	const int lean = height(range->left) - height(range->right);

	if (lean > 1) {
		if (height(range->left->left) < height(range->left->right))
			rotate(set, range->left, true);
		return rotate(set, range, false);
	}
	if (lean < -1) {
		if (height(range->right->right) < height(range->right->left))
			rotate(set, range->right, false);
		return rotate(set, range, true);
	}
	return range;
}

static void mend(struct emu_ranges *set, struct emu_range *range)
{
	for (; range; range = range->parent) {
		sum_up(range);
		range = balance(set, range);
	}
}

static bool before(const struct emu_range *a, uint64_t start, uint64_t last)
{
	return a->start < start || (a->start == start && a->last < last);
}

void emu_ranges_add(struct emu_ranges *set, struct emu_range *range)
{
	struct emu_range *parent = NULL, *at = set->root;
	bool left = false;

	while (at) {
		parent = at;
		left = before(range, at->start, at->last);
		at = left ? at->left : at->right;
	}
	range->left = range->right = NULL;
	range->parent = parent;
	if (!parent)
		set->root = range;
	else if (left)
		parent->left = range;
	else
		parent->right = range;
	mend(set, range);
}

static struct emu_range *leftmost(struct emu_range *range)
{
	while (range && range->left)
		range = range->left;
	return range;
}

void emu_ranges_remove(struct emu_ranges *set, struct emu_range *range)
{
	struct emu_range *next, *from;

	if (!range->left || !range->right) {
		replace_child(set, range->parent, range, range->left ? range->left : range->right);
		mend(set, range->parent);
		return;
	}
	/* The next one, which has no left child, takes its place. */
	next = leftmost(range->right);
	from = next;
	if (next->parent != range) {
		from = next->parent;
		replace_child(set, from, next, next->right);
		next->right = range->right;
		next->right->parent = next;
	}
	next->left = range->left;
	next->left->parent = next;
	replace_child(set, range->parent, range, next);
	mend(set, from);
}

struct emu_range *emu_ranges_first(const struct emu_ranges *set)
{
	return leftmost(set->root);
}

struct emu_range *emu_ranges_next(const struct emu_range *range)
{
	if (range->right)
		return leftmost(range->right);
	while (range->parent && range->parent->right == range)
		range = range->parent;
	return range->parent;
}

struct emu_range *emu_ranges_meet(const struct emu_ranges *set, uint64_t start, uint64_t last)
{
	struct emu_range *at = set->root;

	while (at) {
		if (at->left && at->left->reach >= start)
			at = at->left;
		else if (at->start > last)
			return NULL;
		else if (at->last >= start)
			return at;
		else
			at = at->right && at->right->reach >= start ? at->right : NULL;
	}
	return NULL;
}

struct emu_range *emu_ranges_find(const struct emu_ranges *set, uint64_t start, uint64_t last)
{
	struct emu_range *at = set->root;

	while (at && (at->start != start || at->last != last))
		at = before(at, start, last) ? at->right : at->left;
	return at;
}

struct emu_range *emu_ranges_above(const struct emu_ranges *set, uint64_t above)
{
	struct emu_range *at = set->root, *found = NULL;

	while (at) {
		if (at->start > above)
			found = at;
		at = at->start > above ? at->left : at->right;
	}
	return found;
}

bool emu_ranges_cover(const struct emu_ranges *set, uint64_t at, uint64_t *reach)
{
	const struct emu_range *range = set->root;
	bool found = false;
	uint64_t furthest = 0;

	while (range) {
		if (range->start > at) {
			range = range->left;
			continue;
		}
		found = true;
		furthest = larger(furthest, range->last);
		if (range->left)
			furthest = larger(furthest, range->left->reach);
		range = range->right;
	}
	if (!found || furthest < at)
		return false;
	*reach = furthest;
	return true;
}

struct gap {
	uint64_t start, end;
};

static bool is_gap(uint64_t last, uint64_t start, uint64_t least, struct gap *gap)
{
	if (between(last, start) < least)
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
	const struct emu_range *next = emu_ranges_meet(set, from, UINT64_MAX);
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

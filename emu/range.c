/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* An AVL tree: heights of two siblings differ by one at most. */
#include "range.h"

static int height(const struct emu_range *range)
{
	return range ? range->height : 0;
}

uint64_t emu_ranges_between(uint64_t last, uint64_t start)
{
	return start > last ? start - last - 1 : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What a range says of those below it; whether that is news. */
static bool sum_up(struct emu_range *range)
{
	const struct emu_range *const left = range->left, *const right = range->right;
	const int heights[] = {height(left), height(right)};
	const struct emu_range old = *range;

	range->height = 1 + (heights[0] > heights[1] ? heights[0] : heights[1]);
	range->first = range->start;
	range->reach = range->last;
	range->gap = 0;
	if (left) {
		range->first = left->first;
		range->reach = larger(range->reach, left->reach);
		range->gap = larger(left->gap, emu_ranges_between(left->reach, range->start));
	}
	if (right) {
		range->gap = larger(range->gap, emu_ranges_between(range->reach, right->first));
		range->gap = larger(range->gap, right->gap);
		range->reach = larger(range->reach, right->reach);
	}
	return range->height != old.height || range->first != old.first ||
	       range->reach != old.reach || range->gap != old.gap;
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

/* One side is higher than the other by two. */
static struct emu_range *balance(struct emu_ranges *set, struct emu_range *range)
{
	if (height(range->left) > height(range->right)) {
		if (height(range->left->left) < height(range->left->right))
			rotate(set, range->left, true);
		return rotate(set, range, false);
	}
	if (height(range->right->right) < height(range->right->left))
		rotate(set, range->right, false);
	return rotate(set, range, true);
}

/* From one that has changed upwards: as far as there is news, and to @least in any case. */
static void mend(struct emu_ranges *set, struct emu_range *range, const struct emu_range *least)
{
	bool news = true;

	for (; range && (news || least); range = range->parent) {
		if (range == least)
			least = NULL;
		news = sum_up(range);
		if (height(range->left) - height(range->right) > 1 ||
		    height(range->right) - height(range->left) > 1) {
			range = balance(set, range);
			news = true;
		}
	}
}

static bool before(const struct emu_range *a, uint64_t start, uint64_t last)
{
	return a->start < start || (a->start == start && a->last < last);
}

static struct emu_range *leftmost(struct emu_range *range)
{
	while (range && range->left)
		range = range->left;
	return range;
}

static struct emu_range *previous(const struct emu_range *range)
{
	struct emu_range *at = range->left;

	while (at && at->right)
		at = at->right;
	if (at)
		return at;
	while (range->parent && range->parent->left == range)
		range = range->parent;
	return range->parent;
}

/* Between which two this one belongs, if that is where something was done last. */
static bool is_near(const struct emu_ranges *set, uint64_t start, uint64_t last,
                    struct emu_range **below, struct emu_range **above)
{
	if (!set->near)
		return false;
	if (before(set->near, start, last)) {
		*below = set->near;
		*above = emu_ranges_next(set->near);
	} else {
		*below = previous(set->near);
		*above = set->near;
	}
	return (!*below || before(*below, start, last)) &&
	       (!*above || !before(*above, start, last));
}

static void hang(struct emu_ranges *set, struct emu_range *range, struct emu_range *parent,
                 bool left)
{
	range->left = range->right = NULL;
	range->parent = parent;
	range->height = 0;
	if (!parent)
		set->root = range;
	else if (left)
		parent->left = range;
	else
		parent->right = range;
	set->near = range;
	mend(set, range, NULL);
}

void emu_ranges_add(struct emu_ranges *set, struct emu_range *range)
{
	struct emu_range *parent = NULL, *at = set->root, *above;
	bool left = false;

	if (is_near(set, range->start, range->last, &at, &above)) {
		left = !at || at->right;
		hang(set, range, left ? above : at, left);
		return;
	}
	at = set->root;
	while (at) {
		parent = at;
		left = !before(at, range->start, range->last);
		at = left ? at->left : at->right;
	}
	hang(set, range, parent, left);
}

void emu_ranges_remove(struct emu_ranges *set, struct emu_range *range)
{
	struct emu_range *next, *from;

	set->near = range->parent ? range->parent : range->left;
	if (!range->left || !range->right) {
		replace_child(set, range->parent, range, range->left ? range->left : range->right);
		mend(set, range->parent, NULL);
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
	next->height = 0;
	mend(set, from, next);
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

struct emu_range *emu_ranges_meet_one(const struct emu_ranges *set, uint64_t start, uint64_t last)
{
	struct emu_range *at = set->root, *found = NULL, *below;

	if (is_near(set, start, start, &below, &found)) {
		if (below && below->last >= start)
			return below;
		return found && found->start <= last ? found : NULL;
	}
	found = NULL;
	while (at && (at->start > start || at->last < start)) {
		if (at->start > start && at->start <= last)
			found = at;
		at = at->start > start ? at->left : at->right;
	}
	return at ? at : found;
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

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "iova.h"

#include <errno.h>
#include <stdlib.h>

#include "bits.h"

#define MOST_SPARES 64
/* Free ranges that are tried from the lowest on, before one that is sure to do is looked for. */
#define FEW 16

/* A span is a length less one, so that there is one for all of the 2^64 addresses. */
struct iova_extent {
	struct tree_node node;
	uint64_t first;
	uint64_t last;
	uint64_t longest; /* span that is free, here and below; 0: none, as no span is */
	bool taken;
	struct iova_extent *next; /* of those set aside */
};

static struct iova_extent *extent_of(const struct tree_node *node)
{
	/* The node comes first. */
	return (struct iova_extent *)(uintptr_t)node;
}

static uint64_t longest_of(const struct tree_node *node)
{
	return node ? extent_of(node)->longest : 0;
}

static uint64_t free_span(const struct iova_extent *extent)
{
	return extent->taken ? 0 : extent->last - extent->first;
}

static void update(struct tree_node *node)
{
	struct iova_extent *const extent = extent_of(node);
	const uint64_t before = longest_of(node->child[0]);
	const uint64_t after = longest_of(node->child[1]);

	extent->longest = free_span(extent);
	if (extent->longest < before)
		extent->longest = before;
	if (extent->longest < after)
		extent->longest = after;
}

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	return extent_of(a)->first < extent_of(b)->first ? -1 : 1;
}

/* Counts @extent in, or out with -1. */
static void count(struct iova_space *space, const struct iova_extent *extent, int change)
{
	const uint64_t bytes = (extent->last - extent->first + 1) * (uint64_t)(int64_t)change;

	if (extent->taken) {
		space->taken += (size_t)change;
		space->taken_bytes += bytes;
	} else {
		space->pieces += (size_t)change;
		space->free_bytes += bytes;
	}
}

static bool set_aside(struct iova_space *space, size_t extents)
{
	while (space->spares < extents) {
		struct iova_extent *const made = malloc(sizeof(*made));

		if (!made)
			return false;
		made->next = space->spare;
		space->spare = made;
		space->spares++;
	}
	return true;
}

static void drop(struct iova_space *space, struct iova_extent *extent)
{
	count(space, extent, -1);
	li_tree_remove(&space->extents, &extent->node);
	if (space->spares >= MOST_SPARES) {
		free(extent);
		return;
	}
	extent->next = space->spare;
	space->spare = extent;
	space->spares++;
}

/* There is one set aside. */
static void add(struct iova_space *space, uint64_t first, uint64_t last, bool taken)
{
	struct iova_extent *const extent = space->spare;

	space->spare = extent->next;
	space->spares--;
	extent->first = first;
	extent->last = last;
	extent->taken = taken;
	li_tree_insert(&space->extents, &extent->node, compare);
	count(space, extent, 1);
}

/* The first extent that does not end before @iova. */
static struct iova_extent *find_from(const struct iova_space *space, uint64_t iova)
{
	const struct tree_node *node = space->extents.root;
	struct iova_extent *found = NULL;

	while (node) {
		const bool before = extent_of(node)->last < iova;

		if (!before)
			found = extent_of(node);
		node = node->child[before];
	}
	return found;
}

/* The extent that has @iova. */
static struct iova_extent *find(const struct iova_space *space, uint64_t iova)
{
	struct iova_extent *const extent = find_from(space, iova);

	return extent && extent->first <= iova ? extent : NULL;
}

/* Below @node, the first that is free and has @span; there is one. */
static struct iova_extent *first_long(const struct tree_node *node, uint64_t span)
{
	for (;;) {
		if (longest_of(node->child[0]) >= span)
			node = node->child[0];
		else if (free_span(extent_of(node)) >= span)
			return extent_of(node);
		else
			node = node->child[1];
	}
}

/* After @extent, the next that is free and has @span. */
static struct iova_extent *next_long(const struct iova_extent *extent, uint64_t span)
{
	const struct tree_node *node = &extent->node;

	if (longest_of(node->child[1]) >= span)
		return first_long(node->child[1], span);
	for (; node->parent; node = node->parent) {
		const struct tree_node *const parent = node->parent;

		if (parent->child[1] == node)
			continue;
		if (free_span(extent_of(parent)) >= span)
			return extent_of(parent);
		if (longest_of(parent->child[1]) >= span)
			return first_long(parent->child[1], span);
	}
	return NULL;
}

/* The first that is free, has @span, and does not end before @iova. */
static struct iova_extent *long_from(const struct iova_space *space, uint64_t iova, uint64_t span)
{
	struct iova_extent *const extent = find_from(space, iova);

	return extent && (extent->taken || free_span(extent) < span) ? next_long(extent, span)
	                                                             : extent;
}

/* Where the request may start, not before @iova; 0, which is passed over, if nowhere. */
static uint64_t next_start(const struct iova_request *request, uint64_t iova)
{
	uint64_t start = iova + ((request->phase - iova) & (request->alignment - 1));

	if (!start)
		start = request->alignment;
	return start < iova ? 0 : start;
}

/* Where in @extent the request would start; false if it does not fit. */
static bool fits(const struct iova_extent *extent, const struct iova_request *request,
                 uint64_t *start)
{
	*start = next_start(request, extent->first);
	return *start && *start <= extent->last && extent->last - *start >= request->length - 1;
}

/* Of the free extents that have @span, the first that fits, if it is among the first @tries. */
static struct iova_extent *search(const struct iova_space *space, uint64_t span, size_t tries,
                                  const struct iova_request *request, uint64_t *start)
{
	const struct tree_node *const root = space->extents.root;
	struct iova_extent *extent;

	if (longest_of(root) < span)
		return NULL;
	for (extent = first_long(root, span); extent && tries; tries--) {
		if (fits(extent, request, start))
			return extent;
		extent = next_long(extent, span);
	}
	return NULL;
}

/*
 * The first that fits, by where the request may start: of all extents between two such places none
 * is looked at.
 */
static struct iova_extent *search_starts(const struct iova_space *space, uint64_t span,
                                         const struct iova_request *request, uint64_t *start)
{
	uint64_t from = next_start(request, 0);

	while (from) {
		struct iova_extent *const extent = long_from(space, from, span);

		if (!extent || fits(extent, request, start))
			return extent;
		from = extent->last == UINT64_MAX ? 0 : next_start(request, extent->last + 1);
	}
	return NULL;
}

static struct iova_extent *search_all(const struct iova_space *space,
                                      const struct iova_request *request, uint64_t *start)
{
	const uint64_t span = request->length - 1;
	/* For 0, which is passed over, as much again. */
	const uint64_t slack = 2 * request->alignment;
	struct iova_extent *extent;

	extent = search(space, span, FEW, request, start);
	if (!extent && span <= UINT64_MAX - slack)
		extent = search(space, span + slack, 1, request, start);
	return extent ? extent : search_starts(space, span, request, start);
}

/* A part of a free extent becomes a taken one; two are set aside. */
static void cut(struct iova_space *space, struct iova_extent *extent, uint64_t first, uint64_t last)
{
	const uint64_t before = extent->first;
	const uint64_t after = extent->last;

	count(space, extent, -1);
	extent->first = first;
	extent->last = last;
	extent->taken = true;
	count(space, extent, 1);
	li_tree_changed(&space->extents, &extent->node);
	if (before < first)
		add(space, before, first - 1, false);
	if (after > last)
		add(space, last + 1, after, false);
}

static bool is_whole(const struct iova_space *space, uint64_t value)
{
	return !(value & (space->granule - 1));
}

void li_iova_init(struct iova_space *space, uint64_t granule)
{
	*space = (struct iova_space){.extents = {.update = update}, .granule = granule};
}

static void free_spares(struct iova_space *space)
{
	while (space->spare) {
		struct iova_extent *const extent = space->spare;

		space->spare = extent->next;
		free(extent);
	}
	space->spares = 0;
}

void li_iova_free(struct iova_space *space)
{
	while (space->extents.root)
		drop(space, extent_of(space->extents.root));
	free_spares(space);
}

int li_iova_take(struct iova_space *space, const struct iova_request *request, uint64_t *iova)
{
	struct iova_extent *extent;
	uint64_t start = 0;

	if (!request->length || !is_whole(space, request->length) ||
	    !is_whole(space, request->phase) || !is_whole(space, request->alignment) ||
	    !is_power_of_two(request->alignment))
		return -EINVAL;
	if (!set_aside(space, 2))
		return -ENOMEM;
	extent = search_all(space, request, &start);
	if (!extent)
		return -ENOSPC;
	cut(space, extent, start, start + (request->length - 1));
	*iova = start;
	return 0;
}

int li_iova_take_at(struct iova_space *space, uint64_t iova, uint64_t length)
{
	const uint64_t last = iova + (length - 1);
	struct libiommu_iova_range taken;
	struct iova_extent *extent;

	if (!length || last < iova || !is_whole(space, iova) || !is_whole(space, length))
		return -EINVAL;
	extent = find(space, iova);
	if (!extent || extent->last < last || extent->taken)
		return li_iova_next(space, iova, &taken) && taken.start <= last ? -EEXIST
		                                                                : -EADDRNOTAVAIL;
	if (!set_aside(space, 2))
		return -ENOMEM;
	cut(space, extent, iova, last);
	return 0;
}

/* Free extents that touch become one, the first of them. */
static void merge(struct iova_space *space, struct iova_extent *extent)
{
	const struct tree_node *const next = li_tree_next(&extent->node);

	if (!next || extent->taken || extent_of(next)->taken ||
	    extent_of(next)->first != extent->last + 1)
		return;
	count(space, extent, -1);
	extent->last = extent_of(next)->last;
	count(space, extent, 1);
	drop(space, extent_of(next));
	li_tree_changed(&space->extents, &extent->node);
}

int li_iova_give(struct iova_space *space, uint64_t iova, uint64_t length)
{
	struct iova_extent *const extent = find(space, iova);
	const struct tree_node *before;

	if (!extent || !extent->taken || extent->first != iova ||
	    extent->last - extent->first != length - 1)
		return -ENOENT;
	count(space, extent, -1);
	extent->taken = false;
	count(space, extent, 1);
	li_tree_changed(&space->extents, &extent->node);
	merge(space, extent);
	before = li_tree_previous(&extent->node);
	if (before)
		merge(space, extent_of(before));
	return 0;
}

int li_iova_add(struct iova_space *space, uint64_t first, uint64_t last)
{
	const struct tree_node *const before = li_tree_last(&space->extents);

	if (!set_aside(space, 1))
		return -ENOMEM;
	add(space, first, last, false);
	if (before)
		merge(space, extent_of(before));
	return 0;
}

bool li_iova_next(const struct iova_space *space, uint64_t from, struct libiommu_iova_range *range)
{
	const struct iova_extent *extent = find_from(space, from);

	while (extent && !extent->taken) {
		const struct tree_node *const next = li_tree_next(&extent->node);

		extent = next ? extent_of(next) : NULL;
	}
	if (extent)
		*range = (struct libiommu_iova_range){extent->first, extent->last};
	return extent;
}

static uint64_t bytes_of(uint64_t span)
{
	return span < UINT64_MAX ? span + 1 : span;
}

void li_iova_usage(const struct iova_space *space, struct iova_usage *usage)
{
	const uint64_t longest = longest_of(space->extents.root);
	const bool all = space->pieces && !space->free_bytes;

	*usage = (struct iova_usage){
		.taken_bytes = space->taken_bytes,
		.free_bytes = all ? UINT64_MAX : space->free_bytes,
		.longest = longest ? bytes_of(longest) : 0,
		.taken = space->taken,
		.pieces = space->pieces,
	};
}

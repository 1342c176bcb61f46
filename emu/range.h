/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Sets of ranges of numbers, in order. A range is part of a larger thing, so that nothing is
 * allocated; two of a set may overlap. Whatever is asked takes logarithmic time.
 */
#ifndef EMU_RANGE_H
#define EMU_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct emu_range {
	uint64_t start, last; /* last is inside */
	/* The set's own: a balanced tree, and what its part below here has. */
	struct emu_range *left, *right, *parent;
	uint64_t first; /* the lowest start */
	uint64_t reach; /* the highest last */
	uint64_t gap;   /* the most that is free between two neighbours */
	int height;
};

struct emu_ranges {
	struct emu_range *root;
	struct emu_range *near; /* where something was done last: the next is often beside it */
};

/* By start, then by last; an equal one goes in front. */
void emu_ranges_add(struct emu_ranges *set, struct emu_range *range);
void emu_ranges_remove(struct emu_ranges *set, struct emu_range *range);

/* The lowest, and the next of one; NULL: none. */
struct emu_range *emu_ranges_first(const struct emu_ranges *set);
struct emu_range *emu_ranges_next(const struct emu_range *range);
/* The lowest that has a number of these. */
struct emu_range *emu_ranges_meet(const struct emu_ranges *set, uint64_t start, uint64_t last);
/* Exactly this one. */
struct emu_range *emu_ranges_find(const struct emu_ranges *set, uint64_t start, uint64_t last);
/* The lowest that starts above @at. */
struct emu_range *emu_ranges_above(const struct emu_ranges *set, uint64_t at);
/* Whether a range has @at; then *@reach is the highest that one of those with @at has. */
bool emu_ranges_cover(const struct emu_ranges *set, uint64_t at, uint64_t *reach);

/* Of a set without overlaps: the same as emu_ranges_meet(), and sooner. */
struct emu_range *emu_ranges_meet_one(const struct emu_ranges *set, uint64_t start, uint64_t last);
/*
 * Of a set without overlaps: the lowest gap, as far as it lies in @from..@last, that has @least
 * numbers; false: none.
 */
bool emu_ranges_gap(const struct emu_ranges *set, uint64_t from, uint64_t last, uint64_t least,
                    uint64_t *start, uint64_t *end);
/* How many numbers are between the two. */
uint64_t emu_ranges_between(uint64_t last, uint64_t start);

#endif

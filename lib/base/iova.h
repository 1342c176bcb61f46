/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Who has which I/O virtual addresses: ranges are taken from, and given back to, a set of usable
 * ranges. Pure: nothing here asks the kernel. Calls on one space serialize outside.
 *
 * Taking is O(log n) in the number of ranges, free or taken, as long as some free range is as long
 * as what is asked for and its alignment together. When none is, it is that for each place with the
 * alignment that is in or in front of a free range that is long enough, before the answer is no: a
 * large alignment has few. Giving back is O(log n) and cannot fail for want of memory.
 */
#ifndef LIBIOMMU_BASE_IOVA_H
#define LIBIOMMU_BASE_IOVA_H

#include <libiommu/types.h>

#include "tree.h"

struct iova_extent;

struct iova_space {
	struct tree extents;       /* free and taken ones: all that is usable, in order */
	struct iova_extent *spare; /* set aside, a list */
	size_t spares;
	uint64_t granule;
	size_t taken;  /* ranges */
	size_t pieces; /* free ranges */
	uint64_t taken_bytes;
	uint64_t free_bytes; /* modulo 2^64: only all of it is as much */
};

/* What is asked for: a start that is @phase modulo @alignment. */
struct iova_request {
	uint64_t length;    /* a multiple of the granule, not 0 */
	uint64_t alignment; /* a power of two, the granule at least */
	uint64_t phase;     /* a multiple of the granule */
};

struct iova_usage {
	uint64_t taken_bytes;
	uint64_t free_bytes; /* at most 2^64 - 1 */
	uint64_t longest;    /* free range, in bytes, at most 2^64 - 1 */
	size_t taken;        /* ranges */
	size_t pieces;       /* that what is free is in */
};

/* Nothing is usable at first. @granule: a power of two above 1; all ranges are multiples of it. */
void li_iova_init(struct iova_space *space, uint64_t granule);
void li_iova_free(struct iova_space *space);

/*
 * Which addresses are usable, in any order; their ends are cut to the granule. 0, -EINVAL for
 * ranges that overlap or end before they start, -ENOMEM, or -EADDRINUSE when something that is
 * taken would not be usable any more: @conflict, if not NULL, says what. Nothing has changed then.
 */
int li_iova_set_ranges(struct iova_space *space, const struct libiommu_iova_range *ranges,
                       size_t count, struct libiommu_iova_range *conflict);

/* The lowest place that is found, never 0. 0, -EINVAL, -ENOSPC or -ENOMEM. */
int li_iova_take(struct iova_space *space, const struct iova_request *request, uint64_t *iova);
/* 0, -EINVAL, -EEXIST, -EADDRNOTAVAIL where it is not all usable, or -ENOMEM. */
int li_iova_take_at(struct iova_space *space, uint64_t iova, uint64_t length);
/* Exactly what was taken; 0 or -ENOENT. */
int li_iova_give(struct iova_space *space, uint64_t iova, uint64_t length);
/* The first taken range that does not end before @from; false where there is none. */
bool li_iova_next(const struct iova_space *space, uint64_t from, struct libiommu_iova_range *range);
/* Usable from now on, behind all that is: whole granules. 0 or -ENOMEM. */
int li_iova_add(struct iova_space *space, uint64_t first, uint64_t last);

void li_iova_usage(const struct iova_space *space, struct iova_usage *usage);

#endif

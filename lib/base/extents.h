/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What is mapped in an address space whose kernel keeps no list that could be read: sorted, none
 * overlapping another. One owner at a time. An array: a container has 65535 mappings at the most.
 */
#ifndef LIBIOMMU_BASE_EXTENTS_H
#define LIBIOMMU_BASE_EXTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libiommu/ioas.h>

struct extent {
	uint64_t first;
	uint64_t last; /* inside */
	uint64_t memory;
	uint32_t flags;
};

struct extents {
	struct extent *all;
	size_t count;
	size_t room;
	uint64_t next; /* where room is looked for first: behind what was found last */
};

void li_extents_init(struct extents *extents);
void li_extents_free(struct extents *extents);

/* Memory for one more, so that adding cannot fail. 0 or -ENOMEM. */
int li_extents_reserve(struct extents *extents);
/* Has nothing in common with those that are there. */
void li_extents_add(struct extents *extents, const struct extent *extent);

/* Those that have something in common with a range: from *@from to before *@to. */
void li_extents_find(const struct extents *extents, uint64_t first, uint64_t last, size_t *from,
                     size_t *to);
/* Returns how many bytes they were. */
uint64_t li_extents_remove(struct extents *extents, size_t from, size_t to);

/*
 * Room for @length bytes, at a multiple of @alignment (a power of two) other than 0, in one of the
 * ranges. Returns whether there is.
 */
bool li_extents_place(struct extents *extents, const struct libiommu_iova_range *ranges,
                      size_t count, uint64_t length, uint64_t alignment, uint64_t *first);

#endif

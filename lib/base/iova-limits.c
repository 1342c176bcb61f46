/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Which addresses are usable: made anew with what is taken, so that a failure changes nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "iova.h"

static int compare(const void *a, const void *b)
{
	const struct libiommu_iova_range *const one = a, *const other = b;

	return one->start < other->start ? -1 : one->start > other->start;
}

/* Each is added, cut to whole granules; they are sorted. */
static int add_ranges(struct iova_space *space, const struct libiommu_iova_range *ranges,
                      size_t count)
{
	const uint64_t mask = space->granule - 1;
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		const uint64_t start = (ranges[i].start + mask) & ~mask;
		const uint64_t last = ranges[i].last;

		if (last < ranges[i].start || (i && ranges[i].start <= ranges[i - 1].last))
			return -EINVAL;
		if (start < ranges[i].start || start > last || last - start < mask)
			continue;
		error = li_iova_add(space, start, ((last + 1) & ~mask) - 1);
	}
	return error;
}

/* What is taken in @from is taken in @space, too. */
static int take_same(struct iova_space *space, const struct iova_space *from,
                     struct libiommu_iova_range *conflict)
{
	struct libiommu_iova_range taken = {0, 0};
	uint64_t at = 0;
	int error = 0;

	while (!error && li_iova_next(from, at, &taken)) {
		error = li_iova_take_at(space, taken.start, taken.last - taken.start + 1);
		if (taken.last == UINT64_MAX)
			break;
		at = taken.last + 1;
	}
	if (error != -EADDRNOTAVAIL)
		return error;
	if (conflict)
		*conflict = taken;
	return -EADDRINUSE;
}

int li_iova_set_ranges(struct iova_space *space, const struct libiommu_iova_range *ranges,
                       size_t count, struct libiommu_iova_range *conflict)
{
	struct libiommu_iova_range *const sorted = calloc(count + 1, sizeof(*sorted));
	struct iova_space made;
	int error;

	if (!sorted)
		return -ENOMEM;
	if (count)
		memcpy(sorted, ranges, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare);
	li_iova_init(&made, space->granule);
	error = add_ranges(&made, sorted, count);
	if (!error)
		error = take_same(&made, space, conflict);
	free(sorted);
	if (error) {
		li_iova_free(&made);
		return error;
	}
	li_iova_free(space);
	*space = made;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Which IOVAs a space's window may use: what all its address spaces can map, and was allowed. */
#include <errno.h>
#include <stdlib.h>

#include "space.h"

struct list {
	struct libiommu_iova_range *ranges;
	size_t count;
};

/* Both are in order; false without memory. */
static bool intersect(struct list *list, const struct libiommu_iova_range *with, size_t count)
{
	struct list made = {.count = 0};
	size_t i = 0, j = 0;

	made.ranges = calloc(list->count + count + 1, sizeof(*made.ranges));
	if (!made.ranges)
		return false;
	while (i < list->count && j < count) {
		const struct libiommu_iova_range *const a = &list->ranges[i], *const b = &with[j];
		const struct libiommu_iova_range both = {
			.start = a->start > b->start ? a->start : b->start,
			.last = a->last < b->last ? a->last : b->last,
		};

		if (both.start <= both.last)
			made.ranges[made.count++] = both;
		if (a->last < b->last)
			i++;
		else
			j++;
	}
	free(list->ranges);
	*list = made;
	return true;
}

static int intersect_ioas(struct list *list, struct libiommu_ioas *ioas)
{
	struct libiommu_iova_ranges *ranges;
	struct libiommu_iova_range *array;
	size_t count;
	int error;

	error = libiommu_ioas_ranges(ioas, &ranges);
	if (error)
		return error;
	count = libiommu_iova_ranges_count(ranges);
	array = calloc(count + 1, sizeof(*array));
	for (size_t i = 0; array && i < count; i++)
		libiommu_iova_ranges_get(ranges, i, &array[i]);
	libiommu_iova_ranges_free(ranges);
	if (!array || !intersect(list, array, count))
		error = -ENOMEM;
	free(array);
	return error;
}

static int intersect_mirror(struct list *list, const struct dma_mirror *mirror)
{
	struct libiommu_iova_range range;

	if (mirror->ioas)
		return intersect_ioas(list, mirror->ioas);
	libiommu_vdpa_iova_range(mirror->vdpa, &range);
	return intersect(list, &range, 1) ? 0 : -ENOMEM;
}

int li_space_update_ranges(struct libiommu_dma_space *space, const char *operation)
{
	/* What cannot be looked up is of no use. */
	const struct libiommu_iova_range all = {0, (UINT64_C(1) << TABLE_KEY_BITS) - 1};
	const struct dma_choices *const choices = &space->choices;
	struct libiommu_iova_range conflict = {0, 0};
	struct list list = {.count = 1};
	int error;

	if (!space->window)
		return 0;
	list.ranges = calloc(1, sizeof(*list.ranges));
	if (!list.ranges)
		return FAIL_MEMORY_IN(space->ctx, operation);
	list.ranges[0] = all;
	error = intersect_ioas(&list, space->ioas);
	for (size_t i = 0; i < space->mirror_count && !error; i++)
		error = intersect_mirror(&list, &space->mirrors[i]);
	if (!error && choices->allowed_count &&
	    !intersect(&list, choices->allowed, choices->allowed_count))
		error = -ENOMEM;
	if (!error)
		error = li_window_set_ranges(space->window, list.ranges, list.count, &conflict);
	free(list.ranges);
	if (error == -EADDRINUSE)
		return FAIL_LIBRARY(space->ctx, operation, error,
		                    "an address space cannot map any more what is taken",
		                    .start = conflict.start,
		                    .length = conflict.last - conflict.start + 1);
	return error == -ENOMEM ? FAIL_MEMORY_IN(space->ctx, operation) : error;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "window.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/bits.h"
#include "../base/iova.h"
#include "../object/ctx.h"

struct libiommu_iova_window {
	pthread_mutex_t lock;
	struct iova_space space;
	struct libiommu_iova_window *parent; /* NULL: it is nobody's part */
	struct libiommu_iova_range range;    /* of the parent's */
	bool kept;                           /* by a DMA space, with which it goes */
	size_t cut;                          /* windows that are parts of it */
};

int li_window_new(uint64_t granule, struct libiommu_iova_window **window)
{
	struct libiommu_iova_window *const made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	pthread_mutex_init(&made->lock, NULL);
	li_iova_init(&made->space, granule);
	*window = made;
	return 0;
}

void li_window_keep(struct libiommu_iova_window *window)
{
	window->kept = true;
}

void li_window_free(struct libiommu_iova_window *window)
{
	if (!window)
		return;
	li_iova_free(&window->space);
	pthread_mutex_destroy(&window->lock);
	free(window);
}

int li_window_set_ranges(struct libiommu_iova_window *window,
                         const struct libiommu_iova_range *ranges, size_t count,
                         struct libiommu_iova_range *conflict)
{
	int error;

	pthread_mutex_lock(&window->lock);
	error = li_iova_set_ranges(&window->space, ranges, count, conflict);
	pthread_mutex_unlock(&window->lock);
	return error;
}

static int take(struct libiommu_iova_window *window, const struct iova_request *request,
                uint64_t *iova)
{
	int error;

	pthread_mutex_lock(&window->lock);
	error = li_iova_take(&window->space, request, iova);
	pthread_mutex_unlock(&window->lock);
	return error;
}

int li_window_take_for(struct libiommu_iova_window *window, uint64_t address, uint64_t length,
                       uint64_t *iova)
{
	static const uint64_t large[] = {UINT64_C(1) << 30, UINT64_C(1) << 21};
	struct iova_request request = {.length = length};
	int error = -ENOSPC;

	for (size_t i = 0; i < 2 && error == -ENOSPC; i++) {
		request.alignment = large[i];
		request.phase = address & (large[i] - 1);
		if (length >= large[i] && large[i] > window->space.granule)
			error = take(window, &request, iova);
	}
	request.alignment = window->space.granule;
	request.phase = 0;
	return error == -ENOSPC ? take(window, &request, iova) : error;
}

int li_window_take_at(struct libiommu_iova_window *window, uint64_t iova, uint64_t length)
{
	int error;

	pthread_mutex_lock(&window->lock);
	error = li_iova_take_at(&window->space, iova, length);
	pthread_mutex_unlock(&window->lock);
	return error;
}

int li_window_give(struct libiommu_iova_window *window, uint64_t iova, uint64_t length)
{
	int error;

	pthread_mutex_lock(&window->lock);
	error = li_iova_give(&window->space, iova, length);
	pthread_mutex_unlock(&window->lock);
	return error;
}

int li_window_full(const struct libiommu_ctx *ctx, struct libiommu_iova_window *window,
                   const char *operation, uint64_t memory, uint64_t length)
{
	struct iova_usage usage;
	char text[96];

	pthread_mutex_lock(&window->lock);
	li_iova_usage(&window->space, &usage);
	pthread_mutex_unlock(&window->lock);
	snprintf(text, sizeof(text),
	         "%" PRIu64 " bytes in %zu ranges, the longest %" PRIu64 " bytes", usage.free_bytes,
	         usage.pieces, usage.longest);
	return FAIL_LIBRARY(ctx, operation, -ENOSPC, "no free range is long enough",
	                    .memory = memory, .length = length, .anywhere = true, .subject = text);
}

/* Words for what went wrong; of what is full, how it is full. */
static int fail(struct libiommu_iova_window *window, const char *operation, int error,
                uint64_t start, uint64_t length)
{
	if (error == -ENOMEM)
		return FAIL_MEMORY_IN(NULL, operation);
	if (error == -ENOSPC)
		return li_window_full(NULL, window, operation, 0, length);
	return FAIL_LIBRARY(
		NULL, operation, error,
		error == -EEXIST          ? "a part of the range is taken"
		: error == -ENOENT        ? "no range was taken just so"
		: error == -EADDRNOTAVAIL ? "a part of the range is not among the usable ones"
		: error == -EADDRINUSE    ? "what is taken would not be usable any more"
					  : "not a range, a length or an alignment that can be",
		.start = start, .length = length);
}

int libiommu_iova_window_new(const struct libiommu_iova_range *ranges, size_t count,
                             uint64_t granule, struct libiommu_iova_window **window)
{
	struct libiommu_iova_window *made;
	int error;

	if (!window || (count && !ranges))
		return FAIL_NULL(NULL);
	if (granule < 2 || !is_power_of_two(granule))
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "no power of two above 1",
		                    .amount = granule, .unit = "bytes");
	error = li_window_new(granule, &made);
	if (error)
		return FAIL_MEMORY(NULL);
	error = li_window_set_ranges(made, ranges, count, NULL);
	if (error) {
		li_window_free(made);
		return error == -ENOMEM
		               ? FAIL_MEMORY(NULL)
		               : FAIL_LIBRARY(NULL, __func__, error,
		                              "two ranges overlap, or one ends before it starts",
		                              .amount = count, .unit = "ranges");
	}
	*window = made;
	return 0;
}

static void count_cut(struct libiommu_iova_window *parent, int change)
{
	pthread_mutex_lock(&parent->lock);
	parent->cut += (size_t)change;
	pthread_mutex_unlock(&parent->lock);
}

bool li_window_is_cut(struct libiommu_iova_window *window)
{
	bool cut;

	pthread_mutex_lock(&window->lock);
	cut = window->cut;
	pthread_mutex_unlock(&window->lock);
	return cut;
}

int libiommu_iova_window_cut(struct libiommu_iova_window *parent, uint64_t length,
                             uint64_t alignment, struct libiommu_iova_window **window)
{
	const struct iova_request request = {.length = length, .alignment = alignment};
	struct libiommu_iova_window *made;
	uint64_t iova = 0;
	int error;

	if (!parent || !window)
		return FAIL_NULL(NULL);
	error = li_window_new(parent->space.granule, &made);
	if (error)
		return FAIL_MEMORY(NULL);
	error = take(parent, &request, &iova);
	if (error) {
		li_window_free(made);
		return fail(parent, __func__, error, 0, length);
	}
	made->range = (struct libiommu_iova_range){iova, iova + (length - 1)};
	error = li_iova_add(&made->space, made->range.start, made->range.last);
	if (error) {
		li_window_give(parent, iova, length);
		li_window_free(made);
		return FAIL_MEMORY(NULL);
	}
	made->parent = parent;
	count_cut(parent, 1);
	*window = made;
	return 0;
}

int libiommu_iova_window_set_ranges(struct libiommu_iova_window *window,
                                    const struct libiommu_iova_range *ranges, size_t count)
{
	struct libiommu_iova_range conflict = {0, 0};
	int error;

	if (!window || (count && !ranges))
		return FAIL_NULL(NULL);
	if (window->parent || window->kept)
		return FAIL_LIBRARY(NULL, __func__, -EBUSY,
		                    "it was cut from another window, or is a DMA space's", .id = 0);
	error = li_window_set_ranges(window, ranges, count, &conflict);
	return error ? fail(window, __func__, error, conflict.start,
	                    error == -EADDRINUSE ? conflict.last - conflict.start + 1 : 0)
	             : 0;
}

int libiommu_iova_window_take(struct libiommu_iova_window *window, uint64_t length,
                              uint64_t alignment, uint64_t phase, uint64_t *iova)
{
	const struct iova_request request = {length, alignment, phase};
	int error;

	if (!window || !iova)
		return FAIL_NULL(NULL);
	error = take(window, &request, iova);
	return error ? fail(window, __func__, error, 0, length) : 0;
}

int libiommu_iova_window_take_at(struct libiommu_iova_window *window, uint64_t iova,
                                 uint64_t length)
{
	int error;

	if (!window)
		return FAIL_NULL(NULL);
	error = li_window_take_at(window, iova, length);
	return error ? fail(window, __func__, error, iova, length) : 0;
}

int libiommu_iova_window_give(struct libiommu_iova_window *window, uint64_t iova, uint64_t length)
{
	int error;

	if (!window)
		return FAIL_NULL(NULL);
	error = li_window_give(window, iova, length);
	return error ? fail(window, __func__, error, iova, length) : 0;
}

bool li_window_figure(const struct iova_usage *usage, enum libiommu_iova_usage which,
                      uint64_t *value)
{
	const uint64_t figures[] = {
		[LIBIOMMU_IOVA_TAKEN] = usage->taken_bytes,
		[LIBIOMMU_IOVA_FREE] = usage->free_bytes,
		[LIBIOMMU_IOVA_LONGEST] = usage->longest,
		[LIBIOMMU_IOVA_TAKEN_RANGES] = usage->taken,
		[LIBIOMMU_IOVA_FREE_RANGES] = usage->pieces,
	};

	if ((unsigned int)which >= sizeof(figures) / sizeof(figures[0]))
		return false;
	*value = figures[which];
	return true;
}

int libiommu_iova_window_usage(struct libiommu_iova_window *window, enum libiommu_iova_usage which,
                               uint64_t *value)
{
	struct iova_usage usage;

	if (!window || !value)
		return FAIL_NULL(NULL);
	pthread_mutex_lock(&window->lock);
	li_iova_usage(&window->space, &usage);
	pthread_mutex_unlock(&window->lock);
	if (!li_window_figure(&usage, which, value))
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "unknown figure", .id = 0);
	return 0;
}

int libiommu_iova_window_destroy(struct libiommu_iova_window *window)
{
	struct libiommu_iova_range taken;
	bool busy;

	if (!window)
		return 0;
	pthread_mutex_lock(&window->lock);
	busy = li_iova_next(&window->space, 0, &taken);
	pthread_mutex_unlock(&window->lock);
	if (window->kept)
		return FAIL_LIBRARY(NULL, __func__, -EBUSY, "it goes with its DMA space", .id = 0);
	if (busy)
		return FAIL_LIBRARY(NULL, __func__, -EBUSY, "something is taken from it",
		                    .start = taken.start, .length = taken.last - taken.start + 1);
	if (window->parent) {
		li_window_give(window->parent, window->range.start,
		               window->range.last - window->range.start + 1);
		count_cut(window->parent, -1);
	}
	li_window_free(window);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Buffers of one registration: the account of IOVAs, kept for addresses. */
#include <errno.h>
#include <stdlib.h>

#include "../base/bits.h"
#include "../base/iova.h"
#include "arena.h"

struct libiommu_dma_arena {
	struct libiommu_dma_space *space;
	pthread_mutex_t lock;
	struct iova_space buffers; /* by address */
	unsigned char *address;
	uint64_t length;
	uint64_t iova;
	bool own; /* memory and registration */
};

#define FORKED "this is a forked child: the arena stays its parent's"

static void count(struct libiommu_dma_space *space, int change)
{
	dma_lock(space);
	space->arenas += (uint64_t)(int64_t)change;
	dma_unlock(space);
}

static void free_arena(struct libiommu_dma_arena *arena)
{
	li_iova_free(&arena->buffers);
	pthread_mutex_destroy(&arena->lock);
	free(arena);
}

/* Of registered memory, whose IOVAs must follow each other. */
static int make(struct libiommu_dma_space *space, const struct arena_choices *choices,
                const char *operation, void *address, uint64_t length,
                struct libiommu_dma_arena **arena)
{
	const uint64_t mask = choices->granule - 1;
	const uint64_t start = ((uintptr_t)address + mask) & ~mask;
	const uint64_t end = ((uintptr_t)address + length) & ~mask;
	struct libiommu_dma_arena *made;
	uint64_t iova = 0;
	int error;

	if (!address || start >= end)
		return FAIL_LIBRARY(space->ctx, operation, -EINVAL,
		                    "the memory is shorter than a granule",
		                    .memory = (uintptr_t)address, .length = length);
	error = libiommu_dma_table_translate(space->table, address, length, &iova, NULL);
	if (error)
		return FAIL_LIBRARY(space->ctx, operation, error,
		                    error == -ERANGE ? "its IOVAs do not follow each other"
		                                     : "it is not registered",
		                    .memory = (uintptr_t)address, .length = length);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY_IN(space->ctx, operation);
	made->space = space;
	made->address = address;
	made->length = length;
	made->iova = iova;
	pthread_mutex_init(&made->lock, NULL);
	li_iova_init(&made->buffers, choices->granule);
	if (li_iova_add(&made->buffers, start, end - 1)) {
		free_arena(made);
		return FAIL_MEMORY_IN(space->ctx, operation);
	}
	count(space, 1);
	*arena = made;
	return 0;
}

int libiommu_dma_arena_new(struct libiommu_dma_space *space, uint64_t length,
                           const struct libiommu_dma_arena_config *config,
                           struct libiommu_dma_arena **arena)
{
	const struct arena_choices choices = li_arena_choices(config);
	struct dma_source all = {.operation = __func__, .fd = -1, .named = true};
	void *memory = NULL;
	uint64_t iova;
	int error;

	if (!space || !arena)
		return FAIL_NULL(space ? space->ctx : NULL);
	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, DMA_FORKED, .id = 0);
	error = li_arena_map(space, &choices, __func__, &length, &memory);
	if (error)
		return error;
	all.address = (uintptr_t)memory;
	all.length = length;
	all.flags = LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE;
	dma_lock(space);
	error = li_space_register(space, &all, &iova);
	dma_unlock(space);
	if (error)
		goto unmap;
	error = make(space, &choices, __func__, memory, length, arena);
	if (error)
		goto unregister;
	(*arena)->own = true;
	return 0;

unregister:
	dma_lock(space);
	li_space_unregister(space, __func__, all.address, length);
	dma_unlock(space);
unmap:
	li_arena_unmap(space, memory, length);
	return error;
}

int libiommu_dma_arena_new_over(struct libiommu_dma_space *space, void *address, uint64_t length,
                                const struct libiommu_dma_arena_config *config,
                                struct libiommu_dma_arena **arena)
{
	const struct arena_choices choices = li_arena_choices(config);

	if (!space || !arena)
		return FAIL_NULL(space ? space->ctx : NULL);
	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, DMA_FORKED, .id = 0);
	return make(space, &choices, __func__, address, length, arena);
}

int libiommu_dma_arena_destroy(struct libiommu_dma_arena *arena)
{
	struct libiommu_dma_space *space;
	int error = 0;

	if (!arena)
		return 0;
	space = arena->space;
	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, FORKED, .id = 0);
	if (arena->own) {
		dma_lock(space);
		error = li_space_unregister(space, __func__, (uintptr_t)arena->address,
		                            arena->length);
		dma_unlock(space);
		if (!error)
			li_arena_unmap(space, arena->address, arena->length);
	}
	if (error)
		return error;
	count(space, -1);
	free_arena(arena);
	return 0;
}

int libiommu_dma_arena_alloc(struct libiommu_dma_arena *arena, uint64_t length, uint64_t alignment,
                             void **address, uint64_t *iova)
{
	struct iova_request request = {.alignment = alignment};
	uint64_t found = 0;
	uint64_t mask;
	int error;

	if (!arena || !address || !iova)
		return FAIL_NULL(arena ? arena->space->ctx : NULL);
	if (dma_forked(arena->space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, FORKED, .id = 0);
	mask = arena->buffers.granule - 1;
	if (!length || length > UINT64_MAX - mask || !is_power_of_two(alignment))
		return FAIL_LIBRARY(arena->space->ctx, __func__, -EINVAL,
		                    "the length is 0, or the alignment no power of two",
		                    .length = length, .anywhere = true);
	request.length = (length + mask) & ~mask;
	if (alignment <= mask)
		request.alignment = mask + 1;
	pthread_mutex_lock(&arena->lock);
	error = li_iova_take(&arena->buffers, &request, &found);
	pthread_mutex_unlock(&arena->lock);
	if (error)
		return error == -ENOMEM ? FAIL_MEMORY(arena->space->ctx)
		                        : FAIL_LIBRARY(arena->space->ctx, __func__, error,
		                                       "no free part of the arena is long enough",
		                                       .length = length, .anywhere = true);
	*address = (void *)(uintptr_t)found;
	*iova = arena->iova + (found - (uintptr_t)arena->address);
	return 0;
}

int libiommu_dma_arena_give(struct libiommu_dma_arena *arena, void *address)
{
	const uint64_t start = (uintptr_t)address;
	struct libiommu_iova_range range;
	int error = -ENOENT;

	if (!arena)
		return FAIL_NULL(NULL);
	if (dma_forked(arena->space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, FORKED, .id = 0);
	pthread_mutex_lock(&arena->lock);
	if (li_iova_next(&arena->buffers, start, &range) && range.start == start)
		error = li_iova_give(&arena->buffers, start, range.last - start + 1);
	pthread_mutex_unlock(&arena->lock);
	return error ? FAIL_LIBRARY(arena->space->ctx, __func__, error, "no buffer begins there",
	                            .memory = start)
	             : 0;
}

int libiommu_dma_arena_usage(struct libiommu_dma_arena *arena, enum libiommu_iova_usage which,
                             uint64_t *value)
{
	struct iova_usage usage;

	if (!arena || !value)
		return FAIL_NULL(arena ? arena->space->ctx : NULL);
	if (dma_forked(arena->space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, FORKED, .id = 0);
	pthread_mutex_lock(&arena->lock);
	li_iova_usage(&arena->buffers, &usage);
	pthread_mutex_unlock(&arena->lock);
	if (!li_window_figure(&usage, which, value))
		return FAIL_LIBRARY(arena->space->ctx, __func__, -EINVAL, "unknown figure",
		                    .id = 0);
	return 0;
}

int libiommu_dma_arena_memory(const struct libiommu_dma_arena *arena, void **address,
                              uint64_t *length, uint64_t *iova)
{
	if (!arena || !address || !length || !iova)
		return FAIL_NULL(arena ? arena->space->ctx : NULL);
	*address = arena->address;
	*length = arena->length;
	*iova = arena->iova;
	return 0;
}

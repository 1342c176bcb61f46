/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What memory an arena is made of. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../base/bits.h"
#include "arena.h"

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

#define MAX_NODE 1023
/* The longest that an mmap() can be asked for. */
#define MAX_LENGTH ((uint64_t)(SIZE_MAX / 2))

struct libiommu_dma_arena_config {
	struct arena_choices choices;
};

static const struct arena_choices defaults = {.granule = 64, .node = -1};

struct arena_choices li_arena_choices(const struct libiommu_dma_arena_config *config)
{
	return config ? config->choices : defaults;
}

int libiommu_dma_arena_config_new(struct libiommu_dma_arena_config **config)
{
	struct libiommu_dma_arena_config *made;

	if (!config)
		return FAIL_NULL(NULL);
	made = malloc(sizeof(*made));
	if (!made)
		return FAIL_MEMORY(NULL);
	made->choices = defaults;
	*config = made;
	return 0;
}

void libiommu_dma_arena_config_free(struct libiommu_dma_arena_config *config)
{
	free(config);
}

int libiommu_dma_arena_config_set_page_size(struct libiommu_dma_arena_config *config,
                                            uint64_t bytes)
{
	if (!config)
		return FAIL_NULL(NULL);
	if (bytes && (!is_power_of_two(bytes) || bytes < TABLE_PAGE))
		return FAIL_LIBRARY(NULL, __func__, -EINVAL,
		                    "neither 0 nor a power of two from 4096 on", .amount = bytes,
		                    .unit = "bytes");
	config->choices.page_size = bytes;
	return 0;
}

int libiommu_dma_arena_config_set_node(struct libiommu_dma_arena_config *config, int node)
{
	if (!config)
		return FAIL_NULL(NULL);
	if (node < -1 || node > MAX_NODE)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "no number from -1 to 1023", .id = 0);
	config->choices.node = node;
	return 0;
}

int libiommu_dma_arena_config_set_granule(struct libiommu_dma_arena_config *config, uint64_t bytes)
{
	if (!config)
		return FAIL_NULL(NULL);
	if (!is_power_of_two(bytes) || bytes < 16)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "no power of two from 16 on",
		                    .amount = bytes, .unit = "bytes");
	config->choices.granule = bytes;
	return 0;
}

/* Large pages are asked for by the logarithm of their size. */
static int page_flags(uint64_t page_size)
{
	unsigned int bits = 0;

	if (page_size <= li_sys_page_size())
		return 0;
	while (page_size >> bits > 1)
		bits++;
	return MAP_HUGETLB | (int)(bits << MAP_HUGE_SHIFT);
}

/* Of chosen pages there can be too few, which the first touch would be too late to learn. */
static int prepare(const struct libiommu_sys *sys, const struct arena_choices *choices,
                   void *address, size_t length)
{
	int error = 0;

	/* Before the first page is there. */
	if (choices->node >= 0)
		error = li_sys_mbind(sys, address, length, choices->node);
	if (!error)
		error = li_sys_madvise(sys, address, length, MADV_DONTFORK);
	if (!error && (choices->node >= 0 || page_flags(choices->page_size)))
		error = li_sys_populate(sys, address, length);
	return error;
}

int li_arena_map(const struct libiommu_dma_space *space, const struct arena_choices *choices,
                 const char *operation, uint64_t *length, void **memory)
{
	const struct libiommu_sys *const sys = li_ctx_own_door(space->ctx);
	const uint64_t page =
		choices->page_size > space->granule ? choices->page_size : space->granule;
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | page_flags(choices->page_size);
	uint64_t whole;
	void *at = NULL;
	int error;

	if (!*length || *length > MAX_LENGTH - page)
		return FAIL_LIBRARY(space->ctx, operation, -EINVAL,
		                    "the length is 0, or no process has as much", .length = *length,
		                    .anywhere = true);
	whole = (*length + page - 1) & ~(page - 1);
	error = li_sys_mmap(sys, NULL, (size_t)whole, PROT_READ | PROT_WRITE, flags, -1, 0, &at);
	if (error)
		return FAIL_KERNEL(space->ctx, operation, error, CALL_ARENA, .length = whole,
		                   .anywhere = true);
	error = prepare(sys, choices, at, (size_t)whole);
	if (error) {
		li_sys_munmap(sys, at, (size_t)whole);
		return FAIL_KERNEL(space->ctx, operation, error, CALL_ARENA, .length = whole,
		                   .anywhere = true);
	}
	*length = whole;
	*memory = at;
	return 0;
}

void li_arena_unmap(const struct libiommu_dma_space *space, void *memory, uint64_t length)
{
	li_sys_munmap(li_ctx_own_door(space->ctx), memory, (size_t)length);
}

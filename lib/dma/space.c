/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void free_space(struct libiommu_dma_space *space)
{
	if (space->table)
		li_table_memory_free(space->table);
	li_window_free(space->window);
	free(space->choices.allowed);
	free(space->mirrors);
	pthread_mutex_destroy(&space->lock);
	free(space);
}

/* A copy of what was chosen. */
static int choose(struct libiommu_dma_space *space, const struct libiommu_dma_space_config *config)
{
	const struct dma_choices choices = li_dma_choices(config);
	const size_t size = choices.allowed_count * sizeof(*choices.allowed);

	space->choices = choices;
	space->choices.allowed = NULL;
	if (!size)
		return 0;
	space->choices.allowed = malloc(size);
	if (!space->choices.allowed)
		return -ENOMEM;
	memcpy(space->choices.allowed, choices.allowed, size);
	return 0;
}

/* A page, or what the IOMMU's pages are if that is more. */
static int find_granule(struct libiommu_dma_space *space)
{
	struct libiommu_iova_ranges *ranges;
	int error;

	error = libiommu_ioas_ranges(space->ioas, &ranges);
	if (error)
		return error;
	space->granule = libiommu_iova_ranges_alignment(ranges);
	libiommu_iova_ranges_free(ranges);
	if (space->granule < li_sys_page_size())
		space->granule = li_sys_page_size();
	/* The kernel maps no smaller pieces. */
	if (space->choices.split && space->choices.split < space->granule)
		space->choices.split = space->granule;
	return 0;
}

/* What the kernel and the library are to choose IOVAs from. */
static int limit(struct libiommu_dma_space *space, const char *operation)
{
	const struct dma_choices *const choices = &space->choices;

	if (choices->policy == LIBIOMMU_DMA_KERNEL && choices->allowed_count)
		return libiommu_ioas_allow(space->ioas, choices->allowed, choices->allowed_count);
	if (choices->policy != LIBIOMMU_DMA_WINDOW)
		return 0;
	if (li_window_new(space->granule, &space->window))
		return FAIL_MEMORY_IN(space->ctx, operation);
	li_window_keep(space->window);
	return li_space_update_ranges(space, operation);
}

int libiommu_dma_space_new(struct libiommu_ioas *ioas,
                           const struct libiommu_dma_space_config *config,
                           struct libiommu_dma_space **space)
{
	struct libiommu_dma_space *made;
	struct libiommu_ctx *ctx;
	int error;

	if (!ioas || !space)
		return FAIL_NULL(ioas ? li_ioas_ctx(ioas) : NULL);
	ctx = li_ioas_ctx(ioas);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(ctx);
	made->ctx = ctx;
	made->ioas = ioas;
	pthread_mutex_init(&made->lock, NULL);
	error = choose(made, config);
	if (!error)
		error = li_table_memory_new(li_ctx_own_door(ctx), &made->table);
	if (error) {
		free_space(made);
		return error == -ENOMEM ? FAIL_MEMORY(ctx)
		                        : FAIL_KERNEL(ctx, __func__, error, CALL_MMAP, .id = 0);
	}
	error = find_granule(made);
	if (!error)
		error = limit(made, __func__);
	if (error) {
		free_space(made);
		return error;
	}
	li_ioas_pin(ioas);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_DMA_SPACE, 1);
	*space = made;
	return 0;
}

/* All pieces of a tree, whoever claims them. */
static int unmap_all(struct libiommu_dma_space *space, const struct tree *pieces,
                     const char *operation)
{
	int error = 0;

	while (!error && pieces->root)
		error = li_piece_unmap(space, operation, li_piece_from(pieces, 0));
	return error;
}

static void free_claims(struct libiommu_dma_space *space)
{
	struct tree_node *node;

	while ((node = space->claims.root)) {
		li_tree_remove(&space->claims, node);
		free(node);
	}
}

static int refuse_child(const struct libiommu_dma_space *space, const char *operation)
{
	return dma_forked(space) ? FAIL_LIBRARY(NULL, operation, -ECHILD, DMA_FORKED, .id = 0) : 0;
}

int libiommu_dma_space_destroy(struct libiommu_dma_space *space)
{
	int error;

	if (!space)
		return 0;
	error = refuse_child(space, __func__);
	if (error)
		return error;
	if (space->arenas)
		return FAIL_LIBRARY(space->ctx, __func__, -EBUSY, "it has arenas",
		                    .amount = space->arenas, .unit = "of them");
	if (space->window && li_window_is_cut(space->window))
		return FAIL_LIBRARY(space->ctx, __func__, -EBUSY, "windows were cut from its own",
		                    .id = 0);
	error = li_mirrors_leave_vdpa(space, __func__);
	if (!error)
		error = unmap_all(space, &space->pieces, __func__);
	if (!error)
		error = unmap_all(space, &space->nameless, __func__);
	if (error)
		return error;
	free_claims(space);
	for (size_t i = 0; i < space->mirror_count; i++)
		li_ioas_unpin(space->mirrors[i].ioas);
	li_ioas_unpin(space->ioas);
	li_ctx_count(space->ctx, LIBIOMMU_OBJECT_DMA_SPACE, -1);
	free_space(space);
	return 0;
}

const struct libiommu_dma_table *libiommu_dma_space_table(const struct libiommu_dma_space *space)
{
	return space ? space->table : NULL;
}

struct libiommu_iova_window *libiommu_dma_space_window(const struct libiommu_dma_space *space)
{
	return space ? space->window : NULL;
}

int libiommu_dma_space_registered(struct libiommu_dma_space *space, uint64_t *count,
                                  uint64_t *bytes)
{
	int error;

	if (!space || !count || !bytes)
		return FAIL_NULL(space ? space->ctx : NULL);
	error = refuse_child(space, __func__);
	if (error)
		return error;
	dma_lock(space);
	*count = space->count;
	*bytes = space->bytes;
	dma_unlock(space);
	return 0;
}

int libiommu_dma_space_revalidate(struct libiommu_dma_space *space)
{
	int error;

	if (!space)
		return FAIL_NULL(NULL);
	error = refuse_child(space, __func__);
	if (error)
		return error;
	dma_lock(space);
	error = li_space_update_ranges(space, __func__);
	dma_unlock(space);
	return error;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Address spaces that have what a DMA space has, at the same IOVAs: pinned and charged once. */
#include <errno.h>

#include <libiommu/device.h>

#include "../base/array.h"
#include "space.h"

static size_t find_mirror(const struct libiommu_dma_space *space, const struct libiommu_ioas *ioas)
{
	size_t i = 0;

	while (i < space->mirror_count && space->mirrors[i] != ioas)
		i++;
	return i;
}

/* Every piece of a tree; @stopped: the first that was not copied. */
static int copy_pieces(struct libiommu_dma_space *space, const struct tree *pieces,
                       struct libiommu_ioas *to, const char *operation,
                       const struct dma_piece **stopped)
{
	const struct dma_piece *piece = li_piece_from(pieces, 0);
	int error = 0;

	while (piece && !error) {
		error = li_ioas_copy_fixed(to, operation, space->ioas, piece->iova, piece->length,
		                           piece->flags, piece->iova);
		if (!error)
			piece = li_piece_next(piece);
	}
	*stopped = piece;
	return error;
}

/* The pieces before @until; one that is not there is no error. */
static int unmap_pieces(const struct tree *pieces, struct libiommu_ioas *from,
                        const char *operation, const struct dma_piece *until)
{
	const struct dma_piece *piece = li_piece_from(pieces, 0);
	int error = 0;

	while (piece != until && !error) {
		error = li_ioas_unmap(from, operation, piece->iova, piece->length);
		if (error == -ENOENT)
			error = 0;
		piece = li_piece_next(piece);
	}
	return error;
}

static int copy_all(struct libiommu_dma_space *space, struct libiommu_ioas *to,
                    const char *operation)
{
	const struct dma_piece *named, *nameless = li_piece_from(&space->nameless, 0);
	int error;

	error = copy_pieces(space, &space->pieces, to, operation, &named);
	if (!error)
		error = copy_pieces(space, &space->nameless, to, operation, &nameless);
	if (error) {
		unmap_pieces(&space->pieces, to, operation, named);
		unmap_pieces(&space->nameless, to, operation, nameless);
	}
	return error;
}

/* Room for one more has been made. */
static int add(struct libiommu_dma_space *space, struct libiommu_ioas *ioas, const char *operation)
{
	int error;

	space->mirrors[space->mirror_count++] = ioas;
	error = li_space_update_ranges(space, operation);
	if (!error)
		error = copy_all(space, ioas, operation);
	if (error)
		space->mirror_count--;
	else
		li_ioas_pin(ioas);
	return error;
}

int libiommu_dma_space_mirror(struct libiommu_dma_space *space, struct libiommu_ioas *ioas)
{
	int error;

	if (!space || !ioas)
		return FAIL_NULL(space ? space->ctx : NULL);
	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, DMA_FORKED, .id = 0);
	if (li_ioas_ctx(ioas) != space->ctx)
		return FAIL_LIBRARY(space->ctx, __func__, -EINVAL,
		                    "the address spaces are of different contexts",
		                    .id = li_ioas_id(ioas));
	dma_lock(space);
	if (ioas == space->ioas || find_mirror(space, ioas) < space->mirror_count)
		error = FAIL_LIBRARY(space->ctx, __func__, -EEXIST, "it is in the space already",
		                     .id = li_ioas_id(ioas));
	else if (!array_grow((void **)&space->mirrors, space->mirror_count + 1,
	                     sizeof(struct libiommu_ioas *)))
		error = FAIL_MEMORY(space->ctx);
	else
		error = add(space, ioas, __func__);
	dma_unlock(space);
	return error;
}

/* The mirror at an index. After a failure it is one still, without a part of what it had. */
static int remove_mirror(struct libiommu_dma_space *space, size_t index, const char *operation)
{
	struct libiommu_ioas *const ioas = space->mirrors[index];
	int error;

	error = unmap_pieces(&space->pieces, ioas, operation, NULL);
	if (!error)
		error = unmap_pieces(&space->nameless, ioas, operation, NULL);
	if (error)
		return error;
	space->mirrors[index] = space->mirrors[--space->mirror_count];
	li_ioas_unpin(ioas);
	return 0;
}

int libiommu_dma_space_unmirror(struct libiommu_dma_space *space, struct libiommu_ioas *ioas)
{
	size_t index;
	int error;

	if (!space || !ioas)
		return FAIL_NULL(space ? space->ctx : NULL);
	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, DMA_FORKED, .id = 0);
	dma_lock(space);
	index = find_mirror(space, ioas);
	if (index < space->mirror_count)
		error = remove_mirror(space, index, __func__);
	else
		error = FAIL_LIBRARY(space->ctx, __func__, -ENOENT, "it does not mirror the space",
		                     .id = li_ioas_id(ioas));
	dma_unlock(space);
	return error;
}

int libiommu_dma_space_attach(struct libiommu_dma_space *space, struct libiommu_device *dev,
                              struct libiommu_ioas *ioas)
{
	int error;

	if (!space || !dev)
		return FAIL_NULL(space ? space->ctx : NULL);
	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, DMA_FORKED, .id = 0);
	dma_lock(space);
	if (!ioas)
		ioas = space->ioas;
	if (ioas != space->ioas && find_mirror(space, ioas) == space->mirror_count)
		error = FAIL_LIBRARY(space->ctx, __func__, -ENOENT, "it does not mirror the space",
		                     .id = li_ioas_id(ioas));
	else
		error = libiommu_device_attach_ioas(dev, ioas);
	if (!error) {
		error = li_space_update_ranges(space, __func__);
		if (error)
			libiommu_device_detach(dev);
	}
	dma_unlock(space);
	return error;
}

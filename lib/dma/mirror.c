/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What has the same as a DMA space at the same IOVAs: address spaces, and vDPA devices. */
#include <errno.h>

#include <libiommu/device.h>

#include "../base/array.h"
#include "space.h"
#include "vdpa.h"

static size_t find_mirror(const struct libiommu_dma_space *space, const struct dma_mirror *wanted)
{
	size_t i = 0;

	while (i < space->mirror_count &&
	       (space->mirrors[i].ioas != wanted->ioas || space->mirrors[i].vdpa != wanted->vdpa ||
	        space->mirrors[i].asid != wanted->asid))
		i++;
	return i;
}

static uint32_t mirror_id(const struct dma_mirror *mirror)
{
	return mirror->vdpa ? mirror->asid : li_ioas_id(mirror->ioas);
}

int li_mirror_map(const struct libiommu_dma_space *space, const struct dma_mirror *mirror,
                  const char *operation, const struct dma_piece *piece)
{
	if (mirror->vdpa)
		return li_vdpa_mirror_map(mirror, operation, piece);
	return li_ioas_copy_fixed(mirror->ioas, operation, space->ioas, piece->iova, piece->length,
	                          piece->flags, piece->iova);
}

int li_mirror_unmap(const struct dma_mirror *mirror, const char *operation,
                    const struct dma_piece *piece)
{
	int error;

	if (mirror->vdpa)
		return li_vdpa_mirror_unmap(mirror, operation, piece);
	error = li_ioas_unmap(mirror->ioas, operation, piece->iova, piece->length);
	return error == -ENOENT ? 0 : error;
}

/* Every piece of a tree; @stopped: the first that was not copied. */
static int copy_pieces(struct libiommu_dma_space *space, const struct tree *pieces,
                       const struct dma_mirror *to, const char *operation,
                       const struct dma_piece **stopped)
{
	const struct dma_piece *piece = li_piece_from(pieces, 0);
	int error = 0;

	while (piece && !error) {
		error = li_mirror_map(space, to, operation, piece);
		if (!error)
			piece = li_piece_next(piece);
	}
	*stopped = piece;
	return error;
}

/* The pieces before @until. */
static int unmap_pieces(const struct tree *pieces, const struct dma_mirror *from,
                        const char *operation, const struct dma_piece *until)
{
	const struct dma_piece *piece = li_piece_from(pieces, 0);
	int error = 0;

	while (piece != until && !error) {
		error = li_mirror_unmap(from, operation, piece);
		piece = li_piece_next(piece);
	}
	return error;
}

static int copy_all(struct libiommu_dma_space *space, const struct dma_mirror *to,
                    const char *operation)
{
	const struct dma_piece *named, *nameless = li_piece_from(&space->nameless, 0);
	int error;

	if (to->vdpa)
		return li_vdpa_mirror_fill(space, to, operation);
	error = copy_pieces(space, &space->pieces, to, operation, &named);
	if (!error)
		error = copy_pieces(space, &space->nameless, to, operation, &nameless);
	if (error) {
		li_failure_undo();
		unmap_pieces(&space->pieces, to, operation, named);
		unmap_pieces(&space->nameless, to, operation, nameless);
		li_failure_undone();
	}
	return error;
}

static int unmap_all(struct libiommu_dma_space *space, const struct dma_mirror *from,
                     const char *operation)
{
	int error;

	if (from->vdpa)
		return li_vdpa_mirror_clear(space, from, operation);
	error = unmap_pieces(&space->pieces, from, operation, NULL);
	return error ? error : unmap_pieces(&space->nameless, from, operation, NULL);
}

static void pin(const struct dma_mirror *mirror)
{
	if (mirror->vdpa)
		li_vdpa_pin(mirror->vdpa);
	else
		li_ioas_pin(mirror->ioas);
}

static void unpin(const struct dma_mirror *mirror)
{
	if (mirror->vdpa)
		li_vdpa_unpin(mirror->vdpa);
	else
		li_ioas_unpin(mirror->ioas);
}

/* Room for one more has been made. */
static int add(struct libiommu_dma_space *space, const struct dma_mirror *mirror,
               const char *operation)
{
	int error;

	space->mirrors[space->mirror_count++] = *mirror;
	error = li_space_update_ranges(space, operation);
	if (error) {
		space->mirror_count--;
		return error;
	}
	error = copy_all(space, mirror, operation);
	if (!error) {
		pin(mirror);
		return 0;
	}
	space->mirror_count--;
	/* The window is not to be narrower for what does not mirror. */
	li_failure_undo();
	li_space_update_ranges(space, operation);
	li_failure_undone();
	return error;
}

int li_mirror_add(struct libiommu_dma_space *space, const struct dma_mirror *mirror,
                  const char *operation)
{
	int error;

	dma_lock(space);
	if (mirror->ioas == space->ioas || find_mirror(space, mirror) < space->mirror_count)
		error = FAIL_LIBRARY(space->ctx, operation, -EEXIST, "it is in the space already",
		                     .id = mirror_id(mirror));
	else if (!array_grow((void **)&space->mirrors, space->mirror_count + 1, sizeof(*mirror)))
		error = FAIL_MEMORY_IN(space->ctx, operation);
	else
		error = add(space, mirror, operation);
	dma_unlock(space);
	return error;
}

int libiommu_dma_space_mirror(struct libiommu_dma_space *space, struct libiommu_ioas *ioas)
{
	const struct dma_mirror mirror = {.ioas = ioas};

	if (!space || !ioas)
		return FAIL_NULL(space ? space->ctx : NULL);
	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, DMA_FORKED, .id = 0);
	if (li_ioas_ctx(ioas) != space->ctx)
		return FAIL_LIBRARY(space->ctx, __func__, -EINVAL,
		                    "the address spaces are of different contexts",
		                    .id = li_ioas_id(ioas));
	/* Not only when there is something to copy. */
	if (li_ctx_backend(space->ctx)->type1)
		return FAIL_KERNEL(space->ctx, __func__, -EOPNOTSUPP, CALL_COPY,
		                   .id = li_ioas_id(ioas));
	return li_mirror_add(space, &mirror, __func__);
}

/* The mirror at an index. After a failure it is one still, without a part of what it had. */
static int remove_mirror(struct libiommu_dma_space *space, size_t index, const char *operation)
{
	const struct dma_mirror mirror = space->mirrors[index];
	const int error = unmap_all(space, &mirror, operation);

	if (error)
		return error;
	space->mirrors[index] = space->mirrors[--space->mirror_count];
	unpin(&mirror);
	return 0;
}

int li_mirror_remove(struct libiommu_dma_space *space, const struct dma_mirror *mirror,
                     const char *operation)
{
	size_t index;
	int error;

	dma_lock(space);
	index = find_mirror(space, mirror);
	if (index < space->mirror_count)
		error = remove_mirror(space, index, operation);
	else
		error = FAIL_LIBRARY(space->ctx, operation, -ENOENT, "it does not mirror the space",
		                     .id = mirror_id(mirror));
	dma_unlock(space);
	return error;
}

int libiommu_dma_space_unmirror(struct libiommu_dma_space *space, struct libiommu_ioas *ioas)
{
	const struct dma_mirror mirror = {.ioas = ioas};

	if (!space || !ioas)
		return FAIL_NULL(space ? space->ctx : NULL);
	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, DMA_FORKED, .id = 0);
	return li_mirror_remove(space, &mirror, __func__);
}

int li_mirrors_leave_vdpa(struct libiommu_dma_space *space, const char *operation)
{
	int error = 0;

	for (size_t i = space->mirror_count; i-- && !error;)
		if (space->mirrors[i].vdpa)
			error = remove_mirror(space, i, operation);
	return error;
}

int libiommu_dma_space_attach(struct libiommu_dma_space *space, struct libiommu_device *dev,
                              struct libiommu_ioas *ioas)
{
	struct dma_mirror mirror = {.ioas = ioas};
	int error;

	if (!space || !dev)
		return FAIL_NULL(space ? space->ctx : NULL);
	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, DMA_FORKED, .id = 0);
	dma_lock(space);
	if (!ioas)
		mirror.ioas = space->ioas;
	if (mirror.ioas != space->ioas && find_mirror(space, &mirror) == space->mirror_count)
		error = FAIL_LIBRARY(space->ctx, __func__, -ENOENT, "it does not mirror the space",
		                     .id = mirror_id(&mirror));
	else
		error = libiommu_device_attach_ioas(dev, mirror.ioas);
	if (!error) {
		error = li_space_update_ranges(space, __func__);
		if (error) {
			li_failure_undo();
			libiommu_device_detach(dev);
			li_failure_undone();
		}
	}
	dma_unlock(space);
	return error;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* An address space of a vDPA device that has what a DMA space has. */
#include <errno.h>

#include "space.h"
#include "vdpa.h"

int li_vdpa_mirror_map(const struct dma_mirror *mirror, const char *operation,
                       const struct dma_piece *piece)
{
	int error;

	if (!piece->named)
		return FAIL_LIBRARY(
			mirror->vdpa->ctx, operation, -EOPNOTSUPP,
			"a vDPA device mirrors the space, and needs the file's address in "
			"this process",
			.start = piece->iova, .length = piece->length);
	vdpa_lock(mirror->vdpa);
	error = li_vdpa_update(mirror->vdpa, operation, mirror->asid, piece->iova, piece->length,
	                       piece->address, piece->flags);
	vdpa_unlock(mirror->vdpa);
	return error;
}

int li_vdpa_mirror_unmap(const struct dma_mirror *mirror, const char *operation,
                         const struct dma_piece *piece)
{
	int error;

	vdpa_lock(mirror->vdpa);
	error = li_vdpa_invalidate(mirror->vdpa, operation, mirror->asid, piece->iova,
	                           piece->length);
	vdpa_unlock(mirror->vdpa);
	return error;
}

/* @error: what has failed in it. */
static int end_batch(const struct dma_mirror *mirror, const char *operation, int error)
{
	if (!error)
		return li_vdpa_end(mirror->vdpa, operation, mirror->asid);
	li_failure_undo();
	li_vdpa_end(mirror->vdpa, operation, mirror->asid);
	li_failure_undone();
	return error;
}

/* In a batch; @piece: the first, then the one that failed, or @until. */
static int update_all(const struct dma_mirror *mirror, const char *operation,
                      const struct dma_piece **piece, const struct dma_piece *until)
{
	int error;

	if (*piece == until)
		return 0;
	error = li_vdpa_begin(mirror->vdpa, operation, mirror->asid);
	if (error)
		return error;
	while (*piece != until && !error) {
		error = li_vdpa_update(mirror->vdpa, operation, mirror->asid, (*piece)->iova,
		                       (*piece)->length, (*piece)->address, (*piece)->flags);
		if (!error)
			*piece = li_piece_next(*piece);
	}
	return end_batch(mirror, operation, error);
}

static int invalidate_all(const struct dma_mirror *mirror, const char *operation,
                          const struct dma_piece *piece, const struct dma_piece *until)
{
	int error;

	if (piece == until)
		return 0;
	error = li_vdpa_begin(mirror->vdpa, operation, mirror->asid);
	if (error)
		return error;
	for (; piece != until && !error; piece = li_piece_next(piece))
		error = li_vdpa_invalidate(mirror->vdpa, operation, mirror->asid, piece->iova,
		                           piece->length);
	return end_batch(mirror, operation, error);
}

/*
 * At the end of a batch the kernel gives the device all it has, and does not say when the device
 * refuses that. After a single message it does both: the last piece is therefore one.
 */
static int fill(const struct dma_mirror *mirror, const char *operation,
                const struct dma_piece *first)
{
	const struct dma_piece *stopped = first, *last = first;
	int error;

	for (const struct dma_piece *next; (next = li_piece_next(last));)
		last = next;
	error = update_all(mirror, operation, &stopped, last);
	if (!error)
		error = li_vdpa_update(mirror->vdpa, operation, mirror->asid, last->iova,
		                       last->length, last->address, last->flags);
	if (error) {
		li_failure_undo();
		invalidate_all(mirror, operation, first, stopped);
		li_failure_undone();
	}
	return error;
}

int li_vdpa_mirror_fill(const struct libiommu_dma_space *space, const struct dma_mirror *mirror,
                        const char *operation)
{
	const struct dma_piece *const first = li_piece_from(&space->pieces, 0);
	const struct dma_piece *const nameless = li_piece_from(&space->nameless, 0);
	int error = 0;

	if (nameless)
		return li_vdpa_mirror_map(mirror, operation, nameless);
	vdpa_lock(mirror->vdpa);
	if (first)
		error = fill(mirror, operation, first);
	vdpa_unlock(mirror->vdpa);
	return error;
}

int li_vdpa_mirror_clear(const struct libiommu_dma_space *space, const struct dma_mirror *mirror,
                         const char *operation)
{
	int error;

	vdpa_lock(mirror->vdpa);
	error = invalidate_all(mirror, operation, li_piece_from(&space->pieces, 0), NULL);
	vdpa_unlock(mirror->vdpa);
	return error;
}

/* The arguments of both functions; the mirror they name. */
static int check(const struct libiommu_dma_space *space, struct libiommu_vdpa *vdpa,
                 const char *operation)
{
	if (!space || !vdpa)
		return FAIL_NULL_IN(space ? space->ctx : NULL, operation);
	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, operation, -ECHILD, DMA_FORKED, .id = 0);
	return 0;
}

int libiommu_dma_space_mirror_vdpa(struct libiommu_dma_space *space, struct libiommu_vdpa *vdpa,
                                   uint32_t asid)
{
	const struct dma_mirror mirror = {.vdpa = vdpa, .asid = asid};
	int error;

	error = check(space, vdpa, __func__);
	if (error)
		return error;
	if (vdpa->ctx != space->ctx)
		return FAIL_LIBRARY(space->ctx, __func__, -EINVAL,
		                    "the device is of another context", .id = asid);
	error = li_vdpa_check_space(vdpa, __func__, asid);
	return error ? error : li_mirror_add(space, &mirror, __func__);
}

int libiommu_dma_space_unmirror_vdpa(struct libiommu_dma_space *space, struct libiommu_vdpa *vdpa,
                                     uint32_t asid)
{
	const struct dma_mirror mirror = {.vdpa = vdpa, .asid = asid};
	const int error = check(space, vdpa, __func__);

	return error ? error : li_mirror_remove(space, &mirror, __func__);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* One mapping of the kernel's, in an address space and all that mirror it. */
#include <errno.h>
#include <stdlib.h>

#include "space.h"

static struct dma_piece *piece_of(const struct tree_node *node)
{
	/* The node comes first. */
	return (struct dma_piece *)(uintptr_t)node;
}

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	return piece_of(a)->address < piece_of(b)->address ? -1 : 1;
}

struct dma_piece *li_piece_from(const struct tree *pieces, uint64_t address)
{
	const struct tree_node *node = pieces->root;
	struct dma_piece *found = NULL;

	while (node) {
		struct dma_piece *const piece = piece_of(node);
		const bool before = piece->address + (piece->length - 1) < address;

		if (!before)
			found = piece;
		node = node->child[before];
	}
	return found;
}

struct dma_piece *li_piece_next(const struct dma_piece *piece)
{
	struct tree_node *const next = li_tree_next(&piece->node);

	return next ? piece_of(next) : NULL;
}

static struct tree *tree_of(struct libiommu_dma_space *space, const struct dma_piece *piece)
{
	return piece->named ? &space->pieces : &space->nameless;
}

/* An IOVA from a window, unless it is chosen otherwise. */
static int choose(struct libiommu_dma_space *space, const struct dma_source *source,
                  struct dma_piece *piece)
{
	int error;

	piece->window = source->window ? source->window : space->window;
	if (!piece->window)
		return 0;
	error = piece->iova ? li_window_take_at(piece->window, piece->iova, piece->length)
	                    : -EEXIST;
	/* Whoever else has the window may have been faster. */
	if (error == -EEXIST)
		error = li_window_take_for(piece->window, piece->address, piece->length,
		                           &piece->iova);
	if (!error)
		return 0;
	if (error == -ENOMEM)
		return FAIL_MEMORY_IN(space->ctx, source->operation);
	if (error == -ENOSPC)
		return li_window_full(space->ctx, piece->window, source->operation, source->address,
		                      piece->length);
	return FAIL_LIBRARY(space->ctx, source->operation, error,
	                    "the window's granule is larger, or the range is not free",
	                    .length = piece->length, .anywhere = true, .memory = source->address);
}

static void unchoose(struct dma_piece *piece)
{
	if (piece->window)
		li_window_give(piece->window, piece->iova, piece->length);
}

static int map_first(struct libiommu_dma_space *space, const struct dma_source *source,
                     struct dma_piece *piece)
{
	const bool identity = space->choices.policy == LIBIOMMU_DMA_IDENTITY && !piece->window;

	if (identity)
		piece->iova = source->address;
	if (source->fd >= 0)
		return li_ioas_map_file(space->ioas, source->operation, source->fd, source->offset,
		                        source->length, source->flags, identity || piece->window,
		                        &piece->iova);
	return li_ioas_map(space->ioas, source->operation, (void *)(uintptr_t)source->address,
	                   source->length, source->flags, identity || piece->window, &piece->iova);
}

/* From the first of @count mirrors on, after a failure. */
static void unmap_mirrors(struct libiommu_dma_space *space, const struct dma_piece *piece,
                          const char *operation, size_t count)
{
	li_failure_undo();
	for (size_t i = 0; i < count; i++)
		li_mirror_unmap(&space->mirrors[i], operation, piece);
	li_failure_undone();
}

static int map_mirrors(struct libiommu_dma_space *space, const struct dma_piece *piece,
                       const char *operation)
{
	for (size_t i = 0; i < space->mirror_count; i++) {
		const int error = li_mirror_map(space, &space->mirrors[i], operation, piece);

		if (error) {
			unmap_mirrors(space, piece, operation, i);
			return error;
		}
	}
	return 0;
}

static bool fits_table(const struct dma_piece *piece)
{
	const uint64_t limit = UINT64_C(1) << TABLE_KEY_BITS;

	return piece->iova < limit && piece->length <= limit - piece->iova;
}

static int prepare(struct libiommu_dma_space *space, const struct dma_piece *piece,
                   const char *operation)
{
	if (!piece->named)
		return 0;
	if (!fits_table(piece))
		return FAIL_LIBRARY(space->ctx, operation, -ERANGE,
		                    "an IOVA of more than 48 bits, which cannot be looked up",
		                    .start = piece->iova, .length = piece->length);
	if (li_table_prepare(space->table, BY_ADDRESS, piece->address, piece->length) ||
	    li_table_prepare(space->table, BY_IOVA, piece->iova, piece->length))
		return FAIL_MEMORY_IN(space->ctx, operation);
	return 0;
}

static void publish(struct libiommu_dma_space *space, const struct dma_piece *piece)
{
	if (piece->named) {
		li_table_set(space->table, BY_ADDRESS, piece->address, piece->iova, piece->length);
		li_table_set(space->table, BY_IOVA, piece->iova, piece->address, piece->length);
	}
	li_table_tell(space->table);
}

int li_piece_map(struct libiommu_dma_space *space, const struct dma_source *source, uint64_t iova,
                 struct dma_piece **piece)
{
	struct dma_piece *const made = calloc(1, sizeof(*made));
	int error;

	if (!made)
		return FAIL_MEMORY_IN(space->ctx, source->operation);
	made->address = source->address;
	made->length = source->length;
	made->flags = source->flags;
	made->named = source->named;
	made->iova = iova;
	error = choose(space, source, made);
	if (error)
		goto forget;
	error = map_first(space, source, made);
	if (error)
		goto give;
	error = prepare(space, made, source->operation);
	if (!error)
		error = map_mirrors(space, made, source->operation);
	if (error)
		goto unmap;
	if (!made->named)
		made->address = made->iova;
	li_tree_insert(tree_of(space, made), &made->node, compare);
	publish(space, made);
	space->bytes += made->length;
	*piece = made;
	return 0;

unmap:
	li_failure_undo();
	li_ioas_unmap(space->ioas, source->operation, made->iova, made->length);
	li_failure_undone();
give:
	unchoose(made);
forget:
	free(made);
	return error;
}

/* Nobody is to find it before it is unmapped. */
static void hide(struct libiommu_dma_space *space, const struct dma_piece *piece)
{
	if (piece->named) {
		li_table_clear(space->table, BY_ADDRESS, piece->address, piece->length);
		li_table_clear(space->table, BY_IOVA, piece->iova, piece->length);
	}
	li_table_tell(space->table);
}

int li_piece_unmap(struct libiommu_dma_space *space, const char *operation, struct dma_piece *piece)
{
	size_t done = 0;
	int error = 0;

	hide(space, piece);
	while (!error && done < space->mirror_count) {
		error = li_mirror_unmap(&space->mirrors[done], operation, piece);
		done += !error;
	}
	if (!error)
		error = li_ioas_unmap(space->ioas, operation, piece->iova, piece->length);
	if (error) {
		/*
		 * A copy pins nothing anew, so that it can fail for want of memory only; a vDPA
		 * device has just let go of the same memory.
		 */
		li_failure_undo();
		while (done--)
			li_mirror_map(space, &space->mirrors[done], operation, piece);
		li_failure_undone();
		publish(space, piece);
		return error;
	}
	unchoose(piece);
	li_tree_remove(tree_of(space, piece), &piece->node);
	space->bytes -= piece->length;
	free(piece);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What is registered: counted, nested in each other, and with a split granule overlapping. */
#include <errno.h>
#include <stdlib.h>

#include "space.h"

static struct dma_claim *claim_of(const struct tree_node *node)
{
	return (struct dma_claim *)(uintptr_t)node;
}

static int compare_to(const struct dma_claim *claim, uint64_t address, uint64_t length)
{
	if (claim->address != address)
		return claim->address < address ? -1 : 1;
	return claim->length < length ? -1 : claim->length > length;
}

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	return compare_to(claim_of(a), claim_of(b)->address, claim_of(b)->length);
}

static struct dma_claim *find_claim(const struct libiommu_dma_space *space, uint64_t address,
                                    uint64_t length)
{
	const struct tree_node *node = space->claims.root;

	while (node) {
		const int order = compare_to(claim_of(node), address, length);

		if (!order)
			return claim_of(node);
		node = node->child[order < 0];
	}
	return NULL;
}

/* Another of the same claim, or a first one; false without memory. */
static bool add_claim(struct libiommu_dma_space *space, const struct dma_source *source)
{
	struct dma_claim *claim = find_claim(space, source->address, source->length);

	if (!claim) {
		claim = calloc(1, sizeof(*claim));
		if (!claim)
			return false;
		claim->address = source->address;
		claim->length = source->length;
		claim->from = source->address;
		li_tree_insert(&space->claims, &claim->node, compare);
	}
	claim->count++;
	return true;
}

static void drop_claim(struct libiommu_dma_space *space, struct dma_claim *claim)
{
	if (--claim->count)
		return;
	li_tree_remove(&space->claims, &claim->node);
	free(claim);
}

static uint64_t end_of(const struct dma_piece *piece)
{
	return piece->address + piece->length;
}

static bool is_just(const struct dma_piece *piece, uint64_t address, uint64_t length)
{
	return piece && piece->address == address && piece->length == length;
}

/* Whether what is there goes together with what comes; -EEXIST, -EPERM or -EBUSY if not. */
static int check_overlaps(struct libiommu_dma_space *space, const struct dma_source *source)
{
	const uint64_t end = source->address + source->length;
	const struct dma_claim *const claim = find_claim(space, source->address, source->length);
	const struct dma_piece *piece = li_piece_from(&space->pieces, source->address);

	if (claim && claim->from != claim->address)
		return FAIL_LIBRARY(space->ctx, source->operation, -EBUSY,
		                    "it is unregistered in part: that is to be repeated first",
		                    .memory = source->address, .length = source->length);
	for (; piece && piece->address < end; piece = li_piece_next(piece)) {
		const bool nested = piece->address <= source->address && end_of(piece) >= end;

		if (!nested && !space->choices.split)
			return FAIL_LIBRARY(space->ctx, source->operation, -EEXIST,
			                    "a part of it is registered, and the kernel cannot cut "
			                    "a mapping: libiommu_dma_space_config_set_split()",
			                    .memory = source->address, .length = source->length);
		if (source->flags & ~piece->flags)
			return FAIL_LIBRARY(space->ctx, source->operation, -EPERM,
			                    "it is registered without being writable or readable",
			                    .memory = source->address, .length = source->length);
	}
	return 0;
}

/*
 * The free range of IOVAs for a gap, so that its pieces follow each other; 0 where that is not for
 * the library to choose.
 */
static int place_gap(struct libiommu_dma_space *space, const struct dma_source *gap, uint64_t *iova)
{
	struct libiommu_iova_window *const window = gap->window ? gap->window : space->window;
	int error;

	*iova = 0;
	if (!window || !space->choices.split)
		return 0;
	error = li_window_take_for(window, gap->address, gap->length, iova);
	if (!error)
		return li_window_give(window, *iova, gap->length);
	/* Piece by piece it may do, or fails for what is told then. */
	return error == -ENOMEM ? error : 0;
}

/* Maps what is between two pieces. What was mapped before a failure stays, without a claim. */
static int fill_gap(struct libiommu_dma_space *space, const struct dma_source *gap)
{
	const uint64_t granule = space->choices.split;
	struct dma_source part = *gap;
	struct dma_piece *piece;
	uint64_t iova, left = gap->length;
	int error;

	error = place_gap(space, gap, &iova);
	if (error)
		return FAIL_MEMORY_IN(space->ctx, gap->operation);
	while (left && !error) {
		part.length = left;
		if (granule && left > granule - (part.address & (granule - 1)))
			part.length = granule - (part.address & (granule - 1));
		error = li_piece_map(space, &part, iova, &piece);
		part.address += part.length;
		part.offset += part.length;
		left -= part.length;
		if (iova)
			iova += part.length;
	}
	return error;
}

static int fill_gaps(struct libiommu_dma_space *space, const struct dma_source *source)
{
	const uint64_t end = source->address + source->length;
	struct dma_source gap = *source;

	while (gap.address < end) {
		const struct dma_piece *const piece = li_piece_from(&space->pieces, gap.address);
		int error;

		if (piece && piece->address <= gap.address) {
			gap.address = end_of(piece);
		} else {
			gap.length = (piece && piece->address < end ? piece->address : end) -
			             gap.address;
			gap.offset = source->offset + (gap.address - source->address);
			error = fill_gap(space, &gap);
			if (error)
				return error;
			gap.address += gap.length;
		}
	}
	return 0;
}

/* What no claim has is unmapped again, after a failure. */
static void drop_unclaimed(struct libiommu_dma_space *space, const struct dma_source *source)
{
	struct dma_piece *piece = li_piece_from(&space->pieces, source->address);

	li_failure_undo();
	while (piece && piece->address < source->address + source->length) {
		struct dma_piece *const next = li_piece_next(piece);

		if (!piece->claims)
			li_piece_unmap(space, source->operation, piece);
		piece = next;
	}
	li_failure_undone();
}

static int register_nameless(struct libiommu_dma_space *space, const struct dma_source *source,
                             uint64_t *iova)
{
	struct dma_piece *piece;
	int error;

	error = li_piece_map(space, source, 0, &piece);
	if (error)
		return error;
	piece->claims = 1;
	piece->whole = 1;
	space->count++;
	*iova = piece->iova;
	return 0;
}

int li_space_register(struct libiommu_dma_space *space, const struct dma_source *source,
                      uint64_t *iova)
{
	struct dma_piece *first, *piece;
	int error;

	if (!source->named)
		return register_nameless(space, source, iova);
	error = check_overlaps(space, source);
	if (!error)
		error = fill_gaps(space, source);
	if (error) {
		drop_unclaimed(space, source);
		return error;
	}
	first = li_piece_from(&space->pieces, source->address);
	if (is_just(first, source->address, source->length)) {
		first->whole++;
	} else if (!add_claim(space, source)) {
		drop_unclaimed(space, source);
		return FAIL_MEMORY_IN(space->ctx, source->operation);
	}
	for (piece = first; piece && piece->address < source->address + source->length;
	     piece = li_piece_next(piece))
		piece->claims++;
	space->count++;
	*iova = first->iova + (source->address - first->address);
	return 0;
}

/*
 * Each piece loses a claim, and without any is unmapped. After a failure @from is how far it got.
 */
static int release(struct libiommu_dma_space *space, const char *operation, uint64_t *from,
                   uint64_t end)
{
	struct dma_piece *piece = li_piece_from(&space->pieces, *from);

	while (piece && piece->address < end) {
		struct dma_piece *const next = li_piece_next(piece);
		const uint64_t piece_end = end_of(piece);
		int error = 0;

		if (piece->claims > 1)
			piece->claims--;
		else
			error = li_piece_unmap(space, operation, piece);
		if (error)
			return error;
		*from = piece_end;
		piece = next;
	}
	return 0;
}

static int release_whole(struct libiommu_dma_space *space, const char *operation,
                         struct dma_piece *piece)
{
	if (piece->claims == 1)
		return li_piece_unmap(space, operation, piece);
	piece->whole--;
	piece->claims--;
	return 0;
}

int li_space_unregister(struct libiommu_dma_space *space, const char *operation, uint64_t address,
                        uint64_t length)
{
	struct dma_claim *const claim = find_claim(space, address, length);
	struct dma_piece *const piece = li_piece_from(&space->pieces, address);
	int error;

	if (!claim && is_just(piece, address, length) && piece->whole) {
		error = release_whole(space, operation, piece);
	} else if (claim) {
		error = release(space, operation, &claim->from, address + length);
		if (!error) {
			claim->from = address;
			drop_claim(space, claim);
		}
	} else {
		return FAIL_LIBRARY(space->ctx, operation, -ENOENT, "just this was not registered",
		                    .memory = address, .length = length);
	}
	if (!error)
		space->count--;
	return error;
}

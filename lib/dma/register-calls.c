/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The public calls: what they are given is checked, and the lock is taken. */
#include <errno.h>

#include "space.h"

static int check(const struct libiommu_dma_space *space, const struct dma_source *source)
{
	const uint64_t mask = space->granule - 1;
	const uint64_t limit = UINT64_C(1) << TABLE_KEY_BITS;
	const char *text = NULL;
	int error = -EINVAL;

	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, source->operation, -ECHILD, DMA_FORKED, .id = 0);
	if (!source->length || (source->address | source->length | source->offset) & mask)
		text = "the length is 0, or something is no multiple of a page";
	else if (!source->named && space->choices.policy == LIBIOMMU_DMA_IDENTITY &&
	         !source->window)
		text = "without an address there is no IOVA that is the same";
	else if (source->address > limit || source->length > limit - source->address) {
		error = -ERANGE;
		text = "addresses of more than 48 bits cannot be looked up";
	}
	if (text)
		return FAIL_LIBRARY(space->ctx, source->operation, error, text,
		                    .memory = source->address, .length = source->length,
		                    .anywhere = true);
	return li_ioas_check_flags(space->ioas, source->operation, source->flags);
}

static int do_register(struct libiommu_dma_space *space, const struct dma_source *source,
                       uint64_t *iova)
{
	int error;

	error = check(space, source);
	if (error)
		return error;
	dma_lock(space);
	error = li_space_register(space, source, iova);
	dma_unlock(space);
	return error;
}

static int do_unregister(struct libiommu_dma_space *space, const char *operation, uint64_t address,
                         uint64_t length)
{
	int error;

	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, operation, -ECHILD, DMA_FORKED, .id = 0);
	dma_lock(space);
	error = li_space_unregister(space, operation, address, length);
	dma_unlock(space);
	return error;
}

int libiommu_dma_space_register_in(struct libiommu_dma_space *space,
                                   struct libiommu_iova_window *window, void *address,
                                   uint64_t length, uint32_t flags, uint64_t *iova)
{
	const struct dma_source source = {
		.operation = __func__,
		.window = window,
		.address = (uintptr_t)address,
		.named = true,
		.fd = -1,
		.length = length,
		.flags = flags,
	};

	if (!space || !window || !iova)
		return FAIL_NULL(space ? space->ctx : NULL);
	return do_register(space, &source, iova);
}

int libiommu_dma_space_register(struct libiommu_dma_space *space, void *address, uint64_t length,
                                uint32_t flags, uint64_t *iova)
{
	const struct dma_source source = {
		.operation = __func__,
		.address = (uintptr_t)address,
		.named = true,
		.fd = -1,
		.length = length,
		.flags = flags,
	};

	if (!space || !iova)
		return FAIL_NULL(space ? space->ctx : NULL);
	return do_register(space, &source, iova);
}

int libiommu_dma_space_register_file(struct libiommu_dma_space *space, int fd, uint64_t start,
                                     uint64_t length, void *address, uint32_t flags, uint64_t *iova)
{
	const struct dma_source source = {
		.operation = __func__,
		.address = (uintptr_t)address,
		.named = address,
		.fd = fd,
		.offset = start,
		.length = length,
		.flags = flags,
	};

	if (!space || !iova)
		return FAIL_NULL(space ? space->ctx : NULL);
	if (fd < 0)
		return FAIL_LIBRARY(space->ctx, __func__, -EBADF, "the descriptor is negative",
		                    .length = length);
	return do_register(space, &source, iova);
}

int libiommu_dma_space_register_many(struct libiommu_dma_space *space, const struct iovec *ranges,
                                     size_t count, uint32_t flags, uint64_t *iovas)
{
	size_t done = 0;
	int error = 0;

	if (!space || (count && (!ranges || !iovas)))
		return FAIL_NULL(space ? space->ctx : NULL);
	for (; done < count; done++) {
		const struct dma_source source = {
			.operation = __func__,
			.address = (uintptr_t)ranges[done].iov_base,
			.named = true,
			.fd = -1,
			.length = ranges[done].iov_len,
			.flags = flags,
		};

		error = do_register(space, &source, &iovas[done]);
		if (error)
			break;
	}
	li_failure_undo();
	while (error && done--)
		do_unregister(space, __func__, (uintptr_t)ranges[done].iov_base,
		              ranges[done].iov_len);
	li_failure_undone();
	return error;
}

int libiommu_dma_space_unregister(struct libiommu_dma_space *space, const void *address,
                                  uint64_t length)
{
	if (!space)
		return FAIL_NULL(NULL);
	return do_unregister(space, __func__, (uintptr_t)address, length);
}

int libiommu_dma_space_unregister_many(struct libiommu_dma_space *space, const struct iovec *ranges,
                                       size_t count, size_t *done)
{
	int error = 0;
	size_t i;

	if (!space || !done || (count && !ranges))
		return FAIL_NULL(space ? space->ctx : NULL);
	for (i = 0; i < count && !error; i += !error)
		error = do_unregister(space, __func__, (uintptr_t)ranges[i].iov_base,
		                      ranges[i].iov_len);
	*done = i;
	return error;
}

int libiommu_dma_space_unregister_iova(struct libiommu_dma_space *space, uint64_t iova,
                                       uint64_t length)
{
	struct dma_piece *piece;
	int error;

	if (!space)
		return FAIL_NULL(NULL);
	if (dma_forked(space))
		return FAIL_LIBRARY(NULL, __func__, -ECHILD, DMA_FORKED, .id = 0);
	dma_lock(space);
	piece = li_piece_from(&space->nameless, iova);
	if (piece && piece->iova == iova && piece->length == length)
		error = li_piece_unmap(space, __func__, piece);
	else
		error = FAIL_LIBRARY(space->ctx, __func__, -ENOENT,
		                     "just this was not registered, or it has an address",
		                     .start = iova, .length = length);
	space->count -= !error;
	dma_unlock(space);
	return error;
}

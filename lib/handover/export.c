/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "export.h"

#include <errno.h>
#include <stdlib.h>

#include "record.h"
#include "transfer.h"

#define FIRST_FDS 16

static uint64_t live(const struct libiommu_ctx *ctx, enum libiommu_object_kind kind)
{
	uint64_t count = 0;

	libiommu_ctx_live(ctx, kind, &count);
	return count;
}

int libiommu_handover_new(struct libiommu_ctx *ctx, struct libiommu_handover **handover)
{
	struct libiommu_handover *made;
	int error;

	if (!ctx || !handover)
		return FAIL_NULL(ctx);
	if (li_ctx_is_given(ctx))
		return FAIL_LIBRARY(ctx, __func__, -ESHUTDOWN, "it was handed over", .id = 0);
	if (li_ctx_backend(ctx)->type1)
		return FAIL_KERNEL(ctx, __func__, -EOPNOTSUPP, CALL_HANDOVER, .id = 0);
	if (live(ctx, LIBIOMMU_OBJECT_RING))
		return FAIL_LIBRARY(ctx, __func__, -EBUSY,
		                    "it has fault rings, which do not go over: let their readers "
		                    "finish and destroy them",
		                    .amount = live(ctx, LIBIOMMU_OBJECT_RING), .unit = "of them");
	if (live(ctx, LIBIOMMU_OBJECT_DMA_SPACE))
		return FAIL_LIBRARY(ctx, __func__, -EBUSY,
		                    "it has DMA spaces, which do not go over: destroy them, or map "
		                    "what is to go over without them",
		                    .amount = live(ctx, LIBIOMMU_OBJECT_DMA_SPACE),
		                    .unit = "of them");
	made = calloc(1, sizeof(*made));
	if (made)
		made->fds = malloc(FIRST_FDS * sizeof(*made->fds));
	error = made && made->fds ? li_ctx_hold(ctx) : -ENOMEM;
	if (error) {
		if (made)
			free(made->fds);
		free(made);
		return error == -ENOMEM ? FAIL_MEMORY(ctx)
		                        : FAIL_LIBRARY(ctx, __func__, error,
		                                       "it is being handed over", .id = 0);
	}
	made->ctx = ctx;
	made->fds[0] = libiommu_ctx_fd(ctx);
	made->fd_count = 1;
	made->fd_room = FIRST_FDS;
	made->memfd = -1;
	made->body = li_walk_writer();
	made->image = li_walk_writer();
	li_ctx_count(ctx, LIBIOMMU_OBJECT_HANDOVER, 1);
	*handover = made;
	return 0;
}

/* What was not added, in words; "" when there is nothing. */
static void find_missing(const struct libiommu_handover *handover, char *text, size_t size)
{
	uint64_t missing[ENTRY_KINDS] = {0};

	for (uint32_t i = 0; i < ENTRY_KINDS; i++)
		if (li_entries_has_kind(i))
			missing[i] = live(handover->ctx, (enum libiommu_object_kind)i) -
			             handover->entries.counts[i];
	li_ctx_list_kinds(missing, ENTRY_KINDS, text, size);
}

static int compose(struct libiommu_handover *handover, uint32_t entries)
{
	struct walk *const image = &handover->image;
	struct image_header header = {
		.magic = IMAGE_MAGIC,
		.version = IMAGE_VERSION,
		.descriptors = handover->fd_count,
		.entries = entries,
	};

	header.size = IMAGE_HEADER_SIZE + 4 * (uint64_t)handover->fd_count + handover->body.size;
	li_image_header(image, &header);
	for (uint32_t i = 0; i < handover->fd_count; i++) {
		uint32_t number = (uint32_t)handover->fds[i];

		li_walk_u32(image, &number);
	}
	li_walk_bytes(image, handover->body.bytes, handover->body.size);
	return image->failed ? -ENOMEM : 0;
}

int li_handover_seal(struct libiommu_handover *handover, const char *operation)
{
	const size_t size = handover ? handover->body.size : 0;
	struct libiommu_ctx *ctx;
	char missing[160];
	int groups;

	if (!handover)
		return FAIL_NULL_IN(NULL, operation);
	ctx = handover->ctx;
	if (!ctx)
		return FAIL_LIBRARY(NULL, operation, -ESHUTDOWN, "the context was handed over",
		                    .id = 0);
	if (handover->sealed)
		return 0;
	if (live(ctx, LIBIOMMU_OBJECT_RING))
		return FAIL_LIBRARY(ctx, operation, -EBUSY, "a fault ring was made meanwhile",
		                    .id = 0);
	find_missing(handover, missing, sizeof(missing));
	if (missing[0])
		return FAIL_LIBRARY(ctx, operation, -EBUSY, "not everything was added",
		                    .subject = missing);
	groups = li_handover_write_groups(handover);
	if (groups < 0 || compose(handover, handover->entries.count + (uint32_t)groups)) {
		li_walk_free(&handover->image);
		handover->image = li_walk_writer();
		handover->body.size = size;
		handover->body.failed = false;
		return FAIL_MEMORY_IN(ctx, operation);
	}
	handover->sealed = true;
	return 0;
}

int libiommu_handover_image(struct libiommu_handover *handover, const void **image, size_t *size)
{
	int error;

	if (!handover || !image || !size)
		return FAIL_NULL(handover ? handover->ctx : NULL);
	error = li_handover_seal(handover, __func__);
	if (error)
		return error;
	*image = handover->image.bytes;
	*size = handover->image.size;
	return 0;
}

int libiommu_handover_fds(struct libiommu_handover *handover, const int **fds, size_t *count)
{
	int error;

	if (!handover || !fds || !count)
		return FAIL_NULL(handover ? handover->ctx : NULL);
	error = li_handover_seal(handover, __func__);
	if (error)
		return error;
	*fds = handover->fds;
	*count = handover->fd_count;
	return 0;
}

int libiommu_handover_commit(struct libiommu_handover *handover)
{
	const int error = li_handover_seal(handover, __func__);

	if (error)
		return error;
	li_handover_unkeep(handover);
	li_ctx_give_away(handover->ctx, false);
	li_ctx_count(handover->ctx, LIBIOMMU_OBJECT_HANDOVER, -1);
	handover->ctx = NULL;
	return 0;
}

void libiommu_handover_free(struct libiommu_handover *handover)
{
	if (!handover)
		return;
	if (handover->ctx) {
		li_handover_unkeep(handover);
		li_ctx_release(handover->ctx);
		li_ctx_count(handover->ctx, LIBIOMMU_OBJECT_HANDOVER, -1);
	}
	li_walk_free(&handover->image);
	li_walk_free(&handover->body);
	li_index_free(&handover->by_handle);
	li_entries_free(&handover->entries);
	free(handover->fds);
	free(handover);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "addition.h"

#include <errno.h>

#include "../base/array.h"
#include "record.h"

/* What is known by its number or address. */
enum { INDEX_HANDLE, INDEX_FD };

static int tell(const struct addition *new, int error)
{
	struct libiommu_ctx *const ctx = new->to->ctx;
	const char *text = "its descriptor goes over with another object already";

	if (error == -ENOMEM)
		return FAIL_MEMORY_IN(ctx, new->operation);
	if (error == -EALREADY)
		text = "the image is complete";
	else if (error == -EEXIST)
		text = "it was added, or another object of its kind under this key";
	else if (error == -ENOENT)
		text = "what it stands on was not added before it";
	else if (error == -EBADF)
		text = "its descriptor was closed by a destroy that failed";
	else if (error == -ENODEV)
		text = "the device was revoked";
	return FAIL_LIBRARY(ctx, new->operation, error, text, .amount = new->key,
	                    .unit = "is the key");
}

int li_addition_begin(struct addition *new, const struct libiommu_ctx *ctx)
{
	struct libiommu_handover *const to = new->to;
	struct entry_header header = {.kind = new->kind, .key = new->key};
	int error;

	if (!to->ctx)
		return FAIL_LIBRARY(NULL, new->operation, -ESHUTDOWN, "the context was handed over",
		                    .id = 0);
	if (ctx != to->ctx)
		return FAIL_LIBRARY(to->ctx, new->operation, -EINVAL, "it is of another context",
		                    .amount = new->key, .unit = "is the key");
	if (to->sealed)
		return tell(new, -EALREADY);
	if (li_index_find(&to->by_handle, INDEX_HANDLE, (uintptr_t) new->handle) != INDEX_NONE)
		return tell(new, -EEXIST);
	error = li_entries_reserve(&to->entries, new->kind, new->key);
	if (!error && !li_index_reserve(&to->by_handle))
		error = -ENOMEM;
	if (error)
		return tell(new, error);
	new->start = to->body.size;
	new->fds = to->fd_count;
	li_entry_header(&to->body, &header);
	return 0;
}

int li_addition_end(struct addition *new, int error)
{
	struct libiommu_handover *const to = new->to;

	if (!error && new->orphan)
		error = -ENOENT;
	if (!error && to->body.failed)
		error = -ENOMEM;
	if (error) {
		to->body.size = new->start;
		to->body.failed = false;
		to->fd_count = new->fds;
		return tell(new, error);
	}
	li_walk_patch_u32(&to->body, new->start + 4,
	                  (uint32_t)(to->body.size - new->start - ENTRY_HEADER_SIZE));
	li_index_add(&to->by_handle, INDEX_HANDLE, (uintptr_t) new->handle, to->entries.count);
	for (uint32_t i = new->fds; i < to->fd_count; i++)
		li_index_add(&to->by_handle, INDEX_FD, (uint64_t)to->fds[i], i);
	li_entries_add(&to->entries, new->kind, new->key, new->handle);
	return 0;
}

uint32_t li_addition_number(struct addition *new, const void *handle)
{
	uint32_t number;

	if (!handle)
		return ENTRY_NONE;
	number = li_index_find(&new->to->by_handle, INDEX_HANDLE, (uintptr_t)handle);
	if (number == INDEX_NONE)
		new->orphan = true;
	return number;
}

int li_addition_fd(struct addition *new, int fd, uint32_t *place)
{
	struct libiommu_handover *const to = new->to;
	void *fds = to->fds;

	if (fd == to->fds[0] || li_index_find(&to->by_handle, INDEX_FD, (uint64_t)fd) != INDEX_NONE)
		return -ENOTUNIQ;
	if (to->fd_count == to->fd_room) {
		if (!array_grow(&fds, 2 * (size_t)to->fd_room, sizeof(*to->fds)))
			return -ENOMEM;
		to->fds = fds;
		to->fd_room *= 2;
	}
	*place = to->fd_count;
	to->fds[to->fd_count++] = fd;
	return 0;
}

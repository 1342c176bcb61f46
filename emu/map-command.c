/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* MAP, MAP_FILE, COPY and UNMAP. */
#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "area.h"
#include "heap.h"
#include "map.h"
#include "source.h"

#define MAP_FLAGS (UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_WRITEABLE | UAPI_IOAS_MAP_READABLE)

static unsigned int access_of(uint32_t flags)
{
	return (flags & UAPI_IOAS_MAP_WRITEABLE ? EMU_WRITE : 0) |
	       (flags & UAPI_IOAS_MAP_READABLE ? EMU_READ : 0);
}

/* The address space that something is to be mapped to, or copied from; or -errno. */
static int find(const struct emu_call *call, uint32_t id, uint32_t flags, bool too_far,
                struct emu_ioas **ioas)
{
	if (flags & ~MAP_FLAGS)
		return -EOPNOTSUPP;
	if (too_far)
		return -EOVERFLOW;
	if (!access_of(flags))
		return -EINVAL;
	*ioas = emu_ioas_find(call->ctx, id);
	return *ioas ? 0 : -ENOENT;
}

int emu_ioas_map(struct emu_call *call)
{
	struct uapi_ioas_map *const cmd = call->cmd;
	struct emu_ioas *ioas;
	int error;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	error = find(call, cmd->ioas_id, cmd->flags,
	             cmd->iova == UINT64_MAX || cmd->length == UINT64_MAX, &ioas);
	if (error)
		return error;
	error = emu_map_process(call->ctx, call->task, ioas, cmd->user_va, cmd->length, &cmd->iova,
	                        access_of(cmd->flags), !(cmd->flags & UAPI_IOAS_MAP_FIXED_IOVA));
	/* The mapping stays where the caller cannot be told. */
	return error ? error : emu_call_respond(call);
}

static int map_file(struct emu_call *call, struct emu_ioas *ioas)
{
	struct uapi_ioas_map_file *const cmd = call->cmd;
	const unsigned int access = access_of(cmd->flags);
	struct emu_part part = {.byte = cmd->start % EMU_PAGE, .length = cmd->length};
	int error;

	if (!cmd->length)
		return -EINVAL;
	if (cmd->start + cmd->length - 1 < cmd->start)
		return -EOVERFLOW;
	error = emu_source_fd(call->ctx->file.emu, call->task, cmd->fd, cmd->start, cmd->length,
	                      access & EMU_WRITE, &part.pages);
	if (error)
		return error;
	return emu_map_pages(call->ctx, ioas, &part, &cmd->iova, access,
	                     !(cmd->flags & UAPI_IOAS_MAP_FIXED_IOVA));
}

int emu_ioas_map_file(struct emu_call *call)
{
	const struct uapi_ioas_map_file *const cmd = call->cmd;
	struct emu_ioas *ioas;
	int error;

	error = find(call, cmd->ioas_id, cmd->flags,
	             cmd->iova == UINT64_MAX || cmd->length == UINT64_MAX, &ioas);
	if (!error)
		error = map_file(call, ioas);
	return error ? error : emu_call_respond(call);
}

/* All of the source is mapped: how many areas have a part of it, or -errno. */
static int count_parts(struct emu_walk walk, size_t *count)
{
	for (*count = 0; emu_walk_next(&walk);)
		++*count;
	return walk.done ? 0 : -ENOENT;
}

static int copy_parts(struct emu_walk walk, struct emu_ioas *to, size_t count, uint64_t *iova,
                      unsigned int access, bool choose)
{
	struct emu_part *const parts = emu_alloc(count * sizeof(*parts));
	int error;

	if (!parts)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		emu_walk_next(&walk);
		parts[i].pages = walk.area->pages;
		parts[i].byte = emu_area_byte(walk.area, walk.iova);
		parts[i].length = walk.length;
	}
	error = emu_map_parts(to, parts, count, iova, access, choose);
	emu_release(parts);
	return error;
}

static int copy(struct emu_call *call, struct emu_ioas *from)
{
	struct uapi_ioas_copy *const cmd = call->cmd;
	const uint64_t last = cmd->src_iova + cmd->length - 1;
	const struct emu_walk walk = emu_walk_begin(from, cmd->src_iova, last);
	struct emu_ioas *to;
	size_t count;
	int error;

	if (!cmd->length)
		return -EINVAL;
	if (last < cmd->src_iova)
		return -EOVERFLOW;
	error = count_parts(walk, &count);
	if (error)
		return error;
	to = emu_ioas_find(call->ctx, cmd->dst_ioas_id);
	if (!to)
		return -ENOENT;
	return copy_parts(walk, to, count, &cmd->dst_iova, access_of(cmd->flags),
	                  !(cmd->flags & UAPI_IOAS_MAP_FIXED_IOVA));
}

int emu_ioas_copy(struct emu_call *call)
{
	struct uapi_ioas_copy *const cmd = call->cmd;
	struct emu_ioas *from;
	int error;

	error = find(call, cmd->src_ioas_id, cmd->flags,
	             cmd->length == UINT64_MAX || cmd->src_iova == UINT64_MAX ||
	                     cmd->dst_iova == UINT64_MAX,
	             &from);
	if (!error)
		error = copy(call, from);
	return error ? error : emu_call_respond(call);
}

static int unmap(struct emu_ioas *ioas, const struct uapi_ioas_unmap *cmd, uint64_t *unmapped)
{
	int error;

	if (!cmd->iova && cmd->length == UINT64_MAX)
		return emu_unmap_range(ioas, 0, UINT64_MAX, unmapped);
	if (cmd->iova == UINT64_MAX || cmd->length == UINT64_MAX)
		return -EOVERFLOW;
	error = emu_unmap_iova(ioas, cmd->iova, cmd->length, unmapped);
	return error || *unmapped ? error : -ENOENT;
}

int emu_ioas_unmap(struct emu_call *call)
{
	struct uapi_ioas_unmap *const cmd = call->cmd;
	struct emu_ioas *const ioas = emu_ioas_find(call->ctx, cmd->ioas_id);
	uint64_t unmapped = 0;
	int error;

	if (!ioas)
		return -ENOENT;
	error = unmap(ioas, cmd, &unmapped);
	if (error)
		return error;
	cmd->length = unmapped;
	return emu_call_respond(call);
}

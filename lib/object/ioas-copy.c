/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>

#include "ctx.h"
#include "ioas.h"
#include "obstacles.h"

/*
 * How much of a copy might not come from files: @known, where all of the source that does not is
 * remembered; else all or nothing, as far as the source tells.
 */
static uint64_t others_of(const struct libiommu_ioas *from, uint64_t length,
                          struct obstacles *obstacles, uint64_t known)
{
	uint64_t bytes = 0, others = 0;

	libiommu_ioas_mapped(from, &bytes, &others);
	/* What was mapped past the handle could be anything. */
	if (bytes < length)
		return length;
	if (obstacles && others == li_obstacles_of(obstacles, li_ioas_id(from)))
		return known;
	return others ? length : 0;
}

static int copy(struct libiommu_ioas *ioas, const char *operation, const struct libiommu_ioas *from,
                struct uapi_ioas_copy *cmd, uint32_t flags)
{
	struct libiommu_ctx *const ctx = li_ioas_ctx(ioas);
	struct obstacles *const obstacles = li_ctx_obstacles(ctx);
	const bool fixed = cmd->flags & UAPI_IOAS_MAP_FIXED_IOVA;
	struct obstacle *made;
	uint64_t others;
	int error;

	if (li_ioas_ctx(from) != ctx)
		return FAIL_LIBRARY(ctx, operation, -EINVAL,
		                    "the address spaces are of different contexts",
		                    .id = li_ioas_id(ioas), .other = li_ioas_id(from));
	error = li_ioas_check_flags(ioas, operation, flags);
	if (error)
		return error;
	cmd->size = sizeof(*cmd);
	cmd->flags = backend_map_flags(flags, fixed);
	cmd->dst_ioas_id = li_ioas_id(ioas);
	cmd->src_ioas_id = li_ioas_id(from);
	if (li_obstacles_begin_copy(obstacles, cmd->src_ioas_id, cmd->src_iova, cmd->length, &made))
		return FAIL_MEMORY_IN(ctx, operation);
	others = others_of(from, cmd->length, obstacles, li_obstacles_sum(made));
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_IOAS_COPY, cmd);
	obstacles_end(obstacles, made, !error, cmd->dst_ioas_id, cmd->dst_iova);
	if (error)
		return FAIL_KERNEL(ctx, operation, error, CALL_COPY, .id = li_ioas_id(ioas),
		                   .other = li_ioas_id(from), .start = cmd->src_iova,
		                   .length = cmd->length);
	li_ioas_count_mapped(ioas, cmd->length, others);
	return 0;
}

int libiommu_ioas_copy(struct libiommu_ioas *ioas, const struct libiommu_ioas *from,
                       uint64_t from_iova, uint64_t length, uint32_t flags, uint64_t *iova)
{
	struct uapi_ioas_copy cmd = {.src_iova = from_iova, .length = length};
	int error;

	if (!ioas || !from || !iova)
		return FAIL_NULL(ioas ? li_ioas_ctx(ioas) : NULL);
	error = copy(ioas, __func__, from, &cmd, flags);
	if (!error)
		*iova = cmd.dst_iova;
	return error;
}

int li_ioas_copy_fixed(struct libiommu_ioas *ioas, const char *operation,
                       const struct libiommu_ioas *from, uint64_t from_iova, uint64_t length,
                       uint32_t flags, uint64_t iova)
{
	struct uapi_ioas_copy cmd = {
		.flags = UAPI_IOAS_MAP_FIXED_IOVA,
		.src_iova = from_iova,
		.dst_iova = iova,
		.length = length,
	};

	return copy(ioas, operation, from, &cmd, flags);
}

int libiommu_ioas_copy_fixed(struct libiommu_ioas *ioas, const struct libiommu_ioas *from,
                             uint64_t from_iova, uint64_t length, uint32_t flags, uint64_t iova)
{
	if (!ioas || !from)
		return FAIL_NULL(ioas ? li_ioas_ctx(ioas) : NULL);
	return li_ioas_copy_fixed(ioas, __func__, from, from_iova, length, flags, iova);
}

/*
 * A copy to where none can be: the kernel looks at the source first, and says -ENOENT for a hole.
 * With a page table the alignment is a power of two above 1, so that IOVA 1 is refused.
 */
int li_ioas_is_mapped(const struct libiommu_ctx *ctx, uint32_t id, uint64_t iova, uint64_t length)
{
	struct uapi_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE,
		.dst_ioas_id = id,
		.src_ioas_id = id,
		.length = length,
		.dst_iova = 1,
		.src_iova = iova,
	};
	const int error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_IOAS_COPY, &cmd);

	return error == -EINVAL ? 0 : error;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdlib.h>

#include "../base/uapi/iommufd.h"
#include "ctx.h"
#include "ioas.h"

#define FIRST_CAPACITY 16
#define MAX_ATTEMPTS   8

struct libiommu_iova_ranges {
	struct libiommu_iova_range *ranges;
	uint32_t count;
	uint64_t alignment;
};

int libiommu_ioas_ranges(struct libiommu_ioas *ioas, struct libiommu_iova_ranges **ranges)
{
	struct libiommu_iova_ranges *made;
	const struct backend *backend;
	struct libiommu_ctx *ctx;
	struct refusal refusal;
	uint32_t room = FIRST_CAPACITY;
	int error = -EMSGSIZE;

	if (!ioas || !ranges)
		return FAIL_NULL(ioas ? li_ioas_ctx(ioas) : NULL);
	ctx = li_ioas_ctx(ioas);
	backend = li_ctx_backend(ctx);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(ctx);
	for (int attempt = 0; attempt < MAX_ATTEMPTS && error == -EMSGSIZE; attempt++) {
		free(made->ranges);
		made->ranges = calloc(room, sizeof(*made->ranges));
		if (!made->ranges) {
			libiommu_iova_ranges_free(made);
			return FAIL_MEMORY(ctx);
		}
		made->count = room;
		error = backend->ops->ranges(backend, li_ioas_id(ioas), made->ranges, &made->count,
		                             &made->alignment, &refusal);
		/* A kernel says so with an error; what stands in for one may not. */
		if (!error && made->count > room)
			error = -EMSGSIZE;
		room = made->count;
	}
	if (error) {
		libiommu_iova_ranges_free(made);
		if (error == -EMSGSIZE)
			return FAIL_LIBRARY(ctx, __func__, -EAGAIN,
			                    "the list grew each time it was asked for",
			                    .id = li_ioas_id(ioas));
		return FAIL_REFUSED(ctx, __func__, &refusal, .id = li_ioas_id(ioas));
	}
	*ranges = made;
	return 0;
}

void libiommu_iova_ranges_free(struct libiommu_iova_ranges *ranges)
{
	if (!ranges)
		return;
	free(ranges->ranges);
	free(ranges);
}

size_t libiommu_iova_ranges_count(const struct libiommu_iova_ranges *ranges)
{
	return ranges ? ranges->count : 0;
}

int libiommu_iova_ranges_get(const struct libiommu_iova_ranges *ranges, size_t index,
                             struct libiommu_iova_range *range)
{
	if (!ranges || !range)
		return FAIL_NULL(NULL);
	if (index >= ranges->count)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "no range has this index",
		                    .amount = ranges->count, .unit = "ranges");
	*range = ranges->ranges[index];
	return 0;
}

uint64_t libiommu_iova_ranges_alignment(const struct libiommu_iova_ranges *ranges)
{
	return ranges ? ranges->alignment : 0;
}

int libiommu_ioas_allow(struct libiommu_ioas *ioas, const struct libiommu_iova_range *ranges,
                        size_t count)
{
	struct uapi_ioas_allow_iovas cmd = {.size = sizeof(cmd)};
	struct libiommu_ctx *ctx;
	int error;

	if (!ioas || (!ranges && count))
		return FAIL_NULL(ioas ? li_ioas_ctx(ioas) : NULL);
	ctx = li_ioas_ctx(ioas);
	if (count > UINT32_MAX)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "too many ranges",
		                    .id = li_ioas_id(ioas), .amount = count, .unit = "ranges");
	cmd.ioas_id = li_ioas_id(ioas);
	cmd.num_iovas = (uint32_t)count;
	cmd.allowed_iovas = (uintptr_t)ranges;
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_IOAS_ALLOW_IOVAS, &cmd);
	return error ? FAIL_KERNEL(ctx, __func__, error, CALL_ALLOW, .id = cmd.ioas_id) : 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>

#include "ctx.h"
#include "ioas.h"
#include "obstacles.h"

/* Inline, and what is below: each buffer that a driver gives back comes through here. */
static inline __attribute__((always_inline)) int unmap(struct libiommu_ioas *ioas,
                                                       const char *operation, uint64_t iova,
                                                       uint64_t *length)
{
	struct libiommu_ctx *const ctx = li_ioas_ctx(ioas);
	const struct backend *const backend = li_ctx_backend(ctx);
	struct obstacles *const obstacles = li_ctx_obstacles(ctx);
	const uint32_t id = li_ioas_id(ioas);
	const uint64_t asked = *length;
	struct refusal refusal;
	uint64_t known;
	int error;

	obstacles_lock(obstacles);
	error = backend->ops->unmap(backend, id, iova, length, &refusal);
	known = error ? 0 : obstacles_forget(obstacles, id, iova, iova + (asked - 1));
	obstacles_unlock(obstacles);
	if (error)
		return FAIL_REFUSED(ctx, operation, &refusal, .id = id, .start = iova,
		                    .length = asked);
	li_ioas_count_unmapped(ioas, *length, known);
	return 0;
}

/*
 * The kernel takes IOVA 0 with the greatest length for "everything", which is
 * libiommu_ioas_unmap_all()'s to say, and a length of 0 for an overflow.
 */
static inline __attribute__((always_inline)) int check_range(const struct libiommu_ioas *ioas,
                                                             const char *operation, uint64_t iova,
                                                             uint64_t length)
{
	if (!length)
		return FAIL_LIBRARY(li_ioas_ctx(ioas), operation, -EINVAL, "the length is 0",
		                    .id = li_ioas_id(ioas), .start = iova);
	if (!iova && length == UINT64_MAX)
		return FAIL_LIBRARY(li_ioas_ctx(ioas), operation, -EINVAL,
		                    "this length means everything: libiommu_ioas_unmap_all()",
		                    .id = li_ioas_id(ioas), .start = iova, .length = length);
	if (iova > UINT64_MAX - (length - 1))
		return FAIL_LIBRARY(li_ioas_ctx(ioas), operation, -EOVERFLOW,
		                    "the range wraps around", .id = li_ioas_id(ioas), .start = iova,
		                    .length = length);
	return 0;
}

int li_ioas_unmap(struct libiommu_ioas *ioas, const char *operation, uint64_t iova, uint64_t length)
{
	uint64_t unmapped = length;
	int error;

	error = check_range(ioas, operation, iova, length);
	if (!error)
		error = unmap(ioas, operation, iova, &unmapped);
	if (!error && unmapped != length)
		return FAIL_LIBRARY(li_ioas_ctx(ioas), operation, -ERANGE,
		                    "the range had holes; what was mapped in it is unmapped",
		                    .id = li_ioas_id(ioas), .start = iova, .length = length,
		                    .amount = unmapped, .unit = "bytes unmapped");
	return error;
}

int libiommu_ioas_unmap(struct libiommu_ioas *ioas, uint64_t iova, uint64_t length)
{
	if (!ioas)
		return FAIL_NULL(NULL);
	return li_ioas_unmap(ioas, __func__, iova, length);
}

int libiommu_ioas_unmap_range(struct libiommu_ioas *ioas, uint64_t iova, uint64_t length,
                              uint64_t *unmapped)
{
	int error;

	if (!ioas)
		return FAIL_NULL(NULL);
	error = check_range(ioas, __func__, iova, length);
	if (!error)
		error = unmap(ioas, __func__, iova, &length);
	if (!error && unmapped)
		*unmapped = length;
	return error;
}

int libiommu_ioas_unmap_all(struct libiommu_ioas *ioas, uint64_t *unmapped)
{
	uint64_t length = UINT64_MAX;
	int error;

	if (!ioas)
		return FAIL_NULL(NULL);
	error = unmap(ioas, __func__, 0, &length);
	if (!error && unmapped)
		*unmapped = length;
	return error;
}

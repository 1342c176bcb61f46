/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "invalidate.h"

#include <errno.h>
#include <stdbool.h>

#include "../base/uapi/iommufd.h"
#include "hwpt.h"

int li_invalidate_once(const struct backend *backend, const struct invalidation *what, size_t *told)
{
	struct uapi_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = what->id,
		.data_uptr = (uintptr_t)what->entries,
		.data_type = what->type,
		.entry_len = what->entry_len,
		.entry_num = (uint32_t)what->count,
	};
	const int error = backend_ioctl(backend, UAPI_IOC_HWPT_INVALIDATE, &cmd);

	/* A call that the kernel refuses as such leaves the count as it was. */
	if (error)
		*told = cmd.entry_num < what->count ? cmd.entry_num : 0;
	else
		*told = what->count;
	return error;
}

/*
 * An SMMUv3's commands go out in groups; one that is found bad when its group is put together makes
 * the kernel count those before it as done, and they never went out.
 */
static bool tells_the_truth(uint32_t type)
{
	return type != UAPI_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3;
}

int li_invalidate(const struct backend *backend, const struct invalidation *what, size_t *done)
{
	struct invalidation part = *what;
	size_t told;
	int error;

	*done = 0;
	do {
		const size_t left = what->count - *done;

		part.count = left < INVALIDATE_MAX ? left : INVALIDATE_MAX;
		part.entries = (const unsigned char *)what->entries + *done * what->entry_len;
		error = li_invalidate_once(backend, &part, &told);
		if (!error || tells_the_truth(what->type))
			*done += told;
	} while (!error && *done < what->count);
	return error;
}

int li_invalidate_raw(struct libiommu_ctx *ctx, const char *operation,
                      const struct raw_invalidation *raw, size_t *done)
{
	const struct invalidation what = {
		.id = raw->id,
		.type = raw->type,
		.entries = raw->entries,
		.entry_len = (uint32_t)raw->entry_length,
		.count = raw->count,
	};
	int error;

	if (raw->entry_length > 4096 || (!raw->entry_length && raw->count))
		return FAIL_LIBRARY(ctx, operation, -EINVAL, "an entry has 1 to 4096 bytes",
		                    .id = raw->id, .amount = raw->entry_length,
		                    .unit = "are given");
	error = li_invalidate(li_ctx_backend(ctx), &what, done);
	return error ? FAIL_KERNEL(ctx, operation, error, CALL_INVALIDATE, .id = raw->id,
	                           .amount = *done, .unit = "entries were done before")
	             : 0;
}

int libiommu_hwpt_invalidate(struct libiommu_hwpt *hwpt, uint32_t type, const void *entries,
                             size_t entry_length, size_t count, size_t *done)
{
	if (!hwpt || !done || (!entries && count))
		return FAIL_NULL(hwpt ? li_hwpt_ctx(hwpt) : NULL);
	return li_invalidate_raw(li_hwpt_ctx(hwpt), __func__,
	                         &(const struct raw_invalidation){li_hwpt_id(hwpt), type, entries,
	                                                          entry_length, count},
	                         done);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>

#include "../base/uapi/iommufd.h"
#include "ctx.h"

struct feature {
	const char *name;
	const char *kernel;
	unsigned long request;
};

#define FEATURE(ioctl, version)                                                                    \
	[LIBIOMMU_FEATURE_##ioctl] = {"IOMMU_" #ioctl, version, UAPI_IOC_##ioctl}

static const struct feature features[] = {
	FEATURE(DESTROY, "6.2"),
	FEATURE(IOAS_ALLOC, "6.2"),
	FEATURE(IOAS_ALLOW_IOVAS, "6.2"),
	FEATURE(IOAS_COPY, "6.2"),
	FEATURE(IOAS_IOVA_RANGES, "6.2"),
	FEATURE(IOAS_MAP, "6.2"),
	FEATURE(IOAS_UNMAP, "6.2"),
	FEATURE(OPTION, "6.2"),
	FEATURE(VFIO_IOAS, "6.2"),
	FEATURE(HWPT_ALLOC, "6.6"),
	FEATURE(GET_HW_INFO, "6.6"),
	FEATURE(HWPT_SET_DIRTY_TRACKING, "6.7"),
	FEATURE(HWPT_GET_DIRTY_BITMAP, "6.7"),
	FEATURE(HWPT_INVALIDATE, "6.8"),
	FEATURE(FAULT_QUEUE_ALLOC, "6.11"),
	FEATURE(IOAS_MAP_FILE, "6.13"),
	FEATURE(VIOMMU_ALLOC, "6.13"),
	FEATURE(VDEVICE_ALLOC, "6.13"),
	FEATURE(IOAS_CHANGE_PROCESS, "6.14"),
	FEATURE(VEVENTQ_ALLOC, "6.15"),
	FEATURE(HW_QUEUE_ALLOC, "6.17"),
	FEATURE(IOAS_NOIOMMU_GET_PA, "7.3"),
};

static const struct feature *find(enum libiommu_feature feature)
{
	const unsigned int index = feature;

	return index < sizeof(features) / sizeof(features[0]) ? &features[index] : NULL;
}

const char *libiommu_feature_name(enum libiommu_feature feature)
{
	const struct feature *const found = find(feature);

	return found ? found->name : NULL;
}

const char *libiommu_feature_kernel(enum libiommu_feature feature)
{
	const struct feature *const found = find(feature);

	return found ? found->kernel : NULL;
}

int libiommu_ctx_probe(struct libiommu_ctx *ctx, enum libiommu_feature feature)
{
	const struct feature *const found = find(feature);
	/*
	 * No command is as short as its own size field. The kernel reads that field, knows the
	 * number or does not, and refuses a known one as too short before its handler runs
	 * (drivers/iommu/iommufd/main.c).
	 */
	uint32_t size = sizeof(size);
	int error;

	if (!ctx)
		return FAIL_NULL(ctx);
	if (!found)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "unknown feature", .id = 0);
	error = backend_ioctl(li_ctx_backend(ctx), found->request, &size);
	if (error == -EINVAL)
		return 1;
	if (error == -ENOTTY || li_ctx_backend(ctx)->type1)
		return 0;
	/* A success would mean that the descriptor is no iommufd at all. */
	return FAIL_KERNEL(ctx, __func__, error < 0 ? error : -EBADFD, CALL_PROBE,
	                   .subject = found->name);
}

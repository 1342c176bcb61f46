/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <assert.h>
#include <errno.h>

#include <libiommu/container.h>

#include "../backend/type1.h"
#include "../base/uapi/vfio.h"
#include "device.h"
#include "group.h"
#include "ioas.h"

#define SAME(name)                                                                                 \
	static_assert((int)LIBIOMMU_CONTAINER_##name == UAPI_VFIO_##name##_IOMMU,                  \
	              "extensions are numbered as the kernel's")
SAME(TYPE1);
SAME(SPAPR_TCE);
SAME(DMA_CC);
SAME(NOIOMMU);
static_assert((int)LIBIOMMU_CONTAINER_TYPE1V2 == UAPI_VFIO_TYPE1v2_IOMMU &&
                      (int)LIBIOMMU_CONTAINER_SPAPR_TCE_V2 == UAPI_VFIO_SPAPR_TCE_v2_IOMMU &&
                      (int)LIBIOMMU_CONTAINER_EEH == UAPI_VFIO_EEH &&
                      (int)LIBIOMMU_CONTAINER_UNMAP_ALL == UAPI_VFIO_UNMAP_ALL &&
                      (int)LIBIOMMU_CONTAINER_UPDATE_VADDR == UAPI_VFIO_UPDATE_VADDR,
              "extensions are numbered as the kernel's");
static_assert((int)LIBIOMMU_GROUP_VIABLE == UAPI_VFIO_GROUP_FLAGS_VIABLE &&
                      (int)LIBIOMMU_GROUP_CONTAINER_SET == UAPI_VFIO_GROUP_FLAGS_CONTAINER_SET,
              "flags are the kernel's");

/* The container's context; NULL after an error, which is recorded. */
static struct type1 *enter(const struct libiommu_ioas *ioas, const char *operation, bool wrong,
                           int *error)
{
	struct type1 *type1;

	if (!ioas || wrong) {
		*error = FAIL_NULL_IN(ioas ? li_ioas_ctx(ioas) : NULL, operation);
		return NULL;
	}
	type1 = li_ctx_backend(li_ioas_ctx(ioas))->type1;
	*error = type1 ? 0
	               : FAIL_LIBRARY(li_ioas_ctx(ioas), operation, -EOPNOTSUPP,
	                              "there is iommufd, and no container", .id = li_ioas_id(ioas));
	return type1;
}

static int check_range(const struct libiommu_ioas *ioas, const char *operation, uint64_t iova,
                       uint64_t length)
{
	if (!length)
		return FAIL_LIBRARY(li_ioas_ctx(ioas), operation, -EINVAL, "the length is 0",
		                    .id = li_ioas_id(ioas), .start = iova);
	if (iova > UINT64_MAX - (length - 1))
		return FAIL_LIBRARY(li_ioas_ctx(ioas), operation, -EOVERFLOW,
		                    "the range wraps around", .id = li_ioas_id(ioas), .start = iova,
		                    .length = length);
	return 0;
}

int libiommu_container_extension(const struct libiommu_ioas *ioas, uint32_t extension)
{
	int result;

	if (!enter(ioas, __func__, false, &result))
		return result;
	result = li_type1_extension(li_ctx_backend(li_ioas_ctx(ioas)), li_ioas_id(ioas), extension);
	return result >= 0 ? result
	                   : FAIL_KERNEL(li_ioas_ctx(ioas), __func__, result, CALL_CONTAINER,
	                                 .id = li_ioas_id(ioas));
}

int libiommu_container_mappings_left(const struct libiommu_ioas *ioas, uint32_t *left)
{
	struct refusal refusal = {0};
	struct type1 *type1;
	int error;

	type1 = enter(ioas, __func__, !left, &error);
	if (error)
		return error;
	error = li_type1_mappings_left(type1, li_ioas_id(ioas), left, &refusal);
	return error ? FAIL_REFUSED(li_ioas_ctx(ioas), __func__, &refusal, .id = li_ioas_id(ioas))
	             : 0;
}

int libiommu_container_forget_memory(struct libiommu_ioas *ioas, uint64_t iova, uint64_t length)
{
	struct refusal refusal = {0};
	struct type1 *type1;
	int error;

	type1 = enter(ioas, __func__, false, &error);
	if (!error)
		error = check_range(ioas, __func__, iova, length);
	if (error)
		return error;
	error = li_type1_forget(type1, li_ioas_id(ioas), iova, length, &refusal);
	return error ? FAIL_REFUSED(li_ioas_ctx(ioas), __func__, &refusal, .id = li_ioas_id(ioas),
	                            .start = iova, .length = length)
	             : 0;
}

int libiommu_container_renew_memory(struct libiommu_ioas *ioas, uint64_t iova, uint64_t length,
                                    void *address)
{
	struct extent extent = {.first = iova, .memory = (uintptr_t)address};
	struct refusal refusal = {0};
	struct type1 *type1;
	int error;

	type1 = enter(ioas, __func__, !address, &error);
	if (!error)
		error = check_range(ioas, __func__, iova, length);
	if (error)
		return error;
	extent.last = iova + length - 1;
	error = li_type1_renew(type1, li_ioas_id(ioas), &extent, &refusal);
	return error ? FAIL_REFUSED(li_ioas_ctx(ioas), __func__, &refusal, .id = li_ioas_id(ioas),
	                            .start = iova, .length = length, .memory = extent.memory)
	             : 0;
}

int libiommu_container_group_flags(struct libiommu_device *dev, uint32_t *flags)
{
	struct uapi_vfio_group_status status = {.argsz = sizeof(status)};
	const struct libiommu_sys *sys;
	int error;

	if (!dev || !flags)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	if (!li_device_is_grouped(dev))
		return FAIL_LIBRARY(li_device_ctx(dev), __func__, -EOPNOTSUPP,
		                    "the device was opened by its own node",
		                    .id = li_device_id(dev));
	error = li_device_enter(dev, __func__, DEVICE_OPEN);
	if (error)
		return error;
	sys = li_ctx_backend(li_device_ctx(dev))->sys;
	error = li_sys_ioctl(sys, li_group_legacy(li_device_group(dev))->fd,
	                     UAPI_IOC_VFIO_GROUP_GET_STATUS, &status);
	li_device_leave(dev);
	if (error)
		return FAIL_KERNEL(li_device_ctx(dev), __func__, error, CALL_GROUP,
		                   .id = li_device_id(dev));
	*flags = status.flags;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <libiommu/device-info.h>

#include "../base/uapi/vfio.h"
#include "info.h"

static_assert(LIBIOMMU_REGION_READ == UAPI_VFIO_REGION_INFO_FLAG_READ &&
                      LIBIOMMU_REGION_WRITE == UAPI_VFIO_REGION_INFO_FLAG_WRITE &&
                      LIBIOMMU_REGION_MMAP == UAPI_VFIO_REGION_INFO_FLAG_MMAP &&
                      LIBIOMMU_REGION_CAPABILITIES == UAPI_VFIO_REGION_INFO_FLAG_CAPS,
              "flags are the kernel's");

#define SAME_CAPABILITY(name)                                                                      \
	static_assert((int)LIBIOMMU_REGION_CAPABILITY_##name == UAPI_VFIO_REGION_INFO_CAP_##name,  \
	              "capabilities are numbered as the kernel's")
SAME_CAPABILITY(SPARSE_MMAP);
SAME_CAPABILITY(TYPE);
SAME_CAPABILITY(MSIX_MAPPABLE);
SAME_CAPABILITY(NVLINK2_SSATGT);
SAME_CAPABILITY(NVLINK2_LNKSPD);

static_assert(LIBIOMMU_REGION_TYPE_PCI_VENDOR == UAPI_VFIO_REGION_TYPE_PCI_VENDOR_TYPE &&
                      LIBIOMMU_REGION_TYPE_PCI_VENDOR_MASK ==
                              UAPI_VFIO_REGION_TYPE_PCI_VENDOR_MASK &&
                      LIBIOMMU_REGION_TYPE_GFX == UAPI_VFIO_REGION_TYPE_GFX &&
                      LIBIOMMU_REGION_TYPE_CCW == UAPI_VFIO_REGION_TYPE_CCW,
              "types are the kernel's");

static const struct info_field fields[] = {
	{LIBIOMMU_REGION_TYPE,
         INFO_FIELD(UAPI_VFIO_REGION_INFO_CAP_TYPE, 1, uapi_vfio_region_info_cap_type, type)},
	{LIBIOMMU_REGION_SUBTYPE,
         INFO_FIELD(UAPI_VFIO_REGION_INFO_CAP_TYPE, 1, uapi_vfio_region_info_cap_type, subtype)},
	{LIBIOMMU_REGION_NVLINK2_TARGET, INFO_FIELD(UAPI_VFIO_REGION_INFO_CAP_NVLINK2_SSATGT, 1,
                                                    uapi_vfio_region_info_cap_nvlink2_ssatgt, tgt)},
	{LIBIOMMU_REGION_NVLINK2_SPEED,
         INFO_FIELD(UAPI_VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD, 1,
                    uapi_vfio_region_info_cap_nvlink2_lnkspd, link_speed)},
};

struct libiommu_region_info {
	struct info_answer answer;
};

static struct uapi_vfio_region_info fixed_of(const struct libiommu_region_info *info)
{
	struct uapi_vfio_region_info fixed;

	memcpy(&fixed, info->answer.bytes, sizeof(fixed));
	return fixed;
}

int libiommu_region_info_get(struct libiommu_device *dev, uint32_t index,
                             struct libiommu_region_info **info)
{
	static const struct info_kind kind = {
		.request = UAPI_IOC_VFIO_DEVICE_GET_REGION_INFO,
		.size = sizeof(struct uapi_vfio_region_info),
		.capable = UAPI_VFIO_REGION_INFO_FLAG_CAPS,
		.first_offset = offsetof(struct uapi_vfio_region_info, cap_offset),
	};
	const struct uapi_vfio_region_info question = {.index = index};
	struct info_answer *answer;
	const int error = li_info_ask(dev, __func__, &kind, &question, info ? &answer : NULL);

	if (!error)
		*info = (struct libiommu_region_info *)answer;
	return error;
}

int libiommu_region_info_field(const struct libiommu_region_info *info,
                               enum libiommu_region_field field, uint64_t *value)
{
	return li_info_number((const struct info_answer *)info, __func__, fields,
	                      sizeof(fields) / sizeof(fields[0]), (int)field, value);
}

int libiommu_region_info_capability(const struct libiommu_region_info *info, uint16_t id,
                                    uint16_t *version, const void **data, size_t *length)
{
	return li_info_tell((const struct info_answer *)info, __func__, id, version, data, length);
}

int libiommu_region_info_basics(const struct libiommu_region_info *info, uint32_t *flags,
                                uint64_t *size, uint64_t *offset)
{
	struct uapi_vfio_region_info fixed;

	if (!info)
		return FAIL_NULL(NULL);
	fixed = fixed_of(info);
	if (flags)
		*flags = fixed.flags;
	if (size)
		*size = fixed.size;
	if (offset)
		*offset = fixed.offset;
	return 0;
}

void libiommu_region_info_free(struct libiommu_region_info *info)
{
	li_info_free((struct info_answer *)info);
}

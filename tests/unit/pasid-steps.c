/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "pasid-steps.h"

void expect_pasid_width(uint32_t dev_id, uint8_t width, int result)
{
	EXPECT_IOCTL(CTX_FD, GET_HW_INFO,
	             IN(struct uapi_hw_info, .size = sizeof(struct uapi_hw_info), .dev_id = dev_id),
	             SET(struct uapi_hw_info, out_max_pasid_log2, width), .result = result);
}

void expect_pasid_attach(int fd, uint32_t pasid, uint32_t pt_id, int result)
{
	EXPECT_IOCTL(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
	             IN(struct uapi_vfio_device_attach_iommufd_pt,
	                .argsz = sizeof(struct uapi_vfio_device_attach_iommufd_pt),
	                .flags = UAPI_VFIO_DEVICE_ATTACH_PASID, .pt_id = pt_id, .pasid = pasid),
	             .result = result);
}

void expect_pasid_detach(int fd, uint32_t pasid, int result)
{
	EXPECT_IOCTL(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT,
	             IN(struct uapi_vfio_device_detach_iommufd_pt,
	                .argsz = sizeof(struct uapi_vfio_device_detach_iommufd_pt),
	                .flags = UAPI_VFIO_DEVICE_DETACH_PASID, .pasid = pasid),
	             .result = result);
}

struct libiommu_hwpt *borrowed_hwpt(struct libiommu_ctx *ctx, uint32_t id)
{
	struct libiommu_hwpt *hwpt;

	assert_int_equal(libiommu_hwpt_adopt(ctx, id, LIBIOMMU_ID_BORROW, &hwpt), 0);
	return hwpt;
}

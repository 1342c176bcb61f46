/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A device's descriptor is asked past the library, which is the same in each world. */
#include "../../lib/base/uapi/vfio.h"
#include "world.h"

int world_attach(struct world *world, const struct libiommu_device *dev, uint32_t pasid,
                 uint32_t pt_id)
{
	struct uapi_vfio_device_attach_iommufd_pt cmd = {
		.argsz = sizeof(cmd),
		.flags = pasid ? UAPI_VFIO_DEVICE_ATTACH_PASID : 0,
		.pt_id = pt_id,
		.pasid = pasid,
	};

	return world_device_ioctl(world, dev, UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);
}

int world_detach(struct world *world, const struct libiommu_device *dev, uint32_t pasid)
{
	struct uapi_vfio_device_detach_iommufd_pt cmd = {
		.argsz = sizeof(cmd), .flags = UAPI_VFIO_DEVICE_DETACH_PASID, .pasid = pasid};

	return world_device_ioctl(world, dev, UAPI_IOC_VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
}

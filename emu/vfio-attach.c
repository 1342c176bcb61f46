/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page tables of a device, and of its PASIDs, through its node. */
#include <errno.h>

#include "vfio.h"

int emu_vfio_attach(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg)
{
	const size_t least = offsetof(struct uapi_vfio_device_attach_iommufd_pt, pasid);
	struct uapi_vfio_device_attach_iommufd_pt attach = {0};
	bool pasid;
	int error;

	if (emu_get(task, &attach, arg, least))
		return -EFAULT;
	if (attach.argsz < least || attach.flags & ~UAPI_VFIO_DEVICE_ATTACH_PASID)
		return -EINVAL;
	pasid = attach.flags & UAPI_VFIO_DEVICE_ATTACH_PASID;
	if (pasid && attach.argsz < sizeof(attach))
		return -EINVAL;
	if (pasid && emu_get(task, &attach.pasid, arg + least, sizeof(attach.pasid)))
		return -EFAULT;
	error = emu_device_attach(vfio->device, pasid ? &attach.pasid : NULL, &attach.pt_id);
	if (error)
		return error;
	if (!emu_put(task, arg + offsetof(struct uapi_vfio_device_attach_iommufd_pt, pt_id),
	             &attach.pt_id, sizeof(attach.pt_id)))
		return 0;
	/* Whatever it was that was attached: the kernel takes the other away. */
	emu_device_detach(vfio->device, NULL);
	return -EFAULT;
}

int emu_vfio_detach(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg)
{
	const size_t least = offsetof(struct uapi_vfio_device_detach_iommufd_pt, pasid);
	struct uapi_vfio_device_detach_iommufd_pt detach = {0};
	bool pasid;

	if (emu_get(task, &detach, arg, least))
		return -EFAULT;
	if (detach.argsz < least || detach.flags & ~UAPI_VFIO_DEVICE_DETACH_PASID)
		return -EINVAL;
	pasid = detach.flags & UAPI_VFIO_DEVICE_DETACH_PASID;
	if (pasid && detach.argsz < sizeof(detach))
		return -EINVAL;
	if (pasid && emu_get(task, &detach.pasid, arg + least, sizeof(detach.pasid)))
		return -EFAULT;
	emu_device_detach(vfio->device, pasid ? &detach.pasid : NULL);
	return 0;
}

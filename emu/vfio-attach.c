/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page tables of a device, and of its PASIDs, through its node. */
#include <errno.h>
#include <string.h>

#include "vfio.h"

/* Fetches both kinds of requests: @least bytes without a PASID, with it all of @size. */
static int get(const struct emu_task *task, uintptr_t arg, void *to, size_t size, size_t least,
               uint32_t with_pasid)
{
	uint32_t argsz, flags;

	if (emu_get(task, to, arg, least))
		return -EFAULT;
	memcpy(&argsz, to, sizeof(argsz));
	memcpy(&flags, (char *)to + sizeof(argsz), sizeof(flags));
	if (argsz < least || flags & ~with_pasid)
		return -EINVAL;
	if (!(flags & with_pasid))
		return 0;
	if (argsz < size)
		return -EINVAL;
	return emu_get(task, (char *)to + least, arg + least, size - least);
}

int emu_vfio_attach(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg)
{
	struct uapi_vfio_device_attach_iommufd_pt attach = {0};
	int error;

	error = get(task, arg, &attach, sizeof(attach),
	            offsetof(struct uapi_vfio_device_attach_iommufd_pt, pasid),
	            UAPI_VFIO_DEVICE_ATTACH_PASID);
	if (error)
		return error;
	error = emu_device_attach(vfio->device, attach.flags ? &attach.pasid : NULL, &attach.pt_id);
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
	struct uapi_vfio_device_detach_iommufd_pt detach = {0};
	const int error = get(task, arg, &detach, sizeof(detach),
	                      offsetof(struct uapi_vfio_device_detach_iommufd_pt, pasid),
	                      UAPI_VFIO_DEVICE_DETACH_PASID);

	if (error)
		return error;
	emu_device_detach(vfio->device, detach.flags ? &detach.pasid : NULL);
	return 0;
}

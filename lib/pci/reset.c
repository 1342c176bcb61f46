/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>

#include <libiommu/reset.h>

#include "../base/uapi/vfio.h"
#include "../object/device.h"

int libiommu_reset_function(struct libiommu_device *dev)
{
	int error;

	error = li_device_enter(dev, __func__, DEVICE_BOUND);
	if (error)
		return error;
	error = li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_RESET, NULL);
	li_device_leave(dev);
	return error ? FAIL_KERNEL(li_device_ctx(dev), __func__, error, CALL_RESET,
	                           .id = li_device_id(dev))
	             : 0;
}

/* What the kernel's answers mean here is not what they mean for one function. */
static const char *explain_hot(int error)
{
	switch (error) {
	case -EINVAL:
		return "a device that would be reset too is not bound to this context; see "
		       "libiommu_reset_list_new()";
	case -ENODEV:
	case -ENOTTY:
		return "neither the bus nor the slot of the device can be reset";
	case -EBUSY:
	case -EAGAIN:
		return "a device that would be reset too is in use at this moment: try again";
	default:
		return NULL;
	}
}

int libiommu_reset_hot(struct libiommu_device *dev)
{
	/* No proof of ownership: for a device node the kernel looks for itself. */
	struct uapi_vfio_pci_hot_reset cmd = {.argsz = sizeof(cmd)};
	int error;

	error = li_device_enter(dev, __func__, DEVICE_NODE);
	if (error)
		return error;
	error = li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &cmd);
	li_device_leave(dev);
	return error ? FAIL_KERNEL(li_device_ctx(dev), __func__, error, CALL_NONE,
	                           .id = li_device_id(dev), .subject = explain_hot(error))
	             : 0;
}

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
	return error ? FAIL_KERNEL(li_device_ctx(dev), __func__, error, CALL_HOT_RESET,
	                           .id = li_device_id(dev))
	             : 0;
}

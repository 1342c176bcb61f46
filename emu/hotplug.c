/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What the host does to a device that a program has. */
#include <errno.h>
#include <libiommu-emu/hotplug.h>

#include "fault.h"
#include "machine.h"
#include "request.h"
#include "transfer.h"
#include "vfio.h"

static int tell(struct libiommu_emu_device *device, bool (*how)(struct emu_vfio *vfio))
{
	struct emu_dev *const dev = (struct emu_dev *)device;
	int told;

	if (!dev)
		return -EINVAL;
	emu_lock(dev->emu);
	if (dev->removed)
		told = -ENODEV;
	else
		told = dev->vfio && how(dev->vfio);
	emu_unlock(dev->emu);
	return told;
}

LIBIOMMU_API int libiommu_emu_device_request(struct libiommu_emu_device *device)
{
	return tell(device, emu_vfio_request);
}

LIBIOMMU_API int libiommu_emu_device_error(struct libiommu_emu_device *device)
{
	return tell(device, emu_vfio_error);
}

LIBIOMMU_API int libiommu_emu_device_hang(struct libiommu_emu_device *device, bool hangs)
{
	struct emu_dev *const dev = (struct emu_dev *)device;
	int error;

	if (!dev)
		return -EINVAL;
	emu_lock(dev->emu);
	error = dev->removed ? -ENODEV : 0;
	if (!error) {
		dev->hangs = hangs;
		if (dev->vfio)
			emu_vfio_region_show(dev->vfio);
	}
	emu_unlock(dev->emu);
	return error;
}

static void pull_out(struct emu_dev *dev)
{
	dev->removed = true;
	emu_transfer_abandon(dev);
	emu_fault_forget(dev);
	emu_requests_forget(dev);
	if (dev->vfio) {
		emu_vfio_region_show(dev->vfio);
		emu_vfio_request(dev->vfio);
	}
	if (!dev->files)
		emu_dev_retire(dev);
}

LIBIOMMU_API int libiommu_emu_device_remove(struct libiommu_emu_device *device)
{
	struct emu_dev *const dev = (struct emu_dev *)device;
	int error;

	if (!dev)
		return -EINVAL;
	emu_lock(dev->emu);
	error = dev->removed ? -ENODEV : 0;
	if (!error)
		pull_out(dev);
	emu_unlock(dev->emu);
	return error;
}

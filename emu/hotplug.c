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

/* 0: it is there, and the machine is locked. */
static int enter(struct emu_dev *dev)
{
	if (!dev)
		return -EINVAL;
	emu_lock(dev->emu);
	if (!dev->removed)
		return 0;
	emu_unlock(dev->emu);
	return -ENODEV;
}

static int tell(struct libiommu_emu_device *device, bool (*how)(struct emu_vfio *vfio))
{
	struct emu_dev *const dev = (struct emu_dev *)device;
	int told = enter(dev);

	if (told)
		return told;
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
	const int error = enter(dev);

	if (error)
		return error;
	dev->hangs = hangs;
	if (dev->vfio)
		emu_vfio_region_show(dev->vfio);
	emu_unlock(dev->emu);
	return 0;
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
	const int error = enter(dev);

	if (error)
		return error;
	pull_out(dev);
	emu_unlock(dev->emu);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <libiommu-emu/event.h>

#include <errno.h>

#include "dev.h"
#include "machine.h"
#include "viommu.h"

/* Of the page table without a PASID: 0 or -errno. */
static int find(struct emu_dev *dev, struct emu_viommu **viommu)
{
	const struct emu_attached *const attached = emu_dev_at(dev, 0);

	if (dev->removed)
		return -ENODEV;
	if (!attached || !attached->domain || !attached->domain->viommu)
		return -ENOENT;
	*viommu = attached->domain->viommu;
	return 0;
}

LIBIOMMU_API int libiommu_emu_event_virt_id(struct libiommu_emu_device *device, uint64_t *virt_id)
{
	struct emu_dev *const dev = (struct emu_dev *)device;
	struct emu_viommu *viommu;
	int error;

	if (!dev || !virt_id)
		return -EINVAL;
	emu_lock(dev->emu);
	error = find(dev, &viommu);
	if (!error)
		error = emu_viommu_virt_id(viommu, dev, virt_id);
	emu_unlock(dev->emu);
	return error;
}

LIBIOMMU_API int libiommu_emu_event_report(struct libiommu_emu_device *device, uint32_t type,
                                           const void *data, size_t length)
{
	struct emu_dev *const dev = (struct emu_dev *)device;
	struct emu_viommu *viommu;
	int error;

	if (!dev || !data || !length)
		return -EINVAL;
	emu_lock(dev->emu);
	error = find(dev, &viommu);
	if (!error)
		error = emu_viommu_event(viommu, type, data, length);
	emu_unlock(dev->emu);
	return error;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What devices do with memory, through the page tables that they are attached to. */
#include <errno.h>
#include <libiommu-emu/device.h>

#include "dev.h"
#include "machine.h"

int emu_dev_translate(struct emu_dev *dev, uint32_t pasid, uint64_t iova, unsigned int access,
                      emu_phys *phys, uint64_t *length)
{
	const struct emu_attached *attached;
	uint64_t some = 1;
	emu_phys there;
	int error = 0;

	if (dev->removed)
		return -ENODEV;
	attached = emu_dev_serving(dev, pasid);
	/* Without an IOMMU addresses are those of memory. */
	if (!dev->group->iommu)
		there = iova;
	else if (!attached || (pasid && !emu_dev_pasid_bits(dev)))
		return -EFAULT;
	else
		error = attached->domain->ops->translate(attached->domain, iova, access, &there,
		                                         length ? length : &some);
	if (!error && phys)
		*phys = there;
	return error;
}

int emu_dev_dma(struct emu_dev *dev, uint32_t pasid, uint64_t iova, void *buffer, size_t length,
                unsigned int access, size_t *done)
{
	size_t at = 0;
	int error = 0;

	while (!error && at < length) {
		char *const here = (char *)buffer + at;
		uint64_t part = length - at;
		emu_phys phys = EMU_PHYS_NONE;

		/* Addresses end. */
		error = iova + at < iova
		                ? -EFAULT
		                : emu_dev_translate(dev, pasid, iova + at, access, &phys, &part);
		if (!error)
			error = access & EMU_WRITE
			                ? emu_phys_write(dev->emu, phys, here, (size_t)part)
			                : emu_phys_read(dev->emu, phys, here, (size_t)part);
		if (!error)
			at += (size_t)part;
	}
	if (done)
		*done = at;
	return error;
}

static int access_memory(struct libiommu_emu_device *device, uint32_t pasid, uint64_t iova,
                         void *buffer, size_t length, unsigned int access, size_t *done)
{
	struct emu_dev *const dev = (struct emu_dev *)device;
	int error;

	if (!dev || (!buffer && length))
		return -EINVAL;
	emu_lock(dev->emu);
	error = emu_dev_dma(dev, pasid, iova, buffer, length, access, done);
	emu_unlock(dev->emu);
	return error;
}

LIBIOMMU_API int libiommu_emu_device_read(struct libiommu_emu_device *device, uint32_t pasid,
                                          uint64_t iova, void *buffer, size_t length, size_t *done)
{
	return access_memory(device, pasid, iova, buffer, length, EMU_READ, done);
}

LIBIOMMU_API int libiommu_emu_device_write(struct libiommu_emu_device *device, uint32_t pasid,
                                           uint64_t iova, const void *buffer, size_t length,
                                           size_t *done)
{
	return access_memory(device, pasid, iova, (void *)(uintptr_t)buffer, length, EMU_WRITE,
	                     done);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "region.h"

#include <errno.h>

#include "../base/sys.h"
#include "../base/uapi/vfio.h"

_Static_assert(UAPI_VFIO_PCI_NUM_REGIONS == REGION_CACHE_SIZE, "every region has its place");

static const char *const names[] = {
	[UAPI_VFIO_PCI_BAR0_REGION_INDEX] = "BAR 0",
	[UAPI_VFIO_PCI_BAR1_REGION_INDEX] = "BAR 1",
	[UAPI_VFIO_PCI_BAR2_REGION_INDEX] = "BAR 2",
	[UAPI_VFIO_PCI_BAR3_REGION_INDEX] = "BAR 3",
	[UAPI_VFIO_PCI_BAR4_REGION_INDEX] = "BAR 4",
	[UAPI_VFIO_PCI_BAR5_REGION_INDEX] = "BAR 5",
	[UAPI_VFIO_PCI_ROM_REGION_INDEX] = "expansion ROM",
	[UAPI_VFIO_PCI_CONFIG_REGION_INDEX] = "config space",
	[UAPI_VFIO_PCI_VGA_REGION_INDEX] = "VGA",
};

static const struct libiommu_sys *sys_of(struct libiommu_device *dev)
{
	return li_ctx_backend(li_device_ctx(dev))->sys;
}

int li_refusal_record(const struct refusal *refusal, struct libiommu_device *dev,
                      const char *operation)
{
	struct failure_detail detail = refusal->detail;

	detail.id = li_device_id(dev);
	return li_ctx_refusal(li_device_ctx(dev), operation, refusal, &detail);
}

/* On another bus the same numbers mean other regions, whose registers are not to be touched. */
static int check_pci(struct libiommu_device *dev, struct refusal *refusal)
{
	struct uapi_vfio_device_info info = {.argsz = sizeof(info)};
	const int error = li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_GET_INFO, &info);

	if (error)
		return li_refuse_kernel(refusal, error, CALL_REGION);
	if (!(info.flags & UAPI_VFIO_DEVICE_FLAGS_PCI))
		return li_refuse(refusal, -ENODEV, "the device is no PCI device");
	return 0;
}

int li_region_find(struct libiommu_device *dev, uint32_t index, struct region *region,
                   struct refusal *refusal)
{
	struct uapi_vfio_region_info info = {.argsz = sizeof(info), .index = index};
	int error;

	refusal->detail = (struct failure_detail){.subject = names[index]};
	error = check_pci(dev, refusal);
	if (error)
		return error;
	error = li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_GET_REGION_INFO, &info);
	/* What other regions say by a size of 0. */
	if (error == -EINVAL && index == UAPI_VFIO_PCI_VGA_REGION_INDEX)
		error = 0;
	if (error)
		return li_refuse_kernel(refusal, error, CALL_REGION);
	region->index = index;
	region->flags = info.flags;
	region->info_size = info.argsz;
	region->size = info.size;
	region->offset = info.offset;
	return 0;
}

int li_region_check(const struct region *region, uint64_t offset, uint64_t length,
                    struct refusal *refusal)
{
	refusal->detail.start = offset;
	refusal->detail.length = length;
	if (length && offset <= region->size && length <= region->size - offset)
		return 0;
	refusal->detail.amount = region->size;
	refusal->detail.unit = "bytes in all";
	return li_refuse(refusal, -ERANGE, "the range is empty or not inside");
}

/* What a read or write of @length bytes returned. */
static int check_result(ssize_t result, size_t length, struct refusal *refusal)
{
	if (result < 0)
		return li_refuse_kernel(refusal, (int)result, CALL_CONFIG);
	if ((size_t)result == length)
		return 0;
	refusal->detail.amount = (uint64_t)result;
	refusal->detail.unit = "bytes were moved";
	return li_refuse(refusal, -EIO, "the kernel moved less than was asked for");
}

int li_region_read(struct libiommu_device *dev, const struct region *region, uint64_t offset,
                   void *buffer, size_t length, struct refusal *refusal)
{
	const int error = li_region_check(region, offset, length, refusal);

	if (error)
		return error;
	return check_result(li_sys_pread(sys_of(dev), li_device_fd(dev), buffer, length,
	                                 region->offset + offset),
	                    length, refusal);
}

int li_region_write(struct libiommu_device *dev, const struct region *region, uint64_t offset,
                    const void *buffer, size_t length, struct refusal *refusal)
{
	const int error = li_region_check(region, offset, length, refusal);

	if (error)
		return error;
	li_device_keep_open(dev);
	return check_result(li_sys_pwrite(sys_of(dev), li_device_fd(dev), buffer, length,
	                                  region->offset + offset),
	                    length, refusal);
}

/* What a ROM has depends on what the device and its bridge let through at the moment. */
static int recall(struct libiommu_device *dev, uint32_t index, struct region *region,
                  struct refusal *refusal)
{
	const bool lasts = index != UAPI_VFIO_PCI_ROM_REGION_INDEX;
	int error;

	refusal->detail = (struct failure_detail){.subject = names[index]};
	if (lasts && li_region_cache_get(li_device_regions(dev), index, region))
		return 0;
	error = li_region_find(dev, index, region, refusal);
	if (lasts && !error)
		li_region_cache_put(li_device_regions(dev), region);
	return error;
}

int li_region_access(struct libiommu_device *dev, const char *operation,
                     const struct region_access *access)
{
	struct refusal refusal;
	struct region region;
	int error;

	if (!dev || (!access->to && !access->from))
		return FAIL_LIBRARY(dev ? li_device_ctx(dev) : NULL, operation, -EINVAL,
		                    "a handle or a buffer is NULL", .id = 0);
	if (!access->length)
		return FAIL_LIBRARY(li_device_ctx(dev), operation, -EINVAL, "the length is 0",
		                    .id = li_device_id(dev));
	error = li_device_enter(dev, operation, DEVICE_BOUND);
	if (error)
		return error;
	error = recall(dev, access->index, &region, &refusal);
	if (!error && access->to)
		error = li_region_read(dev, &region, access->offset, access->to, access->length,
		                       &refusal);
	else if (!error)
		error = li_region_write(dev, &region, access->offset, access->from, access->length,
		                        &refusal);
	li_device_leave(dev);
	return error ? li_refusal_record(&refusal, dev, operation) : 0;
}

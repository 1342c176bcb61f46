/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <assert.h>
#include <errno.h>

#include <libiommu/pci.h>

#include "../base/uapi/vfio.h"
#include "area.h"
#include "region.h"

static_assert(LIBIOMMU_PCI_ROM == UAPI_VFIO_PCI_ROM_REGION_INDEX &&
                      LIBIOMMU_PCI_VGA == UAPI_VFIO_PCI_VGA_REGION_INDEX,
              "BARs are numbered as regions");
static_assert(LIBIOMMU_BAR_READ == UAPI_VFIO_REGION_INFO_FLAG_READ &&
                      LIBIOMMU_BAR_WRITE == UAPI_VFIO_REGION_INFO_FLAG_WRITE &&
                      LIBIOMMU_BAR_MMAP == UAPI_VFIO_REGION_INFO_FLAG_MMAP,
              "flags are the kernel's");

#define BAR_FLAGS (LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE | LIBIOMMU_BAR_MMAP)

static bool is_bar(uint32_t bar)
{
	return bar < LIBIOMMU_PCI_ROM;
}

/* What of them is no BAR is the ROM and the ports and memory of VGA. */
static bool is_region(uint32_t bar)
{
	return is_bar(bar) || bar == LIBIOMMU_PCI_ROM || bar == LIBIOMMU_PCI_VGA;
}

static int fail_number(struct libiommu_device *dev, const char *operation)
{
	return FAIL_LIBRARY(dev ? li_device_ctx(dev) : NULL, operation, -EINVAL,
	                    "there is no BAR of this number", .id = dev ? li_device_id(dev) : 0);
}

int libiommu_pci_bar_info(struct libiommu_device *dev, uint32_t bar, uint64_t *size,
                          uint32_t *flags)
{
	struct refusal refusal;
	struct region region;
	int error;

	if (!is_region(bar))
		return fail_number(dev, __func__);
	error = li_device_enter(dev, __func__, DEVICE_BOUND);
	if (error)
		return error;
	error = li_region_find(dev, bar, &region, &refusal);
	li_device_leave(dev);
	if (error)
		return li_refusal_record(&refusal, dev, __func__);
	if (size)
		*size = region.size;
	if (flags)
		*flags = region.flags & BAR_FLAGS;
	return 0;
}

int libiommu_pci_bar_area(struct libiommu_device *dev, uint32_t bar, size_t index, uint64_t *offset,
                          uint64_t *length)
{
	struct uapi_vfio_region_sparse_mmap_area area;
	struct area_list areas = {0};
	struct refusal refusal;
	struct region region;
	int error;

	if (!dev || !offset || !length)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	if (!is_bar(bar))
		return fail_number(dev, __func__);
	error = li_device_enter(dev, __func__, DEVICE_BOUND);
	if (error)
		return error;
	error = li_region_find(dev, bar, &region, &refusal);
	if (!error)
		error = li_area_list_find(dev, &region, &areas, &refusal);
	if (!error && index >= areas.count) {
		refusal.detail.amount = areas.count;
		refusal.detail.unit = "areas";
		error = li_refuse(&refusal, -ENOENT, "no mappable area has this index");
	}
	li_device_leave(dev);
	if (!error) {
		area = li_area_list_get(&areas, index);
		*offset = area.offset;
		*length = area.size;
	}
	li_area_list_free(&areas);
	return error ? li_refusal_record(&refusal, dev, __func__) : 0;
}

int libiommu_pci_bar_read(struct libiommu_device *dev, uint32_t bar, uint64_t offset, void *buffer,
                          size_t length)
{
	if (!is_region(bar))
		return fail_number(dev, __func__);
	return li_region_access(dev, __func__,
	                        &(const struct region_access){
					.index = bar,
					.offset = offset,
					.length = length,
					.to = buffer,
				});
}

int libiommu_pci_bar_write(struct libiommu_device *dev, uint32_t bar, uint64_t offset,
                           const void *buffer, size_t length)
{
	if (!is_bar(bar) && bar != LIBIOMMU_PCI_VGA)
		return fail_number(dev, __func__);
	return li_region_access(dev, __func__,
	                        &(const struct region_access){
					.index = bar,
					.offset = offset,
					.length = length,
					.from = buffer,
				});
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <libiommu/pci.h>

#include "../base/sys.h"
#include "area.h"
#include "region.h"

#define MAP_FLAGS (LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE)

struct libiommu_bar_map {
	struct libiommu_device *dev;
	struct mapping mapping;
};

static bool is_inside(const struct uapi_vfio_region_sparse_mmap_area *area, uint64_t offset,
                      uint64_t length)
{
	return offset >= area->offset && offset - area->offset <= area->size &&
	       length <= area->size - (offset - area->offset);
}

/* The kernel itself would map any part of a BAR, also those that a driver keeps. */
static int check_areas(struct libiommu_device *dev, const struct region *region, uint64_t offset,
                       uint64_t length, struct refusal *refusal)
{
	struct uapi_vfio_region_sparse_mmap_area area;
	struct area_list areas;
	bool found = false;
	int error;

	error = li_area_list_find(dev, region, &areas, refusal);
	for (size_t i = 0; !error && !found && i < areas.count; i++) {
		area = li_area_list_get(&areas, i);
		found = is_inside(&area, offset, length);
	}
	if (!error && !found)
		error = li_refuse(refusal, -EOPNOTSUPP,
		                  "the BAR, or this part of it, cannot be mapped "
		                  "(libiommu_pci_bar_area())");
	li_area_list_free(&areas);
	return error;
}

static int map_region(struct libiommu_device *dev, const struct region *region, uint64_t offset,
                      uint64_t length, uint32_t flags, struct mapping *mapping,
                      struct refusal *refusal)
{
	const int prot = (flags & LIBIOMMU_BAR_READ ? PROT_READ : 0) |
	                 (flags & LIBIOMMU_BAR_WRITE ? PROT_WRITE : 0);
	int error;

	if (!length && offset < region->size)
		length = region->size - offset;
	error = li_region_check(region, offset, length, refusal);
	if (error)
		return error;
	if (length > SIZE_MAX)
		return li_refuse(refusal, -ERANGE, "longer than this process can address");
	error = check_areas(dev, region, offset, length, refusal);
	if (error)
		return error;
	mapping->length = (size_t)length;
	li_device_keep_open(dev);
	error = li_sys_mmap(li_ctx_backend(li_device_ctx(dev))->sys, NULL, mapping->length, prot,
	                    MAP_SHARED, li_device_fd(dev), region->offset + offset,
	                    &mapping->address);
	if (error)
		return li_refuse_kernel(refusal, error, CALL_MMAP);
	li_mapping_add(li_device_mappings(dev), mapping);
	return 0;
}

int libiommu_pci_bar_map(struct libiommu_device *dev, uint32_t bar, uint64_t offset,
                         uint64_t length, uint32_t flags, struct libiommu_bar_map **map)
{
	struct libiommu_bar_map *made;
	struct refusal refusal;
	struct libiommu_ctx *ctx;
	struct region region;
	int error;

	if (!dev || !map)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	ctx = li_device_ctx(dev);
	if (bar >= LIBIOMMU_PCI_ROM)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "there is no BAR of this number",
		                    .id = li_device_id(dev));
	if (!flags || flags & ~(uint32_t)MAP_FLAGS)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL,
		                    "flags must be LIBIOMMU_BAR_READ, LIBIOMMU_BAR_WRITE or both",
		                    .id = li_device_id(dev));
	if (offset % li_sys_page_size())
		return FAIL_LIBRARY(ctx, __func__, -EINVAL,
		                    "the offset is not a multiple of the page size",
		                    .id = li_device_id(dev), .start = offset, .length = length);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(ctx);
	made->dev = dev;
	error = li_device_enter(dev, __func__, DEVICE_BOUND);
	if (error) {
		free(made);
		return error;
	}
	error = li_region_find(dev, bar, &region, &refusal);
	if (!error)
		error = map_region(dev, &region, offset, length, flags, &made->mapping, &refusal);
	li_device_leave(dev);
	if (error) {
		free(made);
		return li_refusal_record(&refusal, dev, __func__);
	}
	li_ctx_count(ctx, LIBIOMMU_OBJECT_BAR_MAP, 1);
	*map = made;
	return 0;
}

volatile void *libiommu_bar_map_address(const struct libiommu_bar_map *map)
{
	return map ? map->mapping.address : NULL;
}

uint64_t libiommu_bar_map_length(const struct libiommu_bar_map *map)
{
	return map ? map->mapping.length : 0;
}

int libiommu_bar_map_destroy(struct libiommu_bar_map *map)
{
	struct libiommu_ctx *ctx;
	int error;

	if (!map)
		return 0;
	ctx = li_device_ctx(map->dev);
	error = li_mapping_remove(li_device_mappings(map->dev), &map->mapping);
	if (error)
		return FAIL_KERNEL(ctx, __func__, error, CALL_MMAP, .id = li_device_id(map->dev));
	li_ctx_count(ctx, LIBIOMMU_OBJECT_BAR_MAP, -1);
	free(map);
	return 0;
}

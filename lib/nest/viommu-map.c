/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../base/uapi/iommufd.h"
#include "viommu.h"

struct libiommu_viommu_map {
	struct libiommu_viommu *viommu;
	void *address;
	size_t length;
};

static int map_range(struct libiommu_viommu *viommu, const char *operation, uint64_t offset,
                     uint64_t length, struct libiommu_viommu_map **map)
{
	struct libiommu_ctx *const ctx = li_viommu_ctx(viommu);
	const struct backend *const backend = li_ctx_backend(ctx);
	const uint32_t id = li_viommu_id(viommu);
	struct libiommu_viommu_map *made;
	int error;

	if (!length || offset % li_sys_page_size())
		return FAIL_LIBRARY(ctx, operation, -EINVAL,
		                    "the range is empty, or its offset no multiple of the page "
		                    "size",
		                    .id = id, .start = offset, .length = length);
	if (length > SIZE_MAX || offset > INT64_MAX)
		return FAIL_LIBRARY(ctx, operation, -ERANGE, "more than this process can address",
		                    .id = id, .start = offset, .length = length);
	made = malloc(sizeof(*made));
	if (!made)
		return FAIL_MEMORY_IN(ctx, operation);
	made->viommu = viommu;
	made->length = (size_t)length;
	error = li_sys_mmap(backend->sys, NULL, made->length, PROT_READ | PROT_WRITE, MAP_SHARED,
	                    backend->fd, offset, &made->address);
	if (error) {
		free(made);
		return FAIL_KERNEL(ctx, operation, error, CALL_MMAP, .id = id, .start = offset,
		                   .length = length);
	}
	li_viommu_pin(viommu);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_VIOMMU_MAP, 1);
	*map = made;
	return 0;
}

int libiommu_viommu_map(struct libiommu_viommu *viommu, uint64_t offset, uint64_t length,
                        struct libiommu_viommu_map **map)
{
	if (!viommu || !map)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	return map_range(viommu, __func__, offset, length, map);
}

int libiommu_viommu_map_cmdqv(struct libiommu_viommu *viommu, struct libiommu_viommu_map **map)
{
	struct uapi_viommu_tegra241_cmdqv data = {0};
	size_t length;

	if (!viommu || !map)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	libiommu_viommu_data(viommu, &data, sizeof(data), &length);
	if (li_viommu_type(viommu) != UAPI_VIOMMU_TYPE_TEGRA241_CMDQV || length < sizeof(data))
		return FAIL_LIBRARY(li_viommu_ctx(viommu), __func__, -EOPNOTSUPP,
		                    "it is not known to have a CMDQV's interface",
		                    .id = li_viommu_id(viommu));
	return map_range(viommu, __func__, data.out_vintf_mmap_offset, data.out_vintf_mmap_length,
	                 map);
}

volatile void *libiommu_viommu_map_address(const struct libiommu_viommu_map *map)
{
	return map ? map->address : NULL;
}

uint64_t libiommu_viommu_map_length(const struct libiommu_viommu_map *map)
{
	return map ? map->length : 0;
}

int libiommu_viommu_map_destroy(struct libiommu_viommu_map *map)
{
	struct libiommu_ctx *ctx;
	int error;

	if (!map)
		return 0;
	ctx = li_viommu_ctx(map->viommu);
	error = li_sys_munmap(li_ctx_backend(ctx)->sys, map->address, map->length);
	if (error)
		return FAIL_KERNEL(ctx, __func__, error, CALL_MMAP,
		                   .id = li_viommu_id(map->viommu));
	li_viommu_unpin(map->viommu);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_VIOMMU_MAP, -1);
	free(map);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "area.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/info-chain.h"

/* Ask for the description again, with room for its capabilities. */
static int describe(struct libiommu_device *dev, const struct region *region,
                    struct area_list *list, struct refusal *refusal)
{
	const struct uapi_vfio_region_info fixed = {.index = region->index};

	return li_info_read(
		&(const struct info_question){
			.sys = li_ctx_backend(li_device_ctx(dev))->sys,
			.fd = li_device_fd(dev),
			.request = UAPI_IOC_VFIO_DEVICE_GET_REGION_INFO,
			.call = CALL_REGION,
			.fixed = &fixed,
			.size = sizeof(fixed),
		},
		region->info_size, &list->info, &list->size, refusal);
}

static int read_areas(struct area_list *list, struct refusal *refusal)
{
	struct uapi_vfio_region_info_cap_sparse_mmap sparse;
	const struct uapi_vfio_region_info *const info = list->info;
	size_t at;

	if (li_info_chain_find(info, list->size, sizeof(*info),
	                       info->flags & UAPI_VFIO_REGION_INFO_FLAG_CAPS ? info->cap_offset : 0,
	                       UAPI_VFIO_REGION_INFO_CAP_SPARSE_MMAP, &at))
		goto nonsense;
	if (!at)
		return 0;
	if (list->size - at < sizeof(sparse))
		goto nonsense;
	memcpy(&sparse, (const char *)list->info + at, sizeof(sparse));
	if (sparse.nr_areas > (list->size - at - sizeof(sparse)) / sizeof(sparse.areas[0]))
		goto nonsense;
	list->first = at + sizeof(sparse);
	list->count = sparse.nr_areas;
	return 0;

nonsense:
	return li_refuse(refusal, -EIO, "the kernel's description contradicts itself");
}

int li_area_list_find(struct libiommu_device *dev, const struct region *region,
                      struct area_list *list, struct refusal *refusal)
{
	int error;

	memset(list, 0, sizeof(*list));
	if (!(region->flags & UAPI_VFIO_REGION_INFO_FLAG_MMAP) || !region->size)
		return 0;
	list->count = 1;
	list->whole.size = region->size;
	if (!(region->flags & UAPI_VFIO_REGION_INFO_FLAG_CAPS) ||
	    region->info_size <= sizeof(struct uapi_vfio_region_info))
		return 0;
	error = describe(dev, region, list, refusal);
	return error ? error : read_areas(list, refusal);
}

void li_area_list_free(struct area_list *list)
{
	free(list->info);
}

struct uapi_vfio_region_sparse_mmap_area li_area_list_get(const struct area_list *list,
                                                          size_t index)
{
	struct uapi_vfio_region_sparse_mmap_area area = list->whole;

	if (list->first)
		memcpy(&area, (const char *)list->info + list->first + index * sizeof(area),
		       sizeof(area));
	return area;
}

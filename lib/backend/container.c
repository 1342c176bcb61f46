/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/info-chain.h"
#include "../base/uapi/vfio-container.h"
#include "spapr.h"

static int ask(const struct libiommu_sys *sys, int fd, unsigned long request, uintptr_t value)
{
	return li_sys_ioctl(sys, fd, request, (void *)value);
}

int li_container_check(const struct libiommu_sys *sys, int fd, bool *spapr)
{
	static const uintptr_t kinds[] = {UAPI_VFIO_TYPE1v2_IOMMU, UAPI_VFIO_SPAPR_TCE_v2_IOMMU,
	                                  UAPI_VFIO_NOIOMMU_IOMMU};
	const int version = ask(sys, fd, UAPI_IOC_VFIO_GET_API_VERSION, 0);

	if (version < 0)
		return version;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (version == UAPI_VFIO_API_VERSION &&
		    ask(sys, fd, UAPI_IOC_VFIO_CHECK_EXTENSION, kinds[i]) > 0) {
			*spapr = kinds[i] == UAPI_VFIO_SPAPR_TCE_v2_IOMMU;
			return 0;
		}
	return -ENODEV;
}

/* What the kernel says, of *@size bytes, with all that hangs on it; freed by the caller. */
static int read_info(const struct container *container, void **info, size_t *size,
                     struct refusal *refusal)
{
	static const struct uapi_vfio_iommu_type1_info fixed;

	return li_info_read(
		&(const struct info_question){
			.sys = container->sys,
			.fd = container->fd,
			.request = UAPI_IOC_VFIO_IOMMU_GET_INFO,
			.call = CALL_RANGES,
			.fixed = &fixed,
			.size = sizeof(fixed),
		},
		sizeof(fixed), info, size, refusal);
}

/* Where the kernel's list of ranges is in its answer; 0 before Linux 5.4, which has none. */
static int find_ranges(const struct uapi_vfio_iommu_type1_info *info, size_t size, size_t *at,
                       uint32_t *count)
{
	struct uapi_vfio_iommu_type1_info_cap_iova_range list;
	int error;

	error = li_info_chain_find(info, size, sizeof(*info),
	                           info->flags & UAPI_VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0,
	                           UAPI_VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, at);
	if (error || !*at)
		return error;
	if (size - *at < sizeof(list))
		return -EIO;
	memcpy(&list, (const char *)info + *at, sizeof(list));
	*at += sizeof(list);
	*count = list.nr_iovas;
	return list.nr_iovas > (size - *at) / sizeof(list.iova_ranges[0]) ? -EIO : 0;
}

/* What else it says; nothing of it is there in older kernels. */
static void take_numbers(struct container *container, const struct uapi_vfio_iommu_type1_info *info,
                         size_t size)
{
	static const struct info_field pages = {
		.offset = offsetof(struct uapi_vfio_iommu_type1_info_cap_migration, pgsize_bitmap),
		.size = sizeof(uint64_t),
	};
	static const struct info_field avail = {
		.offset = offsetof(struct uapi_vfio_iommu_type1_info_dma_avail, avail),
		.size = sizeof(uint32_t),
	};
	const uint32_t first = info->flags & UAPI_VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0;
	struct info_capability found;
	uint64_t left = 0;

	container->dirty_pages = 0;
	if (!li_info_capability(info, size, sizeof(*info), first,
	                        UAPI_VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION, &found))
		li_info_field(&found, &pages, &container->dirty_pages);
	container->tells_left = !li_info_capability(info, size, sizeof(*info), first,
	                                            UAPI_VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, &found) &&
	                        !li_info_field(&found, &avail, &left);
	container->left = (uint32_t)left;
}

static int take_info(struct container *container, const struct uapi_vfio_iommu_type1_info *info,
                     size_t size, struct refusal *refusal)
{
	struct libiommu_iova_range *ranges;
	uint32_t count = 0;
	size_t at;

	if (find_ranges(info, size, &at, &count))
		return li_refuse(refusal, -EIO, "the kernel's description contradicts itself");
	ranges = calloc(count ? count : 1, sizeof(*ranges));
	if (!ranges)
		return li_refuse(refusal, -ENOMEM, "no memory");
	for (uint32_t i = 0; i < count; i++) {
		struct uapi_vfio_iova_range range;

		memcpy(&range, (const char *)info + at + i * sizeof(range), sizeof(range));
		ranges[i] = (struct libiommu_iova_range){range.start, range.end};
	}
	free(container->ranges);
	container->ranges = ranges;
	container->count = count;
	if (!at) {
		ranges[0].last = UINT64_MAX;
		container->count = 1;
	}
	take_numbers(container, info, size);
	/* The smallest size. */
	if (info->flags & UAPI_VFIO_IOMMU_INFO_PGSIZES && info->iova_pgsizes)
		container->alignment = info->iova_pgsizes & -info->iova_pgsizes;
	return 0;
}

static int type1_read(struct container *container, struct refusal *refusal)
{
	void *info = NULL;
	size_t size = 0;
	int error;

	error = read_info(container, &info, &size, refusal);
	if (error)
		return error;
	error = take_info(container, info, size, refusal);
	free(info);
	return error;
}

int li_container_map_dma(const struct container *container, const struct extent *extent,
                         struct refusal *refusal)
{
	struct uapi_vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd),
		.flags = (extent->flags & LIBIOMMU_MAP_READ ? UAPI_VFIO_DMA_MAP_FLAG_READ : 0) |
	                 (extent->flags & LIBIOMMU_MAP_WRITE ? UAPI_VFIO_DMA_MAP_FLAG_WRITE : 0),
		.vaddr = extent->memory,
		.iova = extent->first,
		.size = extent->last - extent->first + 1,
	};
	const int error =
		li_sys_ioctl(container->sys, container->fd, UAPI_IOC_VFIO_IOMMU_MAP_DMA, &cmd);

	return error ? li_refuse_kernel(refusal, error, CALL_CONTAINER_MAP) : 0;
}

int li_container_unmap_dma(const struct container *container, uint64_t first, uint64_t last,
                           struct refusal *refusal)
{
	struct uapi_vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.iova = first,
		.size = last - first + 1,
	};
	const int error =
		li_sys_ioctl(container->sys, container->fd, UAPI_IOC_VFIO_IOMMU_UNMAP_DMA, &cmd);

	return error ? li_refuse_kernel(refusal, error, CALL_CONTAINER_UNMAP) : 0;
}

static int type1_map(struct container *container, const struct extent *extent,
                     struct refusal *refusal)
{
	return li_container_map_dma(container, extent, refusal);
}

static int type1_unmap(struct container *container, const struct extent *extents, size_t count,
                       struct refusal *refusal)
{
	return li_container_unmap_dma(container, extents[0].first, extents[count - 1].last,
	                              refusal);
}

static const struct container_ops type1_ops = {
	.kind = UAPI_VFIO_TYPE1v2_IOMMU,
	.read = type1_read,
	.map = type1_map,
	.unmap = type1_unmap,
};

/* Nothing can be mapped. */
static const struct container_ops unsafe_ops = {.kind = UAPI_VFIO_NOIOMMU_IOMMU};

int li_container_open(const struct libiommu_sys *sys, const char *path, bool unsafe,
                      struct spapr_memory *memory, struct container **container,
                      struct refusal *refusal)
{
	struct container *const made = calloc(1, sizeof(*made));

	if (!made)
		return li_refuse(refusal, -ENOMEM, "no memory");
	made->sys = sys;
	made->unsafe = unsafe;
	made->ops = unsafe ? &unsafe_ops : memory ? &li_container_spapr : &type1_ops;
	made->memory = memory;
	li_extents_init(&made->held);
	made->alignment = li_sys_page_size();
	made->fd = li_sys_open(sys, path, O_RDWR);
	if (made->fd < 0) {
		li_refuse_kernel(refusal, made->fd, CALL_OPEN_CONTAINER);
		free(made);
		return refusal->error;
	}
	*container = made;
	return 0;
}

void li_container_close(struct container *container)
{
	if (container->memory)
		li_spapr_forget(container);
	li_sys_close(container->sys, container->fd);
	li_extents_free(&container->held);
	free(container->ranges);
	free(container);
}

int li_container_start(struct container *container, struct refusal *refusal)
{
	int error;

	if (container->memory)
		li_spapr_forget(container);
	error = ask(container->sys, container->fd, UAPI_IOC_VFIO_SET_IOMMU, container->ops->kind);
	return error ? li_refuse_kernel(refusal, error, CALL_SET_IOMMU) : 0;
}

int li_container_read(struct container *container, struct refusal *refusal)
{
	return container->unsafe ? 0 : container->ops->read(container, refusal);
}

bool li_container_allows(const struct container *container, uint64_t first, uint64_t last)
{
	for (uint32_t i = 0; i < container->count; i++)
		if (first >= container->ranges[i].start && last <= container->ranges[i].last)
			return true;
	return false;
}

int li_container_map(struct container *container, const struct extent *extent,
                     struct refusal *refusal)
{
	return container->ops->map(container, extent, refusal);
}

int li_container_unmap(struct container *container, const struct extent *extents, size_t count,
                       struct refusal *refusal)
{
	return count ? container->ops->unmap(container, extents, count, refusal) : 0;
}

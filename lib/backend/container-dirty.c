/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a type 1 container has beside mappings: dirty bits, and memory that moves in its process. */
#include <string.h>

#include "../base/uapi/vfio-container.h"
#include "container.h"

#define WORD 64

int li_container_extension(const struct libiommu_sys *sys, int fd, uint32_t extension)
{
	return li_sys_ioctl(sys, fd, UAPI_IOC_VFIO_CHECK_EXTENSION, (void *)(uintptr_t)extension);
}

static bool is_type1(const struct container *container)
{
	return container->ops->kind == UAPI_VFIO_TYPE1v2_IOMMU;
}

bool li_container_can_track(const struct container *container)
{
	return is_type1(container) && container->dirty_pages;
}

bool li_container_can_forget(const struct container *container)
{
	return is_type1(container) &&
	       li_container_extension(container->sys, container->fd, UAPI_VFIO_UPDATE_VADDR) > 0;
}

bool li_container_can_unmap_all(const struct container *container)
{
	return is_type1(container) &&
	       li_container_extension(container->sys, container->fd, UAPI_VFIO_UNMAP_ALL) > 0;
}

int li_container_track(const struct container *container, bool enable, struct refusal *refusal)
{
	struct uapi_vfio_iommu_type1_dirty_bitmap cmd = {
		.argsz = sizeof(cmd),
		.flags = enable ? UAPI_VFIO_IOMMU_DIRTY_PAGES_FLAG_START
	                        : UAPI_VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP,
	};
	const int error =
		li_sys_ioctl(container->sys, container->fd, UAPI_IOC_VFIO_IOMMU_DIRTY_PAGES, &cmd);

	return error ? li_refuse_kernel(refusal, error, CALL_DIRTY) : 0;
}

static uint64_t length_of(const struct extent *extent)
{
	return extent->last - extent->first + 1;
}

static struct uapi_vfio_bitmap bitmap_of(const struct container *container,
                                         const struct extent *extent, uint64_t *bits)
{
	const uint64_t pages = length_of(extent) / container->alignment;

	return (struct uapi_vfio_bitmap){
		.pgsize = container->alignment,
		.size = (pages / WORD + (pages % WORD ? 1 : 0)) * sizeof(*bits),
		.data = bits,
	};
}

int li_container_read_dirty(const struct container *container, const struct extent *extent,
                            uint64_t *bits, struct refusal *refusal)
{
	const struct uapi_vfio_iommu_type1_dirty_bitmap_get get = {
		.iova = extent->first,
		.size = length_of(extent),
		.bitmap = bitmap_of(container, extent, bits),
	};
	union {
		struct uapi_vfio_iommu_type1_dirty_bitmap head;
		unsigned char room[sizeof(struct uapi_vfio_iommu_type1_dirty_bitmap) + sizeof(get)];
	} cmd = {.head = {.argsz = sizeof(cmd),
	                  .flags = UAPI_VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP}};
	int error;

	memcpy(cmd.head.data, &get, sizeof(get));
	error = li_sys_ioctl(container->sys, container->fd, UAPI_IOC_VFIO_IOMMU_DIRTY_PAGES, &cmd);
	return error ? li_refuse_kernel(refusal, error, CALL_DIRTY) : 0;
}

static int unmap(const struct container *container, void *cmd, struct refusal *refusal)
{
	const int error =
		li_sys_ioctl(container->sys, container->fd, UAPI_IOC_VFIO_IOMMU_UNMAP_DMA, cmd);

	return error ? li_refuse_kernel(refusal, error, CALL_CONTAINER_UNMAP) : 0;
}

int li_container_unmap_dirty(const struct container *container, const struct extent *extent,
                             uint64_t *bits, struct refusal *refusal)
{
	const struct uapi_vfio_bitmap bitmap = bitmap_of(container, extent, bits);
	union {
		struct uapi_vfio_iommu_type1_dma_unmap head;
		unsigned char room[sizeof(struct uapi_vfio_iommu_type1_dma_unmap) + sizeof(bitmap)];
	} cmd = {.head = {.argsz = sizeof(cmd),
	                  .flags = UAPI_VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
	                  .iova = extent->first,
	                  .size = length_of(extent)}};

	memcpy(cmd.head.data, &bitmap, sizeof(bitmap));
	return unmap(container, &cmd, refusal);
}

int li_container_unmap_all(const struct container *container, struct refusal *refusal)
{
	struct uapi_vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.flags = UAPI_VFIO_DMA_UNMAP_FLAG_ALL,
	};

	return unmap(container, &cmd, refusal);
}

int li_container_forget(const struct container *container, const struct extent *range,
                        struct refusal *refusal)
{
	struct uapi_vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.flags = UAPI_VFIO_DMA_UNMAP_FLAG_VADDR,
	};

	if (range) {
		cmd.iova = range->first;
		cmd.size = length_of(range);
	} else {
		cmd.flags |= UAPI_VFIO_DMA_UNMAP_FLAG_ALL;
	}
	return unmap(container, &cmd, refusal);
}

int li_container_renew(const struct container *container, const struct extent *extent,
                       uint64_t memory, struct refusal *refusal)
{
	struct uapi_vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd),
		.flags = UAPI_VFIO_DMA_MAP_FLAG_VADDR,
		.vaddr = memory,
		.iova = extent->first,
		.size = length_of(extent),
	};
	const int error =
		li_sys_ioctl(container->sys, container->fd, UAPI_IOC_VFIO_IOMMU_MAP_DMA, &cmd);

	return error ? li_refuse_kernel(refusal, error, CALL_CONTAINER_MAP) : 0;
}

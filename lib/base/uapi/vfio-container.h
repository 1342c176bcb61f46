/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Part of vfio.h: what all of VFIO shares, groups, and containers with the type1 and SPAPR
 * backends, all of it older than iommufd.
 *
 * Some structures of type1 hold 64-bit fields aligned as the machine's ABI likes, hence uint64_t
 * and not uapi_u64: this is what a kernel of the process's own width expects.
 */
#ifndef LIBIOMMU_UAPI_VFIO_CONTAINER_H
#define LIBIOMMU_UAPI_VFIO_CONTAINER_H

#include "types.h"

#define UAPI_VFIO_API_VERSION 0
#define UAPI_VFIO_TYPE        UAPI_IOC_TYPE
#define UAPI_VFIO_BASE        100

/* In front of each capability that an INFO call returns. */
struct uapi_vfio_info_cap_header {
	uint16_t id; /* counted for each INFO call apart */
	uint16_t version;
	uint32_t next; /* offset in the buffer; 0: the last */
};

/* On the container's fd. */
#define UAPI_IOC_VFIO_GET_API_VERSION UAPI_IO(UAPI_VFIO_BASE + 0)
#define UAPI_IOC_VFIO_CHECK_EXTENSION UAPI_IO(UAPI_VFIO_BASE + 1) /* by value */
#define UAPI_IOC_VFIO_SET_IOMMU       UAPI_IO(UAPI_VFIO_BASE + 2) /* by value */

/* Arguments of CHECK_EXTENSION; those named IOMMU are SET_IOMMU's too. */
#define UAPI_VFIO_TYPE1_IOMMU        1
#define UAPI_VFIO_SPAPR_TCE_IOMMU    2
#define UAPI_VFIO_TYPE1v2_IOMMU      3
#define UAPI_VFIO_DMA_CC_IOMMU       4 /* coherent DMA; changes with groups */
#define UAPI_VFIO_EEH                5
#define UAPI_VFIO_SPAPR_TCE_v2_IOMMU 7
#define UAPI_VFIO_NOIOMMU_IOMMU      8
#define UAPI_VFIO_UNMAP_ALL          9
#define UAPI_VFIO_UPDATE_VADDR       10

/* On a group's fd. */
#define UAPI_IOC_VFIO_GROUP_GET_STATUS      UAPI_IO(UAPI_VFIO_BASE + 3)
#define UAPI_IOC_VFIO_GROUP_SET_CONTAINER   UAPI_IO(UAPI_VFIO_BASE + 4) /* int32_t *fd */
#define UAPI_IOC_VFIO_GROUP_UNSET_CONTAINER UAPI_IO(UAPI_VFIO_BASE + 5)
#define UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD   UAPI_IO(UAPI_VFIO_BASE + 6) /* sysfs name */

#define UAPI_VFIO_GROUP_FLAGS_VIABLE        (1U << 0) /* no member on a host driver */
#define UAPI_VFIO_GROUP_FLAGS_CONTAINER_SET (1U << 1)

struct uapi_vfio_group_status {
	uint32_t argsz;
	uint32_t flags; /* out */
};

/* On a container's fd, once SET_IOMMU chose type1. The numbers overlap with those of devices. */
#define UAPI_IOC_VFIO_IOMMU_GET_INFO    UAPI_IO(UAPI_VFIO_BASE + 12)
#define UAPI_IOC_VFIO_IOMMU_MAP_DMA     UAPI_IO(UAPI_VFIO_BASE + 13)
#define UAPI_IOC_VFIO_IOMMU_UNMAP_DMA   UAPI_IO(UAPI_VFIO_BASE + 14)
#define UAPI_IOC_VFIO_IOMMU_DIRTY_PAGES UAPI_IO(UAPI_VFIO_BASE + 17)

#define UAPI_VFIO_IOMMU_INFO_PGSIZES (1U << 0) /* iova_pgsizes counts */
#define UAPI_VFIO_IOMMU_INFO_CAPS    (1U << 1) /* cap_offset counts */

struct uapi_vfio_iommu_type1_info {
	uint32_t argsz;
	uint32_t flags;
	uapi_u64 iova_pgsizes; /* a bit for each size */
	uint32_t cap_offset;   /* of the first capability in this buffer; 0: no room */
	uint32_t pad;
};

#define UAPI_VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE 1
#define UAPI_VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION  2
#define UAPI_VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL      3

struct uapi_vfio_iova_range {
	uint64_t start;
	uint64_t end; /* inside the range */
};

struct uapi_vfio_iommu_type1_info_cap_iova_range {
	struct uapi_vfio_info_cap_header header;
	uint32_t nr_iovas;
	uint32_t reserved;
	struct uapi_vfio_iova_range iova_ranges[];
};

/* There is dirty tracking. */
struct uapi_vfio_iommu_type1_info_cap_migration {
	struct uapi_vfio_info_cap_header header;
	uint32_t flags;
	uint64_t pgsize_bitmap;
	uint64_t max_dirty_bitmap_size; /* bytes */
};

struct uapi_vfio_iommu_type1_info_dma_avail {
	struct uapi_vfio_info_cap_header header;
	uint32_t avail; /* mappings that may still be made */
};

#define UAPI_VFIO_DMA_MAP_FLAG_READ  (1U << 0)
#define UAPI_VFIO_DMA_MAP_FLAG_WRITE (1U << 1)
#define UAPI_VFIO_DMA_MAP_FLAG_VADDR (1U << 2) /* new vaddr of a mapping */

struct uapi_vfio_iommu_type1_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t vaddr;
	uint64_t iova;
	uint64_t size;
};

struct uapi_vfio_bitmap {
	uint64_t pgsize; /* bytes a bit stands for */
	uint64_t size;   /* bytes at data */
	uint64_t *data;
};

#define UAPI_VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP (1U << 0) /* a bitmap in data */
#define UAPI_VFIO_DMA_UNMAP_FLAG_ALL              (1U << 1) /* iova and size 0 */
#define UAPI_VFIO_DMA_UNMAP_FLAG_VADDR            (1U << 2) /* forget vaddr only */

struct uapi_vfio_iommu_type1_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t size; /* in; out: bytes unmapped */
	uint8_t data[];
};

#define UAPI_VFIO_IOMMU_DIRTY_PAGES_FLAG_START      (1U << 0)
#define UAPI_VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP       (1U << 1)
#define UAPI_VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP (1U << 2) /* data: as below */

struct uapi_vfio_iommu_type1_dirty_bitmap {
	uint32_t argsz;
	uint32_t flags;
	uint8_t data[];
};

struct uapi_vfio_iommu_type1_dirty_bitmap_get {
	uint64_t iova;
	uint64_t size;
	struct uapi_vfio_bitmap bitmap;
};

/* On a container's fd, once SET_IOMMU chose SPAPR TCE v2, besides MAP_DMA and UNMAP_DMA. */
#define UAPI_IOC_VFIO_IOMMU_SPAPR_TCE_GET_INFO      UAPI_IO(UAPI_VFIO_BASE + 12)
#define UAPI_IOC_VFIO_IOMMU_SPAPR_REGISTER_MEMORY   UAPI_IO(UAPI_VFIO_BASE + 17)
#define UAPI_IOC_VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY UAPI_IO(UAPI_VFIO_BASE + 18)
#define UAPI_IOC_VFIO_IOMMU_SPAPR_TCE_CREATE        UAPI_IO(UAPI_VFIO_BASE + 19)
#define UAPI_IOC_VFIO_IOMMU_SPAPR_TCE_REMOVE        UAPI_IO(UAPI_VFIO_BASE + 20)

#define UAPI_VFIO_IOMMU_SPAPR_INFO_DDW (1U << 0) /* ddw counts */

/* Windows that are made while it runs. */
struct uapi_vfio_iommu_spapr_tce_ddw_info {
	uint64_t pgsizes; /* a bit for each size */
	uint32_t max_dynamic_windows_supported;
	uint32_t levels; /* of a window's table, at the most */
};

struct uapi_vfio_iommu_spapr_tce_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t dma32_window_start; /* bytes, on the bus */
	uint32_t dma32_window_size;
	struct uapi_vfio_iommu_spapr_tce_ddw_info ddw;
};

/* Memory that may be mapped afterwards: pinned, and counted against RLIMIT_MEMLOCK. */
struct uapi_vfio_iommu_spapr_register_memory {
	uint32_t argsz;
	uint32_t flags;
	uint64_t vaddr;
	uint64_t size;
};

struct uapi_vfio_iommu_spapr_tce_create {
	uint32_t argsz;
	uint32_t flags;
	uint32_t page_shift;
	uint32_t __resv1;
	uint64_t window_size; /* bytes, a power of two */
	uint32_t levels;
	uint32_t __resv2;
	uint64_t start_addr; /* out */
};

struct uapi_vfio_iommu_spapr_tce_remove {
	uint32_t argsz;
	uint32_t flags;
	uint64_t start_addr;
};

#endif

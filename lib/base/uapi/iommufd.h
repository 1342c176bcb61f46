/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The ABI of /dev/iommu up to Linux 7.3: commands, address spaces and options here, the rest in
 * the files included. Every command begins with the size of its structure as the caller knows it.
 * A field without a remark is input; "reserved" must be zero. The version in a remark is the first
 * kernel that has it; a field without one is as old as its structure.
 */
#ifndef LIBIOMMU_UAPI_IOMMUFD_H
#define LIBIOMMU_UAPI_IOMMUFD_H

#include "types.h"
#include "hwpt.h"
#include "fault.h"
#include "viommu.h"

#define UAPI_CMD_BASE                    0x80 /* 6.2 */
#define UAPI_CMD_DESTROY                 0x80 /* 6.2 */
#define UAPI_CMD_IOAS_ALLOC              0x81 /* 6.2 */
#define UAPI_CMD_IOAS_ALLOW_IOVAS        0x82 /* 6.2 */
#define UAPI_CMD_IOAS_COPY               0x83 /* 6.2 */
#define UAPI_CMD_IOAS_IOVA_RANGES        0x84 /* 6.2 */
#define UAPI_CMD_IOAS_MAP                0x85 /* 6.2 */
#define UAPI_CMD_IOAS_UNMAP              0x86 /* 6.2 */
#define UAPI_CMD_OPTION                  0x87 /* 6.2 */
#define UAPI_CMD_VFIO_IOAS               0x88 /* 6.2 */
#define UAPI_CMD_HWPT_ALLOC              0x89 /* 6.6 */
#define UAPI_CMD_GET_HW_INFO             0x8a /* 6.6 */
#define UAPI_CMD_HWPT_SET_DIRTY_TRACKING 0x8b /* 6.7 */
#define UAPI_CMD_HWPT_GET_DIRTY_BITMAP   0x8c /* 6.7 */
#define UAPI_CMD_HWPT_INVALIDATE         0x8d /* 6.8 */
#define UAPI_CMD_FAULT_QUEUE_ALLOC       0x8e /* 6.11 */
#define UAPI_CMD_IOAS_MAP_FILE           0x8f /* 6.13 */
#define UAPI_CMD_VIOMMU_ALLOC            0x90 /* 6.13 */
#define UAPI_CMD_VDEVICE_ALLOC           0x91 /* 6.13 */
#define UAPI_CMD_IOAS_CHANGE_PROCESS     0x92 /* 6.14 */
#define UAPI_CMD_VEVENTQ_ALLOC           0x93 /* 6.15 */
#define UAPI_CMD_HW_QUEUE_ALLOC          0x94 /* 6.17 */
#define UAPI_CMD_IOAS_NOIOMMU_GET_PA     0x95 /* 7.3 */

#define UAPI_IOC_DESTROY                 UAPI_IO(UAPI_CMD_DESTROY)
#define UAPI_IOC_IOAS_ALLOC              UAPI_IO(UAPI_CMD_IOAS_ALLOC)
#define UAPI_IOC_IOAS_ALLOW_IOVAS        UAPI_IO(UAPI_CMD_IOAS_ALLOW_IOVAS)
#define UAPI_IOC_IOAS_COPY               UAPI_IO(UAPI_CMD_IOAS_COPY)
#define UAPI_IOC_IOAS_IOVA_RANGES        UAPI_IO(UAPI_CMD_IOAS_IOVA_RANGES)
#define UAPI_IOC_IOAS_MAP                UAPI_IO(UAPI_CMD_IOAS_MAP)
#define UAPI_IOC_IOAS_UNMAP              UAPI_IO(UAPI_CMD_IOAS_UNMAP)
#define UAPI_IOC_OPTION                  UAPI_IO(UAPI_CMD_OPTION)
#define UAPI_IOC_VFIO_IOAS               UAPI_IO(UAPI_CMD_VFIO_IOAS)
#define UAPI_IOC_HWPT_ALLOC              UAPI_IO(UAPI_CMD_HWPT_ALLOC)
#define UAPI_IOC_GET_HW_INFO             UAPI_IO(UAPI_CMD_GET_HW_INFO)
#define UAPI_IOC_HWPT_SET_DIRTY_TRACKING UAPI_IO(UAPI_CMD_HWPT_SET_DIRTY_TRACKING)
#define UAPI_IOC_HWPT_GET_DIRTY_BITMAP   UAPI_IO(UAPI_CMD_HWPT_GET_DIRTY_BITMAP)
#define UAPI_IOC_HWPT_INVALIDATE         UAPI_IO(UAPI_CMD_HWPT_INVALIDATE)
#define UAPI_IOC_FAULT_QUEUE_ALLOC       UAPI_IO(UAPI_CMD_FAULT_QUEUE_ALLOC)
#define UAPI_IOC_IOAS_MAP_FILE           UAPI_IO(UAPI_CMD_IOAS_MAP_FILE)
#define UAPI_IOC_VIOMMU_ALLOC            UAPI_IO(UAPI_CMD_VIOMMU_ALLOC)
#define UAPI_IOC_VDEVICE_ALLOC           UAPI_IO(UAPI_CMD_VDEVICE_ALLOC)
#define UAPI_IOC_IOAS_CHANGE_PROCESS     UAPI_IO(UAPI_CMD_IOAS_CHANGE_PROCESS)
#define UAPI_IOC_VEVENTQ_ALLOC           UAPI_IO(UAPI_CMD_VEVENTQ_ALLOC)
#define UAPI_IOC_HW_QUEUE_ALLOC          UAPI_IO(UAPI_CMD_HW_QUEUE_ALLOC)
#define UAPI_IOC_IOAS_NOIOMMU_GET_PA     UAPI_IO(UAPI_CMD_IOAS_NOIOMMU_GET_PA)

/* Any object but a device, which goes when its own file descriptor is closed. */
struct uapi_destroy {
	uint32_t size;
	uint32_t id;
};

struct uapi_ioas_alloc {
	uint32_t size;
	uint32_t flags; /* none defined */
	uint32_t out_ioas_id;
};

struct uapi_iova_range {
	uapi_u64 start;
	uapi_u64 last; /* inside the range */
};

struct uapi_ioas_iova_ranges {
	uint32_t size;
	uint32_t ioas_id;
	uint32_t num_iovas; /* in: room; out: how many there are, also on EMSGSIZE */
	uint32_t reserved;
	uapi_u64 allowed_iovas; /* address of an array of uapi_iova_range */
	uapi_u64 out_iova_alignment;
};

/* Replaces the whole list that was set before. */
struct uapi_ioas_allow_iovas {
	uint32_t size;
	uint32_t ioas_id;
	uint32_t num_iovas;
	uint32_t reserved;
	uapi_u64 allowed_iovas; /* address of an array of uapi_iova_range */
};

/* Flags of MAP, MAP_FILE and COPY. */
#define UAPI_IOAS_MAP_FIXED_IOVA (1U << 0) /* 6.2; without it the kernel chooses */
#define UAPI_IOAS_MAP_WRITEABLE  (1U << 1) /* 6.2 */
#define UAPI_IOAS_MAP_READABLE   (1U << 2) /* 6.2 */

struct uapi_ioas_map {
	uint32_t size;
	uint32_t flags;
	uint32_t ioas_id;
	uint32_t reserved;
	uapi_u64 user_va;
	uapi_u64 length;
	uapi_u64 iova; /* in with FIXED_IOVA, else out */
};

struct uapi_ioas_map_file {
	uint32_t size;
	uint32_t flags;
	uint32_t ioas_id;
	int32_t fd;     /* memfd, shmem or hugetlbfs; a VFIO dma-buf since 6.19 */
	uapi_u64 start; /* offset in the file */
	uapi_u64 length;
	uapi_u64 iova; /* in with FIXED_IOVA, else out */
};

struct uapi_ioas_copy {
	uint32_t size;
	uint32_t flags;
	uint32_t dst_ioas_id;
	uint32_t src_ioas_id;
	uapi_u64 length;
	uapi_u64 dst_iova; /* in with FIXED_IOVA, else out */
	uapi_u64 src_iova;
};

/* iova 0 with length UINT64_MAX unmaps everything and succeeds on an empty address space. */
struct uapi_ioas_unmap {
	uint32_t size;
	uint32_t ioas_id;
	uapi_u64 iova;
	uapi_u64 length; /* in; out: bytes unmapped, on success only */
};

/* Needs CAP_SYS_RAWIO and a mapping used by a device without an IOMMU. */
struct uapi_ioas_noiommu_get_pa {
	uint32_t size;
	uint32_t flags; /* none defined */
	uint32_t ioas_id;
	uint32_t reserved;
	uapi_u64 iova;
	uapi_u64 length; /* in: at most; out: contiguous bytes at out_phys */
	uapi_u64 out_phys;
};

/* Charges all pinned memory to the calling process; every mapping must be a MAP_FILE one. */
struct uapi_ioas_change_process {
	uint32_t size;
	uint32_t reserved;
};

/* What an option is about. */
#define UAPI_OPTION_RLIMIT_MODE 0 /* 6.2; 0 charges the user, 1 the process */
#define UAPI_OPTION_HUGE_PAGES  1 /* 6.2; of an IOAS: 1 allows them */

#define UAPI_OPTION_OP_SET 0 /* 6.2 */
#define UAPI_OPTION_OP_GET 1 /* 6.2 */

struct uapi_option {
	uint32_t size;
	uint32_t option_id;
	uint16_t op;
	uint16_t reserved;
	uint32_t object_id; /* 0 for options of the context */
	uapi_u64 val64;     /* in with SET, out with GET */
};

#define UAPI_VFIO_IOAS_GET   0 /* 6.2 */
#define UAPI_VFIO_IOAS_SET   1 /* 6.2 */
#define UAPI_VFIO_IOAS_CLEAR 2 /* 6.2 */

/* The address space that stands in for a VFIO container when the context's fd is used as one. */
struct uapi_vfio_ioas {
	uint32_t size;
	uint32_t ioas_id; /* in with SET, out with GET */
	uint16_t op;
	uint16_t reserved;
};

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Part of iommufd.h: what gives a guest an IOMMU of its own: vIOMMUs, virtual devices, event
 * queues and hardware queues.
 */
#ifndef LIBIOMMU_UAPI_VIOMMU_H
#define LIBIOMMU_UAPI_VIOMMU_H

#include "types.h"

#define UAPI_VIOMMU_TYPE_DEFAULT        0 /* 6.13; not to be asked for */
#define UAPI_VIOMMU_TYPE_ARM_SMMUV3     1 /* 6.13 */
#define UAPI_VIOMMU_TYPE_TEGRA241_CMDQV 2 /* 6.17; the guest must see HYP_OWN as 0 */

struct uapi_viommu_alloc {
	uint32_t size;
	uint32_t flags; /* none defined */
	uint32_t type;
	uint32_t dev_id;  /* whose IOMMU it is a slice of */
	uint32_t hwpt_id; /* a nesting parent */
	uint32_t out_viommu_id;
	uint32_t data_len; /* from here on 6.17 */
	uint32_t reserved;
	uapi_u64 data_uptr; /* vendor's data, read and written */
};

/* What to mmap from the context's fd: the first page of the guest's CMDQV interface. */
struct uapi_viommu_tegra241_cmdqv {
	uapi_u64 out_vintf_mmap_offset;
	uapi_u64 out_vintf_mmap_length;
};

struct uapi_vdevice_alloc {
	uint32_t size;
	uint32_t viommu_id;
	uint32_t dev_id;
	uint32_t out_vdevice_id;
	uapi_u64 virt_id; /* the guest's number for the device: stream id, RID */
};

#define UAPI_VEVENTQ_TYPE_DEFAULT        0 /* 6.15; not to be asked for */
#define UAPI_VEVENTQ_TYPE_ARM_SMMUV3     1 /* 6.15; uapi_vevent_arm_smmuv3 */
#define UAPI_VEVENTQ_TYPE_TEGRA241_CMDQV 2 /* 6.17; uapi_vevent_tegra241_cmdqv */

struct uapi_veventq_alloc {
	uint32_t size;
	uint32_t flags; /* none defined */
	uint32_t viommu_id;
	uint32_t type;
	uint32_t veventq_depth; /* events it holds before it loses some */
	uint32_t out_veventq_id;
	uint32_t out_veventq_fd;
	uint32_t reserved;
};

/* Flags of uapi_vevent_header. */
#define UAPI_VEVENTQ_FLAG_LOST_EVENTS (1U << 0) /* 6.15; nothing follows this header */

/* In front of each event read from the queue's fd. */
struct uapi_vevent_header {
	uint32_t flags;
	uint32_t sequence; /* 0 follows INT32_MAX; a gap is a loss */
};

struct uapi_vevent_arm_smmuv3 {
	uapi_le64 evt[4]; /* an event record; its stream id is the virtual one */
};

struct uapi_vevent_tegra241_cmdqv {
	uapi_le64 lvcmdq_err_map[2]; /* a bit for each logical queue in error */
};

#define UAPI_HW_QUEUE_TYPE_DEFAULT 0 /* 6.17; not to be asked for */
/*
 * Queues are allocated from index 0 upwards and destroyed in the opposite order; the length
 * is a power of two of at least 32 bytes, at most what CMDQS of the SMMU's idr[1] allows at 16
 * bytes an entry, and aligns the address.
 */
#define UAPI_HW_QUEUE_TYPE_TEGRA241_CMDQV 1 /* 6.17 */

struct uapi_hw_queue_alloc {
	uint32_t size;
	uint32_t flags; /* none defined */
	uint32_t viommu_id;
	uint32_t type;
	uint32_t index;
	uint32_t out_hw_queue_id;
	uapi_u64 nesting_parent_iova; /* the queue's guest-physical address */
	uapi_u64 length;
};

#endif

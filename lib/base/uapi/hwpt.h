/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Part of iommufd.h: hardware page tables (HWPT), their vendors' data, dirty tracking,
 * invalidation, and what the IOMMU behind a device says of itself.
 */
#ifndef LIBIOMMU_UAPI_HWPT_H
#define LIBIOMMU_UAPI_HWPT_H

#include "types.h"

/* Flags of HWPT_ALLOC. */
#define UAPI_HWPT_ALLOC_NEST_PARENT    (1U << 0) /* 6.7 */
#define UAPI_HWPT_ALLOC_DIRTY_TRACKING (1U << 1) /* 6.7 */
#define UAPI_HWPT_FAULT_ID_VALID       (1U << 2) /* 6.11 */
#define UAPI_HWPT_ALLOC_PASID          (1U << 3) /* 6.15; the RID needs it too */

#define UAPI_HWPT_DATA_NONE       0 /* 6.7; filled by the kernel from an IOAS */
#define UAPI_HWPT_DATA_VTD_S1     1 /* 6.7; uapi_hwpt_vtd_s1 */
#define UAPI_HWPT_DATA_ARM_SMMUV3 2 /* 6.13; uapi_hwpt_arm_smmuv3 */
#define UAPI_HWPT_DATA_AMD_GUEST  3 /* 7.0; uapi_hwpt_amd_guest */

struct uapi_hwpt_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t dev_id;
	uint32_t pt_id; /* an IOAS; to nest, a parent HWPT or a vIOMMU */
	uint32_t out_hwpt_id;
	uint32_t reserved;
	uint32_t data_type; /* UAPI_HWPT_DATA_*; from here on 6.7 */
	uint32_t data_len;
	uapi_u64 data_uptr;
	uint32_t fault_id;  /* with FAULT_ID_VALID; 6.11 */
	uint32_t reserved2; /* 6.11 */
};

/* Flags of uapi_hwpt_vtd_s1; the bits of the same names in a VT-d PASID entry. */
#define UAPI_VTD_S1_SRE  (1U << 0) /* 6.7 */
#define UAPI_VTD_S1_EAFE (1U << 1) /* 6.7 */
#define UAPI_VTD_S1_WPE  (1U << 2) /* 6.7 */

struct uapi_hwpt_vtd_s1 {
	uapi_u64 flags;
	uapi_u64 pgtbl_addr; /* guest-physical */
	uint32_t addr_width;
	uint32_t reserved;
};

/* The guest's own stream table entry; EIO for bits the kernel does not let a guest choose. */
struct uapi_hwpt_arm_smmuv3 {
	uapi_le64 ste[2];
};

/* The guest's own device table entry. */
struct uapi_hwpt_amd_guest {
	uapi_u64 dte[4];
};

/* What kind of information GET_HW_INFO asks for and returns. */
#define UAPI_HW_INFO_TYPE_NONE           0 /* 6.6; out: the driver has none */
#define UAPI_HW_INFO_TYPE_DEFAULT        0 /* 6.17; in: the driver's choice */
#define UAPI_HW_INFO_TYPE_INTEL_VTD      1 /* 6.6; uapi_hw_info_vtd */
#define UAPI_HW_INFO_TYPE_ARM_SMMUV3     2 /* 6.13; uapi_hw_info_arm_smmuv3 */
#define UAPI_HW_INFO_TYPE_TEGRA241_CMDQV 3 /* 6.17; uapi_hw_info_tegra241_cmdqv */
#define UAPI_HW_INFO_TYPE_AMD            4 /* 7.0; uapi_hw_info_amd */

/* Flags of GET_HW_INFO. */
#define UAPI_HW_INFO_FLAG_INPUT_TYPE (1U << 0) /* 6.17; in_data_type counts */

/* out_capabilities of GET_HW_INFO. */
#define UAPI_HW_CAP_DIRTY_TRACKING        (1U << 0) /* 6.7 */
#define UAPI_HW_CAP_PCI_PASID_EXEC        (1U << 1) /* 6.15 */
#define UAPI_HW_CAP_PCI_PASID_PRIV        (1U << 2) /* 6.15 */
#define UAPI_HW_CAP_PCI_ATS_NOT_SUPPORTED (1U << 3) /* 7.1; 0 proves nothing */

struct uapi_hw_info {
	uint32_t size;
	uint32_t flags;
	uint32_t dev_id;
	uint32_t data_len; /* in: room at data_uptr; out: bytes the kernel has */
	uapi_u64 data_uptr;
	union {
		uint32_t in_data_type; /* 6.17 */
		uint32_t out_data_type;
	};
	uint8_t out_max_pasid_log2; /* 0: no PASIDs; 6.15 */
	uint8_t reserved[3];
	uapi_u64 out_capabilities; /* 6.7 */
};

#define UAPI_HW_INFO_VTD_ERRATA_772415_SPR17 (1U << 0) /* 6.7; no read-only mappings */

struct uapi_hw_info_vtd {
	uint32_t flags;
	uint32_t reserved;
	uapi_u64 cap_reg; /* the VT-d registers of these names, raw */
	uapi_u64 ecap_reg;
};

/* A TLBI or CFGI and its SYNC must be issued twice. */
#define UAPI_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI (1U << 0) /* 7.3 */

struct uapi_hw_info_arm_smmuv3 {
	uint32_t flags;
	uint32_t reserved;
	uint32_t idr[6]; /* the SMMUv3 registers of these names, raw */
	uint32_t iidr;
	uint32_t aidr;
};

struct uapi_hw_info_tegra241_cmdqv {
	uint32_t flags; /* none defined */
	uint8_t version;
	uint8_t log2vcmdqs;
	uint8_t log2vsids;
	uint8_t reserved;
};

struct uapi_hw_info_amd {
	uapi_u64 efr; /* the extended feature registers, raw */
	uapi_u64 efr2;
};

/* Flags of HWPT_SET_DIRTY_TRACKING; without it tracking stops. */
#define UAPI_HWPT_DIRTY_TRACKING_ENABLE 1 /* 6.7 */

struct uapi_hwpt_set_dirty_tracking {
	uint32_t size;
	uint32_t flags;
	uint32_t hwpt_id;
	uint32_t reserved;
};

/* Flags of HWPT_GET_DIRTY_BITMAP. */
#define UAPI_HWPT_GET_DIRTY_BITMAP_NO_CLEAR 1 /* 6.7 */

struct uapi_hwpt_get_dirty_bitmap {
	uint32_t size;
	uint32_t hwpt_id;
	uint32_t flags;
	uint32_t reserved;
	uapi_u64 iova; /* of bit 0 */
	uapi_u64 length;
	uapi_u64 page_size; /* bytes a bit stands for */
	uapi_u64 data;      /* address of a bitmap of 64-bit words; bits are only set */
};

#define UAPI_HWPT_INVALIDATE_DATA_VTD_S1       0 /* 6.8; on a nested HWPT */
#define UAPI_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3 1 /* 6.13; on a vIOMMU */

/* Flags of uapi_hwpt_vtd_s1_invalidate. */
#define UAPI_VTD_INV_FLAGS_LEAF (1U << 0) /* 6.8; keep cached upper levels */

/* addr 0 with npages UINT64_MAX is everything. */
struct uapi_hwpt_vtd_s1_invalidate {
	uapi_u64 addr;   /* aligned to 4096 */
	uapi_u64 npages; /* of 4096 bytes */
	uint32_t flags;
	uint32_t reserved;
};

/* One command of the guest's command queue. */
struct uapi_viommu_arm_smmuv3_invalidate {
	uapi_le64 cmd[2];
};

struct uapi_hwpt_invalidate {
	uint32_t size;
	uint32_t hwpt_id;   /* a nested HWPT or a vIOMMU */
	uapi_u64 data_uptr; /* address of an array of entries */
	uint32_t data_type;
	uint32_t entry_len; /* bytes from one entry to the next */
	uint32_t entry_num; /* in; out: handled, also on error; 0 probes the type */
	uint32_t reserved;
};

#endif

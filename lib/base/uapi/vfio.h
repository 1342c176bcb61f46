/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The parts of the VFIO ABI that the library uses: devices here, the rest in the files included.
 * Every structure begins with its size as the caller knows it (argsz); the INFO calls report
 * through it how much room all capabilities need. A field without a remark is input, in INFO
 * structures output. A version after a name is the first kernel that has it; what has none is
 * older than iommufd (6.2).
 */
#ifndef LIBIOMMU_UAPI_VFIO_H
#define LIBIOMMU_UAPI_VFIO_H

#include "types.h"
#include "vfio-container.h"
#include "vfio-feature.h"
#include "vfio-pci.h"
#include "vfio-zdev.h"

#define UAPI_IOC_VFIO_DEVICE_GET_INFO          UAPI_IO(UAPI_VFIO_BASE + 7)
#define UAPI_IOC_VFIO_DEVICE_GET_REGION_INFO   UAPI_IO(UAPI_VFIO_BASE + 8)
#define UAPI_IOC_VFIO_DEVICE_GET_IRQ_INFO      UAPI_IO(UAPI_VFIO_BASE + 9)
#define UAPI_IOC_VFIO_DEVICE_SET_IRQS          UAPI_IO(UAPI_VFIO_BASE + 10)
#define UAPI_IOC_VFIO_DEVICE_RESET             UAPI_IO(UAPI_VFIO_BASE + 11)
#define UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD      UAPI_IO(UAPI_VFIO_BASE + 18) /* 6.6 */
#define UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT UAPI_IO(UAPI_VFIO_BASE + 19) /* 6.6 */
#define UAPI_IOC_VFIO_DEVICE_DETACH_IOMMUFD_PT UAPI_IO(UAPI_VFIO_BASE + 20) /* 6.6 */

#define UAPI_VFIO_DEVICE_BIND_FLAG_TOKEN (1U << 0) /* 6.17; token_uuid_ptr counts */

struct uapi_vfio_device_bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
	uapi_u64 token_uuid_ptr; /* address of the VF token's 16 bytes; 6.17 */
};

#define UAPI_VFIO_DEVICE_ATTACH_PASID (1U << 0) /* 6.15 */

struct uapi_vfio_device_attach_iommufd_pt {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pt_id; /* in: IOAS or HWPT; out: an IOAS's HWPT the kernel chose */
	uint32_t pasid; /* with ATTACH_PASID; 6.15 */
};

#define UAPI_VFIO_DEVICE_DETACH_PASID (1U << 0) /* 6.15 */

struct uapi_vfio_device_detach_iommufd_pt {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pasid; /* with DETACH_PASID; 6.15 */
};

#define UAPI_VFIO_DEVICE_FLAGS_RESET    (1U << 0)
#define UAPI_VFIO_DEVICE_FLAGS_PCI      (1U << 1)
#define UAPI_VFIO_DEVICE_FLAGS_PLATFORM (1U << 2)
#define UAPI_VFIO_DEVICE_FLAGS_AMBA     (1U << 3)
#define UAPI_VFIO_DEVICE_FLAGS_CCW      (1U << 4)
#define UAPI_VFIO_DEVICE_FLAGS_AP       (1U << 5)
#define UAPI_VFIO_DEVICE_FLAGS_FSL_MC   (1U << 6)
#define UAPI_VFIO_DEVICE_FLAGS_CAPS     (1U << 7) /* cap_offset counts */
#define UAPI_VFIO_DEVICE_FLAGS_CDX      (1U << 8) /* 6.5 */

struct uapi_vfio_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions; /* highest index plus one */
	uint32_t num_irqs;    /* highest index plus one */
	uint32_t cap_offset;  /* of the first capability in this buffer; 0: no room */
	uint32_t pad;
};

#define UAPI_VFIO_DEVICE_INFO_CAP_ZPCI_BASE       1
#define UAPI_VFIO_DEVICE_INFO_CAP_ZPCI_GROUP      2
#define UAPI_VFIO_DEVICE_INFO_CAP_ZPCI_UTIL       3
#define UAPI_VFIO_DEVICE_INFO_CAP_ZPCI_PFIP       4
#define UAPI_VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP 5 /* 6.5 */

#define UAPI_VFIO_PCI_ATOMIC_COMP32  (1U << 0) /* 6.5 */
#define UAPI_VFIO_PCI_ATOMIC_COMP64  (1U << 1) /* 6.5 */
#define UAPI_VFIO_PCI_ATOMIC_COMP128 (1U << 2) /* 6.5 */

struct uapi_vfio_device_info_cap_pci_atomic_comp {
	struct uapi_vfio_info_cap_header header;
	uint32_t flags;
	uint32_t reserved;
};

#define UAPI_VFIO_REGION_INFO_FLAG_READ  (1U << 0)
#define UAPI_VFIO_REGION_INFO_FLAG_WRITE (1U << 1)
#define UAPI_VFIO_REGION_INFO_FLAG_MMAP  (1U << 2)
#define UAPI_VFIO_REGION_INFO_FLAG_CAPS  (1U << 3) /* cap_offset counts */

struct uapi_vfio_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;      /* in */
	uint32_t cap_offset; /* of the first capability in this buffer; 0: no room */
	uapi_u64 size;       /* 0: no such region */
	uapi_u64 offset;     /* in the device's fd, for pread, pwrite and mmap */
};

#define UAPI_VFIO_REGION_INFO_CAP_SPARSE_MMAP    1
#define UAPI_VFIO_REGION_INFO_CAP_TYPE           2
#define UAPI_VFIO_REGION_INFO_CAP_MSIX_MAPPABLE  3 /* no data */
#define UAPI_VFIO_REGION_INFO_CAP_NVLINK2_SSATGT 4 /* gone since 5.13 */
#define UAPI_VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD 5 /* gone since 5.13 */

struct uapi_vfio_region_sparse_mmap_area {
	uapi_u64 offset; /* in the region */
	uapi_u64 size;
};

/* Only these parts of the region can be mapped. */
struct uapi_vfio_region_info_cap_sparse_mmap {
	struct uapi_vfio_info_cap_header header;
	uint32_t nr_areas;
	uint32_t reserved;
	struct uapi_vfio_region_sparse_mmap_area areas[];
};

/* What a region beyond the fixed ones holds. */
struct uapi_vfio_region_info_cap_type {
	struct uapi_vfio_info_cap_header header;
	uint32_t type;
	uint32_t subtype; /* read according to the type */
};

struct uapi_vfio_region_info_cap_nvlink2_ssatgt {
	struct uapi_vfio_info_cap_header header;
	uapi_u64 tgt;
};

struct uapi_vfio_region_info_cap_nvlink2_lnkspd {
	struct uapi_vfio_info_cap_header header;
	uint32_t link_speed;
	uint32_t __pad;
};

#define UAPI_VFIO_REGION_TYPE_PCI_VENDOR_TYPE (1U << 31) /* low bits: PCI vendor id */
#define UAPI_VFIO_REGION_TYPE_PCI_VENDOR_MASK 0xffffU
#define UAPI_VFIO_REGION_TYPE_GFX             1
#define UAPI_VFIO_REGION_TYPE_CCW             2

#define UAPI_VFIO_IRQ_INFO_EVENTFD    (1U << 0)
#define UAPI_VFIO_IRQ_INFO_MASKABLE   (1U << 1)
#define UAPI_VFIO_IRQ_INFO_AUTOMASKED (1U << 2) /* masks itself when it fires */
#define UAPI_VFIO_IRQ_INFO_NORESIZE   (1U << 3) /* enabled as one set */

struct uapi_vfio_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index; /* in */
	uint32_t count; /* 0: no such interrupt */
};

/* One data flag and one action flag. */
#define UAPI_VFIO_IRQ_SET_DATA_NONE      (1U << 0)
#define UAPI_VFIO_IRQ_SET_DATA_BOOL      (1U << 1) /* data: a byte for each */
#define UAPI_VFIO_IRQ_SET_DATA_EVENTFD   (1U << 2) /* data: int32_t for each, or -1 */
#define UAPI_VFIO_IRQ_SET_ACTION_MASK    (1U << 3)
#define UAPI_VFIO_IRQ_SET_ACTION_UNMASK  (1U << 4) /* eventfd on INTx: resample */
#define UAPI_VFIO_IRQ_SET_ACTION_TRIGGER (1U << 5) /* NONE fires; count 0 disables */
#define UAPI_VFIO_IRQ_SET_DATA_TYPE_MASK                                                           \
	(UAPI_VFIO_IRQ_SET_DATA_NONE | UAPI_VFIO_IRQ_SET_DATA_BOOL | UAPI_VFIO_IRQ_SET_DATA_EVENTFD)
#define UAPI_VFIO_IRQ_SET_ACTION_TYPE_MASK                                                         \
	(UAPI_VFIO_IRQ_SET_ACTION_MASK | UAPI_VFIO_IRQ_SET_ACTION_UNMASK |                         \
	 UAPI_VFIO_IRQ_SET_ACTION_TRIGGER)

struct uapi_vfio_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
	uint8_t data[];
};

#endif

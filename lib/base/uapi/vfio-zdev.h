/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Part of vfio.h: capabilities of a device's INFO that only PCI functions of s390 have. */
#ifndef LIBIOMMU_UAPI_VFIO_ZDEV_H
#define LIBIOMMU_UAPI_VFIO_ZDEV_H

#include "types.h"
#include "vfio-container.h"

struct uapi_vfio_device_info_cap_zpci_base {
	struct uapi_vfio_info_cap_header header;
	uint64_t start_dma;
	uint64_t end_dma;
	uint16_t pchid;
	uint16_t vfn;
	uint16_t fmb_length;
	uint8_t pft;
	uint8_t gid;
	uint32_t fh;              /* version 2 */
	uint32_t ccdf_err_length; /* version 3; 7.3 */
};

#define UAPI_VFIO_DEVICE_INFO_ZPCI_FLAG_REFRESH 1

struct uapi_vfio_device_info_cap_zpci_group {
	struct uapi_vfio_info_cap_header header;
	uint64_t dasm;
	uint64_t msi_addr;
	uint64_t flags;
	uint16_t mui;
	uint16_t noi;
	uint16_t maxstbl;
	uint8_t version;
	uint8_t reserved;
	uint16_t imaxstbl; /* version 2 */
};

struct uapi_vfio_device_info_cap_zpci_util {
	struct uapi_vfio_info_cap_header header;
	uint32_t size; /* bytes of it */
	uint8_t util_str[];
};

struct uapi_vfio_device_info_cap_zpci_pfip {
	struct uapi_vfio_info_cap_header header;
	uint32_t size; /* bytes of it */
	uint8_t pfip[];
};

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Part of vfio.h: device features, numbers under one ioctl. What follows the header is the
 * feature's own; a feature that the library does not use has its number here and no structure.
 */
#ifndef LIBIOMMU_UAPI_VFIO_FEATURE_H
#define LIBIOMMU_UAPI_VFIO_FEATURE_H

#include "types.h"
#include "vfio-container.h"

#define UAPI_IOC_VFIO_DEVICE_FEATURE UAPI_IO(UAPI_VFIO_BASE + 17)

#define UAPI_VFIO_DEVICE_FEATURE_MASK  0xffffU /* the feature's number */
#define UAPI_VFIO_DEVICE_FEATURE_GET   (1U << 16)
#define UAPI_VFIO_DEVICE_FEATURE_SET   (1U << 17)
#define UAPI_VFIO_DEVICE_FEATURE_PROBE (1U << 18) /* with or without GET, SET */

struct uapi_vfio_device_feature {
	uint32_t argsz;
	uint32_t flags;
	uint8_t data[];
};

#define UAPI_VFIO_DEVICE_FEATURE_PCI_VF_TOKEN                0 /* SET: 16 bytes */
#define UAPI_VFIO_DEVICE_FEATURE_MIGRATION                   1
#define UAPI_VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE            2
#define UAPI_VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY             3
#define UAPI_VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP 4
#define UAPI_VFIO_DEVICE_FEATURE_LOW_POWER_EXIT              5
#define UAPI_VFIO_DEVICE_FEATURE_DMA_LOGGING_START           6
#define UAPI_VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP            7
#define UAPI_VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT          8
#define UAPI_VFIO_DEVICE_FEATURE_MIG_DATA_SIZE               9
#define UAPI_VFIO_DEVICE_FEATURE_BUS_MASTER                  10 /* 6.7; CDX devices only */
#define UAPI_VFIO_DEVICE_FEATURE_DMA_BUF                     11 /* 6.19 */
#define UAPI_VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2          12 /* 7.1 */
#define UAPI_VFIO_DEVICE_FEATURE_ZPCI_ERROR                  13 /* 7.3 */

struct uapi_vfio_device_feature_bus_master {
	uint32_t op;
};

#define UAPI_VFIO_DEVICE_FEATURE_CLEAR_MASTER 0 /* 6.7 */
#define UAPI_VFIO_DEVICE_FEATURE_SET_MASTER   1 /* 6.7 */

struct uapi_vfio_region_dma_range {
	uint64_t offset; /* in the region */
	uint64_t length;
};

/* GET; the ioctl's result is the dma-buf's fd. */
struct uapi_vfio_device_feature_dma_buf {
	uint32_t region_index;
	uint32_t open_flags; /* as for open(2) */
	uint32_t flags;      /* none defined */
	uint32_t nr_ranges;
	struct uapi_vfio_region_dma_range dma_ranges[];
};

#endif

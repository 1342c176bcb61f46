/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Part of vfio.h: what is PCI's own: the fixed indices, and the hot reset. */
#ifndef LIBIOMMU_UAPI_VFIO_PCI_H
#define LIBIOMMU_UAPI_VFIO_PCI_H

#include "types.h"
#include "vfio-container.h"

#define UAPI_VFIO_PCI_BAR0_REGION_INDEX   0
#define UAPI_VFIO_PCI_BAR1_REGION_INDEX   1
#define UAPI_VFIO_PCI_BAR2_REGION_INDEX   2
#define UAPI_VFIO_PCI_BAR3_REGION_INDEX   3
#define UAPI_VFIO_PCI_BAR4_REGION_INDEX   4
#define UAPI_VFIO_PCI_BAR5_REGION_INDEX   5
#define UAPI_VFIO_PCI_ROM_REGION_INDEX    6
#define UAPI_VFIO_PCI_CONFIG_REGION_INDEX 7
#define UAPI_VFIO_PCI_VGA_REGION_INDEX    8
#define UAPI_VFIO_PCI_NUM_REGIONS         9 /* others say what they are */

#define UAPI_VFIO_PCI_INTX_IRQ_INDEX 0
#define UAPI_VFIO_PCI_MSI_IRQ_INDEX  1
#define UAPI_VFIO_PCI_MSIX_IRQ_INDEX 2
#define UAPI_VFIO_PCI_ERR_IRQ_INDEX  3
#define UAPI_VFIO_PCI_REQ_IRQ_INDEX  4 /* the host wants the device back */
#define UAPI_VFIO_PCI_NUM_IRQS       5

#define UAPI_IOC_VFIO_DEVICE_GET_PCI_HOT_RESET_INFO UAPI_IO(UAPI_VFIO_BASE + 12)
#define UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET          UAPI_IO(UAPI_VFIO_BASE + 13)

/* Values of devid other than a device's id in the context. */
#define UAPI_VFIO_PCI_DEVID_OWNED     0    /* 6.6; in the group of one that is bound */
#define UAPI_VFIO_PCI_DEVID_NOT_OWNED (-1) /* 6.6; prevents the reset */

struct uapi_vfio_pci_dependent_device {
	union {
		uint32_t group_id; /* asked through a group's device */
		uint32_t devid;    /* asked through a bound device node; 6.6 */
	};
	uint16_t segment;
	uint8_t bus;
	uint8_t devfn;
};

#define UAPI_VFIO_PCI_HOT_RESET_FLAG_DEV_ID       (1U << 0) /* 6.6; devid counts */
#define UAPI_VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED (1U << 1) /* 6.6; all owned */

struct uapi_vfio_pci_hot_reset_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t count; /* also with ENOSPC: devices there are */
	struct uapi_vfio_pci_dependent_device devices[];
};

struct uapi_vfio_pci_hot_reset {
	uint32_t argsz;
	uint32_t flags;      /* none defined */
	uint32_t count;      /* 0 for a device node */
	int32_t group_fds[]; /* proof of owning all groups */
};

#endif

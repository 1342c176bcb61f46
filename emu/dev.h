/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Devices of the machine: PCI functions with an IOMMU in front of them, in groups that share their
 * page table. What programs open of them is in vfio.h.
 */
#ifndef EMU_DEV_H
#define EMU_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iommu.h"

struct emu_device;
struct emu_hwpt;
struct emu_vfio;

/* What a device has at a PASID; 0 is none, the requester id alone. */
struct emu_attached {
	uint32_t pasid;
	struct emu_domain *domain;
	struct emu_hwpt *hwpt;     /* in which context's terms */
	struct emu_device *device; /* that it was attached through first */
};

/* Devices that the IOMMU cannot tell from one another. PASIDs are of each device alone. */
struct emu_group {
	struct emu_group *next; /* of the machine */
	uint32_t number;
	struct emu_iommu *iommu; /* NULL: none in front of them */
	struct emu_attached rid; /* domain NULL: nothing, DMA goes nowhere */
	struct emu_ctx *owner;   /* the one context that has devices of it; NULL: none */
	unsigned int owned;      /* devices that are bound */
	struct emu_dev *first;
};

struct emu_dev {
	struct libiommu_emu *emu;
	struct emu_group *group;
	struct emu_dev *next;    /* of the machine */
	struct emu_dev *sibling; /* of the group */
	char address[16];        /* 0000:00:03.0 */
	unsigned int node;       /* N of /dev/vfio/devices/vfioN */
	unsigned int pasid_bits; /* 0: no PASIDs */
	bool no_dirty;           /* its IOMMU cannot track for it */
	bool page_requests;
	bool removed;
	struct emu_attached *pasids; /* in no order */
	size_t pasid_count, pasid_room;
	struct emu_vfio *vfio; /* who has it open; NULL: nobody */
	void *model;           /* of what kind it is: pci.h */
};

/* What is attached; NULL: nothing. */
struct emu_attached *emu_dev_at(struct emu_dev *dev, uint32_t pasid);

/*
 * DMA: 0, or -EFAULT for the first byte that is not mapped, with what lies before it done. With
 * EMU_WRITE the memory is written.
 */
int emu_dev_dma(struct emu_dev *dev, uint32_t pasid, uint64_t iova, void *buffer, size_t length,
                unsigned int access);

#endif

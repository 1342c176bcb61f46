/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The test driver's nested page tables, vIOMMUs, events and queues: numbers and layouts of its own,
 * and what it can be asked. A nested page table has four cached values, and so has a device.
 */
#ifndef MOCK_NEST_H
#define MOCK_NEST_H

#include "mock.h"

#define MOCK_HWPT_DATA    0xdeadU
#define MOCK_INVALIDATE   0xdeadbeefU /* of page tables, and of vIOMMUs */
#define MOCK_VIOMMU       0xdeadbeefU
#define MOCK_VEVENTQ      0xbeefbeefU
#define MOCK_HW_QUEUE     0xdeadbeefU
#define MOCK_CACHED       0x0badbeefU /* a page table's values at first */
#define MOCK_DEV_CACHED   0x00baddadU /* a device's */
#define MOCK_CACHES       4U
#define MOCK_ALL          1U /* a flag: all four */
#define MOCK_APERTURE     UINT64_C(0x1000000)
#define MOCK_EVENT_LENGTH 4U

struct mock_hwpt_data {
	uint32_t value;
};

struct mock_hwpt_entry {
	uint32_t flags;
	uint32_t index;
};

struct mock_viommu_data {
	uint32_t in;
	uint32_t out;
	uint64_t offset __attribute__((aligned(8)));
	uint64_t length __attribute__((aligned(8)));
};

struct mock_viommu_entry {
	uint32_t flags;
	uint32_t virt_id;
	uint32_t index;
};

/* What is cached is this: the kernel's answer, 0 or -errno. */
int mock_check_iotlb(struct libiommu_ctx *ctx, const struct libiommu_hwpt *hwpt, uint32_t index,
                     uint32_t value);
int mock_check_cache(struct libiommu_ctx *ctx, const struct libiommu_device *dev, uint32_t index,
                     uint32_t value);
/* An event about the device, which is attached to a page table on a vIOMMU: 0 or -errno. */
int mock_event(struct libiommu_ctx *ctx, const struct libiommu_device *dev);

/*
 * The driver with a VT-d's face: page tables with VT-d data, and entries, of which the page number
 * is the index of a value. Counts calls.
 */
struct mock_vtd {
	uint64_t calls;
	uint64_t entries;
};

void mock_be_vtd(struct mock *mock, struct mock_vtd *vtd);

#endif

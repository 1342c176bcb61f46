/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The IOMMU of the kernel's test driver: numbers and layouts that no real one has. A nested page
 * table has four cached values, and so has a device.
 */
#ifndef MOCK_FORMAT_H
#define MOCK_FORMAT_H

#include <stdint.h>

#define MOCK_APERTURE      UINT64_C(0x1000000)
#define MOCK_APERTURE_LAST UINT64_C(0x7fffffff)
#define MOCK_PAGE          2048U
#define MOCK_PASID_BITS    20U

#define MOCK_HWPT_DATA    0xdeadU
#define MOCK_HW_INFO      0xfeedbeefU
#define MOCK_HW_REGISTER  0xdeadbeefU
#define MOCK_INVALIDATE   0xdeadbeefU /* of page tables, and of vIOMMUs */
#define MOCK_VIOMMU       0xdeadbeefU
#define MOCK_VEVENTQ      0xbeefbeefU
#define MOCK_HW_QUEUE     0xdeadbeefU
#define MOCK_CACHED       0x0badbeefU /* a page table's values at first */
#define MOCK_DEV_CACHED   0x00baddadU /* a device's */
#define MOCK_CACHES       4U
#define MOCK_ALL          1U /* a flag: all four */
#define MOCK_HW_QUEUES    2U /* of one vIOMMU; the second needs the first */
#define MOCK_EVENT_LENGTH 4U

/* The driver makes its first replacement at this one fail. */
#define MOCK_FAILING_PASID 1024U

/* Of a nested page table, or of one of the kernel's own making. */
struct mock_hwpt_data {
	uint32_t value;
	uint32_t huge; /* 1: pages of 1 MiB and no aperture; older drivers do not take it */
};

struct mock_hw_info {
	uint32_t flags;
	uint32_t reg;
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

#endif

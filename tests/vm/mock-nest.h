/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The test driver's nested page tables, vIOMMUs, events and queues: what it can be asked.
 */
#ifndef MOCK_NEST_H
#define MOCK_NEST_H

#include "mock-format.h"
#include "mock.h"

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

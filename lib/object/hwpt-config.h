/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_HWPT_CONFIG_H
#define LIBIOMMU_OBJECT_HWPT_CONFIG_H

#include <libiommu/hwpt.h>

/* The choices, for whoever makes a page table from them. */
struct libiommu_hwpt_config {
	uint32_t flags;
	uint32_t data_type;
	uint32_t data_length;
	void *data;
	struct libiommu_fault_queue *queue;
};

#endif

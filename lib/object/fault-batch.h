/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_FAULT_BATCH_H
#define LIBIOMMU_OBJECT_FAULT_BATCH_H

#include <stdbool.h>

#include <libiommu/fault-queue.h>

#include "../base/uapi/iommufd.h"

/* Faults, far more than hardware puts into a group. */
#define FAULT_BATCH_MAX 65536

/* One group. */
struct fault_run {
	uint64_t token;
	uint64_t records;
};

struct libiommu_fault_batch {
	struct uapi_hwpt_pgfault *raw; /* as read; of no meaning once they are translated */
	struct libiommu_record *faults;
	struct fault_run *runs;
	size_t room; /* of each */
	size_t count;
	size_t groups;
};

/* Returns false without memory; the batch is as it was. */
bool li_fault_batch_grow(struct libiommu_fault_batch *batch, size_t room);
/* What it has, not the batch. */
void li_fault_batch_free_arrays(struct libiommu_fault_batch *batch);

#endif

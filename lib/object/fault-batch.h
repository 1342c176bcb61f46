/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_FAULT_BATCH_H
#define LIBIOMMU_OBJECT_FAULT_BATCH_H

#include <stdbool.h>

#include <libiommu/fault-queue.h>

#include "../base/uapi/iommufd.h"

/* Faults, far more than hardware puts into a group. */
#define FAULT_BATCH_MAX 65536

struct libiommu_fault_batch {
	struct uapi_hwpt_pgfault *raw; /* as read; of no meaning once they are translated */
	struct libiommu_fault *faults;
	size_t room;
	size_t count;
};

/* Returns false without memory; the batch is as it was. */
bool li_fault_batch_grow(struct libiommu_fault_batch *batch, size_t room);

#endif

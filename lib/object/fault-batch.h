/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_FAULT_BATCH_H
#define LIBIOMMU_OBJECT_FAULT_BATCH_H

#include <stdbool.h>

#include <libiommu/fault-queue.h>

#include "../base/uapi/iommufd.h"

/* Faults, far more than hardware puts into a group. */
#define FAULT_BATCH_MAX 65536

/* A group of faults that follow each other. */
struct fault_run {
	uint64_t token; /* what it is answered by */
	uint32_t faults;
};

struct libiommu_fault_batch {
	struct uapi_hwpt_pgfault *raw; /* as read; of no meaning once they are translated */
	struct libiommu_record *faults;
	struct fault_run *runs;
	size_t room; /* of each */
	size_t count;
	size_t groups;
	/* For who hands it on group by group: the first fault and group that are not yet. */
	size_t next;
	size_t next_group;
};

static inline void fault_batch_clear(struct libiommu_fault_batch *batch)
{
	batch->count = batch->groups = 0;
	batch->next = batch->next_group = 0;
}

/* All groups are handed on. */
static inline bool fault_batch_is_done(const struct libiommu_fault_batch *batch)
{
	return batch->next_group == batch->groups;
}

/* The next one, which there must be. */
static inline const struct fault_run *fault_batch_run(const struct libiommu_fault_batch *batch)
{
	return &batch->runs[batch->next_group];
}

static inline void fault_batch_advance(struct libiommu_fault_batch *batch)
{
	batch->next += fault_batch_run(batch)->faults;
	batch->next_group++;
}

/* Returns false without memory; the batch is as it was. */
bool li_fault_batch_grow(struct libiommu_fault_batch *batch, size_t room);
/* What it has, not the batch. */
void li_fault_batch_free_arrays(struct libiommu_fault_batch *batch);

#endif

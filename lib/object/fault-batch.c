/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fault-batch.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/array.h"
#include "ctx.h"

#define FIRST_ROOM 64

bool li_fault_batch_grow(struct libiommu_fault_batch *batch, size_t room)
{
	void *raw = batch->raw, *faults = batch->faults, *runs = batch->runs;
	const bool grown = array_grow(&raw, room, sizeof(*batch->raw)) &&
	                   array_grow(&faults, room, sizeof(*batch->faults)) &&
	                   array_grow(&runs, room, sizeof(*batch->runs));

	batch->raw = raw;
	batch->faults = faults;
	batch->runs = runs;
	if (grown)
		batch->room = room;
	return grown;
}

void li_fault_batch_free_arrays(struct libiommu_fault_batch *batch)
{
	free(batch->raw);
	free(batch->faults);
	free(batch->runs);
}

int libiommu_fault_batch_new(size_t records, struct libiommu_fault_batch **batch)
{
	struct libiommu_fault_batch *made;

	if (!batch)
		return FAIL_NULL(NULL);
	if (records > FAULT_BATCH_MAX)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "no group is that large",
		                    .amount = records, .unit = "faults");
	made = calloc(1, sizeof(*made));
	if (!made || !li_fault_batch_grow(made, records ? records : FIRST_ROOM)) {
		libiommu_fault_batch_free(made);
		return FAIL_MEMORY(NULL);
	}
	*batch = made;
	return 0;
}

void libiommu_fault_batch_free(struct libiommu_fault_batch *batch)
{
	if (!batch)
		return;
	li_fault_batch_free_arrays(batch);
	free(batch);
}

size_t libiommu_fault_batch_count(const struct libiommu_fault_batch *batch)
{
	return batch ? batch->count : 0;
}

const struct libiommu_record *libiommu_fault_batch_get(const struct libiommu_fault_batch *batch,
                                                       size_t index)
{
	return batch && index < batch->count ? &batch->faults[index] : NULL;
}

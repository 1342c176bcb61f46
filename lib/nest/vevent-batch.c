/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vevent-batch.h"

#include <errno.h>
#include <stdlib.h>

#include "../object/ctx.h"

#define BATCH_DEFAULT 64
#define BATCH_MAX     65536

int libiommu_vevent_batch_new(size_t events, struct libiommu_vevent_batch **batch)
{
	struct libiommu_vevent_batch *made;

	if (!batch)
		return FAIL_NULL(NULL);
	if (events > BATCH_MAX)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "too large", .amount = events,
		                    .unit = "events");
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(NULL);
	made->max = events ? events : BATCH_DEFAULT;
	made->events = calloc(made->max, sizeof(*made->events));
	if (!made->events) {
		free(made);
		return FAIL_MEMORY(NULL);
	}
	*batch = made;
	return 0;
}

void libiommu_vevent_batch_free(struct libiommu_vevent_batch *batch)
{
	if (!batch)
		return;
	free(batch->data);
	free(batch->events);
	free(batch);
}

size_t libiommu_vevent_batch_count(const struct libiommu_vevent_batch *batch)
{
	return batch ? batch->count : 0;
}

const struct libiommu_vevent *libiommu_vevent_batch_get(const struct libiommu_vevent_batch *batch,
                                                        size_t index)
{
	return batch && index < batch->count ? &batch->events[index] : NULL;
}

int li_vevent_batch_prepare(struct libiommu_vevent_batch *batch, size_t length)
{
	const size_t size = batch->max * length;
	unsigned char *data;

	batch->count = 0;
	if (size <= batch->size)
		return 0;
	data = malloc(size);
	if (!data)
		return -ENOMEM;
	free(batch->data);
	batch->data = data;
	batch->size = size;
	return 0;
}

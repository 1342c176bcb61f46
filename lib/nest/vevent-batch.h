/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_NEST_VEVENT_BATCH_H
#define LIBIOMMU_NEST_VEVENT_BATCH_H

#include <libiommu/veventq.h>

struct libiommu_vevent_batch {
	size_t max;
	size_t count;
	struct libiommu_vevent *events;
	unsigned char *data;
	size_t size; /* bytes of the data's room */
};

/* Room for as many events of @length bytes with header as the batch holds: 0 or -ENOMEM. */
int li_vevent_batch_prepare(struct libiommu_vevent_batch *batch, size_t length);

#endif

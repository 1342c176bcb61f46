/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_FAULT_RING_QUEUE_H
#define LIBIOMMU_FAULT_RING_QUEUE_H

#include <pthread.h>

#include "queue-source.h"

/* Part of the ring. */
struct ring_queues {
	pthread_mutex_t lock;
	struct queue_source *first;
};

void li_ring_queues_init(struct ring_queues *queues);
/* Before the filler goes. */
void li_ring_queues_free(struct ring_queues *queues, struct filler *filler);

#endif

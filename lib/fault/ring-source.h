/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The kernel's queues that feed a ring, of whatever kind. */
#ifndef LIBIOMMU_FAULT_RING_SOURCE_H
#define LIBIOMMU_FAULT_RING_SOURCE_H

#include <pthread.h>

#include "source.h"

struct filler;
struct libiommu_ctx;
struct libiommu_ring;

/* First in the structure of what it is the source of. */
struct ring_source {
	struct source source;
	const void *of; /* the queue's handle */
	/* When it is no source any more: lets go of the queue, and frees itself. */
	void (*end)(struct ring_source *self);
	struct ring_source *next;
};

/* Part of the ring. */
struct ring_sources {
	pthread_mutex_t lock;
	struct ring_source *first;
};

void li_ring_sources_init(struct ring_sources *sources);
/* Before the filler goes. */
void li_ring_sources_free(struct ring_sources *sources, struct filler *filler);

/* The source is the ring's; an error has ended it. */
int li_ring_sources_add(struct libiommu_ring *ring, struct ring_source *source);
/* -ENOENT where the ring does not have it. */
int li_ring_sources_remove(struct libiommu_ring *ring, const void *of);

/* Records why a queue could not be added: @error. */
int li_ring_add_failed(struct libiommu_ctx *ctx, const char *operation, int error, uint32_t id);

#endif

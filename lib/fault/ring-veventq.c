/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The event queues that feed a ring. */
#include <errno.h>

#include "../nest/veventq.h"
#include "../nest/viommu.h"
#include "event-source.h"
#include "ring.h"

int libiommu_ring_add_veventq(struct libiommu_ring *ring, struct libiommu_veventq *queue,
                              uint64_t tag)
{
	struct ring_source *made;
	struct libiommu_ctx *ctx;
	int error;

	if (!ring || !queue)
		return FAIL_NULL(ring ? li_ring_ctx(ring) : NULL);
	ctx = li_ring_ctx(ring);
	if (li_viommu_ctx(queue->viommu) != ctx)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL,
		                    "the ring and the queue are of different contexts",
		                    .id = queue->id);
	if (li_ring_forked(ring))
		return FAIL_FORKED(ctx);
	error = li_event_source_new(queue, tag, &made);
	if (!error)
		error = li_ring_sources_add(ring, made);
	return error ? li_ring_add_failed(ctx, __func__, error, queue->id) : 0;
}

int libiommu_ring_remove_veventq(struct libiommu_ring *ring, struct libiommu_veventq *queue)
{
	if (!ring || !queue)
		return FAIL_NULL(ring ? li_ring_ctx(ring) : NULL);
	if (li_ring_forked(ring))
		return FAIL_FORKED(li_ring_ctx(ring));
	if (li_ring_sources_remove(ring, queue))
		return FAIL_LIBRARY(li_ring_ctx(ring), __func__, -ENOENT,
		                    "the ring does not have the queue", .id = queue->id);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The fault queues that feed a ring. */
#include <errno.h>

#include "../object/ctx.h"
#include "../object/fault-queue.h"
#include "queue-source.h"
#include "ring.h"

/* As libiommu_ring_add_queue() returns. */
static int add(struct libiommu_ring *ring, struct libiommu_fault_queue *queue, bool feed)
{
	struct ring_source *made;
	int error;

	error = li_queue_source_new(li_ring_filler(ring), queue, &feed, &made);
	if (!error)
		error = li_ring_sources_add(ring, made);
	return error ? error : feed;
}

int libiommu_ring_add_queue(struct libiommu_ring *ring, struct libiommu_fault_queue *queue,
                            uint32_t flags)
{
	struct libiommu_ctx *ctx;
	int result;

	if (!ring || !queue)
		return FAIL_NULL(ring ? li_ring_ctx(ring) : NULL);
	ctx = li_ring_ctx(ring);
	if (flags & ~LIBIOMMU_RING_IO_URING)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "unknown flag", .amount = flags,
		                    .unit = "are the flags");
	if (li_fault_queue_ctx(queue) != ctx)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL,
		                    "the ring and the queue are of different contexts",
		                    .id = li_fault_queue_id(queue));
	if (li_ring_forked(ring))
		return FAIL_FORKED(ctx);
	result = add(ring, queue, flags & LIBIOMMU_RING_IO_URING);
	return result < 0 ? li_ring_add_failed(ctx, __func__, result, li_fault_queue_id(queue))
	                  : result;
}

int libiommu_ring_remove_queue(struct libiommu_ring *ring, struct libiommu_fault_queue *queue)
{
	if (!ring || !queue)
		return FAIL_NULL(ring ? li_ring_ctx(ring) : NULL);
	if (li_ring_forked(ring))
		return FAIL_FORKED(li_ring_ctx(ring));
	if (li_ring_sources_remove(ring, queue))
		return FAIL_LIBRARY(li_ring_ctx(ring), __func__, -ENOENT,
		                    "the ring does not have the queue",
		                    .id = li_fault_queue_id(queue));
	return 0;
}

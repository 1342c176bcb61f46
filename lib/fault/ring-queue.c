/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The fault queues that feed a ring. */
#include "ring-queue.h"

#include <errno.h>

#include "../object/ctx.h"
#include "../object/fault-queue.h"
#include "ring.h"

void li_ring_queues_init(struct ring_queues *queues)
{
	pthread_mutex_init(&queues->lock, NULL);
	queues->first = NULL;
}

static void let_go(struct filler *filler, struct queue_source *source)
{
	li_filler_remove(filler, li_queue_source(source));
	li_queue_source_free(source);
}

void li_ring_queues_free(struct ring_queues *queues, struct filler *filler)
{
	while (queues->first) {
		struct queue_source *const source = queues->first;

		queues->first = *li_queue_source_next(source);
		let_go(filler, source);
	}
	pthread_mutex_destroy(&queues->lock);
}

static int add(struct libiommu_ring *ring, struct libiommu_fault_queue *queue, bool feed)
{
	struct ring_queues *const queues = li_ring_queues(ring);
	struct filler *const filler = li_ring_filler(ring);
	struct queue_source *made;
	int error;

	error = li_queue_source_new(filler, queue, feed, &made);
	if (error)
		return error;
	pthread_mutex_lock(&queues->lock);
	error = li_filler_add(filler, li_queue_source(made));
	if (!error) {
		*li_queue_source_next(made) = queues->first;
		queues->first = made;
	}
	feed = li_queue_source_is_fed(made);
	pthread_mutex_unlock(&queues->lock);
	if (error)
		li_queue_source_free(made);
	return error ? error : feed;
}

int libiommu_ring_add_queue(struct libiommu_ring *ring, struct libiommu_fault_queue *queue,
                            uint32_t flags)
{
	struct libiommu_ctx *ctx;
	const char *text = NULL;
	int error;

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
	error = add(ring, queue, flags & LIBIOMMU_RING_IO_URING);
	switch (error) {
	case 0:
	case 1:
		return error;
	case -ENOMEM:
		return FAIL_MEMORY(ctx);
	case -EBUSY:
		text = "a ring has the queue already";
		break;
	case -EBADF:
		text = "the queue's descriptor was closed by a destroy that failed";
		break;
	case -ENOSPC:
		text = "the ring has as many sources as it can have";
		break;
	}
	if (text)
		return FAIL_LIBRARY(ctx, __func__, error, text, .id = li_fault_queue_id(queue));
	return FAIL_KERNEL(ctx, __func__, error, CALL_RING, .id = li_fault_queue_id(queue));
}

/* Out of the list; NULL where the ring does not have the queue. */
static struct queue_source *take(struct ring_queues *queues,
                                 const struct libiommu_fault_queue *queue)
{
	struct queue_source *found = NULL;

	pthread_mutex_lock(&queues->lock);
	for (struct queue_source **link = &queues->first; *link && !found;) {
		if (li_queue_source_queue(*link) == queue) {
			found = *link;
			*link = *li_queue_source_next(found);
		} else {
			link = li_queue_source_next(*link);
		}
	}
	pthread_mutex_unlock(&queues->lock);
	return found;
}

int libiommu_ring_remove_queue(struct libiommu_ring *ring, struct libiommu_fault_queue *queue)
{
	struct queue_source *found;
	struct libiommu_ctx *ctx;

	if (!ring || !queue)
		return FAIL_NULL(ring ? li_ring_ctx(ring) : NULL);
	ctx = li_ring_ctx(ring);
	if (li_ring_forked(ring))
		return FAIL_FORKED(ctx);
	found = take(li_ring_queues(ring), queue);
	if (!found)
		return FAIL_LIBRARY(ctx, __func__, -ENOENT, "the ring does not have the queue",
		                    .id = li_fault_queue_id(queue));
	let_go(li_ring_filler(ring), found);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A fault queue and who else has to do with its lock: the changes of what is attached, and whoever
 * reads and answers in the name of others.
 *
 * Cookies are reused by the kernel at once. So each of these is one step under the queue's lock:
 * read, register and translate; change an attachment, its slot, and purge its groups; check tokens,
 * write, retire. Lock order: device, queues by id. Nothing is called back under it.
 */
#ifndef LIBIOMMU_OBJECT_FAULT_QUEUE_H
#define LIBIOMMU_OBJECT_FAULT_QUEUE_H

#include <libiommu/fault-queue.h>

#include "ctx.h"

struct fault_groups;
struct slot;

/* What came of a call on the queue; the kernel's doing if @call says what. */
struct fault_outcome {
	int error;
	enum failure_call call;
	const char *text;
	size_t done;
	size_t stale;
};

struct libiommu_ctx *li_fault_queue_ctx(const struct libiommu_fault_queue *queue);
uint32_t li_fault_queue_id(const struct libiommu_fault_queue *queue);
/* A page table that must go before the queue. NULL does nothing. */
void li_fault_queue_pin(struct libiommu_fault_queue *queue);
void li_fault_queue_unpin(struct libiommu_fault_queue *queue);

/* Either may be NULL, both may be the same. */
void li_fault_queue_lock(struct libiommu_fault_queue *a, struct libiommu_fault_queue *b);
void li_fault_queue_unlock(struct libiommu_fault_queue *a, struct libiommu_fault_queue *b);

/*
 * With the lock: what was attached at the slot is no more, as far as the kernel goes. Its groups
 * are answered and retired. NULL does nothing.
 */
void li_fault_queue_purge(struct libiommu_fault_queue *queue, const struct slot *slot);

/*
 * The two steps that take the lock, for whoever reads in the name of others; they record nothing.
 * Fetch fills @batch; its @done is the count of faults.
 */
struct fault_outcome li_fault_queue_fetch(struct libiommu_fault_queue *queue,
                                          struct libiommu_fault_batch *batch);
struct fault_outcome li_fault_queue_answer(struct libiommu_fault_queue *queue,
                                           const struct libiommu_fault_response *responses,
                                           size_t count);

/* For the parts of the queue, with the lock. The descriptor is -1 once it is closed. */
struct fault_groups *li_fault_queue_groups(struct libiommu_fault_queue *queue);
int li_fault_queue_descriptor(const struct libiommu_fault_queue *queue);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The kernel's fault queues as sources of a ring. */
#ifndef LIBIOMMU_FAULT_QUEUE_SOURCE_H
#define LIBIOMMU_FAULT_QUEUE_SOURCE_H

#include <libiommu/fault-queue.h>

#include "filler.h"

struct queue_source;

/*
 * Takes the queue for the ring; from then on nobody else may read it. -EBUSY where a ring has it,
 * -EBADF where it is closed.
 */
int li_queue_source_new(struct filler *filler, struct libiommu_fault_queue *queue, bool feed,
                        struct queue_source **source);
/* The kernel reads ahead, through io_uring. */
bool li_queue_source_is_fed(const struct queue_source *source);
/* When it is no source any more: what was read and not published is answered INVALID. */
void li_queue_source_free(struct queue_source *source);
struct source *li_queue_source(struct queue_source *source);
const struct libiommu_fault_queue *li_queue_source_queue(const struct queue_source *source);
/* Where the ring's list of them goes on. */
struct queue_source **li_queue_source_next(struct queue_source *source);

#endif

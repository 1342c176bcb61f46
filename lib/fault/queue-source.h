/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The kernel's fault queues as sources of a ring. */
#ifndef LIBIOMMU_FAULT_QUEUE_SOURCE_H
#define LIBIOMMU_FAULT_QUEUE_SOURCE_H

#include <libiommu/fault-queue.h>

#include <stdbool.h>

#include "filler.h"
#include "ring-source.h"

/*
 * Takes the queue for the ring; from then on nobody else may read it. -EBUSY where a ring has it,
 * -EBADF where it is closed. @feed: the kernel shall read ahead, through io_uring; and does so. At
 * its end, what was read and not published is answered INVALID.
 */
int li_queue_source_new(struct filler *filler, struct libiommu_fault_queue *queue, bool *feed,
                        struct ring_source **source);

#endif

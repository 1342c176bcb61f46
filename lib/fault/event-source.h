/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The event queues of vIOMMUs as sources of a ring. */
#ifndef LIBIOMMU_FAULT_EVENT_SOURCE_H
#define LIBIOMMU_FAULT_EVENT_SOURCE_H

#include <libiommu/veventq.h>

#include "ring-source.h"

/*
 * Takes the queue for the ring; from then on nobody else may read it. -EBUSY where a ring has it,
 * -EBADF where it is closed. Its records have the tag.
 */
int li_event_source_new(struct libiommu_veventq *queue, uint64_t tag, struct ring_source **source);

#endif

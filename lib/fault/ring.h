/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_FAULT_RING_H
#define LIBIOMMU_FAULT_RING_H

#include <libiommu/ring.h>

#include "filler.h"
#include "ring-source.h"

/* Where sources are added to a ring. */
struct filler *li_ring_filler(struct libiommu_ring *ring);
struct ring_sources *li_ring_sources(struct libiommu_ring *ring);
struct libiommu_ctx *li_ring_ctx(const struct libiommu_ring *ring);
/* This is a forked child, and the ring its parent's. */
bool li_ring_forked(const struct libiommu_ring *ring);

#define FAIL_FORKED(ctx)                                                                           \
	FAIL_LIBRARY(ctx, __func__, -ECHILD, "a forked child has no part in its parent's ring",    \
	             .id = 0)

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_FAULT_RING_H
#define LIBIOMMU_FAULT_RING_H

#include <libiommu/ring.h>

#include "filler.h"

/* Where sources are added to a ring. */
struct filler *li_ring_filler(struct libiommu_ring *ring);

#endif

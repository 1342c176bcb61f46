/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_FAULT_RING_CONFIG_H
#define LIBIOMMU_FAULT_RING_CONFIG_H

#include "filler.h"

/* What was chosen, or the defaults where @config is NULL. */
struct filler_choices li_ring_choices(const struct libiommu_ring_config *config);

#endif

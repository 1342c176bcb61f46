/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What the themes of nesting share: a parent, and what stands on it. */
#ifndef NEST_H
#define NEST_H

#include "suite.h"

struct nest {
	struct rig *rig;
	struct libiommu_device *dev; /* with PASIDs where there are any */
	struct libiommu_hwpt *parent;
	struct libiommu_hwpt_config *config; /* of nested page tables */
};

struct nest nest_begin(struct rig *rig);
/* What the rig does not know of; a test that fails leaves it. */
void nest_end(struct nest *n);

struct libiommu_hwpt *nest_table(struct nest *n);
struct libiommu_viommu *nest_viommu(struct nest *n);
struct libiommu_hwpt *nest_viommu_table(struct nest *n, struct libiommu_viommu *viommu);
struct libiommu_vdevice *nest_vdevice(struct nest *n, struct libiommu_viommu *viommu,
                                      struct libiommu_device *dev, uint64_t virt_id);

/* What is cached: of each value '1' as at first, '0' invalidated. */
void nest_check_iotlb(struct nest *n, const struct libiommu_hwpt *table, const char *values);
void nest_check_cache(struct nest *n, struct libiommu_device *dev, const char *values);

#endif

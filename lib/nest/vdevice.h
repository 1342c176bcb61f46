/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_NEST_VDEVICE_H
#define LIBIOMMU_NEST_VDEVICE_H

#include <libiommu/vdevice.h>

struct libiommu_viommu *li_vdevice_viommu(const struct libiommu_vdevice *vdev);
struct libiommu_device *li_vdevice_device(const struct libiommu_vdevice *vdev, uint64_t *virt_id);
/*
 * The handle of one that the kernel has: 0, -ENOMEM, or -EEXIST where the device has one. Before
 * anybody else knows the device; nothing is recorded.
 */
int li_vdevice_restore(struct libiommu_viommu *viommu, struct libiommu_device *dev,
                       uint64_t virt_id, uint32_t id, struct libiommu_vdevice **vdev);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_NEST_HW_QUEUE_H
#define LIBIOMMU_NEST_HW_QUEUE_H

#include <libiommu/hw-queue.h>

struct libiommu_viommu *li_hw_queue_viommu(const struct libiommu_hw_queue *queue);
/* The handle of one that the kernel has: 0 or -ENOMEM, which is not recorded. */
int li_hw_queue_restore(struct libiommu_viommu *viommu, uint32_t id,
                        struct libiommu_hw_queue **queue);

#endif

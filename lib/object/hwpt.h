/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_HWPT_H
#define LIBIOMMU_OBJECT_HWPT_H

#include <libiommu/hwpt.h>

struct libiommu_ctx *li_hwpt_ctx(const struct libiommu_hwpt *hwpt);
uint32_t li_hwpt_id(const struct libiommu_hwpt *hwpt);
/* Where page requests go; NULL for nowhere. */
struct libiommu_fault_queue *li_hwpt_fault_queue(const struct libiommu_hwpt *hwpt);
/* The PASID table of a device that it is attached to is the guest's, with the guest's numbers. */
bool li_hwpt_guest_owns_pasids(const struct libiommu_hwpt *hwpt);
/* Something that must go before the page table: an attachment. */
void li_hwpt_pin(struct libiommu_hwpt *hwpt);
void li_hwpt_unpin(struct libiommu_hwpt *hwpt);

#endif

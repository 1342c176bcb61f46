/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_NEST_VIOMMU_H
#define LIBIOMMU_NEST_VIOMMU_H

#include <libiommu/viommu.h>

#include "../object/ctx.h"
#include "vdevice-table.h"

struct libiommu_ctx *li_viommu_ctx(const struct libiommu_viommu *viommu);
uint32_t li_viommu_id(const struct libiommu_viommu *viommu);
uint32_t li_viommu_type(const struct libiommu_viommu *viommu);
struct vdevice_table *li_viommu_vdevices(struct libiommu_viommu *viommu);
/* Something that must go before the vIOMMU. */
void li_viommu_pin(struct libiommu_viommu *viommu);
void li_viommu_unpin(struct libiommu_viommu *viommu);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_NEST_VIOMMU_H
#define LIBIOMMU_NEST_VIOMMU_H

#include <libiommu/viommu.h>

#include "../object/ctx.h"
#include "../object/hwpt.h"
#include "vdevice-table.h"

struct libiommu_ctx *li_viommu_ctx(const struct libiommu_viommu *viommu);
uint32_t li_viommu_id(const struct libiommu_viommu *viommu);
uint32_t li_viommu_type(const struct libiommu_viommu *viommu);
/* Whether destroying the handle destroys it. */
bool li_viommu_is_own(const struct libiommu_viommu *viommu);
/* What it was made on; NULL when adopted. */
struct libiommu_hwpt *li_viommu_parent(const struct libiommu_viommu *viommu);
/* The type's data, and in @length how much there is. */
unsigned char *li_viommu_bytes(struct libiommu_viommu *viommu, size_t *length);
/* To make page tables on it. */
struct hwpt_base li_viommu_base(struct libiommu_viommu *viommu);
/*
 * What was not known of one that was adopted: the type, the parent, which may be NULL, and so much
 * room for data, which is returned; NULL without memory, or for no room.
 */
unsigned char *li_viommu_set_origin(struct libiommu_viommu *viommu, uint32_t type,
                                    struct libiommu_hwpt *parent, size_t length);
struct vdevice_table *li_viommu_vdevices(struct libiommu_viommu *viommu);
/* Something that must go before the vIOMMU. */
void li_viommu_pin(struct libiommu_viommu *viommu);
void li_viommu_unpin(struct libiommu_viommu *viommu);

#endif

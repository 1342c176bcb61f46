/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page tables for devices that no IOMMU is in front of: for addresses to be looked up only. */
#ifndef EMU_NOIOMMU_H
#define EMU_NOIOMMU_H

#include "iommu.h"

struct emu_iommu *emu_noiommu(void);

#endif

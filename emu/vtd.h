/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The IOMMU of Intel's platforms, in scalable mode: Intel VT-d specification, revision 4. */
#ifndef EMU_VTD_H
#define EMU_VTD_H

#include "iommu.h"

/* As libiommu_emu_iommu_add_vtd(), but for adding it. */
int emu_vtd_new(uint32_t flags, uint32_t pasid_bits, struct emu_iommu **iommu);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The IOMMU of Intel's platforms, in scalable mode: Intel VT-d specification, revision 4. */
#ifndef EMU_VTD_H
#define EMU_VTD_H

#include "iommu.h"

/* What differs from one to another; what all zero has not is left out. */
struct emu_vtd_spec {
	unsigned int pasid_bits; /* 1 to 20; 0: no PASIDs */
	bool dirty;              /* second-stage tables tell what was written */
	bool five_levels;        /* of first-stage tables */
	bool extended_accessed;
};

/* 0, -EINVAL or -ENOMEM; emu_iommu_add() is the caller's. */
int emu_vtd_new(const struct emu_vtd_spec *spec, struct emu_iommu **iommu);

#endif

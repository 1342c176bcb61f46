/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A guest's own page table on VT-d: first stage in its memory, over a second stage of the host. */
#ifndef EMU_VTD_NESTED_H
#define EMU_VTD_NESTED_H

#include "iommu.h"

/* Over @parent, which nests: 0 or -errno as the kernel's driver for VT-d. */
int emu_vtd_nested(struct emu_iommu *iommu, struct emu_domain *parent, uint32_t flags,
                   const struct emu_user_data *data, struct emu_domain **domain);
/* Whether the hardware with these capabilities can walk it: 0 or -EINVAL. */
int emu_vtd_nested_check(const struct emu_domain *domain, uint64_t cap, uint64_t ecap);
/* Nothing of it is cached any more. */
void emu_vtd_nested_forget(struct emu_domain *domain);
bool emu_vtd_is_nested(const struct emu_domain *domain);

#endif

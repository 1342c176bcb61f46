/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Domains that the kernel fills, on a table of its own. */
#ifndef EMU_PAGING_H
#define EMU_PAGING_H

#include "iommu.h"
#include "table.h"

/* The first member of a driver's own, which emu_alloc() has given. */
struct emu_paging {
	struct emu_domain domain;
	struct emu_table table;
};

extern const struct emu_domain_ops emu_paging_ops;

/* Its ops are emu_paging_ops, all that the table can have can be mapped: 0 or -ENOMEM. */
int emu_paging_init(struct emu_paging *paging, struct emu_iommu *iommu, unsigned int granule,
                    unsigned int levels, uint64_t sizes);

#endif

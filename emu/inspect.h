/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Objects as a program names them, and what they show. */
#ifndef EMU_INSPECT_H
#define EMU_INSPECT_H

#include "ctx.h"

struct emu_domain;

/* NULL: *@error is -EBADF where that is no context, or -ENOENT. Else it is 0. */
struct emu_object *emu_inspect(struct libiommu_emu *emu, int iommufd, uint32_t id,
                               enum emu_type type, int *error);
/*
 * Whether a page table has this process's memory there, page by page of its own: 0; -EINVAL: it has
 * not; -EFAULT: there is no memory.
 */
int emu_inspect_map(const struct emu_domain *domain, uint64_t iova, uintptr_t address,
                    uint64_t length);

#endif

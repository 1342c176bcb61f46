/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What VFIO's GET_INFO says of the address space of a container. */
#ifndef EMU_COMPAT_INFO_H
#define EMU_COMPAT_INFO_H

#include "ctx.h"

int emu_compat_info(struct emu_ctx *ctx, const struct emu_task *task, uintptr_t arg);

#endif

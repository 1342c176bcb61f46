/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The ioctls of /dev/iommu: which there are, and the rules that all of them share. */
#ifndef EMU_COMMAND_H
#define EMU_COMMAND_H

#include "ctx.h"

int emu_command(struct emu_ctx *ctx, const struct emu_task *task, unsigned long request,
                uintptr_t arg);

#endif

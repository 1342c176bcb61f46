/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * VFIO's own calls on the descriptor of a context, which has one address space for them: that of a
 * container, made when the first group comes.
 */
#ifndef EMU_COMPAT_H
#define EMU_COMPAT_H

#include "ctx.h"

/* There is one from now on: 0; -EINVAL: no IOMMU is wanted; -ENOMEM. */
int emu_compat_create(struct emu_ctx *ctx);
/* A group without an IOMMU comes: 0; -EINVAL: there is an address space. */
int emu_compat_set_noiommu(struct emu_ctx *ctx);

/* -ENOTTY: no such call. */
int emu_compat_ioctl(struct emu_ctx *ctx, const struct emu_task *task, unsigned long request,
                     uintptr_t arg);
/* A command. */
int emu_vfio_ioas(struct emu_call *call);

#endif

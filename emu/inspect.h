/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Objects as a program names them. */
#ifndef EMU_INSPECT_H
#define EMU_INSPECT_H

#include "ctx.h"

/* NULL: *@error is -EBADF where that is no context, or -ENOENT. Else it is 0. */
struct emu_object *emu_inspect(struct libiommu_emu *emu, int iommufd, uint32_t id,
                               enum emu_type type, int *error);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_CTX_OPEN_H
#define LIBIOMMU_OBJECT_CTX_OPEN_H

#include "ctx-config.h"
#include "ctx.h"

/* The way to the kernel that was chosen, or what there is; an error is recorded. */
int li_ctx_open(const struct libiommu_sys *sys, const struct ctx_choices *choices,
                const char *operation, struct backend *backend);

#endif

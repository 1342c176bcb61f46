/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What others have made, and a handle is to be made for: the same questions for every kind. Errors
 * are recorded under @operation.
 */
#ifndef LIBIOMMU_OBJECT_ADOPT_H
#define LIBIOMMU_OBJECT_ADOPT_H

#include "ctx.h"

/* 0 or -EINVAL. */
int li_adopt_check_id(struct libiommu_ctx *ctx, const char *operation, uint32_t id,
                      enum libiommu_id_mode mode);
int li_adopt_check_fd(struct libiommu_ctx *ctx, const char *operation, int fd,
                      enum libiommu_fd_mode mode);
/* The descriptor to use, which is another one where the mode says so; or -errno. */
int li_adopt_fd(struct libiommu_ctx *ctx, const char *operation, int fd,
                enum libiommu_fd_mode mode);

#endif

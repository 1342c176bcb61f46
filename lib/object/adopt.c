/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "adopt.h"

#include <errno.h>

/* Legacy containers have neither ids nor descriptors that could be taken over. */
static int check_iommufd(struct libiommu_ctx *ctx, const char *operation)
{
	if (!li_ctx_backend(ctx)->type1)
		return 0;
	return FAIL_KERNEL(ctx, operation, -EOPNOTSUPP, CALL_NONE, .id = 0);
}

int li_adopt_check_id(struct libiommu_ctx *ctx, const char *operation, uint32_t id,
                      enum libiommu_id_mode mode)
{
	if (!id || (unsigned int)mode > LIBIOMMU_ID_BORROW)
		return FAIL_LIBRARY(ctx, operation, -EINVAL, "the id is 0, or the mode unknown",
		                    .id = id);
	return check_iommufd(ctx, operation);
}

int li_adopt_check_fd(struct libiommu_ctx *ctx, const char *operation, int fd,
                      enum libiommu_fd_mode mode)
{
	if (fd < 0 || (unsigned int)mode > LIBIOMMU_FD_DUP)
		return FAIL_LIBRARY(ctx, operation, -EINVAL, "no descriptor, or an unknown mode",
		                    .id = 0);
	return check_iommufd(ctx, operation);
}

int li_adopt_fd(struct libiommu_ctx *ctx, const char *operation, int fd, enum libiommu_fd_mode mode)
{
	int copy = fd;

	if (mode == LIBIOMMU_FD_DUP)
		copy = li_sys_dup(li_ctx_backend(ctx)->sys, fd);
	return copy < 0 ? FAIL_KERNEL(ctx, operation, copy, CALL_DUP, .id = 0) : copy;
}

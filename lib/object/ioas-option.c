/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What an address space is used as, and how; where its memory is for devices without an IOMMU. */
#include <errno.h>

#include "ctx.h"
#include "ioas.h"

static int ask_compat(struct libiommu_ctx *ctx, const char *operation, uint16_t op, uint32_t id)
{
	struct uapi_vfio_ioas cmd = {.size = sizeof(cmd), .op = op, .ioas_id = id};
	const int error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_VFIO_IOAS, &cmd);

	return error ? FAIL_KERNEL(ctx, operation, error, CALL_COMPAT, .id = id) : 0;
}

int libiommu_ioas_set_compat(struct libiommu_ioas *ioas)
{
	if (!ioas)
		return FAIL_NULL(NULL);
	return ask_compat(li_ioas_ctx(ioas), __func__, UAPI_VFIO_IOAS_SET, li_ioas_id(ioas));
}

int libiommu_ioas_clear_compat(struct libiommu_ctx *ctx)
{
	if (!ctx)
		return FAIL_NULL(NULL);
	return ask_compat(ctx, __func__, UAPI_VFIO_IOAS_CLEAR, 0);
}

static int ask_huge_pages(struct libiommu_ioas *ioas, const char *operation, uint16_t op,
                          uint64_t *value)
{
	struct libiommu_ctx *const ctx = li_ioas_ctx(ioas);
	struct uapi_option cmd = {
		.size = sizeof(cmd),
		.option_id = UAPI_OPTION_HUGE_PAGES,
		.op = op,
		.object_id = li_ioas_id(ioas),
		.val64 = *value,
	};
	const int error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_OPTION, &cmd);

	if (error)
		return FAIL_KERNEL(ctx, operation, error, CALL_HUGE_PAGES, .id = li_ioas_id(ioas));
	*value = cmd.val64;
	return 0;
}

int libiommu_ioas_set_huge_pages(struct libiommu_ioas *ioas, bool allow)
{
	uint64_t value = allow;

	if (!ioas)
		return FAIL_NULL(NULL);
	return ask_huge_pages(ioas, __func__, UAPI_OPTION_OP_SET, &value);
}

int libiommu_ioas_get_huge_pages(struct libiommu_ioas *ioas, bool *allowed)
{
	uint64_t value = 0;
	int error;

	if (!ioas || !allowed)
		return FAIL_NULL(ioas ? li_ioas_ctx(ioas) : NULL);
	error = ask_huge_pages(ioas, __func__, UAPI_OPTION_OP_GET, &value);
	if (!error)
		*allowed = value;
	return error;
}

int libiommu_ioas_noiommu_get_pa(const struct libiommu_ioas *ioas, uint64_t iova, uint64_t length,
                                 uint64_t *address, uint64_t *contiguous)
{
	struct uapi_ioas_noiommu_get_pa cmd = {
		.size = sizeof(cmd),
		.iova = iova,
		.length = length,
	};
	struct libiommu_ctx *ctx;
	int error;

	if (!ioas || !address || !contiguous)
		return FAIL_NULL(ioas ? li_ioas_ctx(ioas) : NULL);
	ctx = li_ioas_ctx(ioas);
	cmd.ioas_id = li_ioas_id(ioas);
	if (!length)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "the length is 0", .id = cmd.ioas_id,
		                    .start = iova);
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_IOAS_NOIOMMU_GET_PA, &cmd);
	if (error)
		return FAIL_KERNEL(ctx, __func__, error, CALL_PHYSICAL, .id = cmd.ioas_id,
		                   .start = iova, .length = length);
	*address = cmd.out_phys;
	*contiguous = cmd.length;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ioas.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../base/uapi/iommufd.h"
#include "adopt.h"
#include "ctx.h"

struct libiommu_ioas {
	struct libiommu_ctx *ctx;
	uint32_t id;
	bool own;
	atomic_uint_least32_t pins;
	atomic_int_least64_t mapped;
	atomic_int_least64_t others; /* at most so much of it is not from files of memory */
};

static struct libiommu_ioas *new_handle(struct libiommu_ctx *ctx, uint32_t id, bool own)
{
	struct libiommu_ioas *const ioas = malloc(sizeof(*ioas));

	if (!ioas)
		return NULL;
	ioas->ctx = ctx;
	ioas->id = id;
	ioas->own = own;
	atomic_init(&ioas->pins, 0);
	atomic_init(&ioas->mapped, 0);
	atomic_init(&ioas->others, 0);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_IOAS, 1);
	return ioas;
}

static void free_handle(struct libiommu_ioas *ioas)
{
	li_ctx_count_mapped(ioas->ctx, -atomic_load(&ioas->mapped));
	li_ctx_count(ioas->ctx, LIBIOMMU_OBJECT_IOAS, -1);
	free(ioas);
}

int libiommu_ioas_alloc(struct libiommu_ctx *ctx, struct libiommu_ioas **ioas)
{
	const struct backend *backend;
	struct libiommu_ioas *made;
	struct refusal refusal;
	int error;

	if (!ctx || !ioas)
		return FAIL_NULL(ctx);
	made = new_handle(ctx, 0, true);
	if (!made)
		return FAIL_MEMORY(ctx);
	backend = li_ctx_backend(ctx);
	error = backend->ops->ioas_alloc(backend, &made->id, &refusal);
	if (error) {
		free_handle(made);
		return FAIL_REFUSED(ctx, __func__, &refusal, .id = 0);
	}
	*ioas = made;
	return 0;
}

int libiommu_ioas_adopt(struct libiommu_ctx *ctx, uint32_t id, enum libiommu_id_mode mode,
                        struct libiommu_ioas **ioas)
{
	struct libiommu_ioas *made;
	int error;

	if (!ctx || !ioas)
		return FAIL_NULL(ctx);
	error = li_adopt_check_id(ctx, __func__, id, mode);
	if (error)
		return error;
	made = new_handle(ctx, id, mode == LIBIOMMU_ID_OWN);
	if (!made)
		return FAIL_MEMORY(ctx);
	*ioas = made;
	return 0;
}

int libiommu_ioas_get_compat(struct libiommu_ctx *ctx, struct libiommu_ioas **ioas)
{
	struct uapi_vfio_ioas cmd = {.size = sizeof(cmd), .op = UAPI_VFIO_IOAS_GET};
	struct libiommu_ioas *made;
	int error;

	if (!ctx || !ioas)
		return FAIL_NULL(ctx);
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_VFIO_IOAS, &cmd);
	if (error)
		return FAIL_KERNEL(ctx, __func__, error, CALL_COMPAT, .id = 0);
	made = new_handle(ctx, cmd.ioas_id, false);
	if (!made)
		return FAIL_MEMORY(ctx);
	*ioas = made;
	return 0;
}

int libiommu_ioas_destroy(struct libiommu_ioas *ioas)
{
	const struct backend *backend;
	struct libiommu_ctx *ctx;
	struct refusal refusal;
	int error;

	if (!ioas)
		return 0;
	ctx = ioas->ctx;
	if (atomic_load(&ioas->pins))
		return FAIL_LIBRARY(ctx, __func__, -EBUSY,
		                    "devices are attached to it or page tables made from it",
		                    .id = ioas->id, .amount = atomic_load(&ioas->pins),
		                    .unit = "of them");
	if (ioas->own) {
		backend = li_ctx_backend(ctx);
		error = backend->ops->ioas_destroy(backend, ioas->id, &refusal);
		if (error)
			return FAIL_REFUSED(ctx, __func__, &refusal, .id = ioas->id);
	}
	free_handle(ioas);
	return 0;
}

int libiommu_ioas_id(const struct libiommu_ioas *ioas, uint32_t *id)
{
	if (!ioas || !id)
		return FAIL_NULL(ioas ? ioas->ctx : NULL);
	*id = ioas->id;
	return 0;
}

/* The sum first, since the part must not be cut by a sum that does not have it yet. */
void li_ioas_count_mapped(struct libiommu_ioas *ioas, uint64_t bytes, uint64_t others)
{
	atomic_fetch_add(&ioas->mapped, (int64_t)bytes);
	if (others)
		atomic_fetch_add(&ioas->others, (int64_t)others);
	li_ctx_count_mapped(ioas->ctx, (int64_t)bytes);
}

/* What kind it was the kernel does not say: the part is no more than the sum, that is all. */
void li_ioas_count_unmapped(struct libiommu_ioas *ioas, uint64_t bytes)
{
	const int64_t left = atomic_fetch_sub(&ioas->mapped, (int64_t)bytes) - (int64_t)bytes;
	int64_t others = atomic_load(&ioas->others);

	while (others > 0 && others > left &&
	       !atomic_compare_exchange_weak(&ioas->others, &others, left > 0 ? left : 0))
		;
	li_ctx_count_mapped(ioas->ctx, -(int64_t)bytes);
}

int libiommu_ioas_mapped(const struct libiommu_ioas *ioas, uint64_t *bytes, uint64_t *others)
{
	int64_t mapped, part;

	if (!ioas || !bytes || !others)
		return FAIL_NULL(ioas ? ioas->ctx : NULL);
	part = atomic_load(&ioas->others);
	mapped = atomic_load(&ioas->mapped);
	/* What was mapped by others and unmapped through this handle counts below nothing. */
	*bytes = mapped > 0 ? (uint64_t)mapped : 0;
	*others = (uint64_t)part;
	return 0;
}

int li_ioas_check_flags(const struct libiommu_ioas *ioas, const char *operation, uint32_t flags)
{
	if (!flags || flags & ~(uint32_t)(LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE))
		return FAIL_LIBRARY(ioas->ctx, operation, -EINVAL,
		                    "flags must be LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both",
		                    .id = ioas->id);
	return 0;
}

int li_ioas_map(struct libiommu_ioas *ioas, const char *operation, void *address, uint64_t length,
                uint32_t flags, bool fixed, uint64_t *iova)
{
	const struct backend *const backend = li_ctx_backend(ioas->ctx);
	struct refusal refusal = {0};
	int error;

	error = li_ioas_check_flags(ioas, operation, flags);
	if (error)
		return error;
	error = backend->ops->map(backend, ioas->id, address, length, flags, fixed, iova, &refusal);
	if (error)
		return FAIL_REFUSED(ioas->ctx, operation, &refusal, .id = ioas->id, .start = *iova,
		                    .length = length, .anywhere = !fixed,
		                    .memory = (uintptr_t)address,
		                    .amount = refusal.detail.unit ? refusal.detail.amount
		                                                  : li_ctx_mapped(ioas->ctx),
		                    .unit = refusal.detail.unit);
	li_ioas_count_mapped(ioas, length, length);
	return 0;
}

int libiommu_ioas_map(struct libiommu_ioas *ioas, void *address, uint64_t length, uint32_t flags,
                      uint64_t *iova)
{
	uint64_t found = 0;
	int error;

	if (!ioas || !iova)
		return FAIL_NULL(ioas ? ioas->ctx : NULL);
	error = li_ioas_map(ioas, __func__, address, length, flags, false, &found);
	if (!error)
		*iova = found;
	return error;
}

int libiommu_ioas_map_fixed(struct libiommu_ioas *ioas, void *address, uint64_t length,
                            uint32_t flags, uint64_t iova)
{
	if (!ioas)
		return FAIL_NULL(NULL);
	return li_ioas_map(ioas, __func__, address, length, flags, true, &iova);
}

static int unmap(struct libiommu_ioas *ioas, const char *operation, uint64_t iova, uint64_t *length)
{
	const struct backend *const backend = li_ctx_backend(ioas->ctx);
	const uint64_t asked = *length;
	struct refusal refusal;
	int error;

	error = backend->ops->unmap(backend, ioas->id, iova, length, &refusal);
	if (error)
		return FAIL_REFUSED(ioas->ctx, operation, &refusal, .id = ioas->id, .start = iova,
		                    .length = asked);
	li_ioas_count_unmapped(ioas, *length);
	return 0;
}

/*
 * The kernel takes IOVA 0 with the greatest length for "everything", which is
 * libiommu_ioas_unmap_all()'s to say, and a length of 0 for an overflow.
 */
static int check_range(const struct libiommu_ioas *ioas, const char *operation, uint64_t iova,
                       uint64_t length)
{
	if (!length)
		return FAIL_LIBRARY(ioas->ctx, operation, -EINVAL, "the length is 0",
		                    .id = ioas->id, .start = iova);
	if (!iova && length == UINT64_MAX)
		return FAIL_LIBRARY(ioas->ctx, operation, -EINVAL,
		                    "this length means everything: libiommu_ioas_unmap_all()",
		                    .id = ioas->id, .start = iova, .length = length);
	if (iova > UINT64_MAX - (length - 1))
		return FAIL_LIBRARY(ioas->ctx, operation, -EOVERFLOW, "the range wraps around",
		                    .id = ioas->id, .start = iova, .length = length);
	return 0;
}

int li_ioas_unmap(struct libiommu_ioas *ioas, const char *operation, uint64_t iova, uint64_t length)
{
	uint64_t unmapped = length;
	int error;

	error = check_range(ioas, operation, iova, length);
	if (!error)
		error = unmap(ioas, operation, iova, &unmapped);
	if (!error && unmapped != length)
		return FAIL_LIBRARY(ioas->ctx, operation, -ERANGE,
		                    "the range had holes; what was mapped in it is unmapped",
		                    .id = ioas->id, .start = iova, .length = length,
		                    .amount = unmapped, .unit = "bytes unmapped");
	return error;
}

int libiommu_ioas_unmap(struct libiommu_ioas *ioas, uint64_t iova, uint64_t length)
{
	if (!ioas)
		return FAIL_NULL(NULL);
	return li_ioas_unmap(ioas, __func__, iova, length);
}

int libiommu_ioas_unmap_range(struct libiommu_ioas *ioas, uint64_t iova, uint64_t length,
                              uint64_t *unmapped)
{
	int error;

	if (!ioas)
		return FAIL_NULL(NULL);
	error = check_range(ioas, __func__, iova, length);
	if (!error)
		error = unmap(ioas, __func__, iova, &length);
	if (!error && unmapped)
		*unmapped = length;
	return error;
}

int libiommu_ioas_unmap_all(struct libiommu_ioas *ioas, uint64_t *unmapped)
{
	uint64_t length = UINT64_MAX;
	int error;

	if (!ioas)
		return FAIL_NULL(NULL);
	error = unmap(ioas, __func__, 0, &length);
	if (!error && unmapped)
		*unmapped = length;
	return error;
}

struct libiommu_ctx *li_ioas_ctx(const struct libiommu_ioas *ioas)
{
	return ioas->ctx;
}

uint32_t li_ioas_id(const struct libiommu_ioas *ioas)
{
	return ioas->id;
}

bool li_ioas_is_own(const struct libiommu_ioas *ioas)
{
	return ioas->own;
}

void li_ioas_pin(struct libiommu_ioas *ioas)
{
	atomic_fetch_add(&ioas->pins, 1);
}

void li_ioas_unpin(struct libiommu_ioas *ioas)
{
	atomic_fetch_sub(&ioas->pins, 1);
}

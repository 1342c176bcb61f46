/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ioas.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../base/uapi/iommufd.h"
#include "adopt.h"
#include "ctx.h"
#include "obstacles.h"

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
	li_ctx_count_others(ioas->ctx, -atomic_load(&ioas->others));
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
	struct obstacles *obstacles;
	struct libiommu_ctx *ctx;
	struct refusal refusal;
	int error;

	if (!ioas)
		return 0;
	ctx = ioas->ctx;
	obstacles = li_ctx_obstacles(ctx);
	if (atomic_load(&ioas->pins))
		return FAIL_LIBRARY(ctx, __func__, -EBUSY,
		                    "devices are attached to it or page tables made from it",
		                    .id = ioas->id, .amount = atomic_load(&ioas->pins),
		                    .unit = "of them");
	if (ioas->own) {
		backend = li_ctx_backend(ctx);
		obstacles_lock(obstacles);
		error = backend->ops->ioas_destroy(backend, ioas->id, &refusal);
		if (!error)
			obstacles_forget(obstacles, ioas->id, 0, UINT64_MAX);
		obstacles_unlock(obstacles);
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
	if (others) {
		atomic_fetch_add(&ioas->others, (int64_t)others);
		li_ctx_count_others(ioas->ctx, (int64_t)others);
	}
	li_ctx_count_mapped(ioas->ctx, (int64_t)bytes);
}

/* What kind it was the kernel does not say: the part is no more than the sum, that is all. */
void li_ioas_count_unmapped(struct libiommu_ioas *ioas, uint64_t bytes, uint64_t known)
{
	const int64_t left = atomic_fetch_sub(&ioas->mapped, (int64_t)bytes) - (int64_t)bytes;
	const int64_t most = left > 0 ? left : 0;
	int64_t others = atomic_load(&ioas->others), rest;

	do {
		rest = others - (int64_t)known;
		if (rest > most)
			rest = most;
		if (rest < 0)
			rest = 0;
	} while (rest != others && !atomic_compare_exchange_weak(&ioas->others, &others, rest));
	if (rest != others)
		li_ctx_count_others(ioas->ctx, rest - others);
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
	const struct obstacle like = {
		.length = length, .address = address, .why = LIBIOMMU_CHANGE_MEMORY};
	const struct backend *const backend = li_ctx_backend(ioas->ctx);
	struct obstacles *const obstacles = li_ctx_obstacles(ioas->ctx);
	struct refusal refusal = {0};
	struct obstacle *made;
	int error;

	error = li_ioas_check_flags(ioas, operation, flags);
	if (error)
		return error;
	if (obstacles_begin(obstacles, &like, &made))
		return FAIL_MEMORY_IN(ioas->ctx, operation);
	error = backend->ops->map(backend, ioas->id, address, length, flags, fixed, iova, &refusal);
	obstacles_end(obstacles, made, !error, ioas->id, *iova);
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

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "pasid-space.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../base/table.h"
#include "ctx.h"
#include "device.h"
#include "pasid.h"

#define PASID_MASK (TABLE_KEYS - 1)
#define ONE_USE    TABLE_KEYS
#define MAX_USES   UINT32_C(0xfff)

/* PASIDs that are taken, a bit for each; none of a run without memory is. */
#define RUN  UINT32_C(4096)
#define RUNS (TABLE_KEYS / RUN)

struct run {
	uint32_t taken;
	uint64_t bits[RUN / 64];
};

struct libiommu_pasid_space {
	struct libiommu_ctx *ctx;
	uint32_t flags;
	bool is_private;
	atomic_uint_least32_t devices;
	pthread_mutex_t lock; /* for changes; lookups need none */
	struct table pasids;  /* vPASID -> _Atomic uint32_t: PASID, and above it the uses */
	struct run *runs[RUNS];
};

static struct libiommu_pasid_space *make(struct libiommu_ctx *ctx, uint32_t flags, bool is_private)
{
	struct libiommu_pasid_space *const space = calloc(1, sizeof(*space));

	if (!space)
		return NULL;
	space->ctx = ctx;
	space->flags = flags;
	space->is_private = is_private;
	atomic_init(&space->devices, 0);
	pthread_mutex_init(&space->lock, NULL);
	li_table_init(&space->pasids, sizeof(_Atomic uint32_t));
	return space;
}

static void release(struct libiommu_pasid_space *space)
{
	for (uint32_t i = 0; i < RUNS; i++)
		free(space->runs[i]);
	li_table_free(&space->pasids);
	pthread_mutex_destroy(&space->lock);
	free(space);
}

struct libiommu_pasid_space *li_pasid_space_private(struct libiommu_ctx *ctx)
{
	return make(ctx, 0, true);
}

struct libiommu_ctx *li_pasid_space_ctx(const struct libiommu_pasid_space *space)
{
	return space->ctx;
}

int libiommu_pasid_space_new(struct libiommu_ctx *ctx, uint32_t flags,
                             struct libiommu_pasid_space **space)
{
	struct libiommu_pasid_space *made;

	if (!ctx || !space)
		return FAIL_NULL(ctx);
	if (flags & ~LIBIOMMU_PASID_IDENTITY_ONLY)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "unknown flag", .amount = flags,
		                    .unit = "are the flags");
	made = make(ctx, flags, false);
	if (!made)
		return FAIL_MEMORY(ctx);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_PASID_SPACE, 1);
	*space = made;
	return 0;
}

int libiommu_pasid_space_destroy(struct libiommu_pasid_space *space)
{
	uint32_t devices;

	if (!space)
		return 0;
	devices = atomic_load(&space->devices);
	if (devices)
		return FAIL_LIBRARY(space->ctx, __func__, -EBUSY, "devices are in the space",
		                    .amount = devices, .unit = "of them");
	li_ctx_count(space->ctx, LIBIOMMU_OBJECT_PASID_SPACE, -1);
	release(space);
	return 0;
}

int libiommu_pasid_space_join(struct libiommu_pasid_space *space, struct libiommu_device *dev)
{
	bool joined;
	int error;

	if (!space || !dev)
		return FAIL_NULL(space ? space->ctx : NULL);
	if (li_device_ctx(dev) != space->ctx)
		return FAIL_LIBRARY(space->ctx, __func__, -EINVAL,
		                    "the device and the space are of different contexts",
		                    .id = li_device_id(dev));
	error = li_device_enter_alone(dev, __func__, DEVICE_OPEN);
	if (error)
		return error;
	joined = li_pasid_set_space(dev, space);
	if (joined)
		li_pasid_space_enter(space);
	li_device_leave(dev);
	return joined ? 0
	              : FAIL_LIBRARY(space->ctx, __func__, -EALREADY,
	                             "the device has a PASID space", .id = li_device_id(dev));
}

void li_pasid_space_enter(struct libiommu_pasid_space *space)
{
	atomic_fetch_add(&space->devices, 1);
}

void li_pasid_space_leave(struct libiommu_pasid_space *space)
{
	if (!space)
		return;
	if (space->is_private)
		release(space);
	else
		atomic_fetch_sub(&space->devices, 1);
}

static bool is_taken(const struct libiommu_pasid_space *space, uint32_t pasid)
{
	const struct run *const run = space->runs[pasid / RUN];

	return run && run->bits[pasid % RUN / 64] >> (pasid % 64) & 1;
}

static int mark_taken(struct libiommu_pasid_space *space, uint32_t pasid)
{
	struct run **const run = &space->runs[pasid / RUN];

	if (!*run)
		*run = calloc(1, sizeof(**run));
	if (!*run)
		return -ENOMEM;
	(*run)->bits[pasid % RUN / 64] |= UINT64_C(1) << (pasid % 64);
	(*run)->taken++;
	return 0;
}

static void mark_free(struct libiommu_pasid_space *space, uint32_t pasid)
{
	struct run *const run = space->runs[pasid / RUN];

	run->bits[pasid % RUN / 64] &= ~(UINT64_C(1) << (pasid % 64));
	run->taken--;
}

/* Guests number from the bottom: from the top it is least in the way of identity later. */
static uint32_t highest_free(const struct libiommu_pasid_space *space, uint32_t limit)
{
	uint32_t pasid = limit - 1;

	while (pasid) {
		const struct run *const run = space->runs[pasid / RUN];
		uint32_t step = 1;

		if (!run || !is_taken(space, pasid))
			return pasid;
		if (run->taken == RUN)
			step = pasid % RUN + 1;
		else if (run->bits[pasid % RUN / 64] == UINT64_MAX)
			step = pasid % 64 + 1;
		pasid = pasid > step ? pasid - step : 0;
	}
	return 0;
}

static int choose(const struct libiommu_pasid_space *space, uint32_t vpasid, uint32_t limit,
                  bool identity, uint32_t *pasid)
{
	*pasid = vpasid;
	if (vpasid < limit && !is_taken(space, vpasid))
		return 0;
	if (identity)
		return vpasid < limit ? -EADDRINUSE : -ERANGE;
	*pasid = highest_free(space, limit);
	return *pasid ? 0 : -ENOSPC;
}

/* Whether the PASID that stands for the vPASID will do once more. */
static int check_again(uint32_t word, uint32_t vpasid, uint32_t limit, bool identity)
{
	if (identity && (word & PASID_MASK) != vpasid)
		return -EADDRINUSE;
	if ((word & PASID_MASK) >= limit)
		return -ERANGE;
	return word / ONE_USE == MAX_USES ? -ENOSPC : 0;
}

int li_pasid_space_take(struct libiommu_pasid_space *space, uint32_t vpasid, uint32_t limit,
                        bool identity, uint32_t *pasid)
{
	_Atomic uint32_t *at;
	int error = -ENOMEM;
	uint32_t chosen;
	uint32_t word;

	identity = identity || space->flags & LIBIOMMU_PASID_IDENTITY_ONLY;
	pthread_mutex_lock(&space->lock);
	at = li_table_make(&space->pasids, vpasid);
	if (!at)
		goto unlock;
	word = atomic_load_explicit(at, memory_order_relaxed);
	chosen = word & PASID_MASK;
	if (word) {
		error = check_again(word, vpasid, limit, identity);
	} else {
		error = choose(space, vpasid, limit, identity, &chosen);
		if (!error)
			error = mark_taken(space, chosen);
		word = chosen;
	}
	if (!error) {
		atomic_store_explicit(at, word + ONE_USE, memory_order_release);
		*pasid = chosen;
	}
unlock:
	pthread_mutex_unlock(&space->lock);
	return error;
}

int li_pasid_space_take_exactly(struct libiommu_pasid_space *space, uint32_t vpasid, uint32_t pasid)
{
	_Atomic uint32_t *at;
	uint32_t word;
	int error = 0;

	pthread_mutex_lock(&space->lock);
	at = li_table_make(&space->pasids, vpasid);
	word = at ? atomic_load_explicit(at, memory_order_relaxed) : 0;
	if (!at)
		error = -ENOMEM;
	else if (word ? (word & PASID_MASK) != pasid : is_taken(space, pasid))
		error = -EEXIST;
	else if (word / ONE_USE == MAX_USES)
		error = -ENOSPC;
	else if (!word)
		error = mark_taken(space, pasid);
	if (!error)
		atomic_store_explicit(at, (word & ~PASID_MASK) + ONE_USE + pasid,
		                      memory_order_release);
	pthread_mutex_unlock(&space->lock);
	return error;
}

uint32_t li_pasid_space_flags(const struct libiommu_pasid_space *space)
{
	return space->flags;
}

bool li_pasid_space_is_private(const struct libiommu_pasid_space *space)
{
	return space->is_private;
}

void li_pasid_space_put(struct libiommu_pasid_space *space, uint32_t vpasid)
{
	_Atomic uint32_t *const at = table_find(&space->pasids, vpasid);
	uint32_t word;

	pthread_mutex_lock(&space->lock);
	word = atomic_load_explicit(at, memory_order_relaxed) - ONE_USE;
	if (word < ONE_USE) {
		mark_free(space, word);
		word = 0;
	}
	atomic_store_explicit(at, word, memory_order_release);
	pthread_mutex_unlock(&space->lock);
}

uint32_t li_pasid_space_find(const struct libiommu_pasid_space *space, uint32_t vpasid)
{
	const _Atomic uint32_t *const at = table_find(&space->pasids, vpasid);

	return at ? atomic_load_explicit(at, memory_order_acquire) & PASID_MASK : 0;
}

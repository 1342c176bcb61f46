/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ring.h"

#include <errno.h>
#include <stdlib.h>

#include "../object/ctx.h"
#include "driver.h"
#include "inject.h"
#include "ring-config.h"

struct libiommu_ring {
	struct libiommu_ctx *ctx;
	struct filler *filler;
	struct inject *inject;
	struct ring_sources sources;
	uint32_t max_group;
	struct driver driver;
};

static int dispatch(void *self)
{
	struct libiommu_ring *const ring = self;
	const int error = li_filler_dispatch(ring->filler);

	li_inject_settle(ring->inject);
	return error ? FAIL_KERNEL(ring->ctx, "libiommu_ring_dispatch", error, CALL_RING, .id = 0)
	             : 0;
}

static void tell_wait(void *self, int error)
{
	const struct libiommu_ring *const ring = self;

	FAIL_KERNEL(ring->ctx, "libiommu_ring_start", error, CALL_THREAD, .id = 0);
}

static void init_driver(struct libiommu_ring *ring)
{
	const struct driver_work work = {
		.sys = li_ctx_backend(ring->ctx)->sys,
		.fd = ring->filler->epoll,
		.dispatch = dispatch,
		.tell = tell_wait,
		.self = ring,
	};

	li_driver_init(&ring->driver, &work);
}

int libiommu_ring_new(struct libiommu_ctx *ctx, const struct libiommu_ring_config *config,
                      struct libiommu_ring **ring)
{
	const struct filler_choices choices = li_ring_choices(config);
	struct libiommu_ring *made;
	int error;

	if (!ctx || !ring)
		return FAIL_NULL(ctx);
	made = malloc(sizeof(*made));
	if (!made)
		return FAIL_MEMORY(ctx);
	made->ctx = ctx;
	made->max_group = choices.capacity / 2;
	error = li_inject_new(choices.max_outstanding, &made->inject);
	if (error)
		goto free_ring;
	error = li_filler_new(li_ctx_backend(ctx)->sys, &choices, &made->filler);
	if (error)
		goto free_inject;
	error = li_filler_add(made->filler, li_inject_source(made->inject));
	if (error)
		goto free_filler;
	init_driver(made);
	li_ring_sources_init(&made->sources);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_RING, 1);
	*ring = made;
	return 0;

free_filler:
	li_filler_free(made->filler);
free_inject:
	li_inject_free(made->inject);
free_ring:
	free(made);
	if (error == -ENOMEM)
		return FAIL_MEMORY(ctx);
	return FAIL_KERNEL(ctx, __func__, error, CALL_RING, .id = 0);
}

#define FAIL_DEADLOCK(ring)                                                                        \
	FAIL_LIBRARY((ring)->ctx, __func__, -EDEADLK, "this is the thread that drives the ring",   \
	             .id = 0)

int libiommu_ring_destroy(struct libiommu_ring *ring)
{
	if (!ring)
		return 0;
	if (li_ring_forked(ring))
		return FAIL_FORKED(ring->ctx);
	if (li_driver_stop(&ring->driver) == -EDEADLK)
		return FAIL_DEADLOCK(ring);
	li_driver_free(&ring->driver);
	li_ring_sources_free(&ring->sources, ring->filler);
	li_filler_free(ring->filler);
	li_inject_free(ring->inject);
	li_ctx_count(ring->ctx, LIBIOMMU_OBJECT_RING, -1);
	free(ring);
	return 0;
}

static int join(struct libiommu_ring *ring, const char *operation, int socket, bool own,
                uint64_t features)
{
	const int error = li_filler_join(ring->filler, socket, own, features);

	if (error == -EBUSY)
		return FAIL_LIBRARY(ring->ctx, operation, error, "the ring has a reader already",
		                    .id = 0);
	if (error == -ENOMEM)
		return FAIL_MEMORY_IN(ring->ctx, operation);
	return error ? FAIL_KERNEL(ring->ctx, operation, error, CALL_RING, .id = 0) : 0;
}

int libiommu_ring_join(struct libiommu_ring *ring, int socket, enum libiommu_fd_mode mode,
                       uint32_t flags)
{
	const struct libiommu_sys *sys;
	int error, copy = -1;

	if (!ring)
		return FAIL_NULL(NULL);
	if (socket < 0 || (unsigned int)mode > LIBIOMMU_FD_DUP || flags & ~LIBIOMMU_RING_TRUSTED)
		return FAIL_LIBRARY(ring->ctx, __func__, -EINVAL,
		                    "the socket is negative, or the mode or a flag unknown",
		                    .id = 0);
	if (li_ring_forked(ring))
		return FAIL_FORKED(ring->ctx);
	sys = li_ctx_backend(ring->ctx)->sys;
	if (mode == LIBIOMMU_FD_DUP) {
		copy = li_sys_dup(sys, socket);
		if (copy < 0)
			return FAIL_KERNEL(ring->ctx, __func__, copy, CALL_DUP, .id = 0);
	}
	error = join(ring, __func__, copy < 0 ? socket : copy, mode != LIBIOMMU_FD_BORROW,
	             flags & LIBIOMMU_RING_TRUSTED ? 0 : RING_FEATURE_SOCKET_BELL);
	if (error && copy >= 0)
		li_sys_close(sys, copy);
	return error;
}

int libiommu_ring_open_reader(struct libiommu_ring *ring, struct libiommu_reader **reader)
{
	const struct libiommu_sys *sys;
	int ends[2], error;

	if (!ring || !reader)
		return FAIL_NULL(ring ? ring->ctx : NULL);
	if (li_ring_forked(ring))
		return FAIL_FORKED(ring->ctx);
	sys = li_ctx_backend(ring->ctx)->sys;
	error = li_sys_socketpair(sys, ends);
	if (error)
		return FAIL_KERNEL(ring->ctx, __func__, error, CALL_RING, .id = 0);
	error = join(ring, __func__, ends[0], true, 0);
	if (error) {
		li_sys_close(sys, ends[0]);
		li_sys_close(sys, ends[1]);
		return error;
	}
	error = libiommu_reader_open(sys, ends[1], LIBIOMMU_FD_OWN, reader);
	/* The filler sees the end of the socket, and the ring has no reader again. */
	if (error)
		li_sys_close(sys, ends[1]);
	return error;
}

int libiommu_ring_fd(const struct libiommu_ring *ring)
{
	return ring ? ring->filler->epoll : FAIL_NULL(NULL);
}

int libiommu_ring_dispatch(struct libiommu_ring *ring)
{
	if (!ring)
		return FAIL_NULL(NULL);
	if (li_ring_forked(ring))
		return FAIL_FORKED(ring->ctx);
	return dispatch(ring);
}

int libiommu_ring_start(struct libiommu_ring *ring)
{
	int error;

	if (!ring)
		return FAIL_NULL(NULL);
	if (li_ring_forked(ring))
		return FAIL_FORKED(ring->ctx);
	error = li_driver_start(&ring->driver);
	if (error == -EALREADY)
		return FAIL_LIBRARY(ring->ctx, __func__, error, "the ring has its thread already",
		                    .id = 0);
	return error ? FAIL_KERNEL(ring->ctx, __func__, error, CALL_THREAD, .id = 0) : 0;
}

int libiommu_ring_stop(struct libiommu_ring *ring)
{
	int error;

	if (!ring)
		return FAIL_NULL(NULL);
	if (li_ring_forked(ring))
		return FAIL_FORKED(ring->ctx);
	error = li_driver_stop(&ring->driver);
	if (error == -EDEADLK)
		return FAIL_DEADLOCK(ring);
	return error ? FAIL_LIBRARY(ring->ctx, __func__, error, "no thread drives the ring",
	                            .id = 0)
	             : 0;
}

int libiommu_ring_inject(struct libiommu_ring *ring, const struct libiommu_record *records,
                         size_t count, libiommu_ring_answer_fn answer, void *user)
{
	int error;

	if (!ring || !records || !answer)
		return FAIL_NULL(ring ? ring->ctx : NULL);
	if (!count || count > ring->max_group)
		return FAIL_LIBRARY(ring->ctx, __func__, -EINVAL,
		                    "a group has 1 record up to half of what the ring holds",
		                    .amount = count, .unit = "records");
	if (li_ring_forked(ring))
		return FAIL_FORKED(ring->ctx);
	error = li_inject_add(ring->inject, records, count, answer, user);
	if (error == -ENOMEM)
		return FAIL_MEMORY(ring->ctx);
	if (error)
		return FAIL_LIBRARY(ring->ctx, __func__, error, "as many wait as may be out",
		                    .id = 0);
	li_filler_poke(ring->filler);
	return 0;
}

int libiommu_ring_counter(struct libiommu_ring *ring, enum libiommu_ring_counter which,
                          uint64_t *value)
{
	if (!ring || !value)
		return FAIL_NULL(ring ? ring->ctx : NULL);
	if ((unsigned int)which >= RING_COUNTERS_KNOWN)
		return FAIL_LIBRARY(ring->ctx, __func__, -EINVAL, "unknown counter", .id = 0);
	if (li_ring_forked(ring))
		return FAIL_FORKED(ring->ctx);
	*value = li_filler_counter(ring->filler, which);
	return 0;
}

int libiommu_ring_monitor(struct libiommu_ring *ring)
{
	int fd;

	if (!ring)
		return FAIL_NULL(NULL);
	if (li_ring_forked(ring))
		return FAIL_FORKED(ring->ctx);
	fd = li_filler_monitor(ring->filler);
	if (fd == -ENODATA)
		return FAIL_LIBRARY(ring->ctx, __func__, fd, "the ring has no reader", .id = 0);
	return fd < 0 ? FAIL_KERNEL(ring->ctx, __func__, fd, CALL_DUP, .id = 0) : fd;
}

struct filler *li_ring_filler(struct libiommu_ring *ring)
{
	return ring->filler;
}

struct ring_sources *li_ring_sources(struct libiommu_ring *ring)
{
	return &ring->sources;
}

struct libiommu_ctx *li_ring_ctx(const struct libiommu_ring *ring)
{
	return ring->ctx;
}

bool li_ring_forked(const struct libiommu_ring *ring)
{
	return guard_forked(ring->filler->guard);
}

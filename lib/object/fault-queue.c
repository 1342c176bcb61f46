/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fault-queue.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../base/uapi/iommufd.h"
#include "adopt.h"

struct libiommu_fault_queue {
	struct libiommu_ctx *ctx;
	uint32_t id;
	_Atomic int fd; /* -1 once it is closed */
	bool own_fd;
	bool own_id;
	atomic_uint_least32_t pins;
	pthread_mutex_t lock;
	struct fault_state state;
};

#define LONGEST 512 /* ms */

static const char *const closed = "the queue's descriptor was closed by a destroy that failed";

static struct libiommu_fault_queue *new_handle(struct libiommu_ctx *ctx)
{
	struct libiommu_fault_queue *const queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->ctx = ctx;
	atomic_init(&queue->fd, -1);
	atomic_init(&queue->pins, 0);
	atomic_init(&queue->state.taken, false);
	pthread_mutex_init(&queue->lock, NULL);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_FAULT_QUEUE, 1);
	return queue;
}

static void free_handle(struct libiommu_fault_queue *queue)
{
	li_ctx_count(queue->ctx, LIBIOMMU_OBJECT_FAULT_QUEUE, -1);
	li_fault_groups_free(&queue->state.groups);
	li_fault_notices_free(&queue->state.notices);
	li_fault_batch_free_arrays(&queue->state.early);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

int libiommu_fault_queue_alloc(struct libiommu_ctx *ctx, struct libiommu_fault_queue **queue)
{
	struct uapi_fault_alloc cmd = {.size = sizeof(cmd)};
	struct libiommu_fault_queue *made;
	int error;

	if (!ctx || !queue)
		return FAIL_NULL(ctx);
	made = new_handle(ctx);
	if (!made)
		return FAIL_MEMORY(ctx);
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_FAULT_QUEUE_ALLOC, &cmd);
	if (error) {
		free_handle(made);
		return FAIL_KERNEL(ctx, __func__, error, CALL_FAULT_QUEUE, .id = 0);
	}
	made->id = cmd.out_fault_id;
	atomic_store(&made->fd, (int)cmd.out_fault_fd);
	made->own_fd = true;
	made->own_id = true;
	*queue = made;
	return 0;
}

int libiommu_fault_queue_adopt(struct libiommu_ctx *ctx, uint32_t id, enum libiommu_id_mode id_mode,
                               int fd, enum libiommu_fd_mode fd_mode,
                               struct libiommu_fault_queue **queue)
{
	struct libiommu_fault_queue *made;
	int error;

	if (!ctx || !queue)
		return FAIL_NULL(ctx);
	error = li_adopt_check_id(ctx, __func__, id, id_mode);
	if (!error)
		error = li_adopt_check_fd(ctx, __func__, fd, fd_mode);
	if (error)
		return error;
	made = new_handle(ctx);
	if (!made)
		return FAIL_MEMORY(ctx);
	fd = li_adopt_fd(ctx, __func__, fd, fd_mode);
	if (fd < 0) {
		free_handle(made);
		return fd;
	}
	made->id = id;
	atomic_store(&made->fd, fd);
	made->own_fd = fd_mode != LIBIOMMU_FD_BORROW;
	made->own_id = id_mode == LIBIOMMU_ID_OWN;
	*queue = made;
	return 0;
}

/*
 * A worker of io_uring that has armed a read may be the last to let go of it, and with that of the
 * descriptor, after the read has ended for all to see (io_uring/io_uring.c, io_wq_free_work()).
 * That is a matter of its being scheduled, and nothing tells when.
 */
static int destroy_object(struct libiommu_fault_queue *queue)
{
	const struct backend *const backend = li_ctx_backend(queue->ctx);
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = queue->id};
	struct pollfd nothing = {.fd = -1};
	int error = backend_ioctl(backend, UAPI_IOC_DESTROY, &cmd);

	for (int ms = 1; error == -EBUSY && queue->state.was_fed && ms <= LONGEST; ms *= 2) {
		li_sys_poll(backend->sys, &nothing, 1, ms);
		error = backend_ioctl(backend, UAPI_IOC_DESTROY, &cmd);
	}
	return error;
}

int libiommu_fault_queue_destroy(struct libiommu_fault_queue *queue)
{
	uint32_t pins;
	int error = 0;
	int fd;

	if (!queue)
		return 0;
	pins = atomic_load(&queue->pins);
	if (pins)
		return FAIL_LIBRARY(queue->ctx, __func__, -EBUSY,
		                    "page tables or a ring have the queue", .id = queue->id,
		                    .amount = pins, .unit = "of them");
	fd = atomic_exchange(&queue->fd, -1);
	if (fd >= 0 && queue->own_fd)
		li_sys_close(li_ctx_backend(queue->ctx)->sys, fd);
	if (queue->own_id)
		error = destroy_object(queue);
	if (error)
		return FAIL_KERNEL(queue->ctx, __func__, error, CALL_DESTROY, .id = queue->id);
	free_handle(queue);
	return 0;
}

int libiommu_fault_queue_fd(const struct libiommu_fault_queue *queue)
{
	int fd;

	if (!queue)
		return FAIL_NULL(NULL);
	fd = li_fault_queue_descriptor(queue);
	return fd >= 0 ? fd : FAIL_LIBRARY(queue->ctx, __func__, -EBADF, closed, .id = queue->id);
}

int libiommu_fault_queue_id(const struct libiommu_fault_queue *queue, uint32_t *id)
{
	if (!queue || !id)
		return FAIL_NULL(queue ? queue->ctx : NULL);
	*id = queue->id;
	return 0;
}

int libiommu_fault_queue_outstanding(struct libiommu_fault_queue *queue, size_t *count)
{
	if (!queue || !count)
		return FAIL_NULL(queue ? queue->ctx : NULL);
	li_fault_queue_lock(queue, NULL);
	*count = queue->state.groups.used;
	li_fault_queue_unlock(queue, NULL);
	return 0;
}

int libiommu_fault_queue_wait(struct libiommu_fault_queue *queue, int timeout_ms)
{
	struct pollfd ready = {.events = POLLIN};
	int result;
	bool early;

	if (!queue)
		return FAIL_NULL(NULL);
	result = li_ctx_check_open(queue->ctx, __func__, true);
	if (result)
		return result;
	li_fault_queue_lock(queue, NULL);
	early = queue->state.early.count;
	li_fault_queue_unlock(queue, NULL);
	ready.fd = li_fault_queue_descriptor(queue);
	if (ready.fd < 0)
		return FAIL_LIBRARY(queue->ctx, __func__, -EBADF, closed, .id = queue->id);
	if (early)
		return 1;
	result = li_sys_poll(li_ctx_backend(queue->ctx)->sys, &ready, 1, timeout_ms);
	if (result < 0)
		return FAIL_KERNEL(queue->ctx, __func__, result, CALL_FAULT_QUEUE, .id = queue->id);
	return result ? 1 : 0;
}

struct libiommu_ctx *li_fault_queue_ctx(const struct libiommu_fault_queue *queue)
{
	return queue->ctx;
}

const struct libiommu_sys *li_fault_queue_sys(const struct libiommu_fault_queue *queue)
{
	return li_ctx_backend(queue->ctx)->sys;
}

uint32_t li_fault_queue_id(const struct libiommu_fault_queue *queue)
{
	return queue->id;
}

bool li_fault_queue_is_own(const struct libiommu_fault_queue *queue)
{
	return queue->own_id;
}

struct fault_state *li_fault_queue_state(struct libiommu_fault_queue *queue)
{
	return &queue->state;
}

int li_fault_queue_descriptor(const struct libiommu_fault_queue *queue)
{
	return atomic_load_explicit(&queue->fd, memory_order_relaxed);
}

void li_fault_queue_pin(struct libiommu_fault_queue *queue)
{
	if (queue)
		atomic_fetch_add(&queue->pins, 1);
}

void li_fault_queue_unpin(struct libiommu_fault_queue *queue)
{
	if (queue)
		atomic_fetch_sub(&queue->pins, 1);
}

/* Two handles of one queue have the same id. */
static bool comes_first(const struct libiommu_fault_queue *a, const struct libiommu_fault_queue *b)
{
	return a->id != b->id ? a->id < b->id : (uintptr_t)a < (uintptr_t)b;
}

void li_fault_queue_lock(struct libiommu_fault_queue *a, struct libiommu_fault_queue *b)
{
	if (a && b && a != b && comes_first(b, a)) {
		struct libiommu_fault_queue *const other = a;

		a = b;
		b = other;
	}
	if (a)
		pthread_mutex_lock(&a->lock);
	if (b && b != a)
		pthread_mutex_lock(&b->lock);
}

void li_fault_queue_unlock(struct libiommu_fault_queue *a, struct libiommu_fault_queue *b)
{
	if (a)
		pthread_mutex_unlock(&a->lock);
	if (b && b != a)
		pthread_mutex_unlock(&b->lock);
}

int li_fault_queue_tell(const struct libiommu_fault_queue *queue, const char *operation,
                        const struct fault_outcome *outcome)
{
	if (outcome->call == CALL_NONE)
		return FAIL_LIBRARY(queue->ctx, operation, outcome->error, outcome->text,
		                    .id = queue->id);
	return FAIL_KERNEL(queue->ctx, operation, outcome->error, outcome->call, .id = queue->id);
}

int li_fault_queue_tell_taken(const struct libiommu_fault_queue *queue, const char *operation)
{
	return FAIL_LIBRARY(queue->ctx, operation, -EBUSY, "a ring reads the queue",
	                    .id = queue->id);
}

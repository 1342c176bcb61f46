/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "uring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PROBED     64       /* operations that the kernel is asked about */
#define READ_NAME  1        /* the user_data of the read */
#define NOT_LONG   20000000 /* ns */
#define CQ_ENTRIES (2 * URING_BUFFERS)

/* Each buffer makes one completion, and the end of the read one more. */
_Static_assert(CQ_ENTRIES >= URING_BUFFERS + 2, "the completions never overflow");

static uint32_t load(const _Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

static void store(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

/* Nothing else tells that a read can be kept armed. */
static int probe(const struct uring *ring)
{
	const unsigned int wanted = UAPI_IORING_OP_READ_MULTISHOT;
	struct uapi_io_uring_probe *const known =
		calloc(1, sizeof(*known) + PROBED * sizeof(known->ops[0]));
	int error;

	if (!known)
		return -ENOMEM;
	error = li_sys_uring_register(ring->sys, ring->fd, UAPI_IORING_REGISTER_PROBE, known,
	                              PROBED);
	if (!error &&
	    (known->ops_len <= wanted || !(known->ops[wanted].flags & UAPI_IO_URING_OP_SUPPORTED)))
		error = -EOPNOTSUPP;
	free(known);
	return error;
}

/* A child of a fork must not find the memory: the kernel goes on writing to the parent's alone. */
static int map(struct uring *ring, unsigned int which, size_t length, int flags, int fd,
               uint64_t offset)
{
	int error = li_sys_mmap(ring->sys, NULL, length, PROT_READ | PROT_WRITE, flags, fd, offset,
	                        &ring->maps[which].at);

	if (error)
		return error;
	ring->maps[which].length = length;
	return li_sys_madvise(ring->sys, ring->maps[which].at, length, MADV_DONTFORK);
}

static int map_rings(struct uring *ring, const struct uapi_io_uring_params *params)
{
	const struct uapi_io_sqring_offsets *const sq = &params->sq_off;
	const struct uapi_io_cqring_offsets *const cq = &params->cq_off;
	const size_t array = sq->array + params->sq_entries * sizeof(uint32_t);
	const size_t cqes = cq->cqes + params->cq_entries * sizeof(*ring->cqes);
	char *at;
	int error;

	error = map(ring, 0, array > cqes ? array : cqes, MAP_SHARED, ring->fd,
	            UAPI_IORING_OFF_SQ_RING);
	if (!error)
		error = map(ring, 1, params->sq_entries * sizeof(*ring->sqe), MAP_SHARED, ring->fd,
		            UAPI_IORING_OFF_SQES);
	if (error)
		return error;
	at = ring->maps[0].at;
	ring->sq_head = (_Atomic uint32_t *)(void *)(at + sq->head);
	ring->sq_tail = (_Atomic uint32_t *)(void *)(at + sq->tail);
	ring->cq_head = (_Atomic uint32_t *)(void *)(at + cq->head);
	ring->cq_tail = (_Atomic uint32_t *)(void *)(at + cq->tail);
	ring->cqes = (const void *)(at + cq->cqes);
	ring->cq_mask = params->cq_entries - 1;
	ring->sqe = ring->maps[1].at;
	return 0;
}

static void *buffer(const struct uring *ring, uint32_t number)
{
	return (char *)ring->maps[2].at + URING_BUFFERS * sizeof(*ring->places) +
	       number * ring->size;
}

static void give(struct uring *ring, uint16_t number)
{
	const uint16_t tail = atomic_load_explicit(ring->tail, memory_order_relaxed);
	struct uapi_io_uring_buf *const place = &ring->places[tail % URING_BUFFERS];

	/* All but the last field, which in the first place is the tail. */
	place->addr = (uintptr_t)buffer(ring, number);
	place->len = (uint32_t)ring->size;
	place->bid = number;
	atomic_store_explicit(ring->tail, (uint16_t)(tail + 1), memory_order_release);
}

static int make_buffers(struct uring *ring)
{
	struct uapi_io_uring_buf_reg reg = {.ring_entries = URING_BUFFERS};
	int error;

	error = map(ring, 2, URING_BUFFERS * (sizeof(*ring->places) + ring->size),
	            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (error)
		return error;
	ring->places = ring->maps[2].at;
	ring->tail = (_Atomic uint16_t *)(void *)&ring->places[0].resv;
	reg.ring_addr = (uintptr_t)ring->places;
	error = li_sys_uring_register(ring->sys, ring->fd, UAPI_IORING_REGISTER_PBUF_RING, &reg, 1);
	for (uint16_t i = 0; !error && i < URING_BUFFERS; i++)
		give(ring, i);
	return error;
}

int li_uring_open(struct uring *ring, const struct libiommu_sys *sys, size_t size)
{
	struct uapi_io_uring_params params = {
		.flags = UAPI_IORING_SETUP_CQSIZE,
		.cq_entries = CQ_ENTRIES,
	};
	const uint32_t features = UAPI_IORING_FEAT_SINGLE_MMAP | UAPI_IORING_FEAT_EXT_ARG;
	int error;

	*ring = (struct uring){.sys = sys, .size = size};
	/* With one place for a submission its index is always 0, as the kernel left it. */
	ring->fd = li_sys_uring_setup(sys, 1, &params);
	if (ring->fd < 0)
		return ring->fd;
	error = (params.features & features) == features ? 0 : -EOPNOTSUPP;
	if (!error)
		error = probe(ring);
	if (!error)
		error = map_rings(ring, &params);
	if (!error)
		error = make_buffers(ring);
	if (error)
		li_uring_close(ring, false);
	return error;
}

void li_uring_close(struct uring *ring, bool busy)
{
	li_sys_close(ring->sys, ring->fd);
	for (unsigned int i = 0; i < 3; i++)
		if (ring->maps[i].length && !(busy && i == 2))
			li_sys_munmap(ring->sys, ring->maps[i].at, ring->maps[i].length);
}

int li_uring_arm(struct uring *ring, int fd)
{
	const uint32_t tail = load(ring->sq_tail);
	int error;

	/*
	 * Tried at once the read would end because there is nothing; the kernel polls first only
	 * when it is told not to try (io_uring/io_uring.c, io_wq_submit_work()).
	 */
	*ring->sqe = (struct uapi_io_uring_sqe){
		.opcode = UAPI_IORING_OP_READ_MULTISHOT,
		.flags = UAPI_IOSQE_ASYNC | UAPI_IOSQE_BUFFER_SELECT,
		.fd = fd,
		.user_data = READ_NAME,
	};
	store(ring->sq_tail, tail + 1);
	error = li_sys_uring_enter(ring->sys, ring->fd, 1, 0, 0, NULL, 0);
	/* The head says whether the kernel has it, whatever else was said. */
	if (load(ring->sq_head) == tail + 1)
		return 0;
	store(ring->sq_tail, tail);
	return error < 0 ? error : -EAGAIN;
}

static uint32_t count(const struct uring *ring)
{
	return load(ring->cq_tail) - load(ring->cq_head);
}

static const struct uapi_io_uring_cqe *at(const struct uring *ring, uint32_t index)
{
	return &ring->cqes[(load(ring->cq_head) + index) & ring->cq_mask];
}

/* The number of its buffer; -1 without one. */
static int32_t buffer_of(const struct uapi_io_uring_cqe *cqe)
{
	const uint32_t number = cqe->flags >> UAPI_IORING_CQE_BUFFER_SHIFT;

	return cqe->flags & UAPI_IORING_CQE_F_BUFFER && number < URING_BUFFERS ? (int32_t)number
	                                                                       : -1;
}

bool li_uring_peek(const struct uring *ring, struct uring_done *done)
{
	const struct uapi_io_uring_cqe *const cqe = at(ring, 0);
	int32_t number;

	if (!count(ring))
		return false;
	number = buffer_of(cqe);
	*done = (struct uring_done){
		.error = cqe->res < 0 ? cqe->res : 0,
		.end = !(cqe->flags & UAPI_IORING_CQE_F_MORE),
	};
	if (number < 0 || cqe->res <= 0)
		return true;
	done->data = buffer(ring, (uint32_t)number);
	done->length = (size_t)cqe->res < ring->size ? (size_t)cqe->res : ring->size;
	return true;
}

void li_uring_pop(struct uring *ring)
{
	const int32_t number = buffer_of(at(ring, 0));

	store(ring->cq_head, load(ring->cq_head) + 1);
	if (number >= 0)
		give(ring, (uint16_t)number);
}

bool li_uring_ended(const struct uring *ring)
{
	const uint32_t there = count(ring);

	for (uint32_t i = 0; i < there; i++)
		if (!(at(ring, i)->flags & UAPI_IORING_CQE_F_MORE))
			return true;
	return false;
}

int li_uring_cancel(struct uring *ring)
{
	struct uapi_io_uring_sync_cancel_reg cancel = {
		.addr = READ_NAME,
		.fd = -1,
		.timeout = {.tv_nsec = NOT_LONG},
	};
	const int error = li_sys_uring_register(ring->sys, ring->fd,
	                                        UAPI_IORING_REGISTER_SYNC_CANCEL, &cancel, 1);

	/* Not found: on its way to end. Not yet: it is just being armed. */
	return error == -ENOENT || error == -EALREADY || error == -ETIME || error == -EINTR ? 0
	                                                                                    : error;
}

int li_uring_wait(struct uring *ring)
{
	const struct uapi_timespec timeout = {.tv_nsec = NOT_LONG};
	const struct uapi_io_uring_getevents_arg arg = {.ts = (uintptr_t)&timeout};
	const int error = li_sys_uring_enter(
		ring->sys, ring->fd, 0, count(ring) + 1,
		UAPI_IORING_ENTER_GETEVENTS | UAPI_IORING_ENTER_EXT_ARG, &arg, sizeof(arg));

	return error == -ETIME || error == -EINTR || error > 0 ? 0 : error;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "model-uring.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/base/uapi/io-uring.h"

#define URINGS  4
#define ENTRIES 128
#define PLACES  64

/* What the library maps of it. */
struct shared {
	_Atomic uint32_t sq_head;
	_Atomic uint32_t sq_tail;
	_Atomic uint32_t cq_head;
	_Atomic uint32_t cq_tail;
	struct uapi_io_uring_cqe cqes[ENTRIES];
	uint32_t array[1];
	struct uapi_io_uring_sqe sqe;
};

struct uring {
	int fd; /* 0: free */
	bool armed;
	bool cancelled;
	int queue; /* what the armed read reads */
	uint16_t head;
	struct uapi_io_uring_buf *places;
	struct shared shared;
};

static struct uring urings[URINGS];
static const struct libiommu_sys *below;
static pthread_mutex_t *lock;
static model_uring_read_fn read_queue;
static unsigned int countdown;
static bool failed, lingering, forbidden;

static bool fails(void)
{
	if (!countdown || --countdown)
		return false;
	failed = true;
	return true;
}

static struct uring *find(int fd)
{
	for (int i = 0; i < URINGS; i++)
		if (urings[i].fd == fd)
			return &urings[i];
	return NULL;
}

static void set_level(const struct uring *uring)
{
	uint64_t value = 1;
	ssize_t done;

	if (atomic_load(&uring->shared.cq_tail) != atomic_load(&uring->shared.cq_head))
		done = write(uring->fd, &value, sizeof(value));
	else
		done = read(uring->fd, &value, sizeof(value));
	(void)done; /* it was empty */
}

static void post(struct uring *uring, int result, uint32_t flags)
{
	struct shared *const shared = &uring->shared;
	const uint32_t tail = atomic_load(&shared->cq_tail);

	shared->cqes[tail % ENTRIES] = (struct uapi_io_uring_cqe){
		.user_data = shared->sqe.user_data,
		.res = result,
		.flags = flags,
	};
	atomic_store(&shared->cq_tail, tail + 1);
	set_level(uring);
}

static void finish(struct uring *uring, int result)
{
	uring->armed = false;
	uring->cancelled = false;
	post(uring, result, 0);
}

static void run(struct uring *uring)
{
	while (uring->armed && !uring->cancelled) {
		_Atomic uint16_t *const tail = (_Atomic uint16_t *)(void *)&uring->places[0].resv;
		const struct uapi_io_uring_buf *const place = &uring->places[uring->head % PLACES];
		const bool full = uring->head == atomic_load(tail);
		ssize_t got;

		got = full ? -ENOBUFS
		           : read_queue(uring->queue, (void *)(uintptr_t)place->addr, place->len);
		if (!got)
			return;
		if (got < 0) {
			finish(uring, (int)got);
			return;
		}
		post(uring, (int)got,
		     UAPI_IORING_CQE_F_MORE | UAPI_IORING_CQE_F_BUFFER |
		             (uint32_t)place->bid << UAPI_IORING_CQE_BUFFER_SHIFT);
		uring->head++;
	}
}

void model_uring_run(int fd)
{
	for (int i = 0; i < URINGS; i++)
		if (urings[i].fd && urings[i].armed && urings[i].queue == fd)
			run(&urings[i]);
}

void model_uring_close(int fd)
{
	struct uring *const uring = fd > 0 ? find(fd) : NULL;

	if (uring)
		uring->fd = 0;
}

void model_uring_refresh(void)
{
	for (int i = 0; i < URINGS; i++)
		if (urings[i].fd)
			set_level(&urings[i]);
}

static int do_setup(struct uapi_io_uring_params *params)
{
	struct uring *const uring = find(0);
	int fd;

	if (forbidden)
		return -EPERM;
	if (!uring || fails())
		return -EIO;
	fd = li_sys_eventfd(below);
	if (fd < 0)
		return fd;
	memset(uring, 0, sizeof(*uring));
	uring->fd = fd;
	params->sq_entries = 1;
	params->features = UAPI_IORING_FEAT_SINGLE_MMAP | UAPI_IORING_FEAT_EXT_ARG;
	params->sq_off.head = offsetof(struct shared, sq_head);
	params->sq_off.tail = offsetof(struct shared, sq_tail);
	params->sq_off.array = offsetof(struct shared, array);
	params->cq_off.head = offsetof(struct shared, cq_head);
	params->cq_off.tail = offsetof(struct shared, cq_tail);
	params->cq_off.cqes = offsetof(struct shared, cqes);
	return fd;
}

static int uring_setup(void *user, unsigned int entries, void *params)
{
	int fd;

	(void)user;
	(void)entries;
	pthread_mutex_lock(lock);
	fd = do_setup(params);
	pthread_mutex_unlock(lock);
	return fd;
}

static int do_enter(struct uring *uring, unsigned int submit)
{
	struct shared *const shared = &uring->shared;

	if (fails())
		return -EIO;
	if (!submit) {
		if (uring->cancelled)
			finish(uring, -ECANCELED);
		return 0;
	}
	uring->queue = shared->sqe.fd;
	uring->armed = true;
	atomic_fetch_add(&shared->sq_head, 1);
	run(uring);
	return 1;
}

static int uring_enter(void *user, int ring, unsigned int submit, unsigned int wait,
                       unsigned int flags, const void *arg, size_t size)
{
	int result;

	(void)user;
	(void)wait;
	(void)flags;
	(void)arg;
	(void)size;
	pthread_mutex_lock(lock);
	result = do_enter(find(ring), submit);
	pthread_mutex_unlock(lock);
	return result;
}

static int do_register(struct uring *uring, unsigned int operation, void *arg)
{
	struct uapi_io_uring_probe *const probe = arg;
	const struct uapi_io_uring_buf_reg *const reg = arg;

	if (fails())
		return -EIO;
	if (operation == UAPI_IORING_REGISTER_PROBE) {
		probe->ops_len = UAPI_IORING_OP_READ_MULTISHOT + 1;
		probe->ops[UAPI_IORING_OP_READ_MULTISHOT].flags = UAPI_IO_URING_OP_SUPPORTED;
	} else if (operation == UAPI_IORING_REGISTER_PBUF_RING) {
		uring->places = (void *)(uintptr_t)reg->ring_addr;
	} else if (!uring->armed) {
		return -ENOENT;
	} else if (lingering) {
		uring->cancelled = true;
	} else {
		finish(uring, -ECANCELED);
	}
	return 0;
}

static int uring_register(void *user, int ring, unsigned int operation, void *arg,
                          unsigned int count)
{
	int result;

	(void)user;
	(void)count;
	pthread_mutex_lock(lock);
	result = do_register(find(ring), operation, arg);
	pthread_mutex_unlock(lock);
	return result;
}

static bool is_shared(const void *address)
{
	return (uintptr_t)address >= (uintptr_t)urings &&
	       (uintptr_t)address < (uintptr_t)(urings + URINGS);
}

static int uring_mmap(void *user, void *address, size_t length, int prot, int flags, int fd,
                      uint64_t offset, void **result)
{
	struct uring *uring;
	bool fail;

	(void)user;
	pthread_mutex_lock(lock);
	uring = fd > 0 ? find(fd) : NULL;
	fail = uring && fails();
	pthread_mutex_unlock(lock);
	if (!uring)
		return li_sys_mmap(below, address, length, prot, flags, fd, offset, result);
	*result = offset == UAPI_IORING_OFF_SQES ? (void *)&uring->shared.sqe
	                                         : (void *)&uring->shared;
	return fail ? -EIO : 0;
}

static int uring_munmap(void *user, void *address, size_t length)
{
	(void)user;
	return is_shared(address) ? 0 : li_sys_munmap(below, address, length);
}

static int uring_madvise(void *user, void *address, size_t length, int advice)
{
	(void)user;
	return is_shared(address) ? 0 : li_sys_madvise(below, address, length, advice);
}

static void refresh(void)
{
	pthread_mutex_lock(lock);
	model_uring_refresh();
	pthread_mutex_unlock(lock);
}

static int uring_poll(void *user, struct pollfd *polled, unsigned int count, int timeout)
{
	(void)user;
	refresh();
	return li_sys_poll(below, polled, count, timeout);
}

static int uring_epoll_wait(void *user, int epoll, struct epoll_event *events, int count,
                            int timeout)
{
	(void)user;
	refresh();
	return li_sys_epoll_wait(below, epoll, events, count, timeout);
}

void model_uring_install(struct libiommu_sys *door, const struct libiommu_sys *sys,
                         pthread_mutex_t *mutex, model_uring_read_fn read_fn)
{
	below = sys;
	lock = mutex;
	read_queue = read_fn;
	countdown = 0;
	lingering = false;
	forbidden = false;
	libiommu_sys_set_uring_setup(door, uring_setup);
	libiommu_sys_set_uring_enter(door, uring_enter);
	libiommu_sys_set_uring_register(door, uring_register);
	libiommu_sys_set_mmap(door, uring_mmap);
	libiommu_sys_set_munmap(door, uring_munmap);
	libiommu_sys_set_madvise(door, uring_madvise);
	libiommu_sys_set_poll(door, uring_poll);
	libiommu_sys_set_epoll_wait(door, uring_epoll_wait);
}

void model_uring_fail_nth(unsigned int nth)
{
	failed = false;
	countdown = nth;
}

bool model_uring_failed(void)
{
	countdown = 0;
	return failed;
}

void model_uring_linger(bool on)
{
	lingering = on;
}

void model_uring_forbid(bool on)
{
	forbidden = on;
}

unsigned int model_uring_armed(void)
{
	unsigned int armed = 0;

	for (int i = 0; i < URINGS; i++)
		armed += urings[i].fd && urings[i].armed;
	return armed;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fake-uring.h"

#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#define RECORD  sizeof(struct uapi_hwpt_pgfault)
#define ENTRIES 128
#define PLACES  64
#define FAULTS  65536
#define WANTED  UAPI_IORING_OP_READ_MULTISHOT

/* Where things are is the kernel's choice: this one's is none that there has been. */
struct rings {
	uint32_t nothing[3];
	_Atomic uint32_t cq_tail;
	_Atomic uint32_t sq_head;
	struct uapi_io_uring_cqe cqes[ENTRIES];
	_Atomic uint32_t cq_head;
	_Atomic uint32_t sq_tail;
	uint32_t array[1];
};

struct fake_uring fake_uring;

static struct fake_uring *const fake = &fake_uring;
static struct libiommu_sys *door;
static struct rings rings;
static struct uapi_io_uring_sqe sqe;
static struct uapi_io_uring_buf *places;
static uint16_t head; /* of the places */
static _Alignas(4096) uint8_t memory[PLACES * (16 + 64 * RECORD)];
static struct uapi_hwpt_pgfault faults[FAULTS];
static size_t raised, fetched;
static unsigned int countdown;
static bool failed;

static bool fails(void)
{
	if (!countdown || --countdown)
		return false;
	failed = true;
	return true;
}

static int opened(int fd)
{
	if (fails())
		return -EIO;
	fake->fds++;
	return fd;
}

static int do_close(void *user, int fd)
{
	(void)user;
	assert_in_range(fd, FAKE_RING, FAKE_EPOLL);
	fake->fds--;
	return 0;
}

static int do_setup(void *user, unsigned int entries, void *arg)
{
	struct uapi_io_uring_params *const params = arg;

	(void)user;
	assert_int_equal(entries, 1);
	assert_int_equal(params->flags, UAPI_IORING_SETUP_CQSIZE);
	assert_int_equal(params->cq_entries, ENTRIES);
	params->sq_entries = 1;
	params->features = fake->features;
	params->sq_off.head = offsetof(struct rings, sq_head);
	params->sq_off.tail = offsetof(struct rings, sq_tail);
	params->sq_off.array = offsetof(struct rings, array);
	params->cq_off.head = offsetof(struct rings, cq_head);
	params->cq_off.tail = offsetof(struct rings, cq_tail);
	params->cq_off.cqes = offsetof(struct rings, cqes);
	return opened(FAKE_RING);
}

static int do_mmap(void *user, void *address, size_t length, int prot, int flags, int fd,
                   uint64_t offset, void **result)
{
	(void)user;
	if (fails())
		return -EIO;
	assert_null(address);
	assert_int_equal(prot, PROT_READ | PROT_WRITE);
	if (flags & MAP_ANONYMOUS) {
		assert_int_equal(fd, -1);
		assert_in_range(length, 1, sizeof(memory));
		memset(memory, 0, sizeof(memory));
		*result = memory;
	} else {
		assert_int_equal(fd, FAKE_RING);
		assert_int_equal(flags, MAP_SHARED);
		*result = offset ? (void *)&sqe : (void *)&rings;
		assert_in_range(length, offset ? sizeof(sqe) : offsetof(struct rings, array) + 4,
		                offset ? sizeof(sqe) : sizeof(rings));
		assert_int_equal(offset, offset ? UAPI_IORING_OFF_SQES : 0);
	}
	fake->maps++;
	fake->forkable++;
	return 0;
}

static int do_madvise(void *user, void *address, size_t length, int advice)
{
	(void)user;
	if (fails())
		return -EIO;
	assert_non_null(address);
	assert_true(length > 0);
	assert_int_equal(advice, MADV_DONTFORK);
	fake->forkable--;
	return 0;
}

static int do_munmap(void *user, void *address, size_t length)
{
	(void)user;
	assert_true(length > 0);
	/* The kernel must have nothing in hand. */
	assert_false(fake->armed);
	assert_non_null(address);
	fake->maps--;
	return 0;
}

static int do_epoll(void *user)
{
	(void)user;
	return opened(FAKE_EPOLL);
}

static int do_epoll_ctl(void *user, int epoll, int operation, int fd, struct epoll_event *event)
{
	(void)user;
	if (fails())
		return -EIO;
	assert_int_equal(epoll, FAKE_EPOLL);
	if (fd == FAKE_RING) {
		assert_int_equal(operation, EPOLL_CTL_ADD);
		assert_int_equal(event->events, EPOLLIN);
		return 0;
	}
	assert_int_equal(fd, FAKE_FD);
	fake->watched = event->events & EPOLLIN;
	return 0;
}

static int do_nonblock(void *user, int fd)
{
	(void)user;
	if (fails())
		return -EIO;
	assert_int_equal(fd, FAKE_FD);
	fake->nonblock = true;
	return 0;
}

static int do_clock(void *user, uint64_t *ns)
{
	(void)user;
	if (fails())
		return -EIO;
	*ns = fake->now;
	return 0;
}

/* What the kernel's read does: whole groups, the first of which must fit. */
static ssize_t fetch(void *to, size_t size)
{
	struct uapi_hwpt_pgfault *const records = to;
	size_t whole = 0;

	for (size_t i = 0; fetched + i < raised && (i + 1) * RECORD <= size; i++)
		if (faults[fetched + i].flags & UAPI_PGFAULT_FLAGS_LAST_PAGE)
			whole = i + 1;
	if (!whole && fetched < raised)
		return -EINVAL;
	memcpy(records, faults + fetched, whole * RECORD);
	fetched += whole;
	fake->left = raised - fetched;
	return (ssize_t)(whole * RECORD);
}

static ssize_t do_read(void *user, int fd, void *buffer, size_t size)
{
	(void)user;
	assert_int_equal(fd, FAKE_FD);
	fake->reads++;
	if (fails())
		return -EIO;
	/* Else what is read twice at the same time comes in any order. */
	assert_false(fake->armed);
	return fake->read_error ? fake->read_error : fetch(buffer, size);
}

void fake_uring_post(int result, uint32_t flags)
{
	const uint32_t tail = atomic_load(&rings.cq_tail);

	assert_true(tail - atomic_load(&rings.cq_head) < ENTRIES);
	rings.cqes[tail % ENTRIES] = (struct uapi_io_uring_cqe){
		.user_data = sqe.user_data,
		.res = result,
		.flags = flags,
	};
	atomic_store(&rings.cq_tail, tail + 1);
}

void fake_uring_finish(int result)
{
	assert_true(fake->armed);
	fake->armed = false;
	fake->cancelled = false;
	fake_uring_post(result, 0);
}

/* Reads once; what ends it, or 1. */
static int shoot(void)
{
	_Atomic uint16_t *const tail = (_Atomic uint16_t *)(void *)&places[0].resv;
	const struct uapi_io_uring_buf *const place = &places[head % PLACES];
	ssize_t got;

	if (fake->cancelled)
		return -ECANCELED;
	if (head == atomic_load(tail))
		return -ENOBUFS;
	got = fetch((void *)(uintptr_t)place->addr, place->len);
	if (got <= 0)
		return (int)got;
	fake_uring_post((int)got, UAPI_IORING_CQE_F_MORE | UAPI_IORING_CQE_F_BUFFER |
	                                  (uint32_t)place->bid << 16);
	head++;
	return 1;
}

void fake_uring_run(void)
{
	while (fake->armed && !fake->stuck && (fake->cancelled || fetched < raised)) {
		const int result = shoot();

		if (result <= 0)
			fake_uring_finish(result);
	}
}

static int wait_for(uint32_t count, const struct uapi_io_uring_getevents_arg *arg, size_t size)
{
	const struct uapi_timespec *const time = (const void *)(uintptr_t)arg->ts;

	assert_int_equal(size, sizeof(*arg));
	assert_int_equal(arg->sigmask, 0);
	assert_true(count > atomic_load(&rings.cq_tail) - atomic_load(&rings.cq_head));
	fake->now += (uint64_t)time->tv_nsec;
	assert_int_equal(time->tv_sec, 0);
	if (fake->waits && !--fake->waits)
		fake->stuck = false;
	fake_uring_run();
	return fake->stuck ? -ETIME : 0;
}

static int do_enter(void *user, int ring, unsigned int submit, unsigned int wait,
                    unsigned int flags, const void *arg, size_t size)
{
	(void)user;
	assert_int_equal(ring, FAKE_RING);
	if (fails())
		return -EIO;
	if (!submit) {
		assert_int_equal(flags, UAPI_IORING_ENTER_GETEVENTS | UAPI_IORING_ENTER_EXT_ARG);
		return wait_for(wait, arg, size);
	}
	assert_int_equal(submit, 1);
	assert_int_equal(wait | flags, 0);
	assert_int_equal(atomic_load(&rings.sq_tail), atomic_load(&rings.sq_head) + 1);
	if (fake->refuses)
		return -EAGAIN;
	assert_int_equal(sqe.opcode, WANTED);
	assert_int_equal(sqe.flags, UAPI_IOSQE_ASYNC | UAPI_IOSQE_BUFFER_SELECT);
	assert_int_equal(sqe.fd, FAKE_FD);
	assert_true(!sqe.off && !sqe.addr && !sqe.len && !sqe.buf_group && !sqe.rw_flags);
	assert_true(fake->nonblock);
	assert_false(fake->armed);
	atomic_fetch_add(&rings.sq_head, 1);
	fake->armed = true;
	fake->arms++;
	return fake->lies ? -EINTR : 1;
}

static int cancel(const struct uapi_io_uring_sync_cancel_reg *what)
{
	assert_true(what->addr == sqe.user_data);
	assert_int_equal(what->flags, 0);
	assert_true(what->timeout.tv_sec >= 0);
	fake->cancels++;
	if (fake->refills) {
		fake->refills = false;
		fake_uring_run();
	}
	if (!fake->armed)
		return -ENOENT;
	fake->cancelled = true;
	return fake->cancel_error;
}

static int do_register(void *user, int ring, unsigned int operation, void *arg, unsigned int count)
{
	struct uapi_io_uring_probe *const probe = arg;
	const struct uapi_io_uring_buf_reg *const reg = arg;

	(void)user;
	assert_int_equal(ring, FAKE_RING);
	if (fails())
		return -EIO;
	if (operation == UAPI_IORING_REGISTER_SYNC_CANCEL)
		return cancel(arg);
	if (operation == UAPI_IORING_REGISTER_PROBE) {
		assert_true(count > WANTED);
		probe->ops_len = fake->operations;
		probe->ops[WANTED].flags = fake->known ? UAPI_IO_URING_OP_SUPPORTED : 0;
		return 0;
	}
	assert_int_equal(operation, UAPI_IORING_REGISTER_PBUF_RING);
	assert_int_equal(reg->ring_entries, PLACES);
	assert_int_equal(reg->bgid | reg->flags, 0);
	places = (void *)(uintptr_t)reg->ring_addr;
	return 0;
}

struct libiommu_sys *fake_uring_begin(void)
{
	assert_int_equal(libiommu_sys_new(&door), 0);
	libiommu_sys_set_close(door, do_close);
	libiommu_sys_set_read(door, do_read);
	libiommu_sys_set_mmap(door, do_mmap);
	libiommu_sys_set_munmap(door, do_munmap);
	libiommu_sys_set_madvise(door, do_madvise);
	libiommu_sys_set_clock(door, do_clock);
	libiommu_sys_set_epoll(door, do_epoll);
	libiommu_sys_set_epoll_ctl(door, do_epoll_ctl);
	libiommu_sys_set_nonblock(door, do_nonblock);
	libiommu_sys_set_uring_setup(door, do_setup);
	libiommu_sys_set_uring_enter(door, do_enter);
	libiommu_sys_set_uring_register(door, do_register);
	*fake = (struct fake_uring){
		.features = UINT32_MAX,
		.operations = 60,
		.known = true,
		.now = 1,
	};
	memset(&rings, 0, sizeof(rings));
	/* Indices go round. */
	atomic_store(&rings.cq_head, UINT32_MAX - 2);
	atomic_store(&rings.cq_tail, UINT32_MAX - 2);
	atomic_store(&rings.sq_head, UINT32_MAX);
	atomic_store(&rings.sq_tail, UINT32_MAX);
	head = 0;
	raised = fetched = 0;
	countdown = 0;
	return door;
}

void fake_uring_end(void)
{
	assert_int_equal(fake->fds, 0);
	assert_int_equal(fake->maps, 0);
	libiommu_sys_free(door);
}

void fake_uring_fail_nth(unsigned int nth)
{
	countdown = nth;
	failed = false;
}

bool fake_uring_failed(void)
{
	countdown = 0;
	return failed;
}

void fake_uring_raise(uint32_t cookie, uint32_t records)
{
	for (uint32_t i = 0; i < records; i++) {
		assert_true(raised < FAULTS);
		faults[raised] = (struct uapi_hwpt_pgfault){
			.flags = i + 1 == records ? UAPI_PGFAULT_FLAGS_LAST_PAGE : 0,
			.addr = raised,
			.cookie = cookie,
		};
		raised++;
	}
	fake->left = raised - fetched;
}

bool fake_uring_ready(void)
{
	return atomic_load(&rings.cq_tail) != atomic_load(&rings.cq_head) ||
	       (fake->watched && fetched < raised);
}

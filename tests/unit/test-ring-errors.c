/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Calls that fail, memory that runs out, arguments that are wrong: nothing is left behind. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ring-door.h"

#include "../../lib/base/sys.h"

static struct libiommu_ctx *ctx;

static int setup(void **state)
{
	(void)state;
	ctx = ring_ctx();
	libiommu_failure_clear();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ring_ctx_close(ctx);
	return 0;
}

static void test_null_and_nonsense(void **state)
{
	struct libiommu_ring *const ring = ring_make(ctx, 1024, 64, 0);
	struct libiommu_ring_config *config;
	const struct libiommu_record record = {0}, *records;
	struct libiommu_completion done = {0};
	struct libiommu_reader *reader, *other = NULL;
	uint64_t value;
	size_t count;

	(void)state;
	assert_int_equal(libiommu_ring_config_new(NULL), -EINVAL);
	assert_int_equal(libiommu_ring_config_set_records(NULL, 1024), -EINVAL);
	assert_int_equal(libiommu_ring_config_set_outstanding(NULL, 64), -EINVAL);
	assert_int_equal(libiommu_ring_config_set_deadline(NULL, 0), -EINVAL);
	assert_int_equal(libiommu_ring_config_new(&config), 0);
	assert_int_equal(libiommu_ring_config_set_records(config, 512), -EINVAL);
	assert_int_equal(libiommu_ring_config_set_records(config, 1025), -EINVAL);
	assert_int_equal(libiommu_ring_config_set_records(config, 1 << 25), -EINVAL);
	assert_int_equal(libiommu_ring_config_set_records(config, 1 << 24), 0);
	assert_int_equal(libiommu_ring_config_set_outstanding(config, 0), -EINVAL);
	assert_int_equal(libiommu_ring_config_set_outstanding(config, 3), -EINVAL);
	assert_int_equal(libiommu_ring_config_set_outstanding(config, 1 << 21), -EINVAL);
	assert_int_equal(libiommu_ring_config_set_outstanding(config, 1), 0);
	assert_int_equal(libiommu_ring_config_set_deadline(config, UINT64_MAX), -EINVAL);
	assert_int_equal(libiommu_ring_config_set_deadline(config, INT64_MAX), 0);
	libiommu_ring_config_free(config);
	libiommu_ring_config_free(NULL);
	assert_int_equal(libiommu_ring_new(NULL, NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_ring_new(ctx, NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_ring_destroy(NULL), 0);
	assert_int_equal(libiommu_ring_join(NULL, 0, LIBIOMMU_FD_DUP, 0), -EINVAL);
	assert_int_equal(libiommu_ring_join(ring, -1, LIBIOMMU_FD_DUP, 0), -EINVAL);
	assert_int_equal(libiommu_ring_join(ring, 0, (enum libiommu_fd_mode)3, 0), -EINVAL);
	assert_int_equal(libiommu_ring_join(ring, 0, LIBIOMMU_FD_DUP, 2), -EINVAL);
	assert_int_equal(libiommu_ring_open_reader(NULL, &other), -EINVAL);
	assert_int_equal(libiommu_ring_open_reader(ring, NULL), -EINVAL);
	assert_int_equal(libiommu_ring_fd(NULL), -EINVAL);
	assert_int_equal(libiommu_ring_dispatch(NULL), -EINVAL);
	assert_int_equal(libiommu_ring_inject(NULL, &record, 1, NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_ring_inject(ring, &record, 1, NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_ring_counter(NULL, LIBIOMMU_RING_FULL, &value), -EINVAL);
	assert_int_equal(libiommu_ring_counter(ring, LIBIOMMU_RING_FULL, NULL), -EINVAL);
	assert_int_equal(libiommu_ring_counter(ring, (enum libiommu_ring_counter)32, &value),
	                 -EINVAL);
	assert_int_equal(libiommu_ring_monitor(NULL), -EINVAL);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_reader_open(NULL, 0, LIBIOMMU_FD_DUP, NULL), -EINVAL);
	assert_int_equal(libiommu_reader_open(NULL, -1, LIBIOMMU_FD_DUP, &other), -EINVAL);
	assert_int_equal(libiommu_reader_open(NULL, 0, (enum libiommu_fd_mode)3, &other), -EINVAL);
	libiommu_reader_free(NULL);
	assert_int_equal(libiommu_reader_next(NULL, &records, &count), -EINVAL);
	assert_int_equal(libiommu_reader_next(reader, NULL, &count), -EINVAL);
	assert_int_equal(libiommu_reader_next(reader, &records, NULL), -EINVAL);
	assert_int_equal(libiommu_reader_release(NULL), -EINVAL);
	assert_int_equal(libiommu_reader_complete(NULL, &done, 1), -EINVAL);
	assert_int_equal(libiommu_reader_complete(reader, NULL, 1), -EINVAL);
	assert_int_equal(libiommu_reader_complete(reader, NULL, 0), 0);
	assert_int_equal(libiommu_reader_sleep(NULL, 0), -EINVAL);
	assert_int_equal(libiommu_reader_arm(NULL), -EINVAL);
	assert_int_equal(libiommu_reader_disarm(NULL), -EINVAL);
	assert_int_equal(libiommu_reader_fd(NULL), -EINVAL);
	assert_true(libiommu_reader_fd(reader) >= 0 && libiommu_ring_fd(ring) >= 0);
	assert_null(other);
	/* A context outlives its rings. */
	assert_int_equal(libiommu_ctx_destroy(ctx), -EBUSY);
	libiommu_reader_free(reader);
	libiommu_ring_destroy(ring);
}

static void test_without_memory(void **state)
{
	struct libiommu_ring_config *config = NULL;
	struct libiommu_ring *ring = NULL;
	struct libiommu_reader *reader = NULL;
	const struct libiommu_record record = {0};
	unsigned int nth;

	(void)state;
	alloc_fail_nth(1);
	assert_int_equal(libiommu_ring_config_new(&config), -ENOMEM);
	assert_true(alloc_restore());
	assert_null(config);
	for (nth = 1;; nth++) {
		const int fds = door_fds(), maps = door_maps();
		const long live = alloc_live();
		int error;

		alloc_fail_nth(nth);
		error = libiommu_ring_new(ctx, NULL, &ring);
		if (!alloc_restore()) {
			assert_int_equal(error, 0);
			break;
		}
		assert_int_equal(error, -ENOMEM);
		assert_null(ring);
		assert_int_equal(door_fds(), fds);
		assert_int_equal(door_maps(), maps);
		assert_int_equal(alloc_live(), live);
	}
	assert_int_equal(nth, 6);
	for (nth = 1;; nth++) {
		int error;

		alloc_fail_nth(nth);
		error = libiommu_ring_open_reader(ring, &reader);
		if (!alloc_restore()) {
			assert_int_equal(error, 0);
			break;
		}
		assert_int_equal(error, -ENOMEM);
		assert_null(reader);
	}
	assert_int_equal(nth, 4);
	alloc_fail_nth(1);
	assert_int_equal(libiommu_ring_inject(ring, &record, 1, (libiommu_ring_answer_fn)1, NULL),
	                 -ENOMEM);
	assert_true(alloc_restore());
	libiommu_reader_free(reader);
	libiommu_ring_destroy(ring);
}

static void test_each_call_of_making_a_ring_fails(void **state)
{
	struct libiommu_ring *ring = NULL;
	unsigned int nth;

	(void)state;
	for (nth = 1;; nth++) {
		int error;

		door_fail_nth(nth);
		error = libiommu_ring_new(ctx, NULL, &ring);
		if (!door_failed()) {
			assert_int_equal(error, 0);
			break;
		}
		assert_int_equal(error, -EIO);
		assert_string_equal(libiommu_failure_operation(), "libiommu_ring_new");
		assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
		assert_null(ring);
		assert_int_equal(door_fds(), 0);
		assert_int_equal(door_maps(), 0);
	}
	/* mmap, madvise; the clock; epoll, timer, eventfd; two of them watched. */
	assert_int_equal(nth, 9);
	libiommu_ring_destroy(ring);
}

static void test_each_call_of_opening_a_reader_fails(void **state)
{
	struct libiommu_ring *const ring = ring_make(ctx, 1024, 64, 0);
	const int fds = door_fds(), maps = door_maps();
	struct libiommu_reader *reader = NULL;
	unsigned int nth;

	(void)state;
	for (nth = 1;; nth++) {
		int error;

		door_fail_nth(nth);
		error = libiommu_ring_open_reader(ring, &reader);
		if (!door_failed()) {
			assert_int_equal(error, 0);
			break;
		}
		assert_int_equal(error, -EIO);
		assert_null(reader);
		/* A reader that came to nothing is a dead one, which leaves nothing behind. */
		assert_int_equal(libiommu_ring_dispatch(ring), 0);
		assert_int_equal(door_fds(), fds);
		assert_int_equal(door_maps(), maps);
	}
	assert_true(nth > 20);
	libiommu_reader_free(reader);
	libiommu_ring_destroy(ring);
}

static void test_each_call_of_a_dispatch_fails(void **state)
{
	static struct fake fake;
	unsigned int nth, last = 0;

	(void)state;
	for (nth = 1; !last; nth++) {
		struct libiommu_ring *const ring = ring_make(ctx, 1024, 64, 1000000000);
		struct libiommu_completion done;
		struct libiommu_reader *reader;
		int error;

		fake_init(&fake);
		assert_int_equal(li_filler_add(li_ring_filler(ring), &fake.source), 0);
		assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
		assert_int_equal(libiommu_ring_dispatch(ring), 0);
		for (int i = 0; i < 65; i++)
			fake_raise(&fake, 1, 0);
		door_fail_nth(nth);
		error = libiommu_ring_dispatch(ring);
		if (door_failed())
			assert_int_equal(error, -EIO);
		else
			last = nth;
		assert_int_equal(ring_count(ring, LIBIOMMU_RING_ERRORS), error ? 1 : 0);
		/* Whatever it was, the next time makes good for it. */
		assert_int_equal(libiommu_ring_dispatch(ring), 0);
		assert_int_equal(fake.fetched, 64);
		for (int i = 0; i < 64; i++) {
			reader_take(reader, &done);
			assert_int_equal(libiommu_reader_complete(reader, &done, 1), 1);
		}
		libiommu_reader_release(reader);
		assert_int_equal(libiommu_ring_dispatch(ring), 0);
		assert_int_equal(fake.fetched, 65);
		libiommu_reader_free(reader);
		libiommu_ring_destroy(ring);
		fake_check(&fake);
		fake_close(&fake);
	}
	/* epoll_wait, clock, timer, and the source that is not polled any more. */
	assert_int_equal(last, 5);
}

static void test_errors_of_sources_are_passed_on(void **state)
{
	struct libiommu_ring *const ring = ring_make(ctx, 1024, 64, 0);
	static struct fake fake;
	struct libiommu_completion done;
	struct libiommu_reader *reader;

	(void)state;
	fake_init(&fake);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &fake.source), 0);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	fake_raise(&fake, 1, 0);
	fake.error = -ENXIO;
	assert_int_equal(libiommu_ring_dispatch(ring), -ENXIO);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	reader_take(reader, &done);
	assert_int_equal(libiommu_reader_complete(reader, &done, 1), 1);
	fake.error = -ENXIO;
	assert_int_equal(libiommu_ring_dispatch(ring), -ENXIO);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	fake_raise(&fake, 1, 0);
	fake.error = -ENXIO;
	assert_int_equal(libiommu_ring_dispatch(ring), -ENXIO);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_ERRORS), 3);
	fake_check(&fake);
	libiommu_ring_destroy(ring);
	fake_close(&fake);
}

static void test_sources_have_a_limit(void **state)
{
	struct libiommu_ring *const ring = ring_make(ctx, 1024, 64, 0);
	static struct fake fake[FILLER_SOURCES];

	(void)state;
	for (int i = 0; i < FILLER_SOURCES; i++) {
		fake_init(&fake[i]);
		assert_int_equal(li_filler_add(li_ring_filler(ring), &fake[i].source),
		                 i < FILLER_SOURCES - 1 ? 0 : -ENOSPC);
	}
	libiommu_ring_destroy(ring);
	for (int i = 0; i < FILLER_SOURCES; i++)
		fake_close(&fake[i]);
}

static void test_a_join_that_cannot_be(void **state)
{
	struct libiommu_ring *const ring = ring_make(ctx, 1024, 64, 0);
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	close(ends[1]);
	assert_int_equal(libiommu_ring_join(ring, ends[0], LIBIOMMU_FD_DUP, 0), -EPIPE);
	assert_int_equal(libiommu_ring_join(ring, ends[0], LIBIOMMU_FD_BORROW, 0), -EPIPE);
	assert_int_equal(libiommu_ring_join(ring, ends[0], LIBIOMMU_FD_OWN, 0), -EPIPE);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(libiommu_ring_join(ring, ends[0], LIBIOMMU_FD_DUP, 0), -EBADF);
	libiommu_ring_destroy(ring);
}

/* What a filler that is no friend could send: each is refused, and nothing is mapped or open. */
static int open_with(const void *message, size_t size, const int *fds, unsigned int count)
{
	struct libiommu_reader *reader = NULL;
	int ends[2], error;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(li_sys_send(li_sys_libc(), ends[0], message, size, fds, count, 0), size);
	error = libiommu_reader_open(ring_door(), ends[1], LIBIOMMU_FD_BORROW, &reader);
	if (!error)
		libiommu_reader_free(reader);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(door_fds(), 0);
	assert_int_equal(door_maps(), 0);
	return error;
}

/* The two memories, as the filler would make them, save for what @spoil does to A. */
static int open_spoilt(void (*spoil)(struct ring_a *a), int a_seals, int b_seals)
{
	const struct ring_hello hello = {RING_MAGIC, RING_MAJOR, RING_MINOR, HELLO_FDS};
	const struct ring_shape shape = {.capacity = 1024, .completion_capacity = 128};
	const struct libiommu_sys *const sys = li_sys_libc();
	struct ring_memory good;
	int fds[HELLO_FDS], error;
	void *at;

	assert_int_equal(li_memory_new(sys, &shape, &good), 0);
	fds[HELLO_A] = li_sys_memfd(sys, "a", good.a_size);
	fds[HELLO_B] = li_sys_memfd(sys, "b", good.b_size);
	fds[HELLO_BELL] = li_sys_eventfd(sys);
	fds[HELLO_KICK] = li_sys_eventfd(sys);
	at = mmap(NULL, good.a_size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[HELLO_A], 0);
	assert_true(at != MAP_FAILED);
	memcpy(at, good.a, RING_HEADER);
	if (spoil)
		spoil(at);
	assert_true(li_sys_seal(sys, fds[HELLO_A], a_seals) >= 0);
	assert_true(li_sys_seal(sys, fds[HELLO_B], b_seals) >= 0);
	error = open_with(&hello, sizeof(hello), fds, HELLO_FDS);
	munmap(at, good.a_size);
	for (int i = 0; i < HELLO_FDS; i++)
		close(fds[i]);
	li_memory_free(sys, &good);
	return error;
}

#define SPOIL(name, what)                                                                          \
	static void spoil_##name(struct ring_a *a)                                                 \
	{                                                                                          \
		a->what;                                                                           \
	}
SPOIL(magic, magic++)
SPOIL(major, major++)
SPOIL(minor, minor++)
SPOIL(record_size, record_size = 128)
SPOIL(completion_size, completion_size = 8)
SPOIL(capacity, capacity = 1023)
SPOIL(no_capacity, capacity = 0)
SPOIL(large, capacity = 2048)
SPOIL(huge, capacity = UINT32_C(1) << 31)
SPOIL(completions, completion_capacity = UINT32_C(1) << 31)
SPOIL(odd_completions, completion_capacity = 127)
SPOIL(record_offset, record_offset = UINT32_MAX & ~63U)
SPOIL(low_offset, record_offset = 0)
SPOIL(odd_offset, record_offset += 8)
SPOIL(completion_offset, completion_offset += 4096)

static void test_a_filler_that_is_no_friend(void **state)
{
	const struct ring_hello hello = {RING_MAGIC, RING_MAJOR, RING_MINOR, HELLO_FDS};
	const struct ring_hello later = {RING_MAGIC, RING_MAJOR + 1, 0, HELLO_FDS};
	const struct ring_hello other = {RING_MAGIC + 1, RING_MAJOR, 0, HELLO_FDS};
	const int shrink = F_SEAL_SHRINK, none = 0;
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int nulls[5] = {null, null, null, null, null};

	(void)state;
	assert_int_equal(open_with(&hello, sizeof(hello) - 1, nulls, 4), -EPROTO);
	assert_int_equal(open_with(&hello, sizeof(hello), nulls, 3), -EPROTO);
	assert_int_equal(open_with(&hello, sizeof(hello), nulls, 5), -EPROTO);
	assert_int_equal(open_with(&hello, sizeof(hello), NULL, 0), -EPROTO);
	assert_int_equal(open_with(&other, sizeof(other), nulls, 4), -EPROTO);
	assert_int_equal(open_with(&later, sizeof(later), nulls, 4), -EPROTONOSUPPORT);
	assert_int_equal(open_with(&hello, 0, NULL, 0), -EPIPE);
	/* Not memory that can be sealed. */
	assert_int_equal(open_with(&hello, sizeof(hello), nulls, 4), -EPROTO);
	close(null);
	assert_int_equal(open_spoilt(NULL, shrink, shrink), 0);
	assert_int_equal(open_spoilt(NULL, none, shrink), -EPROTO);
	assert_int_equal(open_spoilt(NULL, shrink, none), -EPROTO);
	assert_int_equal(open_spoilt(spoil_magic, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_major, shrink, shrink), -EPROTONOSUPPORT);
	assert_int_equal(open_spoilt(spoil_minor, shrink, shrink), 0);
	assert_int_equal(open_spoilt(spoil_record_size, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_completion_size, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_capacity, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_no_capacity, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_large, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_huge, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_completions, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_odd_completions, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_record_offset, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_low_offset, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_odd_offset, shrink, shrink), -EPROTO);
	assert_int_equal(open_spoilt(spoil_completion_offset, shrink, shrink), -EPROTO);
}

static void test_a_reader_survives_a_ring_of_nonsense(void **state)
{
	struct libiommu_ring *const ring = ring_make(ctx, 1024, 64, 0);
	struct libiommu_reader *reader;
	struct libiommu_completion done = {0};
	struct ring_a *a;

	(void)state;
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	a = li_ring_filler(ring)->session->memory.a;
	/* More than there is room for. */
	atomic_store(&a->prod, 1025);
	assert_int_equal(reader_none(reader), -EPROTO);
	/* A group without an end. */
	reader->seen = 0;
	atomic_store(&a->prod, 1);
	((struct libiommu_record *)((char *)a + RING_HEADER))->kind = LIBIOMMU_RECORD_FAULT;
	assert_int_equal(reader_none(reader), -EPROTO);
	/* Padding that is not published to its end. */
	((struct libiommu_record *)((char *)a + RING_HEADER))->kind = LIBIOMMU_RECORD_PAD;
	assert_int_equal(reader_none(reader), -EPROTO);
	/* A group that runs over the end of the memory. */
	reader->seen = reader->next = reader->released = 1023;
	atomic_store(&a->prod, 1027);
	((struct libiommu_record *)((char *)a + RING_HEADER) + 1023)->kind = LIBIOMMU_RECORD_FAULT;
	assert_int_equal(reader_none(reader), -EPROTO);
	/* Completions taken that were never made: looked at where there is no room without. */
	reader->made = 128;
	atomic_store(&a->taken, 129);
	assert_int_equal(libiommu_reader_complete(reader, &done, 1), -EAGAIN);
	atomic_store(&a->taken, 0);
	assert_int_equal(libiommu_reader_complete(reader, &done, 1), -EAGAIN);
	reader->made = 0;
	libiommu_reader_free(reader);
	libiommu_ring_destroy(ring);
}

static void test_seals(void **state)
{
	struct libiommu_ring *const ring = ring_make(ctx, 1024, 64, 0);
	struct libiommu_reader *reader;
	struct ring_memory *memory;
	int fd;

	(void)state;
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	memory = &li_ring_filler(ring)->session->memory;
	assert_int_equal(memory->b_fd, -1);
	fd = libiommu_ring_monitor(ring);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	/* Watching is all that can be done with it. */
	assert_ptr_equal(mmap(NULL, memory->a_size, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
	{
		const struct ring_a *const seen =
			mmap(NULL, memory->a_size, PROT_READ, MAP_SHARED, fd, 0);

		assert_true(seen != MAP_FAILED);
		assert_int_equal(seen->magic, RING_MAGIC);
		assert_int_equal(atomic_load(&seen->counters[LIBIOMMU_RING_GROUPS]), 0);
		munmap((void *)(uintptr_t)seen, memory->a_size);
	}
	li_sys_close(ring_door(), fd);
	libiommu_reader_free(reader);
	libiommu_ring_destroy(ring);
}

#define RING_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_null_and_nonsense),
		RING_TEST(test_without_memory),
		RING_TEST(test_each_call_of_making_a_ring_fails),
		RING_TEST(test_each_call_of_opening_a_reader_fails),
		RING_TEST(test_each_call_of_a_dispatch_fails),
		RING_TEST(test_errors_of_sources_are_passed_on),
		RING_TEST(test_sources_have_a_limit),
		RING_TEST(test_a_join_that_cannot_be),
		RING_TEST(test_a_filler_that_is_no_friend),
		RING_TEST(test_a_reader_survives_a_ring_of_nonsense),
		RING_TEST(test_seals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

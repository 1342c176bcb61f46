/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Watching a ring: what is seen, that it is all that can be done, and descriptors of strangers. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring-door.h"

#include "../../lib/base/sys.h"

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;
static struct libiommu_monitor *monitor;
static struct fake fake;

static int setup(void **state)
{
	(void)state;
	ctx = ring_ctx();
	libiommu_failure_clear();
	door_clock(1000);
	ring = ring_make(ctx, 1024, 64, 1000);
	fake_init(&fake);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &fake.source), 0);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	monitor = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	libiommu_monitor_free(monitor);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	fake_check(&fake);
	fake_close(&fake);
	ring_ctx_close(ctx);
	return 0;
}

static void dispatch(void)
{
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
}

static struct libiommu_monitor *watch(void)
{
	struct libiommu_monitor *made = NULL;
	const int fd = libiommu_ring_monitor(ring);

	assert_true(fd >= 0);
	assert_int_equal(libiommu_monitor_open(ring_door(), fd, LIBIOMMU_FD_OWN, &made), 0);
	return made;
}

static uint64_t seen(enum libiommu_ring_counter which)
{
	uint64_t value = UINT64_MAX;

	assert_int_equal(libiommu_monitor_counter(monitor, which, &value), 0);
	return value;
}

static void test_what_the_ring_counts(void **state)
{
	struct libiommu_completion done[3];

	(void)state;
	monitor = watch();
	assert_int_equal(libiommu_monitor_state(monitor), LIBIOMMU_MONITOR_OPEN);
	for (int i = 0; i < 3; i++)
		fake_raise(&fake, 2, 0);
	dispatch();
	for (int i = 0; i < 3; i++)
		reader_take(reader, &done[i]);
	libiommu_reader_release(reader);
	done[1].code = LIBIOMMU_FAULT_INVALID;
	door_clock(1500);
	assert_int_equal(libiommu_reader_complete(reader, done, 2), 2);
	assert_int_equal(libiommu_reader_complete(reader, done, 1), 1);
	dispatch();
	assert_int_equal(seen(LIBIOMMU_RING_OUTSTANDING), 1);
	assert_int_equal(seen(LIBIOMMU_RING_OLDEST), 1000);
	assert_int_equal(seen(LIBIOMMU_RING_LONGEST), 500);
	door_clock(2000);
	dispatch();
	assert_int_equal(seen(LIBIOMMU_RING_GROUPS), 3);
	assert_int_equal(seen(LIBIOMMU_RING_RECORDS), 6);
	assert_int_equal(seen(LIBIOMMU_RING_SUCCESS), 1);
	assert_int_equal(seen(LIBIOMMU_RING_INVALID), 1);
	assert_int_equal(seen(LIBIOMMU_RING_EXPIRED), 1);
	assert_int_equal(seen(LIBIOMMU_RING_STALE), 1);
	assert_int_equal(seen(LIBIOMMU_RING_LONGEST), 1000);
	for (int i = 0; i <= LIBIOMMU_RING_OLDEST; i++)
		assert_int_equal(seen((enum libiommu_ring_counter)i),
		                 ring_count(ring, (enum libiommu_ring_counter)i));
}

static void test_the_end_of_a_reader(void **state)
{
	(void)state;
	monitor = watch();
	fake_raise(&fake, 1, 0);
	fake_raise(&fake, 1, 0);
	dispatch();
	door_clock(2000);
	dispatch();
	assert_int_equal(libiommu_monitor_state(monitor), LIBIOMMU_MONITOR_CONDEMNED);
	assert_int_equal(seen(LIBIOMMU_RING_ABANDONED), 2);
	assert_int_equal(seen(LIBIOMMU_RING_CONDEMNED), 1);
	assert_int_equal(seen(LIBIOMMU_RING_OUTSTANDING), 0);
	/* What comes after it is the next reader's. */
	fake_raise(&fake, 1, 0);
	dispatch();
	assert_int_equal(seen(LIBIOMMU_RING_REFUSED), 0);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	dispatch();
	libiommu_monitor_free(monitor);
	monitor = watch();
	assert_int_equal(libiommu_monitor_state(monitor), LIBIOMMU_MONITOR_OPEN);
	assert_int_equal(seen(LIBIOMMU_RING_REFUSED), 1);
	/* It outlives all of them. */
	libiommu_reader_free(reader);
	reader = NULL;
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	ring = NULL;
	assert_int_equal(libiommu_monitor_state(monitor), LIBIOMMU_MONITOR_CONDEMNED);
	assert_int_equal(seen(LIBIOMMU_RING_CONDEMNED), 2);
}

static void test_a_state_of_nonsense(void **state)
{
	struct ring_a *const a = li_ring_filler(ring)->session->memory.a;

	(void)state;
	monitor = watch();
	atomic_store(&a->state, 0);
	assert_int_equal(libiommu_monitor_state(monitor), -EPROTO);
	atomic_store(&a->state, 3);
	assert_int_equal(libiommu_monitor_state(monitor), -EPROTO);
	assert_string_equal(libiommu_failure_operation(), "libiommu_monitor_state");
	atomic_store(&a->state, RING_OPEN);
}

/* True: all that could change the ring's memory, or see more than it, is refused. */
static bool can_only_look(int fd)
{
	const size_t size = RING_HEADER + 1024 * sizeof(struct libiommu_record);
	char byte = 1;
	void *at;
	bool right;

	right = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED &&
	        mmap(NULL, size, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED;
	right = right && write(fd, &byte, 1) < 0 && pwrite(fd, &byte, 1, 600) < 0 &&
	        ftruncate(fd, 0) < 0 && ftruncate(fd, (off_t)(2 * size)) < 0 &&
	        fallocate(fd, 0, 0, (off_t)(2 * size)) < 0 &&
	        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) < 0 &&
	        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0;
	/* There is nothing behind it. */
	right = right && pread(fd, &byte, 1, (off_t)size - 1) == 1 &&
	        pread(fd, &byte, 1, (off_t)size) == 0;
	at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	right = right && at != MAP_FAILED && mprotect(at, size, PROT_READ | PROT_WRITE) < 0;
	if (at != MAP_FAILED)
		munmap(at, size);
	return right;
}

/* A process of its own, which has nothing but what it is sent. Says each count that it sees. */
static void run_watcher(int socket)
{
	struct libiommu_monitor *mine = NULL;
	unsigned int count = 1;
	uint64_t value;
	char byte;
	int fd = -1;

	if (li_sys_receive(li_sys_libc(), socket, &byte, 1, &fd, &count, 0) != 1 || count != 1)
		_exit(1);
	if (libiommu_monitor_open(NULL, fd, LIBIOMMU_FD_BORROW, &mine))
		_exit(2);
	if (!can_only_look(fd))
		_exit(3);
	close(fd);
	while (read(socket, &byte, 1) == 1) {
		if (libiommu_monitor_counter(mine, LIBIOMMU_RING_SUCCESS, &value) ||
		    write(socket, &value, sizeof(value)) != sizeof(value))
			_exit(4);
	}
	if (libiommu_monitor_state(mine) != LIBIOMMU_MONITOR_CONDEMNED)
		_exit(5);
	libiommu_monitor_free(mine);
	_exit(0);
}

static uint64_t ask(int socket)
{
	uint64_t value = UINT64_MAX;

	assert_int_equal(write(socket, "", 1), 1);
	assert_int_equal(read(socket, &value, sizeof(value)), sizeof(value));
	return value;
}

static void test_another_process(void **state)
{
	struct libiommu_completion done;
	int ends[2], fd, status = -1;
	pid_t child;

	(void)state;
	/* Begun before the ring is, so that nothing of it is inherited. */
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	fake_close(&fake);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	if (!child) {
		close(ends[0]);
		run_watcher(ends[1]);
	}
	close(ends[1]);
	ring = ring_make(ctx, 1024, 64, 0);
	fake_init(&fake);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &fake.source), 0);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	dispatch();
	fd = libiommu_ring_monitor(ring);
	assert_int_equal(li_sys_send(li_sys_libc(), ends[0], "", 1, &fd, 1, 0), 1);
	li_sys_close(ring_door(), fd);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(ask(ends[0]), i);
		fake_raise(&fake, 1, 0);
		dispatch();
		reader_take(reader, &done);
		assert_int_equal(libiommu_reader_complete(reader, &done, 1), 1);
		dispatch();
	}
	/* Nobody on either side has noticed. */
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 0);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	ring = NULL;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_a_forked_child_inherits_it(void **state)
{
	int status = -1;
	pid_t child;

	(void)state;
	monitor = watch();
	fake_raise(&fake, 1, 0);
	dispatch();
	child = fork();
	if (!child) {
		uint64_t groups = 0;
		const int error = libiommu_monitor_counter(monitor, LIBIOMMU_RING_GROUPS, &groups);

		libiommu_monitor_free(monitor);
		_exit(error || groups != 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(seen(LIBIOMMU_RING_GROUPS), 1);
}

static int open_fd(int fd)
{
	struct libiommu_monitor *made = NULL;
	const int fds = door_fds(), maps = door_maps();
	const long live = alloc_live();
	const int error = libiommu_monitor_open(ring_door(), fd, LIBIOMMU_FD_OWN, &made);

	if (error) {
		assert_null(made);
		assert_string_equal(libiommu_failure_operation(), "libiommu_monitor_open");
		assert_int_equal(door_fds(), fds);
		assert_int_equal(door_maps(), maps);
		assert_int_equal(alloc_live(), live);
	} else {
		/* Closed by the door, but not opened by it. */
		libiommu_monitor_free(made);
		assert_int_equal(door_fds(), fds - 1);
		assert_int_equal(door_maps(), maps);
	}
	return error;
}

/* What the ring's memory looks like, in memory of somebody else's making. */
static int open_forged(size_t size, int seals, size_t offset, uint64_t value, size_t bytes)
{
	const struct ring_a *const a = li_ring_filler(ring)->session->memory.a;
	const int fd = li_sys_memfd(li_sys_libc(), "forged", size);
	const size_t header = size < RING_HEADER ? size : RING_HEADER;
	int error, copy;

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, a, header, 0), header);
	assert_int_equal(pwrite(fd, &value, bytes, (off_t)offset), bytes);
	assert_true(li_sys_seal(li_sys_libc(), fd, seals) >= 0);
	copy = li_sys_dup(ring_door(), fd);
	error = open_fd(copy);
	if (error)
		li_sys_close(ring_door(), copy);
	close(fd);
	return error;
}

#define FORGED(field, value)                                                                       \
	open_forged(SIZE, F_SEAL_SHRINK, offsetof(struct ring_a, field), value,                    \
	            sizeof(((struct ring_a *)NULL)->field))
#define SIZE (RING_HEADER + (size_t)1024 * 64)

static void test_descriptors_of_strangers(void **state)
{
	int fd, ends[2];

	(void)state;
	assert_int_equal(open_forged(SIZE, F_SEAL_SHRINK, 0, 0, 0), 0);
	assert_int_equal(FORGED(minor, 1), 0);
	/* Of the reader's memory nothing is believed, as it is not looked at. */
	assert_int_equal(FORGED(completion_capacity, 3), 0);
	assert_int_equal(FORGED(magic, RING_MAGIC + 1), -EPROTO);
	assert_int_equal(FORGED(major, RING_MAJOR + 1), -EPROTONOSUPPORT);
	assert_int_equal(FORGED(record_size, 65), -EPROTO);
	assert_int_equal(FORGED(capacity, 1023), -EPROTO);
	assert_int_equal(FORGED(capacity, 0), -EPROTO);
	assert_int_equal(FORGED(capacity, 2048), -EPROTO);
	assert_int_equal(FORGED(record_offset, 0), -EPROTO);
	assert_int_equal(FORGED(record_offset, RING_HEADER + 64), -EPROTO);
	assert_int_equal(FORGED(record_offset, UINT32_MAX & ~63U), -EPROTO);
	/* What could be taken away while it is looked at, and what is too small. */
	assert_int_equal(open_forged(SIZE, F_SEAL_GROW, 0, 0, 0), -EPROTO);
	assert_int_equal(open_forged(RING_HEADER - 1, F_SEAL_SHRINK, 0, 0, 0), -EPROTO);
	assert_int_equal(open_forged(RING_HEADER, F_SEAL_SHRINK, 0, 0, 0), -EPROTO);
	assert_int_equal(open_forged(1, F_SEAL_SHRINK, 0, 0, 0), -EPROTO);
	/* What is no memory at all. */
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_int_equal(open_fd(fd), -EPROTO);
	close(fd);
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(open_fd(fd), -EPROTO);
	assert_int_equal(close(fd), 0);
	assert_int_equal(open_fd(fd), -EBADF);
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(open_fd(ends[0]), -EPROTO);
	close(ends[0]);
	close(ends[1]);
	/* The ring's other descriptors. */
	assert_int_equal(open_fd(reader->bell), -EPROTO);
	assert_int_equal(open_fd(reader->socket), -EPROTO);
}

static void test_who_closes(void **state)
{
	const enum libiommu_fd_mode modes[] = {LIBIOMMU_FD_BORROW, LIBIOMMU_FD_DUP};
	const int fd = libiommu_ring_monitor(ring);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const int fds = door_fds();

		assert_int_equal(libiommu_monitor_open(ring_door(), fd, modes[i], &monitor), 0);
		assert_int_equal(door_fds(), fds);
		libiommu_monitor_free(monitor);
		assert_int_equal(door_fds(), fds);
	}
	assert_int_equal(open_fd(fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	monitor = NULL;
}

static void test_null_and_nonsense(void **state)
{
	struct libiommu_monitor *made = NULL;
	uint64_t value;

	(void)state;
	monitor = watch();
	assert_int_equal(libiommu_monitor_open(NULL, 0, LIBIOMMU_FD_DUP, NULL), -EINVAL);
	assert_int_equal(libiommu_monitor_open(NULL, -1, LIBIOMMU_FD_DUP, &made), -EINVAL);
	assert_int_equal(libiommu_monitor_open(NULL, 0, (enum libiommu_fd_mode)3, &made), -EINVAL);
	assert_null(made);
	assert_int_equal(libiommu_monitor_counter(monitor, LIBIOMMU_RING_GROUPS, NULL), -EINVAL);
	assert_int_equal(libiommu_monitor_counter(
				 monitor, (enum libiommu_ring_counter)RING_COUNTERS_KNOWN, &value),
	                 -EINVAL);
	libiommu_monitor_free(NULL);
}

static void test_what_fails_leaves_nothing(void **state)
{
	struct libiommu_monitor *made = NULL;
	const int fd = libiommu_ring_monitor(ring);
	unsigned int nth;
	int error;

	(void)state;
	for (nth = 1;; nth++) {
		alloc_fail_nth(nth);
		error = libiommu_monitor_open(ring_door(), fd, LIBIOMMU_FD_OWN, &made);
		if (!alloc_restore())
			break;
		assert_int_equal(error, -ENOMEM);
		assert_null(made);
	}
	assert_int_equal(error, 0);
	assert_int_equal(nth, 3);
	libiommu_monitor_free(made);
	made = NULL;
	for (nth = 1;; nth++) {
		const int other = libiommu_ring_monitor(ring);

		door_fail_nth(nth);
		error = open_fd(other);
		if (!door_failed())
			break;
		assert_int_equal(error, -EIO);
		assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
		li_sys_close(ring_door(), other);
	}
	assert_int_equal(error, 0);
	/* The seals, the size, the mapping. */
	assert_int_equal(nth, 4);
}

#define MONITOR_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MONITOR_TEST(test_what_the_ring_counts),
		MONITOR_TEST(test_the_end_of_a_reader),
		MONITOR_TEST(test_a_state_of_nonsense),
		MONITOR_TEST(test_another_process),
		MONITOR_TEST(test_a_forked_child_inherits_it),
		MONITOR_TEST(test_descriptors_of_strangers),
		MONITOR_TEST(test_who_closes),
		MONITOR_TEST(test_null_and_nonsense),
		MONITOR_TEST(test_what_fails_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The door's shared memory, events, time and sockets: libc's on real descriptors, and each
 * replaced.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "script.h"

#include "../../lib/base/sys.h"

static const struct libiommu_sys *sys;

static int setup(void **state)
{
	(void)state;
	sys = li_sys_libc();
	return 0;
}

static bool closes_on_exec(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static void test_memfd_is_sealed_and_measured(void **state)
{
	const int fd = li_sys_memfd(sys, "test", 8192);
	uint64_t size = 1;

	(void)state;
	assert_true(fd >= 0 && closes_on_exec(fd));
	assert_int_equal(li_sys_size(sys, fd, &size), 0);
	assert_int_equal(size, 8192);
	assert_int_equal(li_sys_seal(sys, fd, 0), 0);
	assert_int_equal(li_sys_seal(sys, fd, F_SEAL_SHRINK), F_SEAL_SHRINK);
	assert_int_equal(li_sys_seal(sys, fd, F_SEAL_SEAL), F_SEAL_SHRINK | F_SEAL_SEAL);
	assert_int_equal(li_sys_seal(sys, fd, F_SEAL_GROW), -EPERM);
	assert_int_equal(ftruncate(fd, 4096), -1);
	close(fd);
	assert_int_equal(li_sys_seal(sys, fd, 0), -EBADF);
	assert_int_equal(li_sys_size(sys, fd, &size), -EBADF);
	assert_int_equal(size, 8192);
	/* A size that no file has: the descriptor that was made for it is closed. */
	assert_int_equal(li_sys_memfd(sys, "test", UINT64_MAX), -EINVAL);
	assert_int_equal(li_sys_memfd(sys, "test", 1), fd);
	close(fd);
}

static void test_how_a_descriptor_was_opened(void **state)
{
	const int reads = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int both = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_int_equal(li_sys_getfl(sys, reads) & O_ACCMODE, O_RDONLY);
	assert_int_equal(li_sys_getfl(sys, both) & O_ACCMODE, O_RDWR);
	close(reads);
	close(both);
	assert_int_equal(li_sys_getfl(sys, both), -EBADF);
}

static void test_madvise(void **state)
{
	const size_t page = (size_t)li_sys_page_size();
	char *const at =
		mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(at != MAP_FAILED);
	at[0] = 1;
	assert_int_equal(li_sys_madvise(sys, at, page, MADV_DONTNEED), 0);
	assert_int_equal(at[0], 0);
	assert_int_equal(li_sys_madvise(sys, at + 1, page, MADV_DONTNEED), -EINVAL);
	munmap(at, page);
}

/* The pages are there; what cannot be is no memory. */
static void test_populate(void **state)
{
	const size_t page = (size_t)li_sys_page_size();
	unsigned char there[2] = {0, 0};
	char *const at =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(at != MAP_FAILED);
	assert_int_equal(li_sys_populate(sys, at, page), 0);
	assert_int_equal(mincore(at, 2 * page, there), 0);
	assert_int_equal(there[1] & 1, 0);
	/* A kernel older than 5.14 does nothing. */
	if (there[0] & 1) {
		munmap(at, page);
		assert_int_equal(li_sys_populate(sys, at, page), -ENOMEM);
	}
	munmap(at, 2 * page);
}

static void test_mprotect(void **state)
{
	const size_t page = (size_t)li_sys_page_size();
	char *const at = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(at != MAP_FAILED);
	assert_int_equal(li_sys_mprotect(sys, at, page, PROT_READ | PROT_WRITE), 0);
	at[0] = 1;
	assert_int_equal(li_sys_mprotect(sys, at + 1, page, PROT_READ), -EINVAL);
	munmap(at, page);
}

/* The machine has a node 0, or a kernel that knows none, and no node 1023. */
static void test_mbind(void **state)
{
	const size_t page = (size_t)li_sys_page_size();
	char *const at =
		mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int error;

	(void)state;
	assert_true(at != MAP_FAILED);
	error = li_sys_mbind(sys, at, page, 0);
	assert_true(!error || error == -ENOSYS || error == -EPERM);
	at[0] = 1;
	if (!error)
		assert_int_equal(li_sys_mbind(sys, at, page, 1023), -EINVAL);
	assert_int_equal(li_sys_mbind(sys, at, page, 1024), -EINVAL);
	munmap(at, page);
}

static void test_eventfd_neither_blocks_nor_is_inherited(void **state)
{
	const int fd = li_sys_eventfd(sys);
	uint64_t value = 3;

	(void)state;
	assert_true(fd >= 0 && closes_on_exec(fd));
	assert_int_equal(li_sys_read(sys, fd, &value, 8), -EAGAIN);
	assert_int_equal(li_sys_write(sys, fd, &value, 8), 8);
	value = 0;
	assert_int_equal(li_sys_read(sys, fd, &value, 8), 8);
	assert_int_equal(value, 3);
	close(fd);
}

static void test_timer_epoll_and_clock(void **state)
{
	const int timer = li_sys_timer(sys), epoll = li_sys_epoll(sys);
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 7};
	uint64_t before = 0, after = 0;

	(void)state;
	assert_true(timer >= 0 && closes_on_exec(timer));
	assert_true(epoll >= 0 && closes_on_exec(epoll));
	assert_int_equal(li_sys_epoll_ctl(sys, epoll, EPOLL_CTL_ADD, timer, &event), 0);
	assert_int_equal(li_sys_epoll_ctl(sys, epoll, EPOLL_CTL_ADD, timer, &event), -EEXIST);
	assert_int_equal(li_sys_epoll_wait(sys, epoll, &event, 1, 0), 0);
	assert_int_equal(li_sys_clock(sys, &before), 0);
	assert_int_equal(li_sys_timer_set(sys, timer, before + 1000000), 0);
	event.data.u64 = 0;
	assert_int_equal(li_sys_epoll_wait(sys, epoll, &event, 1, -1), 1);
	assert_int_equal(event.data.u64, 7);
	assert_int_equal(li_sys_clock(sys, &after), 0);
	assert_true(after >= before + 1000000);
	/* 0 is never: what has expired is forgotten too. */
	assert_int_equal(li_sys_timer_set(sys, timer, 0), 0);
	assert_int_equal(li_sys_epoll_wait(sys, epoll, &event, 1, 0), 0);
	close(timer);
	close(epoll);
	assert_int_equal(li_sys_timer_set(sys, timer, 1), -EBADF);
	assert_int_equal(li_sys_epoll_wait(sys, epoll, &event, 1, 0), -EBADF);
}

/* However far off: neither refused nor over at once, whatever a time_t has room for. */
static void test_timer_far_off(void **state)
{
	static const uint64_t times[] = {
		(UINT64_C(1) << 31) * 1000000000, /* the first second that a short time_t lacks */
		(UINT64_C(1) << 32) * 1000000000 + 1,
		INT64_MAX,
		UINT64_MAX,
	};
	const int timer = li_sys_timer(sys), epoll = li_sys_epoll(sys);
	struct epoll_event event = {.events = EPOLLIN};

	(void)state;
	assert_int_equal(li_sys_epoll_ctl(sys, epoll, EPOLL_CTL_ADD, timer, &event), 0);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct itimerspec left;

		assert_int_equal(li_sys_timer_set(sys, timer, times[i]), 0);
		assert_int_equal(li_sys_epoll_wait(sys, epoll, &event, 1, 0), 0);
		assert_int_equal(timerfd_gettime(timer, &left), 0);
		assert_true(left.it_value.tv_sec > 1 << 28);
	}
	close(timer);
	close(epoll);
}

static void test_closing_on_exec_is_chosen(void **state)
{
	const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_int_equal(li_sys_cloexec(sys, fd, false), 0);
	assert_false(closes_on_exec(fd));
	assert_int_equal(li_sys_cloexec(sys, fd, true), 0);
	assert_true(closes_on_exec(fd));
	close(fd);
	assert_int_equal(li_sys_cloexec(sys, fd, true), -EBADF);
}

static void test_messages_carry_descriptors(void **state)
{
	unsigned int count = 2;
	int ends[2], fds[2] = {-1, -1};
	char text[8] = "";

	(void)state;
	assert_int_equal(li_sys_socketpair(sys, ends), 0);
	assert_true(closes_on_exec(ends[0]) && closes_on_exec(ends[1]));
	assert_int_equal(li_sys_send(sys, ends[0], "abc", 4, ends, 2, 0), 4);
	assert_int_equal(li_sys_receive(sys, ends[1], text, sizeof(text), fds, &count, 0), 4);
	assert_string_equal(text, "abc");
	assert_int_equal(count, 2);
	assert_true(closes_on_exec(fds[0]) && closes_on_exec(fds[1]));
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(li_sys_receive(sys, ends[1], text, 1, fds, &count, MSG_DONTWAIT), -EAGAIN);
	/* More than there is room for is refused whole, and no descriptor stays. */
	assert_int_equal(li_sys_send(sys, ends[0], "abc", 4, ends, 2, 0), 4);
	count = 1;
	assert_int_equal(li_sys_receive(sys, ends[1], text, sizeof(text), fds, &count, 0),
	                 -EMSGSIZE);
	assert_int_equal(count, 0);
	assert_int_equal(li_sys_send(sys, ends[0], "abcdefghijk", 11, NULL, 0, 0), 11);
	assert_int_equal(li_sys_receive(sys, ends[1], text, sizeof(text), fds, &count, 0),
	                 -EMSGSIZE);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1);
	assert_int_equal(li_sys_send(sys, ends[0], "", 0, ends, 17, 0), -EINVAL);
	close(ends[1]);
	assert_int_equal(li_sys_send(sys, ends[0], "abc", 4, NULL, 0, 0), -EPIPE);
	assert_int_equal(li_sys_receive(sys, ends[0], text, 1, fds, &count, 0), 0);
	close(ends[0]);
}

/* Replacements: each says what it was given as its result. */
static int my_memfd(void *user, const char *name, uint64_t size)
{
	return *(int *)user + name[0] + (int)size;
}

static int my_seal(void *user, int fd, int seals)
{
	return *(int *)user + fd + seals;
}

static int my_getfl(void *user, int fd)
{
	return *(int *)user + fd;
}

static int my_cloexec(void *user, int fd, bool on)
{
	return *(int *)user + fd + on;
}

static int my_size(void *user, int fd, uint64_t *size)
{
	*size = 1;
	return *(int *)user + fd;
}

static int my_madvise(void *user, void *address, size_t length, int advice)
{
	assert_null(address);
	return *(int *)user + (int)length + advice;
}

static int my_mprotect(void *user, void *address, size_t length, int prot)
{
	assert_null(address);
	return *(int *)user + (int)length + prot;
}

static int my_fd(void *user)
{
	return *(int *)user;
}

static int my_mbind(void *user, void *address, size_t length, int node)
{
	(void)address;
	return *(int *)user + (int)length + node;
}

static int my_timer_set(void *user, int fd, uint64_t ns)
{
	return *(int *)user + fd + (int)ns;
}

static int my_clock(void *user, uint64_t *ns)
{
	*ns = 1;
	return *(int *)user;
}

static int my_epoll_ctl(void *user, int epoll, int operation, int fd, struct epoll_event *event)
{
	assert_null(event);
	return *(int *)user + epoll + operation + fd;
}

static int my_epoll_wait(void *user, int epoll, struct epoll_event *events, int count, int timeout)
{
	assert_non_null(events);
	return *(int *)user + epoll + count + timeout;
}

static int my_socketpair(void *user, int ends[2])
{
	ends[0] = ends[1] = 1;
	return *(int *)user;
}

static ssize_t my_send(void *user, int fd, const void *data, size_t size, const int *fds,
                       unsigned int count, int flags)
{
	assert_null(data);
	assert_null(fds);
	return *(int *)user + fd + (int)size + (int)count + flags;
}

static ssize_t my_receive(void *user, int fd, void *data, size_t size, int *fds,
                          unsigned int *count, int flags)
{
	assert_null(data);
	assert_null(fds);
	assert_null(count);
	return *(int *)user + fd + (int)size + flags;
}

/* With the replacement the call gives @value, without it what libc says of a bad descriptor. */
#define CHECK(operation, fn, call, value, bad, error)                                              \
	do {                                                                                       \
		assert_int_equal(libiommu_sys_set_##operation(NULL, fn), -EINVAL);                 \
		assert_int_equal(libiommu_sys_set_##operation(mine, fn), 0);                       \
		assert_int_equal(call, value);                                                     \
		assert_int_equal(libiommu_sys_set_##operation(mine, NULL), 0);                     \
		assert_int_equal(bad, error);                                                      \
	} while (0)

static void test_each_operation_can_be_replaced(void **state)
{
	struct epoll_event event = {0};
	struct libiommu_sys *mine;
	unsigned int none = 0;
	uint64_t value = 0;
	int base = 1000, ends[2];

	(void)state;
	assert_int_equal(libiommu_sys_new(&mine), 0);
	assert_int_equal(libiommu_sys_set_user(mine, &base), 0);
	CHECK(memfd, my_memfd, li_sys_memfd(mine, "a", 5), 1005 + 'a',
	      li_sys_memfd(mine, "a", UINT64_MAX), -EINVAL);
	CHECK(seal, my_seal, li_sys_seal(mine, 3, 4), 1007, li_sys_seal(mine, -1, 0), -EBADF);
	CHECK(getfl, my_getfl, li_sys_getfl(mine, 3), 1003, li_sys_getfl(mine, -1), -EBADF);
	CHECK(cloexec, my_cloexec, li_sys_cloexec(mine, 3, true), 1004,
	      li_sys_cloexec(mine, -1, true), -EBADF);
	CHECK(size, my_size, li_sys_size(mine, 3, &value), 1003, li_sys_size(mine, -1, &value),
	      -EBADF);
	CHECK(madvise, my_madvise, li_sys_madvise(mine, NULL, 3, 4), 1007,
	      li_sys_madvise(mine, &base, 1, -1), -EINVAL);
	CHECK(mprotect, my_mprotect, li_sys_mprotect(mine, NULL, 3, 4), 1007,
	      li_sys_mprotect(mine, (void *)1, 1, PROT_READ), -EINVAL);
	CHECK(mbind, my_mbind, li_sys_mbind(mine, NULL, 3, 4), 1007,
	      li_sys_mbind(mine, &base, 1, -1), -EINVAL);
	CHECK(timer_set, my_timer_set, li_sys_timer_set(mine, 3, 4), 1007,
	      li_sys_timer_set(mine, -1, 0), -EBADF);
	CHECK(clock, my_clock, li_sys_clock(mine, &value), 1000, li_sys_clock(mine, &value), 0);
	CHECK(epoll_ctl, my_epoll_ctl, li_sys_epoll_ctl(mine, 1, 2, 3, NULL), 1006,
	      li_sys_epoll_ctl(mine, -1, EPOLL_CTL_DEL, 0, NULL), -EBADF);
	CHECK(epoll_wait, my_epoll_wait, li_sys_epoll_wait(mine, 1, &event, 2, 3), 1006,
	      li_sys_epoll_wait(mine, 0, &event, 0, 0), -EINVAL);
	CHECK(socketpair, my_socketpair, li_sys_socketpair(mine, ends), 1000,
	      li_sys_socketpair(mine, ends), 0);
	close(ends[0]);
	close(ends[1]);
	CHECK(send, my_send, li_sys_send(mine, 1, NULL, 2, NULL, 3, 4), 1010,
	      li_sys_send(mine, -1, "", 0, NULL, 0, 0), -EBADF);
	CHECK(receive, my_receive, li_sys_receive(mine, 1, NULL, 2, NULL, NULL, 3), 1006,
	      li_sys_receive(mine, -1, NULL, 0, NULL, &none, 0), -EBADF);
	assert_int_equal(libiommu_sys_set_eventfd(mine, my_fd), 0);
	assert_int_equal(libiommu_sys_set_timer(mine, my_fd), 0);
	assert_int_equal(libiommu_sys_set_epoll(mine, my_fd), 0);
	assert_int_equal(li_sys_eventfd(mine), 1000);
	assert_int_equal(li_sys_timer(mine), 1000);
	assert_int_equal(li_sys_epoll(mine), 1000);
	assert_int_equal(libiommu_sys_set_eventfd(NULL, my_fd), -EINVAL);
	assert_int_equal(libiommu_sys_set_timer(NULL, my_fd), -EINVAL);
	assert_int_equal(libiommu_sys_set_epoll(NULL, my_fd), -EINVAL);
	libiommu_sys_free(mine);
}

#define SYS_TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_TEST(test_memfd_is_sealed_and_measured),
		SYS_TEST(test_how_a_descriptor_was_opened),
		SYS_TEST(test_madvise),
		SYS_TEST(test_populate),
		SYS_TEST(test_mprotect),
		SYS_TEST(test_mbind),
		SYS_TEST(test_eventfd_neither_blocks_nor_is_inherited),
		SYS_TEST(test_timer_epoll_and_clock),
		SYS_TEST(test_timer_far_off),
		SYS_TEST(test_closing_on_exec_is_chosen),
		SYS_TEST(test_messages_carry_descriptors),
		SYS_TEST(test_each_operation_can_be_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Libc's door on real files, and that each operation of a door can be replaced and given back. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "directory.h"
#include "limit.h"
#include "script.h"

#include "../../lib/base/sys.h"

static char dir[64];
static char file[80];

static int setup(void **state)
{
	FILE *made;

	(void)state;
	strcpy(dir, "/tmp/libiommu-test-sys-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/file", dir);
	made = fopen(file, "w");
	assert_non_null(made);
	fputs("0123456789", made);
	fclose(made);
	alloc_start();
	return 0;
}

static int teardown(void **state)
{
	char path[80];

	(void)state;
	alloc_check();
	unlink(file);
	snprintf(path, sizeof(path), "%s/link", dir);
	unlink(path);
	rmdir(dir);
	return 0;
}

static bool closes_on_exec(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static void test_open_dup_close(void **state)
{
	const struct libiommu_sys *const sys = li_sys_libc();
	int fd, copy;

	(void)state;
	fd = li_sys_open(sys, file, O_RDONLY);
	assert_true(fd >= 0);
	assert_true(closes_on_exec(fd));
	copy = li_sys_dup(sys, fd);
	assert_true(copy >= 0 && copy != fd);
	assert_true(closes_on_exec(copy));
	assert_int_equal(li_sys_close(sys, fd), 0);
	assert_int_equal(li_sys_close(sys, fd), -EBADF);
	assert_int_equal(li_sys_close(sys, copy), 0);
	assert_int_equal(li_sys_dup(sys, fd), -EBADF);
	assert_int_equal(li_sys_open(sys, "/nonexistent/at/all", O_RDONLY), -ENOENT);
}

static void test_read_and_write(void **state)
{
	const struct libiommu_sys *const sys = li_sys_libc();
	char text[16];
	const int fd = li_sys_open(sys, file, O_RDWR);

	(void)state;
	assert_int_equal(li_sys_read(sys, fd, text, 4), 4);
	assert_memory_equal(text, "0123", 4);
	assert_int_equal(li_sys_pread(sys, fd, text, sizeof(text), 8), 2);
	assert_memory_equal(text, "89", 2);
	assert_int_equal(li_sys_pwrite(sys, fd, "ab", 2, 3), 2);
	assert_int_equal(li_sys_pread(sys, fd, text, 6, 0), 6);
	assert_memory_equal(text, "012ab5", 6);
	assert_int_equal(li_sys_close(sys, fd), 0);
	assert_int_equal(li_sys_read(sys, fd, text, 1), -EBADF);
	assert_int_equal(li_sys_pread(sys, fd, text, 1, 0), -EBADF);
	assert_int_equal(li_sys_pwrite(sys, fd, text, 1, 0), -EBADF);
}

static void test_offsets_are_64_bits(void **state)
{
	const uint64_t far = (UINT64_C(1) << 40) + 5;
	const struct libiommu_sys *const sys = li_sys_libc();
	const int fd = li_sys_open(sys, file, O_RDWR);
	char text = 0;

	(void)state;
	assert_int_equal(li_sys_pwrite(sys, fd, "x", 1, far), 1);
	assert_int_equal(li_sys_pread(sys, fd, &text, 1, far), 1);
	assert_int_equal(text, 'x');
	assert_int_equal(li_sys_pread(sys, fd, &text, 1, 5), 1);
	assert_int_equal(text, '5');
	assert_int_equal(li_sys_close(sys, fd), 0);
}

static void test_ioctl_returns_result_or_error(void **state)
{
	const struct libiommu_sys *const sys = li_sys_libc();
	int ends[2];
	int ready = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	assert_int_equal(li_sys_ioctl(sys, ends[0], FIONREAD, &ready), 0);
	assert_int_equal(ready, 3);
	assert_int_equal(li_sys_ioctl(sys, ends[0], UAPI_IOC_DESTROY, &ready), -ENOTTY);
	close(ends[0]);
	close(ends[1]);
}

static void test_write_and_poll(void **state)
{
	const struct libiommu_sys *const sys = li_sys_libc();
	struct pollfd ready = {.events = POLLIN};
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	ready.fd = ends[0];
	assert_int_equal(li_sys_poll(sys, &ready, 1, 0), 0);
	assert_int_equal(li_sys_write(sys, ends[1], "abc", 3), 3);
	assert_int_equal(li_sys_poll(sys, &ready, 1, -1), 1);
	assert_int_equal(ready.revents, POLLIN);
	assert_int_equal(li_sys_write(sys, ends[0], "abc", 3), -EBADF);
	close(ends[0]);
	close(ends[1]);
}

static void test_mmap(void **state)
{
	const struct libiommu_sys *const sys = li_sys_libc();
	const int fd = li_sys_open(sys, file, O_RDWR);
	const size_t page = (size_t)li_sys_page_size();
	void *at = NULL;

	(void)state;
	assert_int_equal(page, sysconf(_SC_PAGESIZE));
	assert_int_equal(li_sys_mmap(sys, NULL, page, PROT_READ, MAP_SHARED, fd, 0, &at), 0);
	assert_memory_equal(at, "0123", 4);
	assert_int_equal(li_sys_munmap(sys, at, page), 0);
	assert_int_equal(li_sys_munmap(sys, (char *)at + 1, page), -EINVAL);
	at = &at;
	assert_int_equal(li_sys_mmap(sys, NULL, 0, PROT_READ, MAP_SHARED, fd, 0, &at), -EINVAL);
	assert_ptr_equal(at, &at);
	assert_int_equal(li_sys_close(sys, fd), 0);
}

static void test_readlink_ends_with_nul_or_says_too_long(void **state)
{
	const struct libiommu_sys *const sys = li_sys_libc();
	char path[80], text[8];

	(void)state;
	snprintf(path, sizeof(path), "%s/link", dir);
	assert_int_equal(symlink("target", path), 0);
	memset(text, 'x', sizeof(text));
	assert_int_equal(li_sys_readlink(sys, path, text, sizeof(text)), 6);
	assert_string_equal(text, "target");
	assert_int_equal(li_sys_readlink(sys, path, text, 7), 6);
	assert_int_equal(li_sys_readlink(sys, path, text, 6), -ENAMETOOLONG);
	assert_int_equal(li_sys_readlink(sys, file, text, sizeof(text)), -EINVAL);
}

static void test_list_tells_how_much_room_it_takes(void **state)
{
	const struct libiommu_sys *const sys = li_sys_libc();
	char text[32];

	(void)state;
	assert_int_equal(li_sys_list(sys, dir, text, sizeof(text)), 5);
	assert_string_equal(text, "file");
	memset(text, 'x', sizeof(text));
	assert_int_equal(li_sys_list(sys, dir, text, 4), 5);
	assert_int_equal(text[0], 'x');
	assert_int_equal(li_sys_list(sys, dir, NULL, 0), 5);
	assert_int_equal(li_sys_list(sys, file, text, sizeof(text)), -ENOTDIR);
	assert_int_equal(li_sys_list(sys, "/nonexistent", text, sizeof(text)), -ENOENT);
}

/* The end of a directory looks the same but for errno. */
static void test_list_cannot_be_read_to_its_end(void **state)
{
	const struct libiommu_sys *const sys = li_sys_libc();
	char text[32];
	int free_fd;

	(void)state;
	free_fd = dup(0);
	close(free_fd);
	for (unsigned int entries = 0; entries < 4; entries++) {
		directory_fail(entries, EIO);
		assert_int_equal(li_sys_list(sys, dir, text, sizeof(text)), -EIO);
	}
	directory_fail(0, 0);
	/* An older error is not this one's. */
	errno = EIO;
	assert_int_equal(li_sys_list(sys, dir, text, sizeof(text)), 5);
	/* Every directory was closed. */
	assert_int_equal(dup(0), free_fd);
	close(free_fd);
}

static void test_memlock_limit(void **state)
{
	struct rlimit real;

	(void)state;
	limit_set(65536);
	assert_int_equal(li_sys_memlock_limit(), 65536);
	limit_set(RLIM_INFINITY);
	assert_true(li_sys_memlock_limit() == UINT64_MAX);
	/* Without an answer nothing can be said to be in the way. */
	limit_fail();
	assert_true(li_sys_memlock_limit() == UINT64_MAX);
	limit_restore();
	assert_int_equal(prlimit(0, RLIMIT_MEMLOCK, NULL, &real), 0);
	assert_true(li_sys_memlock_limit() ==
	            (real.rlim_cur == RLIM_INFINITY ? UINT64_MAX : real.rlim_cur));
}

/* What a replacement was called with. */
static const char *called;
static void *called_with;

#define NOTE(name)                                                                                 \
	called = (name);                                                                           \
	called_with = user

static int my_open(void *user, const char *path, int flags)
{
	NOTE("open");
	assert_true(flags & O_CLOEXEC);
	return path[0];
}

static int my_close(void *user, int fd)
{
	NOTE("close");
	return fd;
}

static int my_dup(void *user, int fd)
{
	NOTE("dup");
	return fd;
}

static int my_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	NOTE("ioctl");
	assert_int_equal(request, 5);
	assert_null(arg);
	return fd;
}

static ssize_t my_read(void *user, int fd, void *buffer, size_t size)
{
	NOTE("read");
	assert_null(buffer);
	return fd + (ssize_t)size;
}

static ssize_t my_pread(void *user, int fd, void *buffer, size_t size, uint64_t offset)
{
	NOTE("pread");
	assert_null(buffer);
	return fd + (ssize_t)size + (ssize_t)offset;
}

static ssize_t my_pwrite(void *user, int fd, const void *buffer, size_t size, uint64_t offset)
{
	NOTE("pwrite");
	assert_null(buffer);
	return fd + (ssize_t)size + (ssize_t)offset;
}

static int my_mmap(void *user, void *address, size_t length, int prot, int flags, int fd,
                   uint64_t offset, void **result)
{
	NOTE("mmap");
	assert_null(address);
	*result = user;
	return (int)length + prot + flags + fd + (int)offset;
}

static int my_munmap(void *user, void *address, size_t length)
{
	NOTE("munmap");
	assert_null(address);
	return (int)length;
}

static int my_readlink(void *user, const char *path, char *buffer, size_t size)
{
	NOTE("readlink");
	assert_null(buffer);
	return path[0] + (int)size;
}

static ssize_t my_list(void *user, const char *path, char *buffer, size_t size)
{
	NOTE("list");
	assert_null(buffer);
	return path[0] + (ssize_t)size;
}

static ssize_t my_write(void *user, int fd, const void *buffer, size_t size)
{
	NOTE("write");
	assert_null(buffer);
	return fd + (ssize_t)size;
}

static int my_poll(void *user, struct pollfd *fds, unsigned int count, int timeout)
{
	NOTE("poll");
	assert_null(fds);
	return (int)count + timeout;
}

/* Takes a call of the operation, its result, and a call that libc refuses with the error. */
#define CHECK_SETTER(operation, call, result, libc_call, error)                                    \
	do {                                                                                       \
		assert_int_equal(libiommu_sys_set_##operation(NULL, my_##operation), -EINVAL);     \
		assert_int_equal(libiommu_sys_set_##operation(sys, my_##operation), 0);            \
		assert_int_equal(call, result);                                                    \
		assert_string_equal(called, #operation);                                           \
		assert_ptr_equal(called_with, &mark);                                              \
		assert_int_equal(libiommu_sys_set_##operation(sys, NULL), 0);                      \
		called = NULL;                                                                     \
		assert_int_equal(libc_call, error);                                                \
		assert_null(called);                                                               \
	} while (0)

static void test_each_operation_can_be_replaced(void **state)
{
	struct libiommu_sys *sys;
	char mark = 0;
	void *at;

	(void)state;
	assert_int_equal(libiommu_sys_new(&sys), 0);
	assert_int_equal(libiommu_sys_set_user(sys, &mark), 0);
	CHECK_SETTER(open, li_sys_open(sys, "a", 0), 'a', li_sys_open(sys, "", 0), -ENOENT);
	CHECK_SETTER(close, li_sys_close(sys, 3), 3, li_sys_close(sys, -1), -EBADF);
	CHECK_SETTER(dup, li_sys_dup(sys, 3), 3, li_sys_dup(sys, -1), -EBADF);
	CHECK_SETTER(ioctl, li_sys_ioctl(sys, 3, 5, NULL), 3, li_sys_ioctl(sys, -1, 5, NULL),
	             -EBADF);
	CHECK_SETTER(read, li_sys_read(sys, 3, NULL, 4), 7, li_sys_read(sys, -1, &mark, 1), -EBADF);
	CHECK_SETTER(pread, li_sys_pread(sys, 3, NULL, 4, 5), 12,
	             li_sys_pread(sys, -1, &mark, 1, 5), -EBADF);
	CHECK_SETTER(pwrite, li_sys_pwrite(sys, 3, NULL, 4, 5), 12,
	             li_sys_pwrite(sys, -1, &mark, 1, 5), -EBADF);
	CHECK_SETTER(mmap, li_sys_mmap(sys, NULL, 1, 2, 3, 4, 5, &at), 15,
	             li_sys_mmap(sys, NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0, &at), -EBADF);
	assert_ptr_equal(at, &mark);
	CHECK_SETTER(munmap, li_sys_munmap(sys, NULL, 4), 4, li_sys_munmap(sys, NULL, 0), -EINVAL);
	CHECK_SETTER(readlink, li_sys_readlink(sys, "a", NULL, 1), 'a' + 1,
	             li_sys_readlink(sys, "", &mark, 1), -ENOENT);
	CHECK_SETTER(list, li_sys_list(sys, "a", NULL, 1), 'a' + 1, li_sys_list(sys, "", NULL, 0),
	             -ENOENT);
	CHECK_SETTER(write, li_sys_write(sys, 3, NULL, 4), 7, li_sys_write(sys, -1, NULL, 4),
	             -EBADF);
	CHECK_SETTER(poll, li_sys_poll(sys, NULL, 1, 2), 3, li_sys_poll(sys, NULL, 0, 0), 0);
	libiommu_sys_free(sys);
}

static void test_a_copy_stands_alone(void **state)
{
	struct libiommu_sys *sys, *copy, *plain;

	(void)state;
	assert_int_equal(libiommu_sys_new(&sys), 0);
	libiommu_sys_set_close(sys, my_close);
	copy = li_sys_copy(sys);
	libiommu_sys_set_close(sys, NULL);
	assert_int_equal(li_sys_close(copy, 5), 5);
	plain = li_sys_copy(NULL);
	assert_int_equal(li_sys_close(plain, -1), -EBADF);
	libiommu_sys_free(sys);
	libiommu_sys_free(copy);
	libiommu_sys_free(plain);
	libiommu_sys_free(NULL);
}

static void test_without_memory(void **state)
{
	struct libiommu_sys *sys = NULL;

	(void)state;
	alloc_fail_nth(1);
	assert_int_equal(libiommu_sys_new(&sys), -ENOMEM);
	assert_true(alloc_restore());
	assert_null(sys);
	assert_int_equal(libiommu_sys_new(NULL), -EINVAL);
	assert_int_equal(libiommu_sys_set_user(NULL, NULL), -EINVAL);
}

#define SYS_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_TEST(test_open_dup_close),
		SYS_TEST(test_read_and_write),
		SYS_TEST(test_offsets_are_64_bits),
		SYS_TEST(test_ioctl_returns_result_or_error),
		SYS_TEST(test_write_and_poll),
		SYS_TEST(test_mmap),
		SYS_TEST(test_readlink_ends_with_nul_or_says_too_long),
		SYS_TEST(test_list_tells_how_much_room_it_takes),
		SYS_TEST(test_list_cannot_be_read_to_its_end),
		SYS_TEST(test_memlock_limit),
		SYS_TEST(test_each_operation_can_be_replaced),
		SYS_TEST(test_a_copy_stands_alone),
		SYS_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

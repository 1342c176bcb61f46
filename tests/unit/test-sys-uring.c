/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The door's io_uring: libc's as far as this machine lets one, and each call replaced. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "script.h"

#include "../../lib/base/sys.h"
#include "../../lib/base/uapi/io-uring.h"

static void test_nonblock_keeps_the_other_flags(void **state)
{
	const struct libiommu_sys *const sys = li_sys_libc();
	int ends[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NOATIME), 0);
	assert_int_equal(li_sys_nonblock(sys, ends[0]), 0);
	assert_true(fcntl(ends[0], F_GETFL) & O_NOATIME);
	assert_int_equal(li_sys_read(sys, ends[0], &byte, 1), -EAGAIN);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(li_sys_nonblock(sys, ends[0]), -EBADF);
}

/* A kernel without io_uring, or a sandbox, says so; the arguments arrive all the same. */
static void test_ring_of_libc(void **state)
{
	const struct libiommu_sys *const sys = li_sys_libc();
	struct uapi_io_uring_params params = {.flags = UAPI_IORING_SETUP_CQSIZE, .cq_entries = 16};
	const int fd = li_sys_uring_setup(sys, 1, &params);
	int error;

	(void)state;
	if (fd < 0) {
		print_message("# no io_uring here: %s\n", strerror(-fd));
		assert_true(fd == -ENOSYS || fd == -EPERM || fd == -ENOMEM);
	} else {
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(params.cq_entries, 16);
		assert_int_equal(li_sys_uring_enter(sys, fd, 0, 0, 0, NULL, 0), 0);
		assert_int_equal(li_sys_uring_register(sys, fd, 9999, NULL, 0), -EINVAL);
		close(fd);
		assert_int_equal(li_sys_uring_setup(sys, 0, &params), -EINVAL);
	}
	error = fd < 0 && fd != -ENOMEM ? fd : -EBADF;
	assert_int_equal(li_sys_uring_enter(sys, 99999, 0, 0, 0, NULL, 0), error);
	assert_int_equal(li_sys_uring_register(sys, 99999, 0, NULL, 0), error);
}

/* Each says what it was given as its result. */
static int my_nonblock(void *user, int fd)
{
	return *(int *)user + fd;
}

static int my_setup(void *user, unsigned int entries, void *params)
{
	assert_null(params);
	return *(int *)user + (int)entries;
}

static int my_enter(void *user, int ring, unsigned int submit, unsigned int wait,
                    unsigned int flags, const void *arg, size_t size)
{
	assert_null(arg);
	return *(int *)user + ring + (int)(10 * submit + 100 * wait + 1000 * flags + 10000 * size);
}

static int my_register(void *user, int ring, unsigned int operation, void *arg, unsigned int count)
{
	assert_null(arg);
	return *(int *)user + ring + (int)(10 * operation + 100 * count);
}

static void test_each_operation_can_be_replaced(void **state)
{
	struct libiommu_sys *mine;
	int base = 100000;

	(void)state;
	assert_int_equal(libiommu_sys_new(&mine), 0);
	assert_int_equal(libiommu_sys_set_user(mine, &base), 0);
	assert_int_equal(libiommu_sys_set_nonblock(mine, my_nonblock), 0);
	assert_int_equal(libiommu_sys_set_uring_setup(mine, my_setup), 0);
	assert_int_equal(libiommu_sys_set_uring_enter(mine, my_enter), 0);
	assert_int_equal(libiommu_sys_set_uring_register(mine, my_register), 0);
	assert_int_equal(li_sys_nonblock(mine, 3), 100003);
	assert_int_equal(li_sys_uring_setup(mine, 3, NULL), 100003);
	assert_int_equal(li_sys_uring_enter(mine, 1, 2, 3, 4, NULL, 5), 154321);
	assert_int_equal(li_sys_uring_register(mine, 1, 2, NULL, 3), 100321);
	assert_int_equal(libiommu_sys_set_nonblock(mine, NULL), 0);
	assert_int_equal(libiommu_sys_set_uring_setup(mine, NULL), 0);
	assert_int_equal(libiommu_sys_set_uring_enter(mine, NULL), 0);
	assert_int_equal(libiommu_sys_set_uring_register(mine, NULL), 0);
	assert_int_equal(li_sys_nonblock(mine, -1), -EBADF);
	assert_true(li_sys_uring_setup(mine, 0, NULL) < 0);
	assert_true(li_sys_uring_enter(mine, -1, 0, 0, 0, NULL, 0) < 0);
	assert_true(li_sys_uring_register(mine, -1, 0, NULL, 0) < 0);
	libiommu_sys_free(mine);
	assert_int_equal(libiommu_sys_set_nonblock(NULL, my_nonblock), -EINVAL);
	assert_int_equal(libiommu_sys_set_uring_setup(NULL, my_setup), -EINVAL);
	assert_int_equal(libiommu_sys_set_uring_enter(NULL, my_enter), -EINVAL);
	assert_int_equal(libiommu_sys_set_uring_register(NULL, my_register), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nonblock_keeps_the_other_flags),
		cmocka_unit_test(test_ring_of_libc),
		cmocka_unit_test(test_each_operation_can_be_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

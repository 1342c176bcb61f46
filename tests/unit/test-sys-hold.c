/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A held door lets nothing through but what closes; one that was given away says yes to ends. */
#include <sys/mman.h>
#include <unistd.h>

#include "script.h"

#include "../../lib/base/sys-hold.h"

static struct libiommu_sys *door;
static int fd;

static int setup(void **state)
{
	(void)state;
	door = li_sys_copy(NULL);
	assert_non_null(door);
	fd = li_sys_memfd(door, "test", 4096);
	assert_true(fd >= 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	libiommu_sys_free(door);
	return 0;
}

static void see_nothing_through(void)
{
	struct uapi_ioas_alloc cmd = {.size = sizeof(cmd)};
	void *at = NULL;
	char byte = 'a';

	assert_int_equal(li_sys_ioctl(door, fd, UAPI_IOC_IOAS_ALLOC, &cmd), -ESHUTDOWN);
	assert_int_equal(li_sys_read(door, fd, &byte, 1), -ESHUTDOWN);
	assert_int_equal(li_sys_write(door, fd, &byte, 1), -ESHUTDOWN);
	assert_int_equal(li_sys_pread(door, fd, &byte, 1, 0), -ESHUTDOWN);
	assert_int_equal(li_sys_pwrite(door, fd, &byte, 1, 0), -ESHUTDOWN);
	assert_int_equal(li_sys_mmap(door, NULL, 4096, PROT_READ, MAP_SHARED, fd, 0, &at),
	                 -ESHUTDOWN);
	assert_int_equal(li_sys_uring_setup(door, 1, NULL), -ESHUTDOWN);
	assert_null(at);
	assert_int_equal(byte, 'a');
}

static void test_held_and_released(void **state)
{
	struct libiommu_sys *const before = li_sys_copy(door);
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = 1};
	char byte = 'a';

	(void)state;
	assert_non_null(before);
	li_sys_hold(door);
	see_nothing_through();
	/* Not even an end: it would not be one if the context is released. */
	assert_int_equal(li_sys_ioctl(door, fd, UAPI_IOC_DESTROY, &cmd), -ESHUTDOWN);
	li_sys_assign(door, before);
	libiommu_sys_free(before);
	assert_int_equal(li_sys_pwrite(door, fd, &byte, 1, 0), 1);
	assert_int_equal(li_sys_ioctl(door, fd, UAPI_IOC_DESTROY, &cmd), -ENOTTY);
	assert_int_equal(li_sys_close(door, fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_given_away(void **state)
{
	struct uapi_vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = 1};

	(void)state;
	li_sys_give_away(door, true);
	see_nothing_through();
	assert_int_equal(li_sys_ioctl(door, fd, UAPI_IOC_DESTROY, &cmd), 0);
	assert_int_equal(li_sys_ioctl(door, fd, UAPI_IOC_VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach),
	                 0);
	/* The descriptors are somebody else's, too. */
	assert_int_equal(li_sys_close(door, fd), 0);
	assert_int_not_equal(fcntl(fd, F_GETFD), -1);
	close(fd);
}

#define HOLD_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOLD_TEST(test_held_and_released),
		HOLD_TEST(test_given_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

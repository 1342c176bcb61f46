/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* System calls past the library: the machine's, and what is none of its business. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libiommu-emu.h>
#include <libiommu.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"

static int setup(void **state)
{
	struct libiommu_emu *emu;

	if (libiommu_emu_new(&emu))
		return -1;
	*state = emu;
	return 0;
}

static int teardown(void **state)
{
	return libiommu_emu_destroy(*state);
}

static void of_the_machine(void **state)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = 7};
	struct libiommu_emu *const emu = *state;
	const int fd = libiommu_emu_open(emu, "/dev/iommu", O_RDWR | O_CLOEXEC);
	void *at = NULL;
	char byte = 0;

	assert_true(fd >= 0);
	assert_int_equal(libiommu_emu_ioctl(emu, fd, UAPI_IOC_DESTROY, &cmd), -ENOENT);
	assert_int_equal(libiommu_emu_ioctl(emu, fd, UAPI_IOC_DESTROY, NULL), -EFAULT);
	assert_int_equal(libiommu_emu_read(emu, fd, &byte, 1), -EINVAL);
	assert_int_equal(libiommu_emu_write(emu, fd, &byte, 1), -EINVAL);
	assert_true(libiommu_emu_mmap(emu, NULL, 4096, PROT_READ, MAP_SHARED, fd, 0, &at) < 0);
	assert_null(at);
	assert_int_equal(libiommu_emu_close(emu, fd), 0);
	assert_int_equal(libiommu_emu_close(emu, fd), -EBADF);
	assert_int_equal(libiommu_emu_ioctl(emu, fd, UAPI_IOC_DESTROY, &cmd), -EBADF);
}

static void of_libc(void **state)
{
	struct libiommu_emu *const emu = *state;
	const int fd = libiommu_emu_open(emu, "/dev/zero", O_RDWR | O_CLOEXEC);
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char bytes[4] = "abc";
	void *at = NULL;

	assert_true(fd >= 0);
	assert_int_equal(libiommu_emu_write(emu, fd, bytes, 4), 4);
	assert_int_equal(libiommu_emu_read(emu, fd, bytes, 4), 4);
	assert_int_equal(bytes[0], 0);
	assert_int_equal(libiommu_emu_ioctl(emu, fd, UAPI_IOC_DESTROY, bytes), -ENOTTY);
	assert_int_equal(libiommu_emu_mmap(emu, NULL, page, PROT_READ, MAP_PRIVATE, fd, 0, &at), 0);
	assert_int_equal(*(const char *)at, 0);
	assert_int_equal(libiommu_emu_munmap(emu, at, page), 0);
	assert_int_equal(libiommu_emu_munmap(emu, (char *)at + 1, page), -EINVAL);
	assert_int_equal(libiommu_emu_close(emu, fd), 0);
	assert_int_equal(libiommu_emu_open(emu, "/dev/none", O_RDWR | O_CLOEXEC), -ENOENT);
}

static unsigned int reads;

/* In the place of the C library's: no directory can be read. */
struct dirent *readdir(DIR *dir)
{
	(void)dir;
	reads++;
	errno = EIO;
	return NULL;
}

static void cannot_read_the_host(void **state)
{
	char path[] = "/tmp/libiommu-emu-XXXXXX", nodes[sizeof(path) + 16], bus[sizeof(nodes)];
	struct libiommu_ctx_config *config;
	struct libiommu_device *device;
	struct libiommu_ctx *ctx;

	assert_non_null(mkdtemp(path));
	snprintf(nodes, sizeof(nodes), "%s/vfio-dev", path);
	snprintf(bus, sizeof(bus), "%s/subsystem", path);
	assert_int_equal(mkdir(nodes, 0700), 0);
	assert_int_equal(symlink("../mdev", bus), 0);
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, libiommu_emu_door(*state)), 0);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_device_open_sysfs(ctx, path, &device), -EIO);
	assert_int_equal(reads, 1);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	assert_int_equal(rmdir(nodes), 0);
	assert_int_equal(unlink(bus), 0);
	assert_int_equal(rmdir(path), 0);
}

static void without_a_machine(void **state)
{
	void *at;
	char byte;

	(void)state;
	assert_int_equal(libiommu_emu_open(NULL, "/dev/iommu", O_RDWR), -EINVAL);
	assert_int_equal(libiommu_emu_open(*state, NULL, O_RDWR), -EINVAL);
	assert_int_equal(libiommu_emu_close(NULL, 0), -EINVAL);
	assert_int_equal(libiommu_emu_ioctl(NULL, 0, 0, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_read(NULL, 0, &byte, 1), -EINVAL);
	assert_int_equal(libiommu_emu_write(NULL, 0, &byte, 1), -EINVAL);
	assert_int_equal(libiommu_emu_mmap(NULL, NULL, 1, 0, 0, 0, 0, &at), -EINVAL);
	assert_int_equal(libiommu_emu_mmap(*state, NULL, 1, 0, 0, 0, 0, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_munmap(NULL, NULL, 1), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(of_the_machine, setup, teardown),
		cmocka_unit_test_setup_teardown(of_libc, setup, teardown),
		cmocka_unit_test_setup_teardown(cannot_read_the_host, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_machine, setup, teardown),
	};

	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}

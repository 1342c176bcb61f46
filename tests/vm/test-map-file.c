/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Files of memory and copies of mappings on the kernel's test driver, whose page tables can be
 * compared with memory page by page; large pages, and a context handed to another process.
 */
#include "mock.h"
#include "vm.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"

/* Inside the test driver's aperture. */
#define IOVA  UINT64_C(0x2000000)
#define OTHER UINT64_C(0x8000000)

enum { PAGES = 16, LENGTH = PAGES * VM_PAGE, HUGE_PAGE = 2 << 20, NOBODY = 65534 };

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas, *other;
static struct libiommu_hwpt *table, *other_table;
static int memfd;
static uint8_t *memory; /* the memfd's */

static int setup(void **state)
{
	(void)state;
	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, 1, false);
	OK(libiommu_ioas_alloc(ctx, &ioas));
	OK(libiommu_ioas_alloc(ctx, &other));
	OK(libiommu_hwpt_alloc(dev, ioas, NULL, &table));
	OK(libiommu_hwpt_alloc(dev, other, NULL, &other_table));
	memfd = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	assert_true(memfd >= 0);
	assert_int_equal(ftruncate(memfd, LENGTH), 0);
	memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	assert_true(memory != MAP_FAILED);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	OK(libiommu_ioas_unmap_all(ioas, NULL));
	OK(libiommu_ioas_unmap_all(other, NULL));
	OK(libiommu_hwpt_destroy(table));
	OK(libiommu_hwpt_destroy(other_table));
	OK(libiommu_device_destroy(dev));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ioas_destroy(other));
	OK(libiommu_ctx_destroy(ctx));
	munmap(memory, LENGTH);
	close(memfd);
	return 0;
}

static int check(struct libiommu_hwpt *hwpt, uint64_t iova, const void *at, uint64_t length)
{
	uint32_t id;

	OK(libiommu_hwpt_id(hwpt, &id));
	return mock_check_map(mock, dev, id, iova, at, length);
}

static void assert_counts(struct libiommu_ioas *of, uint64_t bytes, uint64_t others)
{
	uint64_t got, got_others;

	OK(libiommu_ioas_mapped(of, &got, &got_others));
	assert_int_equal(got, bytes);
	assert_int_equal(got_others, others);
}

static bool has_map_file(void)
{
	return libiommu_ctx_probe(ctx, LIBIOMMU_FEATURE_IOAS_MAP_FILE) == 1;
}

/* The library says so; a test that needs it is over then. */
#define NEED_MAP_FILE()                                                                            \
	do {                                                                                       \
		uint64_t iova_;                                                                    \
		if (!has_map_file()) {                                                             \
			FAILS(ENOTTY, libiommu_ioas_map_file(ioas, memfd, 0, LENGTH,               \
			                                     VM_READ_WRITE, &iova_));              \
			EXPLAINED("older than 6.13");                                              \
			return;                                                                    \
		}                                                                                  \
	} while (0)

static void test_file(void **state)
{
	uint64_t iova = 0;

	(void)state;
	NEED_MAP_FILE();
	OK(libiommu_ioas_map_file(ioas, memfd, 0, LENGTH, VM_READ_WRITE, &iova));
	assert_int_equal(check(table, iova, memory, LENGTH), 0);
	/* A part of it elsewhere, and no more. */
	OK(libiommu_ioas_map_file_fixed(ioas, memfd, 3 * VM_PAGE, 2 * VM_PAGE, LIBIOMMU_MAP_READ,
	                                IOVA));
	assert_int_equal(check(table, IOVA, memory + 3 * VM_PAGE, 2 * VM_PAGE), 0);
	assert_int_equal(check(table, IOVA + 2 * VM_PAGE, memory + 5 * VM_PAGE, VM_PAGE), -EINVAL);
	assert_counts(ioas, LENGTH + 2 * VM_PAGE, 0);
	OK(libiommu_ioas_unmap(ioas, iova, LENGTH));
	OK(libiommu_ioas_unmap(ioas, IOVA, 2 * VM_PAGE));
	assert_counts(ioas, 0, 0);
}

static void test_file_errors(void **state)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint64_t iova = 7;

	(void)state;
	NEED_MAP_FILE();
	OK(libiommu_ioas_map_file_fixed(ioas, memfd, 0, VM_PAGE, VM_READ_WRITE, IOVA));
	FAILS(EEXIST, libiommu_ioas_map_file_fixed(ioas, memfd, 0, VM_PAGE, VM_READ_WRITE, IOVA));
	FAILS(EINVAL, libiommu_ioas_map_file(ioas, memfd, 0, 0, VM_READ_WRITE, &iova));
	FAILS(EINVAL, libiommu_ioas_map_file(ioas, memfd, 100, VM_PAGE, VM_READ_WRITE, &iova));
	FAILS(EINVAL, libiommu_ioas_map_file(ioas, memfd, VM_PAGE, LENGTH, VM_READ_WRITE, &iova));
	EXPLAINED("inside the file");
	FAILS(EOVERFLOW, libiommu_ioas_map_file(ioas, memfd, UINT64_MAX - VM_PAGE + 1, 2 * VM_PAGE,
	                                        VM_READ_WRITE, &iova));
	FAILS(EINVAL, libiommu_ioas_map_file(ioas, null, 0, VM_PAGE, VM_READ_WRITE, &iova));
	close(null);
	FAILS(EBADF, libiommu_ioas_map_file(ioas, null, 0, VM_PAGE, VM_READ_WRITE, &iova));
	assert_int_equal(iova, 7);
	assert_counts(ioas, VM_PAGE, 0);
}

/* What the kernel itself says to a mapping for writing. */
static int map_raw(int fd)
{
	struct uapi_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = UAPI_IOAS_MAP_READABLE | UAPI_IOAS_MAP_WRITEABLE,
		.fd = fd,
		.length = VM_PAGE,
	};

	OK(libiommu_ioas_id(ioas, &cmd.ioas_id));
	return ioctl(libiommu_ctx_fd(ctx), UAPI_IOC_IOAS_MAP_FILE, &cmd) ? -errno : 0;
}

/* The library keeps the promises of descriptors and seals, whether the kernel does or not. */
static void test_access(void **state)
{
	char path[64];
	uint64_t iova = 7;
	int reads, writes;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	reads = open(path, O_RDONLY | O_CLOEXEC);
	writes = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(reads >= 0 && writes >= 0);
	FAILS(EACCES, libiommu_ioas_map_file(ioas, reads, 0, VM_PAGE, VM_READ_WRITE, &iova));
	EXPLAINED("not open for writing");
	FAILS(EACCES, libiommu_ioas_map_file(ioas, writes, 0, VM_PAGE, LIBIOMMU_MAP_WRITE, &iova));
	assert_int_equal(fcntl(memfd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	FAILS(EPERM, libiommu_ioas_map_file(ioas, memfd, 0, VM_PAGE, VM_READ_WRITE, &iova));
	assert_int_equal(iova, 7);
	if (has_map_file()) {
		print_message("# the kernel, asked past the library: read-only %d, sealed %d\n",
		              map_raw(reads), map_raw(memfd));
		OK(libiommu_ioas_map_file(ioas, reads, 0, VM_PAGE, LIBIOMMU_MAP_READ, &iova));
	}
	close(reads);
	close(writes);
}

/* Two large pages, the second of them and a part. */
static void test_hugetlb(void **state)
{
	const int fd = memfd_create("huge", MFD_HUGETLB | MFD_CLOEXEC);
	uint8_t *huge;
	uint64_t iova;

	(void)state;
	NEED_MAP_FILE();
	assert_int_equal(vm_write_file("/proc/sys/vm/nr_hugepages", "4"), 0);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 2 * HUGE_PAGE), 0);
	huge = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(huge != MAP_FAILED);
	OK(libiommu_ioas_map_file(ioas, fd, 0, 2 * HUGE_PAGE, VM_READ_WRITE, &iova));
	assert_int_equal(check(table, iova, huge, 2 * HUGE_PAGE), 0);
	OK(libiommu_ioas_map_file_fixed(ioas, fd, HUGE_PAGE - VM_PAGE, 2 * VM_PAGE, VM_READ_WRITE,
	                                IOVA));
	assert_int_equal(check(table, IOVA, huge + HUGE_PAGE - VM_PAGE, 2 * VM_PAGE), 0);
	assert_counts(ioas, 2 * HUGE_PAGE + 2 * VM_PAGE, 0);
	OK(libiommu_ioas_unmap_all(ioas, NULL));
	munmap(huge, 2 * HUGE_PAGE);
	close(fd);
	assert_int_equal(vm_write_file("/proc/sys/vm/nr_hugepages", "0"), 0);
}

static void test_copy(void **state)
{
	uint64_t iova, bytes;

	(void)state;
	OK(libiommu_ioas_map_fixed(ioas, memory, 4 * VM_PAGE, VM_READ_WRITE, IOVA));
	OK(libiommu_ioas_map_fixed(ioas, memory + 8 * VM_PAGE, 4 * VM_PAGE, VM_READ_WRITE,
	                           IOVA + 4 * VM_PAGE));
	/* One of them, a part, and the end of one with the beginning of the next. */
	OK(libiommu_ioas_copy(other, ioas, IOVA, 4 * VM_PAGE, VM_READ_WRITE, &iova));
	assert_int_equal(check(other_table, iova, memory, 4 * VM_PAGE), 0);
	OK(libiommu_ioas_copy_fixed(other, ioas, IOVA + VM_PAGE, 2 * VM_PAGE, LIBIOMMU_MAP_READ,
	                            OTHER));
	assert_int_equal(check(other_table, OTHER, memory + VM_PAGE, 2 * VM_PAGE), 0);
	OK(libiommu_ioas_copy_fixed(other, ioas, IOVA + 3 * VM_PAGE, 2 * VM_PAGE, VM_READ_WRITE,
	                            OTHER + LENGTH));
	assert_int_equal(check(other_table, OTHER + LENGTH, memory + 3 * VM_PAGE, VM_PAGE), 0);
	assert_int_equal(
		check(other_table, OTHER + LENGTH + VM_PAGE, memory + 8 * VM_PAGE, VM_PAGE), 0);
	/* Within one address space. */
	OK(libiommu_ioas_copy_fixed(ioas, ioas, IOVA, 8 * VM_PAGE, VM_READ_WRITE, OTHER));
	assert_int_equal(check(table, OTHER, memory, 4 * VM_PAGE), 0);
	assert_counts(ioas, 16 * VM_PAGE, 16 * VM_PAGE);
	/* The copy stays when the original goes. */
	OK(libiommu_ioas_unmap_all(ioas, &bytes));
	assert_int_equal(bytes, 16 * VM_PAGE);
	assert_int_equal(check(other_table, iova, memory, 4 * VM_PAGE), 0);
	/* It is as many mappings as it was. */
	FAILS(ENOENT, libiommu_ioas_unmap(other, OTHER, VM_PAGE));
	OK(libiommu_ioas_unmap(other, OTHER + LENGTH, VM_PAGE));
	OK(libiommu_ioas_unmap(other, OTHER + LENGTH + VM_PAGE, VM_PAGE));
	assert_counts(other, 6 * VM_PAGE, 6 * VM_PAGE);
}

static void test_copy_errors(void **state)
{
	struct libiommu_ioas *none;
	uint64_t iova = 7;

	(void)state;
	OK(libiommu_ioas_map_fixed(ioas, memory, VM_PAGE, LIBIOMMU_MAP_READ, IOVA));
	OK(libiommu_ioas_map_fixed(ioas, memory, VM_PAGE, VM_READ_WRITE, IOVA + 2 * VM_PAGE));
	FAILS(ENOENT, libiommu_ioas_copy(other, ioas, IOVA, 3 * VM_PAGE, LIBIOMMU_MAP_READ, &iova));
	EXPLAINED("a part of the source range is not mapped");
	FAILS(ENOENT,
	      libiommu_ioas_copy(other, ioas, IOVA + VM_PAGE, VM_PAGE, LIBIOMMU_MAP_READ, &iova));
	FAILS(EPERM, libiommu_ioas_copy(other, ioas, IOVA, VM_PAGE, VM_READ_WRITE, &iova));
	EXPLAINED("mapped without LIBIOMMU_MAP_WRITE");
	FAILS(EEXIST, libiommu_ioas_copy_fixed(ioas, ioas, IOVA, VM_PAGE, LIBIOMMU_MAP_READ,
	                                       IOVA + 2 * VM_PAGE));
	FAILS(EINVAL, libiommu_ioas_copy(other, ioas, IOVA, 100, LIBIOMMU_MAP_READ, &iova));
	FAILS(EINVAL, libiommu_ioas_copy(other, ioas, IOVA, 0, LIBIOMMU_MAP_READ, &iova));
	FAILS(EOVERFLOW,
	      libiommu_ioas_copy(other, ioas, -VM_PAGE, 2 * VM_PAGE, LIBIOMMU_MAP_READ, &iova));
	/* Outside of what the test driver's page tables reach. */
	FAILS(EINVAL,
	      libiommu_ioas_copy_fixed(other, ioas, IOVA, VM_PAGE, LIBIOMMU_MAP_READ, VM_PAGE));
	OK(libiommu_ioas_adopt(ctx, 12345, LIBIOMMU_ID_BORROW, &none));
	FAILS(ENOENT, libiommu_ioas_copy(none, ioas, IOVA, VM_PAGE, LIBIOMMU_MAP_READ, &iova));
	FAILS(ENOENT, libiommu_ioas_copy(other, none, IOVA, VM_PAGE, LIBIOMMU_MAP_READ, &iova));
	OK(libiommu_ioas_destroy(none));
	assert_int_equal(iova, 7);
	assert_counts(other, 0, 0);
}

static void test_huge_pages(void **state)
{
	bool allowed = false;

	(void)state;
	OK(libiommu_ioas_get_huge_pages(ioas, &allowed));
	assert_true(allowed);
	OK(libiommu_ioas_map_fixed(ioas, memory, VM_PAGE, VM_READ_WRITE, IOVA));
	FAILS(EINVAL, libiommu_ioas_set_huge_pages(ioas, false));
	EXPLAINED("choose before mapping");
	OK(libiommu_ioas_get_huge_pages(ioas, &allowed));
	assert_true(allowed);
	OK(libiommu_ioas_unmap(ioas, IOVA, VM_PAGE));
	OK(libiommu_ioas_set_huge_pages(ioas, false));
	OK(libiommu_ioas_get_huge_pages(ioas, &allowed));
	assert_false(allowed);
	OK(libiommu_ioas_map_fixed(ioas, memory, LENGTH, VM_READ_WRITE, IOVA));
	assert_int_equal(check(table, IOVA, memory, LENGTH), 0);
	/* Allowing them again is no matter of what is mapped. */
	OK(libiommu_ioas_set_huge_pages(ioas, true));
	OK(libiommu_ioas_get_huge_pages(ioas, &allowed));
	assert_true(allowed);
}

static void test_compat(void **state)
{
	struct libiommu_ioas *found;
	uint32_t id, found_id;

	(void)state;
	FAILS(ENODEV, libiommu_ioas_get_compat(ctx, &found));
	OK(libiommu_ioas_set_compat(ioas));
	OK(libiommu_ioas_get_compat(ctx, &found));
	OK(libiommu_ioas_id(ioas, &id));
	OK(libiommu_ioas_id(found, &found_id));
	assert_int_equal(id, found_id);
	OK(libiommu_ioas_destroy(found));
	OK(libiommu_ioas_clear_compat(ctx));
	OK(libiommu_ioas_clear_compat(ctx));
	FAILS(ENODEV, libiommu_ioas_get_compat(ctx, &found));
}

/* KiB that the kernel counts as pinned for a process. */
static long pinned(pid_t pid)
{
	char path[64], line[128];
	long result = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "VmPin:", 6))
			result = strtol(line + 6, NULL, 10);
	fclose(file);
	return result;
}

/* In the child: a context of its own on the same descriptor takes everything over. */
static int take_over(int fd)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *mine;
	int error;

	if (pinned(getpid()) != 0)
		return 1;
	if (libiommu_ctx_config_new(&config) ||
	    libiommu_ctx_config_set_fd(config, fd, LIBIOMMU_FD_BORROW) ||
	    libiommu_ctx_new(config, &mine))
		return 2;
	error = libiommu_ctx_change_process(mine);
	libiommu_ctx_destroy(mine);
	libiommu_ctx_config_free(config);
	if (error)
		return 3;
	return pinned(getpid()) == LENGTH / 1024 && pinned(getppid()) == 0 ? 0 : 4;
}

static void test_change_process(void **state)
{
	uint64_t iova;
	int status;
	pid_t pid;

	(void)state;
	if (libiommu_ctx_probe(ctx, LIBIOMMU_FEATURE_IOAS_CHANGE_PROCESS) != 1) {
		FAILS(ENOTTY, libiommu_ctx_change_process(ctx));
		EXPLAINED("older than 6.14");
		return;
	}
	OK(libiommu_ctx_change_process(ctx));
	/* Nothing is charged to those with CAP_IPC_LOCK, which goes with the effective user. */
	assert_int_equal(seteuid(NOBODY), 0);
	OK(libiommu_ioas_map_file(ioas, memfd, 0, LENGTH, VM_READ_WRITE, &iova));
	OK(libiommu_ioas_map(other, memory, VM_PAGE, VM_READ_WRITE, &iova));
	assert_counts(ioas, LENGTH, 0);
	assert_counts(other, VM_PAGE, VM_PAGE);
	FAILS(EINVAL, libiommu_ctx_change_process(ctx));
	EXPLAINED("libiommu_ioas_mapped() tells");
	OK(libiommu_ioas_unmap(other, iova, VM_PAGE));
	assert_counts(other, 0, 0);
	assert_int_equal(pinned(getpid()), LENGTH / 1024);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(take_over(libiommu_ctx_fd(ctx)));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(pinned(getpid()), 0);
	/* And back, so that it can be unmapped here. */
	OK(libiommu_ctx_change_process(ctx));
	assert_int_equal(pinned(getpid()), LENGTH / 1024);
	assert_int_equal(seteuid(0), 0);
}

#define FILE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_file),           FILE_TEST(test_file_errors),
		FILE_TEST(test_access),         FILE_TEST(test_hugetlb),
		FILE_TEST(test_copy),           FILE_TEST(test_copy_errors),
		FILE_TEST(test_huge_pages),     FILE_TEST(test_compat),
		FILE_TEST(test_change_process),
	};
	int status;

	mock = mock_new();
	if (!mock)
		return 77;
	status = cmocka_run_group_tests_name("map-file", tests, NULL, NULL);
	mock_free(mock);
	return status;
}

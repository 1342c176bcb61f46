/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Dirty tracking on the kernel's test driver, which marks pages as written on command: what is read
 * is what was marked, for every page size and alignment, and once.
 */
#include "mock.h"
#include "vm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "../../lib/base/uapi/iommufd.h"

/* The test driver's command, and the pages of its page tables while large ones are forbidden. */
#define TEST_CMD   UAPI_IO(UAPI_CMD_BASE + 32)
#define TEST_DIRTY 13
#define IO_PAGE    4096

/* A border between two pieces of the library's, inside the driver's aperture. */
#define BORDER UINT64_C(0x40000000)
#define IOVA   UINT64_C(0x2000000)

enum {
	HUGE_PAGE = 2 << 20,
	LENGTH = 2 * HUGE_PAGE,
	IO_PAGES = LENGTH / IO_PAGE,
	WORDS = LENGTH / 1024 / 64
};

struct test_dirty {
	uint32_t size;
	uint32_t op;
	uint32_t id;
	uint32_t reserved;
	uint32_t flags;
	uint64_t iova;
	uint64_t length;
	uint64_t page_size;
	uint64_t bitmap;
	uint64_t out_dirty;
	uint32_t last;
};

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas;
static struct libiommu_hwpt *table;
static uint8_t *memory;
static uint64_t marked[IO_PAGES / 64];
static uint64_t bitmap[WORDS + 1];

static int setup(void **state)
{
	(void)state;
	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, 1, false);
	OK(libiommu_ioas_alloc(ctx, &ioas));
	OK(libiommu_ioas_set_huge_pages(ioas, false));
	table = mock_hwpt_with(dev, ioas, LIBIOMMU_HWPT_DIRTY_TRACKING, NULL);
	memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	memset(bitmap, 0, sizeof(bitmap));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	OK(libiommu_hwpt_destroy(table));
	OK(libiommu_device_destroy(dev));
	OK(libiommu_ioas_unmap_all(ioas, NULL));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ctx_destroy(ctx));
	munmap(memory, LENGTH);
	return 0;
}

/* Pages from @iova on are written where @marked says. */
static void mark(uint64_t iova)
{
	struct test_dirty cmd = {
		.size = sizeof(cmd),
		.op = TEST_DIRTY,
		.iova = iova,
		.length = LENGTH,
		.page_size = IO_PAGE,
		.bitmap = (uintptr_t)marked,
	};

	OK(libiommu_hwpt_id(table, &cmd.id));
	assert_int_equal(ioctl(libiommu_ctx_fd(ctx), TEST_CMD, &cmd), 0);
}

/* One page in @some, and the first and the last. */
static void choose(int some)
{
	memset(marked, 0, sizeof(marked));
	for (size_t i = 0; i < IO_PAGES; i++)
		if (!i || i == IO_PAGES - 1 || rand() % some == 0)
			marked[i / 64] |= UINT64_C(1) << i % 64;
}

static bool is_set(const uint64_t *bits, uint64_t index)
{
	return bits[index / 64] >> index % 64 & 1;
}

/* A page of the bitmap is dirty if it shares a byte with a marked one. */
static void assert_bitmap(uint64_t first, uint64_t length, uint64_t page_size, bool dirty)
{
	for (uint64_t at = 0; at < length; at += page_size) {
		bool expected = false;

		for (uint64_t io = (first + at) / IO_PAGE * IO_PAGE; io < first + at + page_size;
		     io += IO_PAGE)
			expected = expected || is_set(marked, io / IO_PAGE);
		if (is_set(bitmap, at / page_size) != (expected && dirty))
			fail_msg("page %#llx of %#llx bytes: %d", (unsigned long long)at,
			         (unsigned long long)page_size, expected);
	}
	for (uint64_t i = length / page_size; i < WORDS * 64; i++)
		assert_false(is_set(bitmap, i));
}

static void read_all(uint64_t iova, uint64_t first, uint64_t length, uint64_t page_size,
                     uint32_t flags)
{
	uint64_t done = 0;

	memset(bitmap, 0, sizeof(bitmap));
	OK(libiommu_hwpt_get_dirty_bitmap(table, iova + first, length, page_size, flags, bitmap,
	                                  WORDS, &done));
	assert_int_equal(done, length);
}

static void map_all(uint64_t iova)
{
	OK(libiommu_ioas_map_fixed(ioas, memory, LENGTH, VM_READ_WRITE, iova));
}

static void check_page_sizes(uint64_t iova)
{
	map_all(iova);
	OK(libiommu_hwpt_set_dirty_tracking(table, true));
	for (uint64_t page_size = 1024; page_size <= 2 << 20; page_size *= 2) {
		const bool fits = iova % page_size == 0;

		choose(page_size < 65536 ? 7 : 500);
		mark(iova);
		if (fits) {
			read_all(iova, 0, LENGTH, page_size, LIBIOMMU_DIRTY_NO_CLEAR);
			assert_bitmap(0, LENGTH, page_size, true);
			read_all(iova, 0, LENGTH, page_size,
			         page_size & 0x5000 ? LIBIOMMU_DIRTY_WHOLE : 0);
			assert_bitmap(0, LENGTH, page_size, true);
		} else {
			FAILS(EINVAL, libiommu_hwpt_get_dirty_bitmap(table, iova, LENGTH, page_size,
			                                             0, bitmap, WORDS, NULL));
			read_all(iova, 0, LENGTH, IO_PAGE, 0);
			assert_bitmap(0, LENGTH, IO_PAGE, true);
		}
		/* Once. */
		read_all(iova, 0, LENGTH, IO_PAGE, 0);
		assert_bitmap(0, LENGTH, IO_PAGE, false);
	}
	OK(libiommu_hwpt_set_dirty_tracking(table, false));
	OK(libiommu_ioas_unmap_all(ioas, NULL));
}

static void test_page_sizes(void **state)
{
	(void)state;
	check_page_sizes(IOVA);
	check_page_sizes(IOVA + (2 << 20));
	check_page_sizes(IOVA + 3 * VM_PAGE);
	/* Pieces that end in the middle. */
	check_page_sizes(BORDER - (2 << 20));
	check_page_sizes(BORDER - 65536);
	check_page_sizes(BORDER - 5 * VM_PAGE);
	check_page_sizes(BORDER - 69 * VM_PAGE);
}

/* Parts, at every alignment to a word of the bitmap; what is outside of them stays dirty. */
static void test_parts(void **state)
{
	const uint64_t iova = BORDER - LENGTH / 2;

	(void)state;
	map_all(iova);
	OK(libiommu_hwpt_set_dirty_tracking(table, true));
	for (uint64_t first = 0; first < 70; first += 3) {
		const uint64_t from = LENGTH / 2 - (100 + first) * VM_PAGE;
		const uint64_t length = (100 + 2 * first + 1) * VM_PAGE;

		choose(3);
		mark(iova);
		read_all(iova, from, length, VM_PAGE, 0);
		assert_bitmap(from, length, VM_PAGE, true);
		read_all(iova, from, length, VM_PAGE, 0);
		assert_bitmap(from, length, VM_PAGE, false);
		read_all(iova, 0, from, VM_PAGE, 0);
		assert_bitmap(0, from, VM_PAGE, true);
		read_all(iova, from + length, LENGTH - from - length, VM_PAGE, 0);
		assert_bitmap(from + length, LENGTH - from - length, VM_PAGE, true);
	}
}

/* Bits that are in the bitmap stay there. */
static void test_bits_are_added(void **state)
{
	(void)state;
	map_all(IOVA);
	OK(libiommu_hwpt_set_dirty_tracking(table, true));
	memset(bitmap, 0, sizeof(bitmap));
	for (int i = 0; i < 2; i++) {
		memset(marked, 0, sizeof(marked));
		marked[i] = UINT64_C(0xf0);
		mark(IOVA);
		OK(libiommu_hwpt_get_dirty_bitmap(table, IOVA, LENGTH, IO_PAGE, 0, bitmap, WORDS,
		                                  NULL));
	}
	assert_int_equal(bitmap[0], 0xf0);
	assert_int_equal(bitmap[1], 0xf0);
}

/* The kernel's own answer where the library refuses. */
static int get_raw(uint64_t iova, uint64_t length, void *at)
{
	struct uapi_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.iova = iova,
		.length = length,
		.page_size = IO_PAGE,
		.data = (uintptr_t)at,
	};

	OK(libiommu_hwpt_id(table, &cmd.hwpt_id));
	return ioctl(libiommu_ctx_fd(ctx), UAPI_IOC_HWPT_GET_DIRTY_BITMAP, &cmd) ? -errno : 0;
}

/* Mappings that follow each other are one range; a hole is told, and nothing behind it is lost. */
static void test_hole(void **state)
{
	const uint64_t at[] = {BORDER - 2 * VM_PAGE, BORDER, BORDER + VM_PAGE,
	                       BORDER + 3 * VM_PAGE};
	uint64_t done = 9;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		OK(libiommu_ioas_map_fixed(ioas, memory, i ? VM_PAGE : 2 * VM_PAGE, VM_READ_WRITE,
		                           at[i]));
	OK(libiommu_hwpt_set_dirty_tracking(table, true));
	memset(marked, 0, sizeof(marked));
	marked[0] = 1 | 2 | 4 | 8 | 32;
	mark(at[0]);
	FAILS(ENOENT, libiommu_hwpt_get_dirty_bitmap(table, at[0], 6 * VM_PAGE, VM_PAGE, 0, bitmap,
	                                             WORDS, &done));
	EXPLAINED("is not mapped");
	assert_int_equal(done, 2 * VM_PAGE);
	assert_int_equal(bitmap[0], 3);
	bitmap[0] = 0;
	print_message("# the kernel, asked past the library: hole %d, ",
	              get_raw(BORDER + 2 * VM_PAGE, 2 * VM_PAGE, bitmap));
	assert_int_equal(bitmap[0], 0);
	OK(libiommu_hwpt_get_dirty_bitmap(table, BORDER, 2 * VM_PAGE, VM_PAGE, 0, bitmap, WORDS,
	                                  &done));
	assert_int_equal(bitmap[0], 3);
	/* Behind the hole it is all still there, until the kernel is given a bad address. */
	read_all(at[3], 0, VM_PAGE, VM_PAGE, LIBIOMMU_DIRTY_NO_CLEAR);
	assert_int_equal(bitmap[0], 1);
	print_message("bad bitmap %d, ", get_raw(at[3], VM_PAGE, (void *)(uintptr_t)VM_PAGE));
	read_all(at[3], 0, VM_PAGE, VM_PAGE, 0);
	print_message("%s\n", bitmap[0] ? "nothing lost" : "bits lost");
}

static void test_state(void **state)
{
	uint64_t done = 9;

	(void)state;
	map_all(IOVA);
	FAILS(ENODATA, libiommu_hwpt_get_dirty_bitmap(table, IOVA, LENGTH, IO_PAGE, 0, bitmap,
	                                              WORDS, &done));
	assert_int_equal(done, 0);
	OK(libiommu_hwpt_set_dirty_tracking(table, true));
	memset(marked, 0, sizeof(marked));
	marked[0] = 1;
	mark(IOVA);
	/* Starting again is refused, since it would forget. */
	FAILS(EALREADY, libiommu_hwpt_set_dirty_tracking(table, true));
	read_all(IOVA, 0, LENGTH, IO_PAGE, 0);
	assert_int_equal(bitmap[0], 1);
	mark(IOVA);
	OK(libiommu_hwpt_set_dirty_tracking(table, false));
	FAILS(ENODATA, libiommu_hwpt_get_dirty_bitmap(table, IOVA, LENGTH, IO_PAGE, 0, bitmap,
	                                              WORDS, &done));
	OK(libiommu_hwpt_set_dirty_tracking(table, true));
	read_all(IOVA, 0, LENGTH, IO_PAGE, 0);
	assert_int_equal(bitmap[0], 0);
	/* Not aligned to the pages of the page table. */
	FAILS(EINVAL, libiommu_hwpt_get_dirty_bitmap(table, IOVA + 1024, 1024, 1024, 0, bitmap,
	                                             WORDS, &done));
}

/* A large page is dirty as a whole, and is clean as a whole once a part of it was read. */
static void test_large_pages(void **state)
{
	const uint64_t rest = HUGE_PAGE - VM_PAGE;
	uint8_t *huge;

	(void)state;
	assert_int_equal(vm_write_file("/proc/sys/vm/nr_hugepages", "4"), 0);
	huge = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
	            -1, 0);
	assert_true(huge != MAP_FAILED);
	OK(libiommu_ioas_set_huge_pages(ioas, true));
	OK(libiommu_ioas_map_fixed(ioas, huge, HUGE_PAGE, VM_READ_WRITE, IOVA));
	OK(libiommu_hwpt_set_dirty_tracking(table, true));
	memset(marked, 0, sizeof(marked));
	marked[3] = 1;
	mark(IOVA);
	read_all(IOVA, 0, HUGE_PAGE, VM_PAGE, LIBIOMMU_DIRTY_NO_CLEAR);
	for (size_t i = 0; i < HUGE_PAGE / VM_PAGE / 64; i++)
		assert_int_equal(bitmap[i], UINT64_MAX);
	/* No more than was asked for. */
	read_all(IOVA, 0, VM_PAGE, VM_PAGE, 0);
	assert_int_equal(bitmap[0], 1);
	assert_int_equal(bitmap[1], 0);
	read_all(IOVA, VM_PAGE, rest, VM_PAGE, 0);
	print_message("# the rest of a large page that was read in part is %s\n",
	              bitmap[0] ? "dirty" : "clean");
	OK(libiommu_ioas_unmap_all(ioas, NULL));
	munmap(huge, LENGTH);
	assert_int_equal(vm_write_file("/proc/sys/vm/nr_hugepages", "0"), 0);
}

static void test_without_tracking(void **state)
{
	struct libiommu_hwpt *plain, *adopted;
	uint32_t id;

	(void)state;
	OK(libiommu_hwpt_alloc(dev, ioas, NULL, &plain));
	FAILS(EOPNOTSUPP, libiommu_hwpt_set_dirty_tracking(plain, true));
	EXPLAINED("made without LIBIOMMU_HWPT_DIRTY_TRACKING");
	OK(libiommu_hwpt_id(plain, &id));
	OK(libiommu_hwpt_adopt(ctx, id, LIBIOMMU_ID_BORROW, &adopted));
	FAILS(EOPNOTSUPP, libiommu_hwpt_get_dirty_bitmap(adopted, IOVA, LENGTH, IO_PAGE, 0, bitmap,
	                                                 WORDS, NULL));
	OK(libiommu_hwpt_destroy(adopted));
	OK(libiommu_hwpt_destroy(plain));
}

#define DIRTY_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIRTY_TEST(test_page_sizes),
		DIRTY_TEST(test_parts),
		DIRTY_TEST(test_bits_are_added),
		DIRTY_TEST(test_hole),
		DIRTY_TEST(test_state),
		DIRTY_TEST(test_large_pages),
		DIRTY_TEST(test_without_tracking),
	};
	int status;

	srand(1);
	mock = mock_new();
	if (!mock)
		return 77;
	status = cmocka_run_group_tests_name("dirty", tests, NULL, NULL);
	mock_free(mock);
	return status;
}

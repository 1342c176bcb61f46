/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Mapping and unmapping: what the kernel is asked, what is counted, what is refused unasked. */
#include <stdio.h>

#include "limit.h"
#include "objects.h"

#define RW (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)

static struct libiommu_ctx *ctx;
static struct libiommu_ioas *ioas;
static char memory[16];

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	ioas = script_ioas(ctx, 2);
	return 0;
}

static int teardown(void **state)
{
	limit_restore();
	script_ioas_close(ioas, 2);
	script_ctx_close(ctx);
	return script_teardown(state);
}

static uint64_t mapped(void)
{
	uint64_t bytes = 99;

	assert_int_equal(libiommu_ctx_mapped(ctx, &bytes), 0);
	return bytes;
}

static void expect_map(uint32_t flags, uint64_t length, uint64_t in, uint64_t out, int result)
{
	EXPECT_IOCTL(CTX_FD, IOAS_MAP,
	             IN(struct uapi_ioas_map, .size = sizeof(struct uapi_ioas_map), .flags = flags,
	                .ioas_id = 2, .user_va = (uintptr_t)memory, .length = length, .iova = in),
	             SET(struct uapi_ioas_map, iova, out), .result = result);
}

static void expect_unmap(uint64_t iova, uint64_t length, uint64_t out, int result)
{
	EXPECT_IOCTL(CTX_FD, IOAS_UNMAP,
	             IN(struct uapi_ioas_unmap, .size = sizeof(struct uapi_ioas_unmap),
	                .ioas_id = 2, .iova = iova, .length = length),
	             SET(struct uapi_ioas_unmap, length, out), .result = result);
}

static void test_kernel_chooses(void **state)
{
	uint64_t iova = 77;

	(void)state;
	expect_map(UAPI_IOAS_MAP_READABLE | UAPI_IOAS_MAP_WRITEABLE, 0x2000, 0, 0xabc000, 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, 0x2000, RW, &iova), 0);
	assert_int_equal(iova, 0xabc000);
	assert_int_equal(mapped(), 0x2000);
}

static void test_caller_chooses(void **state)
{
	(void)state;
	expect_map(UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE, 0x1000, 0, 0, 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, 0x1000, LIBIOMMU_MAP_READ, 0), 0);
	expect_map(UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_WRITEABLE, 0x1000, 0x5000, 0x5000, 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, 0x1000, LIBIOMMU_MAP_WRITE, 0x5000),
	                 0);
	assert_int_equal(mapped(), 0x2000);
}

static void test_flags_are_checked(void **state)
{
	const uint32_t wrong[] = {0, 4, 8 | RW, UINT32_MAX};
	uint64_t iova = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(libiommu_ioas_map(ioas, memory, 0x1000, wrong[i], &iova), -EINVAL);
		assert_failure(-EINVAL, LIBRARY, "libiommu_ioas_map");
		assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, 0x1000, wrong[i], 0),
		                 -EINVAL);
		assert_failure(-EINVAL, LIBRARY, "libiommu_ioas_map_fixed");
	}
	assert_int_equal(libiommu_ioas_map(ioas, memory, 0x1000, RW, NULL), -EINVAL);
	assert_int_equal(iova, 77);
	assert_int_equal(mapped(), 0);
}

static void test_failed_map_changes_nothing(void **state)
{
	uint64_t iova = 77, start = 0, length = 0;
	uint32_t id = 0, other = 1;
	char words[80];

	(void)state;
	expect_map(UAPI_IOAS_MAP_READABLE, 0x1000, 0, 0xabc000, -ENOSPC);
	assert_int_equal(libiommu_ioas_map(ioas, memory, 0x1000, LIBIOMMU_MAP_READ, &iova),
	                 -ENOSPC);
	/* Which memory it was helps more than an IOVA that there is none of. */
	snprintf(words, sizeof(words), "; 4096 bytes of memory at %p;", (void *)memory);
	assert_explained(words);
	assert_int_equal(iova, 77);
	assert_int_equal(mapped(), 0);
	expect_map(UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE, 0x1000, 0x3000, 0, -EEXIST);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, 0x1000, LIBIOMMU_MAP_READ, 0x3000),
	                 -EEXIST);
	assert_failure(-EEXIST, KERNEL, "libiommu_ioas_map_fixed");
	libiommu_failure_ids(&id, &other);
	libiommu_failure_range(&start, &length);
	assert_int_equal(id, 2);
	assert_int_equal(other, 0);
	assert_int_equal(start, 0x3000);
	assert_int_equal(length, 0x1000);
	assert_int_equal(mapped(), 0);
}

static void test_memory_limit_is_explained(void **state)
{
	uint64_t iova;

	(void)state;
	limit_set(64 << 20);
	expect_map(UAPI_IOAS_MAP_READABLE, 48 << 20, 0, 0x1000, 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, 48 << 20, LIBIOMMU_MAP_READ, &iova), 0);
	expect_map(UAPI_IOAS_MAP_READABLE, 32 << 20, 0, 0, -ENOMEM);
	assert_int_equal(libiommu_ioas_map(ioas, memory, 32 << 20, LIBIOMMU_MAP_READ, &iova),
	                 -ENOMEM);
	assert_explained("limit 64 MiB");
	assert_explained("mapped 48 MiB");
	assert_explained("asked for 32 MiB");
}

static void map_some(uint64_t length)
{
	uint64_t iova;

	expect_map(UAPI_IOAS_MAP_READABLE, length, 0, 0x1000, 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, length, LIBIOMMU_MAP_READ, &iova), 0);
}

static void test_unmap(void **state)
{
	(void)state;
	map_some(0x3000);
	expect_unmap(0x1000, 0x3000, 0x3000, 0);
	assert_int_equal(libiommu_ioas_unmap(ioas, 0x1000, 0x3000), 0);
	assert_int_equal(mapped(), 0);
}

static void test_unmap_of_a_range_with_holes(void **state)
{
	(void)state;
	map_some(0x3000);
	expect_unmap(0x1000, 0x4000, 0x2000, 0);
	assert_int_equal(libiommu_ioas_unmap(ioas, 0x1000, 0x4000), -ERANGE);
	assert_failure(-ERANGE, LIBRARY, "libiommu_ioas_unmap");
	assert_explained("8192 bytes unmapped");
	/* It is gone all the same, and is counted so. */
	assert_int_equal(mapped(), 0x1000);
}

static void test_unmap_range(void **state)
{
	uint64_t unmapped = 77;

	(void)state;
	map_some(0x3000);
	expect_unmap(0x1000, 0x4000, 0x2000, 0);
	assert_int_equal(libiommu_ioas_unmap_range(ioas, 0x1000, 0x4000, &unmapped), 0);
	assert_int_equal(unmapped, 0x2000);
	assert_int_equal(mapped(), 0x1000);
	expect_unmap(0x3000, 0x1000, 0x1000, 0);
	assert_int_equal(libiommu_ioas_unmap_range(ioas, 0x3000, 0x1000, NULL), 0);
	assert_int_equal(mapped(), 0);
}

static void test_unmap_all(void **state)
{
	uint64_t unmapped = 77;

	(void)state;
	map_some(0x3000);
	expect_unmap(0, UINT64_MAX, 0x3000, 0);
	assert_int_equal(libiommu_ioas_unmap_all(ioas, &unmapped), 0);
	assert_int_equal(unmapped, 0x3000);
	assert_int_equal(mapped(), 0);
	expect_unmap(0, UINT64_MAX, 0, 0);
	assert_int_equal(libiommu_ioas_unmap_all(ioas, NULL), 0);
}

static void test_failed_unmap_changes_nothing(void **state)
{
	uint64_t unmapped = 77;

	(void)state;
	map_some(0x3000);
	expect_unmap(0x1000, 0x1000, 0, -ENOENT);
	assert_int_equal(libiommu_ioas_unmap(ioas, 0x1000, 0x1000), -ENOENT);
	assert_failure(-ENOENT, KERNEL, "libiommu_ioas_unmap");
	assert_explained("4096 bytes at 0x1000");
	expect_unmap(0x1000, 0x1000, 0, -EBUSY);
	assert_int_equal(libiommu_ioas_unmap_range(ioas, 0x1000, 0x1000, &unmapped), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_ioas_unmap_range");
	expect_unmap(0, UINT64_MAX, 0, -EBUSY);
	assert_int_equal(libiommu_ioas_unmap_all(ioas, &unmapped), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_ioas_unmap_all");
	assert_int_equal(unmapped, 77);
	assert_int_equal(mapped(), 0x3000);
}

/* The kernel would take some of these for something else. */
static void test_unmap_ranges_are_checked(void **state)
{
	static const struct {
		uint64_t iova, length;
		int error;
	} wrong[] = {
		{0, 0, -EINVAL},
		{0x1000, 0, -EINVAL},
		{0, UINT64_MAX, -EINVAL},
		{2, UINT64_MAX, -EOVERFLOW},
		{UINT64_MAX, 2, -EOVERFLOW},
		{UINT64_MAX - 0xfff, 0x1001, -EOVERFLOW},
	};
	uint64_t unmapped = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const uint64_t iova = wrong[i].iova, length = wrong[i].length;

		assert_int_equal(libiommu_ioas_unmap(ioas, iova, length), wrong[i].error);
		assert_failure(wrong[i].error, LIBRARY, "libiommu_ioas_unmap");
		assert_int_equal(libiommu_ioas_unmap_range(ioas, iova, length, &unmapped),
		                 wrong[i].error);
		assert_failure(wrong[i].error, LIBRARY, "libiommu_ioas_unmap_range");
	}
	assert_int_equal(unmapped, 77);
	/* The last page of all is none of these, nor all but the first byte. */
	expect_unmap(UINT64_MAX - 0xfff, 0x1000, 0x1000, 0);
	assert_int_equal(libiommu_ioas_unmap(ioas, UINT64_MAX - 0xfff, 0x1000), 0);
	expect_unmap(1, UINT64_MAX, 0, -ENOENT);
	assert_int_equal(libiommu_ioas_unmap(ioas, 1, UINT64_MAX), -ENOENT);
}

static void test_count_never_falls_below_nothing(void **state)
{
	(void)state;
	expect_unmap(0, UINT64_MAX, 0x7000, 0);
	assert_int_equal(libiommu_ioas_unmap_all(ioas, NULL), 0);
	assert_int_equal(mapped(), 0);
}

static void test_count_goes_with_the_address_space(void **state)
{
	struct libiommu_ioas *const other = script_ioas(ctx, 3);
	uint64_t iova;

	(void)state;
	map_some(0x3000);
	EXPECT_IOCTL(CTX_FD, IOAS_MAP, .result = 0);
	assert_int_equal(libiommu_ioas_map(other, memory, 0x5000, RW, &iova), 0);
	assert_int_equal(mapped(), 0x8000);
	script_ioas_close(other, 3);
	assert_int_equal(mapped(), 0x3000);
}

#define MAP_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MAP_TEST(test_kernel_chooses),
		MAP_TEST(test_caller_chooses),
		MAP_TEST(test_flags_are_checked),
		MAP_TEST(test_failed_map_changes_nothing),
		MAP_TEST(test_memory_limit_is_explained),
		MAP_TEST(test_unmap),
		MAP_TEST(test_unmap_of_a_range_with_holes),
		MAP_TEST(test_unmap_range),
		MAP_TEST(test_unmap_all),
		MAP_TEST(test_failed_unmap_changes_nothing),
		MAP_TEST(test_unmap_ranges_are_checked),
		MAP_TEST(test_count_never_falls_below_nothing),
		MAP_TEST(test_count_goes_with_the_address_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Copying mappings between address spaces. */
#include "objects.h"

#define RW (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)

static struct libiommu_ctx *ctx;
static struct libiommu_ioas *from, *to;

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	from = script_ioas(ctx, 2);
	to = script_ioas(ctx, 3);
	return 0;
}

static int teardown(void **state)
{
	script_ioas_close(to, 3);
	script_ioas_close(from, 2);
	script_ctx_close(ctx);
	return script_teardown(state);
}

static void expect_copy(uint32_t flags, uint64_t source, uint64_t length, uint64_t in, uint64_t out,
                        int result)
{
	EXPECT_IOCTL(CTX_FD, IOAS_COPY,
	             IN(struct uapi_ioas_copy, .size = sizeof(struct uapi_ioas_copy),
	                .flags = flags, .dst_ioas_id = 3, .src_ioas_id = 2, .length = length,
	                .dst_iova = in, .src_iova = source),
	             SET(struct uapi_ioas_copy, dst_iova, out), .result = result);
}

static uint64_t others(const struct libiommu_ioas *ioas)
{
	uint64_t bytes = 99, result = 99;

	assert_int_equal(libiommu_ioas_mapped(ioas, &bytes, &result), 0);
	return result;
}

static void map_memory(struct libiommu_ioas *ioas, uint64_t length)
{
	static char memory[16];
	uint64_t iova;

	EXPECT_IOCTL(CTX_FD, IOAS_MAP, .result = 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, length, RW, &iova), 0);
}

static void map_file(struct libiommu_ioas *ioas, uint64_t length)
{
	uint64_t iova;

	script_lend_fd(300);
	EXPECT(GETFL, .fd = 300, .result = O_RDWR);
	EXPECT(SEAL, .fd = 300, .result = 0);
	EXPECT_IOCTL(CTX_FD, IOAS_MAP_FILE, .result = 0);
	assert_int_equal(libiommu_ioas_map_file(ioas, 300, 0, length, RW, &iova), 0);
}

static void copy_some(uint64_t length)
{
	uint64_t iova;

	expect_copy(UAPI_IOAS_MAP_READABLE, 0x1000, length, 0, 0x2000, 0);
	assert_int_equal(libiommu_ioas_copy(to, from, 0x1000, length, LIBIOMMU_MAP_READ, &iova), 0);
}

static void test_kernel_chooses(void **state)
{
	uint64_t iova = 77, bytes = 0;

	(void)state;
	expect_copy(UAPI_IOAS_MAP_READABLE | UAPI_IOAS_MAP_WRITEABLE, 0x8000, 0x3000, 0, 0xabc000,
	            0);
	assert_int_equal(libiommu_ioas_copy(to, from, 0x8000, 0x3000, RW, &iova), 0);
	assert_int_equal(iova, 0xabc000);
	assert_int_equal(libiommu_ctx_mapped(ctx, &bytes), 0);
	assert_int_equal(bytes, 0x3000);
}

static void test_caller_chooses(void **state)
{
	(void)state;
	expect_copy(UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_WRITEABLE, 0, 0x1000, 0x5000, 0x5000,
	            0);
	assert_int_equal(libiommu_ioas_copy_fixed(to, from, 0, 0x1000, LIBIOMMU_MAP_WRITE, 0x5000),
	                 0);
}

static void test_within_one(void **state)
{
	(void)state;
	EXPECT_IOCTL(CTX_FD, IOAS_COPY,
	             IN(struct uapi_ioas_copy, .size = sizeof(struct uapi_ioas_copy),
	                .flags = UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE,
	                .dst_ioas_id = 3, .src_ioas_id = 3, .length = 0x1000, .dst_iova = 0x5000,
	                .src_iova = 0x1000));
	assert_int_equal(
		libiommu_ioas_copy_fixed(to, to, 0x1000, 0x1000, LIBIOMMU_MAP_READ, 0x5000), 0);
}

static void test_refused_by_the_kernel(void **state)
{
	static const struct {
		int error;
		const char *words;
	} refusals[] = {
		{-ENOENT, "a part of the source range is not mapped"},
		{-EPERM, "mapped without LIBIOMMU_MAP_WRITE"},
		{-EEXIST, "mapped in the range already"},
		{-EINVAL, "multiples of the page size"},
		{-EOVERFLOW, "wraps around"},
		{-ENOSPC, "no free range"},
		{-ENOMEM, "memory"},
	};
	uint64_t iova = 77, bytes = 9, start = 0, length = 0;
	uint32_t id = 0, other = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		expect_copy(UAPI_IOAS_MAP_READABLE, 0x8000, 0x1000, 0, 0xbad, refusals[i].error);
		assert_int_equal(
			libiommu_ioas_copy(to, from, 0x8000, 0x1000, LIBIOMMU_MAP_READ, &iova),
			refusals[i].error);
		assert_failure(refusals[i].error, KERNEL, "libiommu_ioas_copy");
		assert_explained(refusals[i].words);
	}
	libiommu_failure_ids(&id, &other);
	libiommu_failure_range(&start, &length);
	assert_int_equal(id, 3);
	assert_int_equal(other, 2);
	assert_int_equal(start, 0x8000);
	assert_int_equal(length, 0x1000);
	assert_int_equal(iova, 77);
	assert_int_equal(libiommu_ctx_mapped(ctx, &bytes), 0);
	assert_int_equal(bytes, 0);
	expect_copy(UAPI_IOAS_MAP_READABLE | UAPI_IOAS_MAP_FIXED_IOVA, 0x8000, 0x1000, 0x9000, 0,
	            -EEXIST);
	assert_int_equal(
		libiommu_ioas_copy_fixed(to, from, 0x8000, 0x1000, LIBIOMMU_MAP_READ, 0x9000),
		-EEXIST);
	assert_failure(-EEXIST, KERNEL, "libiommu_ioas_copy_fixed");
}

static void test_arguments_are_checked(void **state)
{
	const uint32_t wrong[] = {0, 4, 8 | RW, UINT32_MAX};
	uint64_t iova = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(libiommu_ioas_copy(to, from, 0, 0x1000, wrong[i], &iova), -EINVAL);
		assert_failure(-EINVAL, LIBRARY, "libiommu_ioas_copy");
	}
	assert_int_equal(libiommu_ioas_copy(to, NULL, 0, 0x1000, RW, &iova), -EINVAL);
	assert_int_equal(libiommu_ioas_copy(to, from, 0, 0x1000, RW, NULL), -EINVAL);
	assert_int_equal(libiommu_ioas_copy_fixed(to, NULL, 0, 0x1000, RW, 0), -EINVAL);
	assert_int_equal(iova, 77);
}

static void test_of_different_contexts(void **state)
{
	struct libiommu_ctx_config *config = script_ctx_config();
	struct libiommu_ctx *second;
	struct libiommu_ioas *foreign;
	uint64_t iova;

	(void)state;
	script_give_fd(200);
	assert_int_equal(libiommu_ctx_config_set_fd(config, 200, LIBIOMMU_FD_OWN), 0);
	assert_int_equal(libiommu_ctx_new(config, &second), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_ioas_adopt(second, 4, LIBIOMMU_ID_BORROW, &foreign), 0);
	assert_int_equal(libiommu_ioas_copy(to, foreign, 0, 0x1000, RW, &iova), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_ioas_copy");
	assert_explained("different contexts");
	assert_int_equal(libiommu_ioas_copy_fixed(to, foreign, 0, 0x1000, RW, 0), -EINVAL);
	assert_int_equal(libiommu_ioas_destroy(foreign), 0);
	assert_int_equal(libiommu_ctx_destroy(second), 0);
}

/* What kind a copy is: as the source, where that is known. */
static void test_what_is_counted(void **state)
{
	(void)state;
	copy_some(0x1000); /* mapped there by somebody else */
	assert_int_equal(others(to), 0x1000);
	map_file(from, 0x4000);
	copy_some(0x2000);
	assert_int_equal(others(to), 0x1000);
	map_memory(from, 0x1000);
	copy_some(0x2000);
	assert_int_equal(others(to), 0x3000);
}

#define COPY_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		COPY_TEST(test_kernel_chooses),
		COPY_TEST(test_caller_chooses),
		COPY_TEST(test_within_one),
		COPY_TEST(test_refused_by_the_kernel),
		COPY_TEST(test_arguments_are_checked),
		COPY_TEST(test_of_different_contexts),
		COPY_TEST(test_what_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

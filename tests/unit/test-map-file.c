/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Mapping files: what is looked at before the kernel is asked, and what is counted as what. */
#include "limit.h"
#include "objects.h"

#define RW      (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)
#define FILE_FD 300

static struct libiommu_ctx *ctx;
static struct libiommu_ioas *ioas;

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	ioas = script_ioas(ctx, 2);
	script_lend_fd(FILE_FD);
	return 0;
}

static int teardown(void **state)
{
	limit_restore();
	script_ioas_close(ioas, 2);
	script_ctx_close(ctx);
	return script_teardown(state);
}

static void assert_mapped(uint64_t bytes, uint64_t others)
{
	uint64_t got = 99, got_others = 99;

	assert_int_equal(libiommu_ioas_mapped(ioas, &got, &got_others), 0);
	assert_int_equal(got, bytes);
	assert_int_equal(got_others, others);
	assert_int_equal(libiommu_ctx_mapped(ctx, &got), 0);
	assert_int_equal(got, bytes);
}

static void expect_file(int opened, int seals)
{
	EXPECT(GETFL, .fd = FILE_FD, .result = opened);
	EXPECT(SEAL, .fd = FILE_FD, .result = seals);
}

static void expect_map_file(uint32_t flags, uint64_t start, uint64_t length, uint64_t in,
                            uint64_t out, int result)
{
	EXPECT_IOCTL(CTX_FD, IOAS_MAP_FILE,
	             IN(struct uapi_ioas_map_file, .size = sizeof(struct uapi_ioas_map_file),
	                .flags = flags, .ioas_id = 2, .fd = FILE_FD, .start = start,
	                .length = length, .iova = in),
	             SET(struct uapi_ioas_map_file, iova, out), .result = result);
}

static void map_file(uint64_t length, bool dma_buf)
{
	uint64_t iova;

	expect_file(O_RDWR, dma_buf ? -EINVAL : 0);
	expect_map_file(UAPI_IOAS_MAP_READABLE, 0, length, 0, 0x1000, 0);
	assert_int_equal(libiommu_ioas_map_file(ioas, FILE_FD, 0, length, LIBIOMMU_MAP_READ, &iova),
	                 0);
}

static void map_memory(uint64_t length)
{
	static char memory[16];
	uint64_t iova;

	EXPECT_IOCTL(CTX_FD, IOAS_MAP, .result = 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, length, RW, &iova), 0);
}

static void unmap(uint64_t length)
{
	EXPECT_IOCTL(CTX_FD, IOAS_UNMAP, SET(struct uapi_ioas_unmap, length, length));
	assert_int_equal(libiommu_ioas_unmap(ioas, 0x1000, length), 0);
}

static void test_kernel_chooses(void **state)
{
	uint64_t iova = 77;

	(void)state;
	expect_file(O_RDWR | O_LARGEFILE, F_SEAL_SHRINK | F_SEAL_GROW);
	expect_map_file(UAPI_IOAS_MAP_READABLE | UAPI_IOAS_MAP_WRITEABLE, 0x3000, 0x2000, 0,
	                0xabc000, 0);
	assert_int_equal(libiommu_ioas_map_file(ioas, FILE_FD, 0x3000, 0x2000, RW, &iova), 0);
	assert_int_equal(iova, 0xabc000);
	assert_mapped(0x2000, 0);
}

static void test_caller_chooses(void **state)
{
	(void)state;
	expect_file(O_RDONLY, F_SEAL_WRITE);
	expect_map_file(UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE, 0, 0x1000, 0x5000,
	                0x5000, 0);
	assert_int_equal(
		libiommu_ioas_map_file_fixed(ioas, FILE_FD, 0, 0x1000, LIBIOMMU_MAP_READ, 0x5000),
		0);
	assert_mapped(0x1000, 0);
}

/* As mmap() has it; the kernel would map all of these. */
static void test_access_mode(void **state)
{
	static const struct {
		int opened;
		uint32_t flags;
		const char *words;
	} wrong[] = {
		{O_RDONLY, RW, "not open for writing"},
		{O_RDONLY, LIBIOMMU_MAP_WRITE, "not open for writing"},
		{O_WRONLY, LIBIOMMU_MAP_READ, "not open for reading"},
		{O_WRONLY, LIBIOMMU_MAP_WRITE, "not open for reading"},
	};
	uint64_t iova = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		EXPECT(GETFL, .fd = FILE_FD, .result = wrong[i].opened);
		assert_int_equal(
			libiommu_ioas_map_file(ioas, FILE_FD, 0, 0x1000, wrong[i].flags, &iova),
			-EACCES);
		assert_failure(-EACCES, LIBRARY, "libiommu_ioas_map_file");
		assert_explained(wrong[i].words);
	}
	EXPECT(GETFL, .fd = FILE_FD, .result = -EBADF);
	assert_int_equal(libiommu_ioas_map_file_fixed(ioas, FILE_FD, 0, 0x1000, RW, 0), -EBADF);
	assert_failure(-EBADF, KERNEL, "libiommu_ioas_map_file_fixed");
	assert_int_equal(iova, 77);
	assert_mapped(0, 0);
}

static void test_seals(void **state)
{
	static const int seals[] = {F_SEAL_WRITE, 0x10 /* FUTURE_WRITE */ | F_SEAL_GROW};
	uint64_t iova = 77;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		expect_file(O_RDWR, seals[i]);
		assert_int_equal(libiommu_ioas_map_file(ioas, FILE_FD, 0, 0x1000, RW, &iova),
		                 -EPERM);
		assert_failure(-EPERM, LIBRARY, "libiommu_ioas_map_file");
		assert_explained("sealed against writing");
	}
	assert_int_equal(iova, 77);
}

static void test_flags_are_checked(void **state)
{
	const uint32_t wrong[] = {0, 4, 8 | RW, UINT32_MAX};
	uint64_t iova = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(libiommu_ioas_map_file(ioas, FILE_FD, 0, 0x1000, wrong[i], &iova),
		                 -EINVAL);
		assert_failure(-EINVAL, LIBRARY, "libiommu_ioas_map_file");
	}
	assert_int_equal(libiommu_ioas_map_file(ioas, FILE_FD, 0, 0x1000, RW, NULL), -EINVAL);
	assert_int_equal(iova, 77);
}

static void test_refused_by_the_kernel(void **state)
{
	static const struct {
		int error;
		const char *words;
	} refusals[] = {
		{-EINVAL, "inside the file"},
		{-ENODEV, "unmap what was mapped of it, and map it again"},
		{-EOPNOTSUPP, "more than one range"},
		{-ENOSPC, "no free range"},
		{-ENOTTY, "older than 6.13"},
		{-ENOMEM, "asked for 4 KiB"},
	};
	uint64_t iova = 77;

	(void)state;
	limit_set(64 << 20);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		expect_file(O_RDWR, -EINVAL);
		expect_map_file(UAPI_IOAS_MAP_READABLE, 0, 0x1000, 0, 0xbad, refusals[i].error);
		assert_int_equal(
			libiommu_ioas_map_file(ioas, FILE_FD, 0, 0x1000, LIBIOMMU_MAP_READ, &iova),
			refusals[i].error);
		assert_failure(refusals[i].error, KERNEL, "libiommu_ioas_map_file");
		assert_explained(refusals[i].words);
	}
	assert_int_equal(iova, 77);
	assert_mapped(0, 0);
}

/* What does not come from files of memory: exact while one kind is unmapped, else the most. */
static void test_what_is_counted(void **state)
{
	(void)state;
	map_file(0x4000, false);
	assert_mapped(0x4000, 0);
	map_memory(0x2000);
	map_file(0x1000, true);
	assert_mapped(0x7000, 0x3000);
	unmap(0x1000); /* of which kind, nobody says */
	assert_mapped(0x6000, 0x3000);
	unmap(0x4000);
	assert_mapped(0x2000, 0x2000);
	map_file(0x1000, false);
	assert_mapped(0x3000, 0x2000);
	unmap(0x3000);
	assert_mapped(0, 0);
	map_file(0x1000, false);
	assert_mapped(0x1000, 0);
	unmap(0x1000);
	map_memory(0x2000);
	unmap(0x1000);
	assert_mapped(0x1000, 0x1000);
	/* More than this handle knows of. */
	unmap(0x3000);
	assert_mapped(0, 0);
}

static void test_counts_need_both_results(void **state)
{
	uint64_t bytes;

	(void)state;
	assert_int_equal(libiommu_ioas_mapped(ioas, NULL, &bytes), -EINVAL);
	assert_int_equal(libiommu_ioas_mapped(ioas, &bytes, NULL), -EINVAL);
}

#define FILE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_kernel_chooses),    FILE_TEST(test_caller_chooses),
		FILE_TEST(test_access_mode),       FILE_TEST(test_seals),
		FILE_TEST(test_flags_are_checked), FILE_TEST(test_refused_by_the_kernel),
		FILE_TEST(test_what_is_counted),   FILE_TEST(test_counts_need_both_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Large pages, the compatibility address space, physical addresses, and the change of process. */
#include "objects.h"

static struct libiommu_ctx *ctx;
static struct libiommu_ioas *ioas;

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	ioas = script_ioas(ctx, 2);
	return 0;
}

static int teardown(void **state)
{
	script_ioas_close(ioas, 2);
	script_ctx_close(ctx);
	return script_teardown(state);
}

static void expect_option(uint16_t op, uint64_t in, uint64_t out, int result)
{
	EXPECT_IOCTL(CTX_FD, OPTION,
	             IN(struct uapi_option, .size = sizeof(struct uapi_option),
	                .option_id = UAPI_OPTION_HUGE_PAGES, .op = op, .object_id = 2, .val64 = in),
	             SET(struct uapi_option, val64, out), .result = result);
}

static void test_huge_pages(void **state)
{
	bool allowed = true;

	(void)state;
	expect_option(UAPI_OPTION_OP_SET, 0, 0, 0);
	assert_int_equal(libiommu_ioas_set_huge_pages(ioas, false), 0);
	expect_option(UAPI_OPTION_OP_GET, 0, 0, 0);
	assert_int_equal(libiommu_ioas_get_huge_pages(ioas, &allowed), 0);
	assert_false(allowed);
	expect_option(UAPI_OPTION_OP_SET, 1, 1, 0);
	assert_int_equal(libiommu_ioas_set_huge_pages(ioas, true), 0);
	expect_option(UAPI_OPTION_OP_GET, 0, 1, 0);
	assert_int_equal(libiommu_ioas_get_huge_pages(ioas, &allowed), 0);
	assert_true(allowed);
}

static void test_huge_pages_refused(void **state)
{
	bool allowed = true;

	(void)state;
	expect_option(UAPI_OPTION_OP_SET, 0, 0, -EINVAL);
	assert_int_equal(libiommu_ioas_set_huge_pages(ioas, false), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_ioas_set_huge_pages");
	assert_explained("choose before mapping");
	expect_option(UAPI_OPTION_OP_SET, 0, 0, -EADDRINUSE);
	assert_int_equal(libiommu_ioas_set_huge_pages(ioas, false), -EADDRINUSE);
	assert_explained("begin and end at pages");
	expect_option(UAPI_OPTION_OP_GET, 0, 0, -ENOENT);
	assert_int_equal(libiommu_ioas_get_huge_pages(ioas, &allowed), -ENOENT);
	assert_failure(-ENOENT, KERNEL, "libiommu_ioas_get_huge_pages");
	assert_int_equal(libiommu_ioas_get_huge_pages(ioas, NULL), -EINVAL);
	assert_true(allowed);
}

static void expect_compat(uint16_t op, uint32_t id, int result)
{
	EXPECT_IOCTL(CTX_FD, VFIO_IOAS,
	             IN(struct uapi_vfio_ioas, .size = sizeof(struct uapi_vfio_ioas), .ioas_id = id,
	                .op = op),
	             .result = result);
}

static void test_compat(void **state)
{
	(void)state;
	expect_compat(UAPI_VFIO_IOAS_SET, 2, 0);
	assert_int_equal(libiommu_ioas_set_compat(ioas), 0);
	expect_compat(UAPI_VFIO_IOAS_SET, 2, -ENOENT);
	assert_int_equal(libiommu_ioas_set_compat(ioas), -ENOENT);
	assert_failure(-ENOENT, KERNEL, "libiommu_ioas_set_compat");
	expect_compat(UAPI_VFIO_IOAS_CLEAR, 0, 0);
	assert_int_equal(libiommu_ioas_clear_compat(ctx), 0);
	expect_compat(UAPI_VFIO_IOAS_CLEAR, 0, -EOPNOTSUPP);
	assert_int_equal(libiommu_ioas_clear_compat(ctx), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, KERNEL, "libiommu_ioas_clear_compat");
}

static void expect_pa(uint64_t iova, uint64_t length, int result)
{
	EXPECT_IOCTL(CTX_FD, IOAS_NOIOMMU_GET_PA,
	             IN(struct uapi_ioas_noiommu_get_pa,
	                .size = sizeof(struct uapi_ioas_noiommu_get_pa), .ioas_id = 2, .iova = iova,
	                .length = length),
	             OUT(struct uapi_ioas_noiommu_get_pa,
	                 .size = sizeof(struct uapi_ioas_noiommu_get_pa), .ioas_id = 2,
	                 .iova = iova, .length = 0x1800, .out_phys = 0xabcd800),
	             .result = result);
}

static void test_physical_address(void **state)
{
	uint64_t address = 7, contiguous = 8;

	(void)state;
	expect_pa(0x100800, 0x10000, 0);
	assert_int_equal(
		libiommu_ioas_noiommu_get_pa(ioas, 0x100800, 0x10000, &address, &contiguous), 0);
	assert_int_equal(address, 0xabcd800);
	assert_int_equal(contiguous, 0x1800);
}

static void test_physical_address_refused(void **state)
{
	static const struct {
		int error;
		const char *words;
	} refusals[] = {
		{-EPERM, "CAP_SYS_RAWIO"},
		{-ENOENT, "nothing is mapped there"},
		{-EOPNOTSUPP, "no device without an IOMMU"},
		{-ENOTTY, "older than 7.3"},
	};
	uint64_t address = 7, contiguous = 8;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		expect_pa(0x100000, 0x10000, refusals[i].error);
		assert_int_equal(libiommu_ioas_noiommu_get_pa(ioas, 0x100000, 0x10000, &address,
		                                              &contiguous),
		                 refusals[i].error);
		assert_failure(refusals[i].error, KERNEL, "libiommu_ioas_noiommu_get_pa");
		assert_explained(refusals[i].words);
	}
	assert_int_equal(libiommu_ioas_noiommu_get_pa(ioas, 0x1000, 0, &address, &contiguous),
	                 -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_ioas_noiommu_get_pa");
	assert_int_equal(libiommu_ioas_noiommu_get_pa(ioas, 0, 1, NULL, &contiguous), -EINVAL);
	assert_int_equal(libiommu_ioas_noiommu_get_pa(ioas, 0, 1, &address, NULL), -EINVAL);
	assert_int_equal(address, 7);
	assert_int_equal(contiguous, 8);
}

static void expect_change(int result)
{
	EXPECT_IOCTL(CTX_FD, IOAS_CHANGE_PROCESS,
	             IN(struct uapi_ioas_change_process,
	                .size = sizeof(struct uapi_ioas_change_process)),
	             .result = result);
}

static void test_change_process(void **state)
{
	static const struct {
		int error;
		const char *words;
	} refusals[] = {
		{-EINVAL, "libiommu_change_list_new() tells"},
		{-EBUSY, "try again"},
		{-ENOMEM, "locked-memory limit"},
		{-ENOTTY, "older than 6.14"},
	};

	(void)state;
	expect_change(0);
	assert_int_equal(libiommu_ctx_change_process(ctx), 0);
	/* Done, though the kernel says no. */
	expect_change(-EINVAL);
	expect_change(0);
	assert_int_equal(libiommu_ctx_change_process(ctx), 0);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].error == -EINVAL)
			expect_change(-EINVAL);
		expect_change(refusals[i].error);
		assert_int_equal(libiommu_ctx_change_process(ctx), refusals[i].error);
		assert_failure(refusals[i].error, KERNEL, "libiommu_ctx_change_process");
		assert_explained(refusals[i].words);
	}
}

#define OPTION_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPTION_TEST(test_huge_pages),
		OPTION_TEST(test_huge_pages_refused),
		OPTION_TEST(test_compat),
		OPTION_TEST(test_physical_address),
		OPTION_TEST(test_physical_address_refused),
		OPTION_TEST(test_change_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

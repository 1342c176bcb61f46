/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A VT-d's invalidations, collected, on the kernel's test driver with a VT-d's face: what the
 * library says it has done, the driver has seen. All else of nesting is in tests/conformance.
 */
#include <time.h>

#include "mock-nest.h"
#include "vm.h"

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas;
static struct libiommu_hwpt *parent;
static struct mock_vtd vtd;

static int setup(void **state)
{
	(void)state;
	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, 1, true);
	OK(libiommu_ioas_alloc(ctx, &ioas));
	parent = mock_hwpt_with(dev, ioas, LIBIOMMU_HWPT_NEST_PARENT | LIBIOMMU_HWPT_PASID, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	OK(libiommu_device_destroy(dev));
	OK(libiommu_hwpt_destroy(parent));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ctx_destroy(ctx));
	return 0;
}

static void assert_cached(const struct libiommu_hwpt *hwpt, const char *which)
{
	for (uint32_t i = 0; i < MOCK_CACHES; i++)
		vm_expect(mock_check_iotlb(ctx, hwpt, i, which[i] == '1' ? MOCK_CACHED : 0), 0,
		          which, __FILE__, __LINE__);
}

static struct libiommu_hwpt *nested_vtd(void)
{
	struct libiommu_hwpt_config *choices;
	struct libiommu_hwpt *hwpt;

	OK(libiommu_hwpt_config_new(&choices));
	OK(libiommu_hwpt_config_set_flags(choices, LIBIOMMU_HWPT_PASID));
	OK(libiommu_hwpt_config_set_vtd_s1(choices, 0, 48, 0));
	OK(libiommu_hwpt_alloc_nested(dev, parent, choices, &hwpt));
	libiommu_hwpt_config_free(choices);
	return hwpt;
}

#define PAGE(number) ((uint64_t)(number) << 12)

static void test_vtd_batch(void **state)
{
	struct libiommu_device *const other = mock_device(mock, ctx, 2, true);
	struct libiommu_vtd_batch *batch;
	struct libiommu_hwpt *own, *at_five, *at_nine;
	uint32_t pasid;
	uint64_t cookie;

	(void)state;
	mock_be_vtd(mock, &vtd);
	own = nested_vtd();
	at_five = nested_vtd();
	at_nine = nested_vtd();
	OK(libiommu_device_attach_hwpt(dev, own));
	OK(libiommu_device_attach_hwpt(other, own));
	OK(libiommu_pasid_attach(dev, 5, at_five, 0, &pasid));
	OK(libiommu_pasid_attach(other, 5, at_nine, 0, &pasid));
	OK(libiommu_pasid_attach(dev, 9, at_nine, 0, &pasid));
	OK(libiommu_vtd_batch_new(ctx, &batch));
	vtd = (struct mock_vtd){0};
	OK(libiommu_vtd_batch_add(batch, dev, 5, PAGE(1), 1, 0, 0));
	OK(libiommu_vtd_batch_add(batch, dev, 0, PAGE(2), 1, 0, 1));
	OK(libiommu_vtd_batch_add(batch, other, 5, PAGE(3), 1, 0, 2));
	OK(libiommu_vtd_batch_add(batch, dev, 9, PAGE(0), 1, 0, 3));
	OK(libiommu_vtd_batch_add(batch, other, 0, PAGE(2), 1, 0, 4));
	FAILS(ENOENT, libiommu_vtd_batch_add(batch, other, 9, 0, 1, 0, 5));
	OK(libiommu_vtd_batch_submit(batch));
	assert_int_equal(vtd.calls, 3);
	assert_int_equal(vtd.entries, 4);
	assert_cached(own, "1101");
	assert_cached(at_five, "1011");
	assert_cached(at_nine, "0110");
	/* A value that is not there, between two that are, and another page table. */
	OK(libiommu_vtd_batch_add(batch, dev, 0, PAGE(7), 1, 0, 10));
	OK(libiommu_vtd_batch_add(batch, dev, 0, PAGE(9), 1, 0, 11));
	OK(libiommu_vtd_batch_add(batch, dev, 0, PAGE(0), 1, 0, 12));
	OK(libiommu_vtd_batch_add(batch, dev, 5, 0, UINT64_MAX, 0, 13));
	FAILS(EINVAL, libiommu_vtd_batch_submit(batch));
	assert_cached(own, "0101");
	assert_cached(at_five, "0000");
	assert_int_equal(libiommu_vtd_batch_count(batch), 2);
	OK(libiommu_vtd_batch_cookie(batch, 0, &cookie));
	assert_int_equal(cookie, 10);
	OK(libiommu_vtd_batch_cookie(batch, 1, &cookie));
	assert_int_equal(cookie, 11);
	libiommu_vtd_batch_free(batch);
	OK(libiommu_device_destroy(other));
	OK(libiommu_device_revoke(dev));
	OK(libiommu_hwpt_destroy(own));
	OK(libiommu_hwpt_destroy(at_five));
	OK(libiommu_hwpt_destroy(at_nine));
	mock_be_vtd(mock, NULL);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* The figure: 10,000 requests for eight address spaces, collected, and one by one. */
static void test_calls_for_ten_thousand(void **state)
{
	struct libiommu_hwpt *tables[8], *own;
	const uint64_t requests = 10000;
	struct libiommu_vtd_batch *batch;
	uint64_t begin, together, single;
	uint32_t pasid;

	(void)state;
	mock_be_vtd(mock, &vtd);
	own = nested_vtd();
	OK(libiommu_device_attach_hwpt(dev, own));
	for (uint32_t i = 0; i < 8; i++) {
		tables[i] = nested_vtd();
		OK(libiommu_pasid_attach(dev, i + 1, tables[i], 0, &pasid));
	}
	OK(libiommu_vtd_batch_new(ctx, &batch));
	vtd = (struct mock_vtd){0};
	begin = now();
	for (uint64_t i = 0; i < requests; i++)
		OK(libiommu_vtd_batch_add(batch, dev, 1 + (uint32_t)i % 8, PAGE(i / 8 % 2 * 2), 1,
		                          LIBIOMMU_INVALIDATE_LEAF, i));
	OK(libiommu_vtd_batch_submit(batch));
	together = now() - begin;
	assert_int_equal(vtd.calls, 8);
	for (size_t i = 0; i < 8; i++)
		assert_cached(tables[i], "0101");
	begin = now();
	for (uint64_t i = 0; i < requests; i++) {
		OK(libiommu_vtd_batch_add(batch, dev, 1 + (uint32_t)i % 8, PAGE(i / 8 % 2 * 2), 1,
		                          LIBIOMMU_INVALIDATE_LEAF, i));
		OK(libiommu_vtd_batch_submit(batch));
	}
	single = now() - begin;
	assert_int_equal(vtd.calls, 8 + requests);
	print_message("# 10000 requests for 8 page tables: 8 calls, %llu us; one by one 10000 "
	              "calls, %llu us\n",
	              (unsigned long long)together, (unsigned long long)single);
	libiommu_vtd_batch_free(batch);
	OK(libiommu_device_revoke(dev));
	OK(libiommu_hwpt_destroy(own));
	for (size_t i = 0; i < 8; i++)
		OK(libiommu_hwpt_destroy(tables[i]));
	mock_be_vtd(mock, NULL);
}

#define NEST_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NEST_TEST(test_vtd_batch),
		NEST_TEST(test_calls_for_ten_thousand),
	};
	int failed;

	mock = mock_new();
	if (!mock)
		return 77;
	failed = cmocka_run_group_tests_name("nest", tests, NULL, NULL);
	mock_free(mock);
	return failed;
}

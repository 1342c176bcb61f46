/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* PASIDs on the kernel's test driver: after each call the kernel has what the library says. */
#include "mock-format.h"
#include "mock.h"
#include "vm.h"

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas;
static struct libiommu_hwpt *own; /* the device's own */
static struct libiommu_hwpt *one;
static struct libiommu_hwpt *two;

static uint32_t id_of(const struct libiommu_hwpt *table)
{
	uint32_t id;

	OK(libiommu_hwpt_id(table, &id));
	return id;
}

static int setup(void **state)
{
	(void)state;
	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, 1, true);
	OK(libiommu_ioas_alloc(ctx, &ioas));
	own = mock_hwpt_with(dev, ioas, LIBIOMMU_HWPT_PASID, NULL);
	one = mock_hwpt_with(dev, ioas, LIBIOMMU_HWPT_PASID, NULL);
	two = mock_hwpt_with(dev, ioas, LIBIOMMU_HWPT_PASID, NULL);
	OK(libiommu_device_attach_hwpt(dev, own));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	OK(libiommu_device_destroy(dev));
	OK(libiommu_hwpt_destroy(one));
	OK(libiommu_hwpt_destroy(two));
	OK(libiommu_hwpt_destroy(own));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ctx_destroy(ctx));
	return 0;
}

/* The kernel's table and the library's. */
static void assert_at(uint32_t pasid, const struct libiommu_hwpt *table)
{
	struct libiommu_hwpt *found;
	uint64_t tag;

	OK(mock_check_pasid(mock, dev, pasid, table ? id_of(table) : 0));
	if (!table) {
		FAILS(ENOENT, libiommu_pasid_find_hwpt(dev, pasid, &found, &tag));
		return;
	}
	OK(libiommu_pasid_find_hwpt(dev, pasid, &found, &tag));
	assert_ptr_equal(found, table);
}

static void test_attach_replace_detach(void **state)
{
	uint32_t pasid;

	(void)state;
	assert_at(5, NULL);
	OK(libiommu_pasid_attach(dev, 5, one, 0, &pasid));
	assert_int_equal(pasid, 5);
	assert_at(5, one);
	FAILS(EEXIST, libiommu_pasid_attach(dev, 5, two, 0, &pasid));
	assert_at(5, one);
	OK(libiommu_pasid_replace(dev, 5, two, 0));
	assert_at(5, two);
	/* Nobody but the kernel could object now. */
	OK(libiommu_hwpt_destroy(one));
	one = NULL;
	FAILS(EBUSY, libiommu_hwpt_destroy(two));
	OK(libiommu_pasid_attach(dev, 0xfffff, two, 0, &pasid));
	assert_at(0xfffff, two);
	OK(libiommu_pasid_detach(dev, 5));
	assert_at(5, NULL);
	assert_at(0xfffff, two);
}

/* vfio-pci says 0 for them, and so does this stand-in: the library must know better. */
static void test_device_without_pasids(void **state)
{
	struct libiommu_device *const plain = mock_device(mock, ctx, 2, false);
	uint32_t pasid;

	(void)state;
	FAILS(EOPNOTSUPP, libiommu_pasid_attach(plain, 5, one, 0, &pasid));
	OK(libiommu_device_destroy(plain));
}

static void test_page_table_without_the_flag(void **state)
{
	struct libiommu_hwpt *const plain = mock_hwpt_with(dev, ioas, 0, NULL);
	uint32_t pasid;

	(void)state;
	FAILS(EINVAL, libiommu_pasid_attach(dev, 5, plain, 0, &pasid));
	assert_at(5, NULL);
	OK(libiommu_pasid_attach(dev, 5, one, 0, &pasid));
	FAILS(EINVAL, libiommu_pasid_replace(dev, 5, plain, 0));
	assert_at(5, one);
	/* Nor may the device's own be without it, from now on. */
	FAILS(EINVAL, libiommu_device_replace_hwpt(dev, plain));
	OK(libiommu_hwpt_destroy(plain));
}

/* The driver fails in the middle of a replacement, once. */
static void test_replacement_that_fails_half_way(void **state)
{
	uint32_t pasid;

	(void)state;
	OK(libiommu_pasid_attach(dev, MOCK_FAILING_PASID, one, 7, &pasid));
	FAILS(ENOMEM, libiommu_pasid_replace(dev, MOCK_FAILING_PASID, two, 8));
	assert_at(MOCK_FAILING_PASID, one);
	FAILS(EBUSY, libiommu_hwpt_destroy(one));
	OK(libiommu_hwpt_destroy(two));
	two = NULL;
}

static void test_shared_space(void **state)
{
	struct libiommu_device *const other = mock_device(mock, ctx, 2, true);
	struct libiommu_device *const third = mock_device(mock, ctx, 3, true);
	struct libiommu_pasid_space *space;
	uint32_t pasid;

	(void)state;
	OK(libiommu_pasid_space_new(ctx, 0, &space));
	OK(libiommu_pasid_space_join(space, other));
	OK(libiommu_pasid_space_join(space, third));
	OK(libiommu_device_attach_hwpt(other, own));
	OK(libiommu_device_attach_hwpt(third, own));
	OK(libiommu_pasid_attach(other, 9, one, 0, &pasid));
	OK(libiommu_pasid_attach(third, 9, two, 0, &pasid));
	assert_int_equal(pasid, 9);
	OK(mock_check_pasid(mock, other, 9, id_of(one)));
	OK(mock_check_pasid(mock, third, 9, id_of(two)));
	OK(libiommu_device_destroy(other));
	OK(mock_check_pasid(mock, third, 9, id_of(two)));
	OK(libiommu_device_destroy(third));
	OK(libiommu_pasid_space_destroy(space));
}

/* All are there, none is anywhere else, and the end of the device is the end of all. */
static void test_many(void **state)
{
	const uint32_t many = 3000;
	uint32_t pasid;

	(void)state;
	for (uint32_t vpasid = 1; vpasid < many; vpasid++) {
		/* Scattered over all numbers; 347 divides no power of two. */
		const uint32_t scattered = vpasid * 347 % (1 << 20);

		if (scattered == MOCK_FAILING_PASID)
			continue;
		OK(libiommu_pasid_attach(dev, scattered, vpasid % 2 ? one : two, vpasid, &pasid));
		assert_int_equal(pasid, scattered);
	}
	for (uint32_t vpasid = 1; vpasid < many; vpasid++) {
		if (vpasid * 347 % (1 << 20) == MOCK_FAILING_PASID)
			continue;
		assert_at(vpasid * 347 % (1 << 20), vpasid % 2 ? one : two);
		assert_at(vpasid * 347 % (1 << 20) + 1, NULL);
	}
}

#define PASID_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PASID_TEST(test_attach_replace_detach),
		PASID_TEST(test_device_without_pasids),
		PASID_TEST(test_page_table_without_the_flag),
		PASID_TEST(test_replacement_that_fails_half_way),
		PASID_TEST(test_shared_space),
		PASID_TEST(test_many),
	};
	int failed;

	mock = mock_new();
	if (!mock)
		return 77;
	failed = cmocka_run_group_tests_name("pasid", tests, NULL, NULL);
	mock_free(mock);
	return failed;
}

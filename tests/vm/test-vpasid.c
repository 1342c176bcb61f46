/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * PASIDs that are not their vPASIDs, on the kernel's test driver: its devices have all PASIDs, and
 * are made to say that they have sixteen. What the library then chooses is attached and asks for
 * pages under the kernel's number, and is the caller's number everywhere else.
 */
#include "mock.h"
#include "vm.h"

enum { FEW_BITS = 4, TOP = 15, VPASID = 1000, TAG = 75, OTHER_TAG = 76, LABEL = 0x1abe1 };

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev, *second;
static struct libiommu_ioas *ioas;
static struct libiommu_fault_queue *queue;
static struct libiommu_hwpt *own, *one, *two;

static int setup(void **state)
{
	static unsigned int bits = FEW_BITS;

	(void)state;
	mock_set_ioctl(mock, mock_few_pasids, &bits);
	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, LABEL, true);
	second = mock_device(mock, ctx, LABEL + 1, true);
	OK(libiommu_ioas_alloc(ctx, &ioas));
	OK(libiommu_fault_queue_alloc(ctx, &queue));
	own = mock_hwpt(dev, ioas, NULL);
	one = mock_hwpt(dev, ioas, queue);
	two = mock_hwpt(dev, ioas, queue);
	OK(libiommu_device_attach_hwpt(dev, own));
	OK(libiommu_device_attach_hwpt(second, own));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	OK(libiommu_device_destroy(dev));
	OK(libiommu_device_destroy(second));
	OK(libiommu_hwpt_destroy(own));
	OK(libiommu_hwpt_destroy(one));
	OK(libiommu_hwpt_destroy(two));
	OK(libiommu_fault_queue_destroy(queue));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ctx_destroy(ctx));
	mock_set_ioctl(mock, NULL, NULL);
	return 0;
}

static void kernel_has(struct libiommu_device *of, uint32_t pasid,
                       const struct libiommu_hwpt *table)
{
	uint32_t id = 0;

	if (table)
		OK(libiommu_hwpt_id(table, &id));
	OK(mock_check_pasid(mock, of, pasid, id));
}

/* A page request under the kernel's number is one of the caller's. */
static void asks(struct libiommu_device *of, uint32_t pasid, uint64_t label, uint64_t tag)
{
	struct libiommu_fault_response answer = {.code = LIBIOMMU_FAULT_SUCCESS};
	const struct libiommu_record *record;
	struct libiommu_fault_batch *batch;
	size_t stale = 9;

	OK(mock_fault(mock, of, pasid, 1, LIBIOMMU_FAULT_READ, 0x1000));
	OK(libiommu_fault_batch_new(0, &batch));
	assert_int_equal(libiommu_fault_queue_wait(queue, 10000), 1);
	assert_int_equal(libiommu_fault_queue_read(queue, batch), 1);
	record = libiommu_fault_batch_get(batch, 0);
	assert_int_equal(record->vpasid, VPASID);
	assert_int_equal(record->label, label);
	assert_int_equal(record->tag, tag);
	answer.token = record->token;
	libiommu_fault_batch_free(batch);
	assert_int_equal(libiommu_fault_queue_respond(queue, &answer, 1, &stale), 1);
	assert_int_equal(stale, 0);
}

static void test_another_number(void **state)
{
	uint32_t pasid = 0, found;

	(void)state;
	OK(libiommu_pasid_attach(dev, VPASID, one, TAG, &pasid));
	assert_int_equal(pasid, TOP);
	kernel_has(dev, TOP, one);
	kernel_has(dev, VPASID, NULL);
	asks(dev, TOP, LABEL, TAG);
	OK(libiommu_pasid_find(dev, VPASID, &found));
	assert_int_equal(found, TOP);
	OK(libiommu_pasid_find_vpasid(dev, TOP, &found));
	assert_int_equal(found, VPASID);
	OK(libiommu_pasid_replace(dev, VPASID, two, OTHER_TAG));
	kernel_has(dev, TOP, two);
	asks(dev, TOP, LABEL, OTHER_TAG);
	/* The caller's own number of that value is another one. */
	OK(libiommu_pasid_attach(dev, TOP, one, TAG, &pasid));
	assert_int_equal(pasid, TOP - 1);
	kernel_has(dev, TOP - 1, one);
	kernel_has(dev, TOP, two);
	OK(libiommu_pasid_detach(dev, VPASID));
	kernel_has(dev, TOP, NULL);
	kernel_has(dev, TOP - 1, one);
	OK(libiommu_pasid_detach(dev, TOP));
	kernel_has(dev, TOP - 1, NULL);
}

/* In one space it is the same on both devices, with page tables of their own. */
static void test_shared(void **state)
{
	struct libiommu_pasid_space *space;
	uint32_t pasid = 0, other = 0;

	(void)state;
	OK(libiommu_pasid_space_new(ctx, 0, &space));
	OK(libiommu_pasid_space_join(space, dev));
	OK(libiommu_pasid_space_join(space, second));
	OK(libiommu_pasid_attach(dev, VPASID, one, TAG, &pasid));
	OK(libiommu_pasid_attach(second, VPASID, two, OTHER_TAG, &other));
	assert_int_equal(pasid, TOP);
	assert_int_equal(other, TOP);
	kernel_has(dev, TOP, one);
	kernel_has(second, TOP, two);
	asks(dev, TOP, LABEL, TAG);
	asks(second, TOP, LABEL + 1, OTHER_TAG);
	OK(libiommu_pasid_detach(dev, VPASID));
	OK(libiommu_pasid_detach(second, VPASID));
	OK(libiommu_device_destroy(second));
	OK(libiommu_device_destroy(dev));
	OK(libiommu_pasid_space_destroy(space));
	dev = second = NULL;
}

/* Where it must be the guest's number, nothing else is attached. */
static void test_identity_only(void **state)
{
	struct libiommu_pasid_space *space;
	uint32_t pasid = 0;

	(void)state;
	OK(libiommu_pasid_space_new(ctx, LIBIOMMU_PASID_IDENTITY_ONLY, &space));
	OK(libiommu_pasid_space_join(space, dev));
	FAILS(ERANGE, libiommu_pasid_attach(dev, VPASID, one, TAG, &pasid));
	for (uint32_t i = 1; i <= TOP; i++)
		kernel_has(dev, i, NULL);
	OK(libiommu_pasid_attach(dev, 5, one, TAG, &pasid));
	assert_int_equal(pasid, 5);
	kernel_has(dev, 5, one);
	OK(libiommu_pasid_detach(dev, 5));
	OK(libiommu_device_destroy(dev));
	OK(libiommu_pasid_space_destroy(space));
	dev = NULL;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_another_number), TEST(test_shared),
	                                   TEST(test_identity_only)};
	int failed;

	mock = mock_new();
	if (!mock)
		return 77;
	failed = cmocka_run_group_tests_name("vpasid", tests, NULL, NULL);
	mock_free(mock);
	return failed;
}

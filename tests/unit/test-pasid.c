/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page tables under PASIDs: the exact calls, every refusal, and tables that stay true after it. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "alloc.h"
#include "pasid-steps.h"

static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_hwpt *one;
static struct libiommu_hwpt *two;

enum { PT_ONE = 31, PT_TWO = 32 };

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	dev = script_device(ctx);
	one = borrowed_hwpt(ctx, PT_ONE);
	two = borrowed_hwpt(ctx, PT_TWO);
	return 0;
}

static int teardown(void **state)
{
	script_device_close(dev);
	assert_int_equal(libiommu_hwpt_destroy(one), 0);
	assert_int_equal(libiommu_hwpt_destroy(two), 0);
	script_ctx_close(ctx);
	return script_teardown(state);
}

static void attach(uint32_t vpasid, struct libiommu_hwpt *hwpt, uint32_t pt_id, uint64_t tag,
                   uint32_t wanted)
{
	uint32_t pasid;

	expect_pasid_attach(DEVICE_FD, wanted, pt_id, 0);
	assert_int_equal(libiommu_pasid_attach(dev, vpasid, hwpt, tag, &pasid), 0);
	assert_int_equal(pasid, wanted);
	script_done();
}

static void assert_attached(uint32_t vpasid, uint32_t pasid, const struct libiommu_hwpt *hwpt,
                            uint64_t tag)
{
	struct libiommu_hwpt *found_hwpt;
	uint64_t found_tag;
	uint32_t found;

	assert_int_equal(libiommu_pasid_find(dev, vpasid, &found), 0);
	assert_int_equal(found, pasid);
	assert_int_equal(libiommu_pasid_find_vpasid(dev, pasid, &found), 0);
	assert_int_equal(found, vpasid);
	assert_int_equal(libiommu_pasid_find_hwpt(dev, pasid, &found_hwpt, &found_tag), 0);
	assert_ptr_equal(found_hwpt, hwpt);
	assert_true(found_tag == tag);
}

static void assert_free(uint32_t vpasid, uint32_t pasid)
{
	struct libiommu_hwpt *hwpt = NULL;
	uint64_t tag = 0;
	uint32_t found = 0;

	assert_int_equal(libiommu_pasid_find(dev, vpasid, &found), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_pasid_find");
	assert_int_equal(libiommu_pasid_find_vpasid(dev, pasid, &found), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_pasid_find_vpasid");
	assert_int_equal(libiommu_pasid_find_hwpt(dev, pasid, &hwpt, &tag), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_pasid_find_hwpt");
	assert_int_equal(found, 0);
	assert_null(hwpt);
	assert_int_equal(tag, 0);
}

static void test_attach_replace_detach(void **state)
{
	(void)state;
	assert_free(5, 5);
	expect_pasid_width(DEVICE_ID, 20, 0);
	attach(5, one, PT_ONE, 0x1234, 5);
	assert_attached(5, 5, one, 0x1234);
	assert_int_equal(libiommu_hwpt_destroy(one), -EBUSY);
	attach(0xfffff, two, PT_TWO, UINT64_MAX, 0xfffff);
	assert_attached(0xfffff, 0xfffff, two, UINT64_MAX);

	expect_pasid_attach(DEVICE_FD, 5, PT_TWO, 0);
	assert_int_equal(libiommu_pasid_replace(dev, 5, two, 7), 0);
	assert_attached(5, 5, two, 7);
	/* The same again: only the tag. */
	assert_int_equal(libiommu_pasid_replace(dev, 5, two, 8), 0);
	assert_attached(5, 5, two, 8);

	expect_pasid_detach(DEVICE_FD, 5, 0);
	assert_int_equal(libiommu_pasid_detach(dev, 5), 0);
	assert_free(5, 5);
	assert_attached(0xfffff, 0xfffff, two, UINT64_MAX);
	attach(5, one, PT_ONE, 9, 5);
	assert_attached(5, 5, one, 9);
}

static void test_arguments(void **state)
{
	struct libiommu_device *const other = script_device_open(ctx, 120);
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *far;
	struct libiommu_hwpt *foreign;
	uint32_t pasid = 77;
	uint64_t tag;

	(void)state;
	assert_int_equal(libiommu_pasid_attach(NULL, 5, one, 0, &pasid), -EINVAL);
	assert_int_equal(libiommu_pasid_attach(dev, 5, NULL, 0, &pasid), -EINVAL);
	assert_int_equal(libiommu_pasid_attach(dev, 5, one, 0, NULL), -EINVAL);
	assert_int_equal(libiommu_pasid_attach(dev, 0, one, 0, &pasid), -EINVAL);
	assert_int_equal(libiommu_pasid_attach(dev, 1 << 20, one, 0, &pasid), -EINVAL);
	assert_int_equal(libiommu_pasid_attach(other, 5, one, 0, &pasid), -EINVAL);
	assert_explained("not bound");
	assert_int_equal(libiommu_pasid_replace(NULL, 5, one, 0), -EINVAL);
	assert_int_equal(libiommu_pasid_replace(dev, 5, NULL, 0), -EINVAL);
	assert_int_equal(libiommu_pasid_replace(dev, 5, one, 0), -ENOENT);
	assert_int_equal(libiommu_pasid_replace(other, 5, one, 0), -EINVAL);
	assert_int_equal(libiommu_pasid_detach(NULL, 5), -EINVAL);
	assert_int_equal(libiommu_pasid_detach(dev, 5), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_pasid_detach");
	assert_int_equal(libiommu_pasid_find(NULL, 5, &pasid), -EINVAL);
	assert_int_equal(libiommu_pasid_find(dev, 5, NULL), -EINVAL);
	assert_int_equal(libiommu_pasid_find(other, 5, &pasid), -ENOENT);
	assert_int_equal(libiommu_pasid_find_vpasid(NULL, 5, &pasid), -EINVAL);
	assert_int_equal(libiommu_pasid_find_vpasid(dev, 5, NULL), -EINVAL);
	assert_int_equal(libiommu_pasid_find_vpasid(other, 5, &pasid), -ENOENT);
	assert_int_equal(libiommu_pasid_find_hwpt(NULL, 5, &foreign, &tag), -EINVAL);
	assert_int_equal(libiommu_pasid_find_hwpt(dev, 5, NULL, &tag), -EINVAL);
	assert_int_equal(libiommu_pasid_find_hwpt(dev, 5, &foreign, NULL), -EINVAL);
	assert_int_equal(libiommu_pasid_find_hwpt(other, 5, &foreign, &tag), -ENOENT);
	assert_int_equal(pasid, 77);

	EXPECT_OPEN("/dev/iommu", 130);
	assert_int_equal(libiommu_ctx_new(config, &far), 0);
	foreign = borrowed_hwpt(far, 3);
	assert_int_equal(libiommu_pasid_attach(dev, 5, foreign, 0, &pasid), -EINVAL);
	assert_explained("different contexts");
	assert_int_equal(libiommu_pasid_replace(dev, 5, foreign, 0), -EINVAL);
	assert_explained("different contexts");
	assert_int_equal(libiommu_hwpt_destroy(foreign), 0);
	assert_int_equal(libiommu_ctx_destroy(far), 0);
	libiommu_ctx_config_free(config);
	script_device_close(other);
}

static void test_opened_by_its_group(void **state)
{
	struct libiommu_device *const grouped = script_device_grouped(ctx, 140, 141);
	uint32_t pasid;

	(void)state;
	assert_int_equal(libiommu_pasid_attach(grouped, 5, one, 0, &pasid), -EOPNOTSUPP);
	assert_int_equal(libiommu_pasid_replace(grouped, 5, one, 0), -EOPNOTSUPP);
	assert_int_equal(libiommu_pasid_detach(grouped, 5), -EOPNOTSUPP);
	assert_int_equal(libiommu_pasid_find(grouped, 5, &pasid), -ENOENT);
	assert_int_equal(libiommu_device_set_tag(grouped, 5), -EOPNOTSUPP);
	script_device_close(grouped);
}

/* The kernel would say 0 and do nothing. */
static void test_device_without_pasids(void **state)
{
	uint32_t pasid;

	(void)state;
	expect_pasid_width(DEVICE_ID, 0, 0);
	assert_int_equal(libiommu_pasid_attach(dev, 5, one, 0, &pasid), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_pasid_attach");
	assert_explained("no PASIDs");
	expect_pasid_width(DEVICE_ID, 0, -ENOTTY);
	assert_int_equal(libiommu_pasid_attach(dev, 5, one, 0, &pasid), -ENOTTY);
	assert_failure(-ENOTTY, KERNEL, "libiommu_pasid_attach");
	assert_free(5, 5);
}

static void test_other_numbers_come_from_the_top(void **state)
{
	uint32_t pasid;

	(void)state;
	expect_pasid_width(DEVICE_ID, 3, 0);
	attach(100, one, PT_ONE, 0, 7);
	attach(7, one, PT_ONE, 1, 6);
	attach(3, one, PT_ONE, 2, 3);
	attach(101, one, PT_ONE, 3, 5);
	attach(102, one, PT_ONE, 4, 4);
	attach(103, one, PT_ONE, 5, 2);
	attach(1, one, PT_ONE, 6, 1);
	assert_int_equal(libiommu_pasid_attach(dev, 104, one, 0, &pasid), -ENOSPC);
	assert_failure(-ENOSPC, LIBRARY, "libiommu_pasid_attach");
	assert_int_equal(libiommu_pasid_attach(dev, 7, one, 0, &pasid), -EEXIST);
	assert_failure(-EEXIST, LIBRARY, "libiommu_pasid_attach");
	assert_attached(100, 7, one, 0);
	assert_attached(7, 6, one, 1);
	expect_pasid_detach(DEVICE_FD, 7, 0);
	assert_int_equal(libiommu_pasid_detach(dev, 100), 0);
	assert_attached(7, 6, one, 1);
	assert_int_equal(libiommu_pasid_detach(dev, 100), -ENOENT);
	attach(104, two, PT_TWO, 0, 7);
}

static void test_the_kernel_refuses(void **state)
{
	uint32_t pasid = 77;

	(void)state;
	expect_pasid_width(DEVICE_ID, 20, 0);
	expect_pasid_attach(DEVICE_FD, 5, PT_ONE, -EINVAL);
	assert_int_equal(libiommu_pasid_attach(dev, 5, one, 0, &pasid), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_pasid_attach");
	assert_explained("LIBIOMMU_HWPT_PASID");
	assert_int_equal(pasid, 77);
	assert_free(5, 5);
	/* Neither pinned nor numbered. */
	assert_int_equal(libiommu_hwpt_destroy(one), 0);
	one = borrowed_hwpt(ctx, PT_ONE);
	attach(5, one, PT_ONE, 1, 5);

	expect_pasid_attach(DEVICE_FD, 5, PT_TWO, -ENOMEM);
	assert_int_equal(libiommu_pasid_replace(dev, 5, two, 2), -ENOMEM);
	assert_failure(-ENOMEM, KERNEL, "libiommu_pasid_replace");
	assert_attached(5, 5, one, 1);

	expect_pasid_detach(DEVICE_FD, 5, -EBUSY);
	assert_int_equal(libiommu_pasid_detach(dev, 5), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_pasid_detach");
	assert_attached(5, 5, one, 1);
}

static void test_guest_owned_table_forces_identity(void **state)
{
	static const uint64_t entry[2] = {1, 2};
	struct libiommu_ioas *const ioas = script_ioas(ctx, 40);
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *nested;
	uint32_t pasid;

	(void)state;
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_data(config, UAPI_HWPT_DATA_ARM_SMMUV3, entry,
	                                               sizeof(entry)),
	                 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC, SET(struct uapi_hwpt_alloc, out_hwpt_id, 41));
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, config, &nested), 0);
	libiommu_hwpt_config_free(config);

	expect_pasid_width(DEVICE_ID, 4, 0);
	attach(100, one, PT_ONE, 0, 15);
	assert_int_equal(libiommu_device_attach_hwpt(dev, nested), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_device_attach_hwpt");
	expect_pasid_detach(DEVICE_FD, 15, 0);
	assert_int_equal(libiommu_pasid_detach(dev, 100), 0);
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_ATTACH_IOMMUFD_PT, .result = 0);
	assert_int_equal(libiommu_device_attach_hwpt(dev, nested), 0);
	assert_int_equal(libiommu_pasid_attach(dev, 100, one, 0, &pasid), -ERANGE);
	assert_failure(-ERANGE, LIBRARY, "libiommu_pasid_attach");
	attach(3, one, PT_ONE, 0, 3);
	script_detach(dev, DEVICE_FD);
	script_hwpt_close(nested, 41);
	script_ioas_close(ioas, 40);
}

static void test_destroy_and_revoke_forget_all(void **state)
{
	struct libiommu_device *second;
	uint32_t pasid;

	(void)state;
	expect_pasid_width(DEVICE_ID, 20, 0);
	attach(5, one, PT_ONE, 0, 5);
	attach(500000, two, PT_TWO, 0, 500000);
	/* The descriptor's end detaches all. */
	EXPECT_CLOSE(DEVICE_FD);
	assert_int_equal(libiommu_device_revoke(dev), 0);
	assert_free(5, 5);
	assert_free(500000, 500000);
	assert_int_equal(libiommu_pasid_attach(dev, 5, one, 0, &pasid), -ENODEV);
	assert_int_equal(libiommu_pasid_detach(dev, 5), -ENODEV);
	assert_int_equal(libiommu_hwpt_destroy(two), 0);
	two = NULL;

	/* The kernel gives the id to another device: what one has is not the other's. */
	second = script_device_as(ctx, 121, DEVICE_ID, 9);
	assert_int_equal(libiommu_pasid_find(second, 5, &pasid), -ENOENT);
	expect_pasid_width(DEVICE_ID, 20, 0);
	expect_pasid_attach(121, 5, PT_ONE, 0);
	assert_int_equal(libiommu_pasid_attach(second, 5, one, 0, &pasid), 0);
	assert_free(5, 5);
	script_device_close(second);
}

static void test_borrowed_descriptor_is_detached_one_by_one(void **state)
{
	struct libiommu_device *lent;
	uint32_t pasid;

	(void)state;
	script_lend_fd(122);
	assert_int_equal(libiommu_device_adopt(ctx, 122, LIBIOMMU_FD_BORROW, 50, 0, 1, &lent), 0);
	expect_pasid_width(50, 20, 0);
	expect_pasid_attach(122, 5, PT_ONE, 0);
	assert_int_equal(libiommu_pasid_attach(lent, 5, one, 0, &pasid), 0);
	expect_pasid_attach(122, 64, PT_TWO, 0);
	assert_int_equal(libiommu_pasid_attach(lent, 64, two, 0, &pasid), 0);
	expect_pasid_detach(122, 5, 0);
	expect_pasid_detach(122, 64, 0);
	script_device_close(lent);
}

/* What a failed attach has made ready stays with the device, and is used or freed later. */
static void test_without_memory(void **state)
{
	uint32_t pasid = 0;

	(void)state;
	/* Of a PASID that is alone there is one leaf to be had, and nothing else. */
	expect_pasid_width(DEVICE_ID, 20, 0);
	alloc_fail_nth(1);
	assert_int_equal(libiommu_pasid_attach(dev, 0x7000, one, 0, &pasid), -ENOMEM);
	assert_true(alloc_restore());
	assert_failure(-ENOMEM, LIBRARY, "libiommu_pasid_attach");
	assert_int_equal(pasid, 0);
	assert_free(0x7000, 0x7000);
	script_done();
	expect_pasid_attach(DEVICE_FD, 0x7000, PT_ONE, 0);
	alloc_fail_nth(2);
	assert_int_equal(libiommu_pasid_attach(dev, 0x7000, one, 4, &pasid), 0);
	assert_false(alloc_restore());
	assert_attached(0x7000, 0x7000, one, 4);
}

/* Each has the number that it asks for, until one cannot: the others keep theirs. */
static void test_first_one_that_is_moved(void **state)
{
	(void)state;
	expect_pasid_width(DEVICE_ID, 3, 0);
	attach(7, one, PT_ONE, 1, 7);
	attach(5, two, PT_TWO, 2, 5);
	attach(100, one, PT_ONE, 3, 6);
	assert_attached(7, 7, one, 1);
	assert_attached(5, 5, two, 2);
	assert_attached(100, 6, one, 3);
	assert_int_equal(libiommu_pasid_find(dev, 6, &(uint32_t){0}), -ENOENT);
	attach(6, two, PT_TWO, 4, 4);
	expect_pasid_detach(DEVICE_FD, 7, 0);
	assert_int_equal(libiommu_pasid_detach(dev, 7), 0);
	assert_free(7, 7);
	attach(200, two, PT_TWO, 5, 7);
	assert_attached(5, 5, two, 2);
	assert_attached(6, 4, two, 4);
}

static void test_moved_without_memory(void **state)
{
	unsigned int failures = 0;
	int result;

	(void)state;
	do {
		uint32_t pasid = 0;

		script_device_close(dev);
		dev = script_device(ctx);
		expect_pasid_width(DEVICE_ID, 13, 0);
		attach(5, one, PT_ONE, 1, 5);
		attach(5000, two, PT_TWO, 2, 5000);
		expect_pasid_attach(DEVICE_FD, 8191, PT_ONE, 0);
		alloc_fail_nth(failures + 1);
		result = libiommu_pasid_attach(dev, 0x7000, one, 0, &pasid);
		if (!alloc_restore())
			break;
		assert_int_equal(result, -ENOMEM);
		assert_failure(-ENOMEM, LIBRARY, "libiommu_pasid_attach");
		assert_int_equal(pasid, 0);
		assert_free(0x7000, 8191);
		assert_attached(5, 5, one, 1);
		assert_attached(5000, 5000, two, 2);
		script_drop();
		attach(0x7000, one, PT_ONE, 4, 8191);
		assert_attached(0x7000, 8191, one, 4);
		failures++;
	} while (failures < 20);
	assert_int_equal(result, 0);
	/* The space; its leaves, node and root; two runs of bits; and the slots' leaf, once. */
	assert_in_range(failures, 9, 10);
}

#define READERS 2
#define CHANGES 200

static atomic_bool stop;
static atomic_uint untrue;

static void *find_all_the_time(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		uint32_t pasid = 0;

		if (libiommu_pasid_find(dev, 5, &pasid) || pasid != 5)
			atomic_fetch_add(&untrue, 1);
		if (!libiommu_pasid_find(dev, 100, &pasid) && pasid != 7)
			atomic_fetch_add(&untrue, 1);
		if (!libiommu_pasid_find(dev, 7, &pasid))
			atomic_fetch_add(&untrue, 1);
	}
	return NULL;
}

/* Who looks meanwhile finds what was there, and never the new one under its number. */
static void test_found_while_one_is_moved(void **state)
{
	pthread_t readers[READERS];

	(void)state;
	for (int change = 0; change < CHANGES; change++) {
		script_device_close(dev);
		dev = script_device(ctx);
		expect_pasid_width(DEVICE_ID, 3, 0);
		attach(5, one, PT_ONE, 1, 5);
		atomic_store(&stop, false);
		for (int i = 0; i < READERS; i++)
			assert_int_equal(pthread_create(&readers[i], NULL, find_all_the_time, NULL),
			                 0);
		attach(100, two, PT_TWO, 2, 7);
		atomic_store(&stop, true);
		for (int i = 0; i < READERS; i++)
			pthread_join(readers[i], NULL);
	}
	assert_int_equal(atomic_load(&untrue), 0);
}

static void test_labels_by_id(void **state)
{
	uint32_t first = 0, second = 0;
	uint64_t label = 0;

	(void)state;
	assert_int_equal(libiommu_device_label_by_id(NULL, 1, &label, &first), -EINVAL);
	assert_int_equal(libiommu_device_label_by_id(ctx, 1, NULL, &first), -EINVAL);
	assert_int_equal(libiommu_device_label_by_id(ctx, 1, &label, NULL), -EINVAL);
	assert_int_equal(libiommu_device_label_by_id(ctx, 1, &label, &first), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_device_label_by_id");
	assert_int_equal(libiommu_device_label_by_id(ctx, DEVICE_ID, &label, &first), 0);
	assert_true(label == LABEL);
	script_device_close(dev);
	assert_int_equal(libiommu_device_label_by_id(ctx, DEVICE_ID, &label, &second), -ENOENT);
	dev = script_device_as(ctx, DEVICE_FD, DEVICE_ID, 17);
	assert_int_equal(libiommu_device_label_by_id(ctx, DEVICE_ID, &label, &second), 0);
	assert_int_equal(label, 17);
	assert_int_not_equal(first, second);
}

/* A device that was adopted under a wrong id does not stand in the way of the one that has it. */
static void test_adopted_under_a_wrong_id(void **state)
{
	struct libiommu_device *wrong, *right;
	uint32_t generation, pasid;
	uint64_t label;

	(void)state;
	script_lend_fd(123);
	assert_int_equal(libiommu_device_adopt(ctx, 123, LIBIOMMU_FD_BORROW, 60, 0, 1, &wrong), 0);
	expect_pasid_width(60, 20, 0);
	expect_pasid_attach(123, 5, PT_ONE, 0);
	assert_int_equal(libiommu_pasid_attach(wrong, 5, one, 0, &pasid), 0);
	right = script_device_as(ctx, 124, 60, 2);
	assert_int_equal(libiommu_device_label_by_id(ctx, 60, &label, &generation), 0);
	assert_int_equal(label, 2);
	assert_int_equal(libiommu_pasid_find(right, 5, &pasid), -ENOENT);
	assert_int_equal(libiommu_pasid_find(wrong, 5, &pasid), 0);
	expect_pasid_detach(123, 5, 0);
	script_device_close(wrong);
	assert_int_equal(libiommu_device_label_by_id(ctx, 60, &label, &generation), 0);
	assert_int_equal(label, 2);
	script_device_close(right);
}

static void test_the_devices_own_tag(void **state)
{
	struct libiommu_ioas *const ioas = script_ioas(ctx, 40);

	(void)state;
	assert_int_equal(libiommu_device_set_tag(NULL, 1), -EINVAL);
	assert_int_equal(libiommu_device_set_tag(dev, 1), 0);
	script_attach_ioas(dev, DEVICE_FD, ioas, 40, 42);
	assert_int_equal(libiommu_device_set_tag(dev, 2), 0);
	assert_int_equal(libiommu_ioas_destroy(ioas), -EBUSY);
	script_detach(dev, DEVICE_FD);
	script_ioas_close(ioas, 40);
}

#define PASID_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PASID_TEST(test_attach_replace_detach),
		PASID_TEST(test_arguments),
		PASID_TEST(test_opened_by_its_group),
		PASID_TEST(test_device_without_pasids),
		PASID_TEST(test_other_numbers_come_from_the_top),
		PASID_TEST(test_the_kernel_refuses),
		PASID_TEST(test_guest_owned_table_forces_identity),
		PASID_TEST(test_destroy_and_revoke_forget_all),
		PASID_TEST(test_borrowed_descriptor_is_detached_one_by_one),
		PASID_TEST(test_without_memory),
		PASID_TEST(test_first_one_that_is_moved),
		PASID_TEST(test_moved_without_memory),
		PASID_TEST(test_found_while_one_is_moved),
		PASID_TEST(test_labels_by_id),
		PASID_TEST(test_adopted_under_a_wrong_id),
		PASID_TEST(test_the_devices_own_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

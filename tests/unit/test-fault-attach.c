/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What is attached changes under faults that were read: each is answered once, none too late. */
#include <fcntl.h>

#include "fault-steps.h"

enum { OTHER_ID = 50, OTHER_FD = 150 };

/* The attach ioctl of the device's own page table. */
static void expect_own(uint32_t pt_id, int result)
{
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
	             IN(struct uapi_vfio_device_attach_iommufd_pt,
	                .argsz = sizeof(struct uapi_vfio_device_attach_iommufd_pt), .pt_id = pt_id),
	             .result = result);
}

static void expect_own_detach(int result)
{
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_DETACH_IOMMUFD_PT,
	             IN(struct uapi_vfio_device_detach_iommufd_pt,
	                .argsz = sizeof(struct uapi_vfio_device_detach_iommufd_pt)),
	             .result = result);
}

static void test_detach_purges_its_own(void **state)
{
	const uint64_t pasid = read_token(5, 1);
	const uint64_t own = read_token(0, 2);

	(void)state;
	expect_pasid_detach(DEVICE_FD, 5, 0);
	/* What the kernel has answered itself it does not know any more. */
	expect_answer(1, LIBIOMMU_FAULT_INVALID, -EINVAL);
	assert_int_equal(libiommu_pasid_detach(fault_dev, 5), 0);
	script_done();
	assert_int_equal(outstanding(), 1);
	assert_int_equal(respond(pasid, LIBIOMMU_FAULT_SUCCESS), 1);
	expect_answer(2, LIBIOMMU_FAULT_SUCCESS, 1);
	assert_int_equal(respond(own, LIBIOMMU_FAULT_SUCCESS), 0);
}

/* The cookie that the kernel freed by the detach is the next fault's. */
static void test_late_answer_reaches_nobody(void **state)
{
	const uint64_t late = read_token(5, 1);
	uint64_t next;

	(void)state;
	expect_pasid_detach(DEVICE_FD, 5, 0);
	expect_answer(1, LIBIOMMU_FAULT_INVALID, -EINVAL);
	assert_int_equal(libiommu_pasid_detach(fault_dev, 5), 0);
	next = read_token(0, 1);
	assert_true(next != late);
	assert_int_equal(respond(late, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_int_equal(outstanding(), 1);
	expect_answer(1, LIBIOMMU_FAULT_INVALID, 1);
	assert_int_equal(respond(next, LIBIOMMU_FAULT_INVALID), 0);
}

static void test_what_is_refused_changes_nothing(void **state)
{
	const uint64_t pasid = read_token(5, 1);
	const uint64_t own = read_token(0, 2);
	struct libiommu_hwpt *const plain = borrowed_hwpt(fault_ctx, 63);
	uint32_t found;

	(void)state;
	expect_pasid_detach(DEVICE_FD, 5, -EIO);
	assert_int_equal(libiommu_pasid_detach(fault_dev, 5), -EIO);
	expect_pasid_attach(DEVICE_FD, 5, 63, -EINVAL);
	assert_int_equal(libiommu_pasid_replace(fault_dev, 5, plain, 1), -EINVAL);
	expect_own(63, -EBUSY);
	assert_int_equal(libiommu_device_replace_hwpt(fault_dev, plain), -EBUSY);
	expect_own_detach(-EIO);
	assert_int_equal(libiommu_device_detach(fault_dev), -EIO);
	assert_int_equal(libiommu_pasid_find(fault_dev, 5, &found), 0);
	assert_int_equal(outstanding(), 2);
	expect_answer(1, 0, 1);
	assert_int_equal(respond(pasid, 0), 0);
	expect_answer(2, 0, 1);
	assert_int_equal(respond(own, 0), 0);
	assert_int_equal(libiommu_hwpt_destroy(plain), 0);
}

/* The kernel does nothing either, and goes on waiting for the answers. */
static void test_replacement_by_itself_keeps_groups(void **state)
{
	const uint64_t pasid = read_token(5, 1);
	const uint64_t own = read_token(0, 2);

	(void)state;
	assert_int_equal(libiommu_pasid_replace(fault_dev, 5, fault_pt, 76), 0);
	assert_int_equal(libiommu_device_replace_hwpt(fault_dev, fault_own), 0);
	assert_int_equal(libiommu_device_set_tag(fault_dev, 71), 0);
	assert_int_equal(outstanding(), 2);
	read_token(5, 3);
	assert_int_equal(libiommu_fault_batch_get(fault_batch, 0)->tag, 76);
	read_token(0, 4);
	assert_int_equal(libiommu_fault_batch_get(fault_batch, 0)->tag, 71);
	expect_answer(1, 0, 1);
	assert_int_equal(respond(pasid, 0), 0);
	expect_answer(2, 0, 1);
	assert_int_equal(respond(own, 0), 0);
	/* Also those are the attachment's, with the tag that it had before. */
	read_token(5, 5);
	expect_pasid_detach(DEVICE_FD, 5, 0);
	expect_answers((const struct uapi_hwpt_page_response[]){{3, 1}, {5, 1}}, 2, 2);
	assert_int_equal(libiommu_pasid_detach(fault_dev, 5), 0);
	assert_int_equal(outstanding(), 1);
}

/* From one queue to the other; the lower id is locked first, which nobody sees but a deadlock. */
static void test_replacement_by_another_queue(void **state)
{
	struct libiommu_fault_queue *const other =
		script_fault_queue(fault_ctx, OTHER_ID, OTHER_FD);
	struct libiommu_hwpt *const pt = fault_hwpt(64, other);
	const uint64_t old = read_token(5, 1);
	const struct uapi_hwpt_pgfault record = fault_record(5, 1);
	const struct libiommu_fault_response late = {.token = old};
	size_t stale;

	(void)state;
	expect_pasid_attach(DEVICE_FD, 5, 64, 0);
	expect_answer(1, LIBIOMMU_FAULT_INVALID, -EINVAL);
	assert_int_equal(libiommu_pasid_replace(fault_dev, 5, pt, 80), 0);
	script_done();
	assert_int_equal(outstanding(), 0);
	assert_int_equal(respond(old, 0), 1);
	EXPECT(READ, .fd = OTHER_FD, .length = BATCH * RECORD, .out = &record,
	       .out_size = sizeof(record), .result = sizeof(record));
	assert_int_equal(libiommu_fault_queue_read(other, fault_batch), 1);
	assert_int_equal(libiommu_fault_batch_get(fault_batch, 0)->tag, 80);
	/* Back: now it is the other one's. */
	expect_pasid_attach(DEVICE_FD, 5, PASID_PT, 0);
	EXPECT(WRITE, .fd = OTHER_FD, .result = -EINVAL);
	assert_int_equal(libiommu_pasid_replace(fault_dev, 5, fault_pt, 75), 0);
	assert_int_equal(libiommu_fault_queue_respond(other, &late, 1, &stale), 1);
	assert_int_equal(stale, 1);
	assert_int_equal(libiommu_hwpt_destroy(pt), 0);
	EXPECT_CLOSE(OTHER_FD);
	expect_destroy(OTHER_ID, 0);
	assert_int_equal(libiommu_fault_queue_destroy(other), 0);
}

/* Faults of a PASID that has nothing came through the device's own, and go with it. */
static void test_the_devices_own(void **state)
{
	struct libiommu_hwpt *const plain = borrowed_hwpt(fault_ctx, 63);
	const uint64_t through_own = read_token(9, 1);
	const uint64_t pasid = read_token(5, 2);

	(void)state;
	read_token(0, 3);
	expect_own(63, 0);
	expect_answers((const struct uapi_hwpt_page_response[]){{1, 1}, {3, 1}}, 2, 1);
	expect_answer(3, 1, -EINVAL);
	assert_int_equal(libiommu_device_replace_hwpt(fault_dev, plain), 0);
	script_done();
	assert_int_equal(respond(through_own, 0), 1);
	assert_int_equal(outstanding(), 1);
	expect_answer(2, 0, 1);
	assert_int_equal(respond(pasid, 0), 0);

	expect_own(OWN_PT, 0);
	assert_int_equal(libiommu_device_replace_hwpt(fault_dev, fault_own), 0);
	read_token(0, 1);
	assert_int_equal(libiommu_fault_batch_get(fault_batch, 0)->tag, 70);
	expect_own_detach(0);
	expect_answer(1, 1, -EINVAL);
	assert_int_equal(libiommu_device_detach(fault_dev), 0);
	/* Nothing is attached any more: whatever comes is nobody's. */
	read_token(0, 1);
	assert_int_equal(libiommu_fault_batch_get(fault_batch, 0)->flags,
	                 LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_UNKNOWN);
	assert_true(libiommu_fault_batch_get(fault_batch, 0)->label == LABEL);
	assert_int_equal(libiommu_hwpt_destroy(plain), 0);
}

/* Whatever the kernel says to the answers of the purge: the tokens are stale. */
static void test_purge_that_fails(void **state)
{
	const uint64_t token = read_token(5, 1);

	(void)state;
	expect_pasid_detach(DEVICE_FD, 5, 0);
	expect_answer(1, 1, -EIO);
	assert_int_equal(libiommu_pasid_detach(fault_dev, 5), 0);
	assert_int_equal(outstanding(), 0);
	assert_int_equal(respond(token, 0), 1);
}

static void test_revoke_answers_all(void **state)
{
	const uint64_t pasid = read_token(5, 1);
	const uint64_t own = read_token(0, 2);

	(void)state;
	expect_pasid_detach(DEVICE_FD, 5, -EIO);
	expect_answer(1, 1, -EINVAL);
	EXPECT_CLOSE(DEVICE_FD);
	expect_answer(2, 1, -EINVAL);
	assert_int_equal(libiommu_device_revoke(fault_dev), 0);
	script_done();
	assert_int_equal(respond(pasid, 0), 1);
	assert_int_equal(respond(own, 0), 1);
	/* The device is unknown from here on. */
	read_token(5, 1);
	assert_int_equal(libiommu_fault_batch_get(fault_batch, 0)->label, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(test_detach_purges_its_own),
		FAULT_TEST(test_late_answer_reaches_nobody),
		FAULT_TEST(test_what_is_refused_changes_nothing),
		FAULT_TEST(test_replacement_by_itself_keeps_groups),
		FAULT_TEST(test_replacement_by_another_queue),
		FAULT_TEST(test_the_devices_own),
		FAULT_TEST(test_purge_that_fails),
		FAULT_TEST(test_revoke_answers_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Faults read, translated and answered: once each, to the right one, whatever comes in between. */
#include <fcntl.h>
#include <string.h>

#include "alloc.h"
#include "fault-steps.h"
#include "paths.h"

static const struct libiommu_record *fault(size_t index)
{
	const struct libiommu_record *const found = libiommu_fault_batch_get(fault_batch, index);

	assert_non_null(found);
	return found;
}

static void read_records(const struct uapi_hwpt_pgfault *records, size_t count)
{
	expect_faults(records, count);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, fault_batch), count);
	assert_int_equal(libiommu_fault_batch_count(fault_batch), count);
}

static void test_in_the_callers_terms(void **state)
{
	struct uapi_hwpt_pgfault records[] = {
		fault_record(5, 1),
		fault_record(0, 2),
		fault_record(9, 3),
		fault_record(5, 4),
	};

	(void)state;
	records[0].flags |= 0xff00; /* bits of a driver's own */
	records[0].perm = 0xf | 0x30;
	records[0].length = 8192;
	records[3].dev_id = 999;
	read_records(records, 4);
	assert_true(fault(0)->label == LABEL);
	assert_int_equal(fault(0)->vpasid, 5);
	assert_int_equal(fault(0)->tag, 75);
	assert_int_equal(fault(0)->address, 0x1000);
	assert_int_equal(fault(0)->length, 8192);
	assert_int_equal(fault(0)->group, 901);
	assert_int_equal(fault(0)->flags, LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_LAST);
	assert_int_equal(fault(0)->permissions, LIBIOMMU_FAULT_READ | LIBIOMMU_FAULT_WRITE |
	                                                LIBIOMMU_FAULT_EXEC |
	                                                LIBIOMMU_FAULT_PRIVILEGED);
	assert_int_equal(fault(1)->vpasid, 0);
	assert_int_equal(fault(1)->tag, 70);
	assert_int_equal(fault(1)->flags, LIBIOMMU_RECORD_LAST);
	/* Nothing is attached at 9: it came through the device's own. */
	assert_true(fault(2)->label == LABEL);
	assert_int_equal(fault(2)->vpasid, 9);
	assert_int_equal(fault(2)->tag, 70);
	assert_int_equal(fault(2)->flags, LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_LAST);
	/* Nobody's device. */
	assert_int_equal(fault(3)->label, 0);
	assert_int_equal(fault(3)->vpasid, 5);
	assert_int_equal(fault(3)->tag, 0);
	assert_int_equal(fault(3)->flags,
	                 LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_UNKNOWN);
	assert_null(libiommu_fault_batch_get(fault_batch, 4));
	assert_int_equal(outstanding(), 4);
}

static void test_translated_pasid(void **state)
{
	const struct uapi_hwpt_pgfault record = fault_record(0xfffff, 1);
	struct libiommu_hwpt *const pt = fault_hwpt(63, fault_queue);
	struct libiommu_pasid_space *space;
	struct libiommu_device *other;
	uint32_t pasid;

	(void)state;
	other = script_device_as(fault_ctx, 111, 11, 5);
	assert_int_equal(libiommu_pasid_space_new(fault_ctx, 0, &space), 0);
	assert_int_equal(libiommu_pasid_space_join(space, other), 0);
	expect_pasid_width(11, 3, 0);
	expect_pasid_attach(111, 7, 63, 0);
	assert_int_equal(libiommu_pasid_attach(other, 4000, pt, 8, &pasid), 0);
	struct uapi_hwpt_pgfault theirs = fault_record(7, 2);

	theirs.dev_id = 11;
	read_records((const struct uapi_hwpt_pgfault[]){record, theirs}, 2);
	assert_int_equal(fault(1)->label, 5);
	assert_int_equal(fault(1)->vpasid, 4000);
	assert_int_equal(fault(1)->tag, 8);
	expect_pasid_detach(111, 7, 0);
	expect_answer(2, LIBIOMMU_FAULT_INVALID, -EINVAL);
	EXPECT_CLOSE(111);
	script_device_close(other);
	assert_int_equal(outstanding(), 1);
	assert_int_equal(libiommu_pasid_space_destroy(space), 0);
	assert_int_equal(libiommu_hwpt_destroy(pt), 0);
}

/* What the kernel tells apart by group only is marked; the next device with the id is another. */
static void test_not_alone_in_its_group(void **state)
{
	struct uapi_hwpt_pgfault records[] = {fault_record(0, 1), fault_record(0, 2)};
	struct libiommu_device *other;

	(void)state;
	path_link("/proc/self/fd/111", "/dev/vfio/devices/vfio3");
	path_link("/sys/class/vfio-dev/vfio3/device/iommu_group", "../../kernel/iommu_groups/9");
	path_list("/sys/kernel/iommu_groups/9/devices", "0000:01:00.0 0000:01:00.1");
	other = script_device_as(fault_ctx, 111, 11, 5);
	records[1].dev_id = 11;
	read_records(records, 2);
	assert_int_equal(fault(0)->flags, LIBIOMMU_RECORD_LAST);
	assert_int_equal(fault(1)->label, 5);
	assert_int_equal(fault(1)->flags, LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_UNKNOWN |
	                                          LIBIOMMU_RECORD_SHARED_GROUP);
	EXPECT_CLOSE(111);
	script_device_close(other);
	/* Nobody's. */
	read_records(&records[1], 1);
	assert_int_equal(fault(0)->flags, LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_UNKNOWN);
	path_list("/sys/kernel/iommu_groups/9/devices", "0000:01:00.0");
	other = script_device_as(fault_ctx, 111, 11, 6);
	read_records(&records[1], 1);
	assert_int_equal(fault(0)->label, 6);
	assert_int_equal(fault(0)->flags, LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_UNKNOWN);
	EXPECT_CLOSE(111);
	script_device_close(other);
}

static void test_nothing_to_read(void **state)
{
	(void)state;
	read_token(5, 1);
	expect_faults(NULL, 0);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, fault_batch), 0);
	assert_int_equal(libiommu_fault_batch_count(fault_batch), 0);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, NULL), -EINVAL);
	expect_faults_error(BATCH, -EIO);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, fault_batch), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_fault_queue_read");
	assert_int_equal(outstanding(), 1);
}

static void test_groups_have_one_token(void **state)
{
	struct uapi_hwpt_pgfault records[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		records[i] = fault_record(5, i < 3 ? 1 : 2);
		if (i < 2)
			records[i].flags &= ~UAPI_PGFAULT_FLAGS_LAST_PAGE;
	}
	read_records(records, 4);
	assert_true(fault(0)->token == fault(1)->token && fault(0)->token == fault(2)->token);
	assert_true(fault(0)->token != fault(3)->token);
	assert_int_equal(outstanding(), 2);
	expect_answer(1, LIBIOMMU_FAULT_SUCCESS, 1);
	assert_int_equal(respond(fault(0)->token, LIBIOMMU_FAULT_SUCCESS), 0);
	assert_int_equal(respond(fault(2)->token, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_int_equal(outstanding(), 1);
}

/* A group ends with the fault that says so, whatever cookie the next one has. */
static void test_cookie_of_two_groups(void **state)
{
	struct uapi_hwpt_pgfault records[2] = {fault_record(5, 1), fault_record(5, 1)};

	(void)state;
	read_records(records, 2);
	assert_true(fault(0)->token != fault(1)->token);
	assert_int_equal(outstanding(), 1);
	assert_int_equal(respond(fault(0)->token, LIBIOMMU_FAULT_SUCCESS), 1);
	expect_answer(1, LIBIOMMU_FAULT_SUCCESS, 1);
	assert_int_equal(respond(fault(1)->token, LIBIOMMU_FAULT_SUCCESS), 0);
}

/* The kernel refuses to read a part of a group. */
static void test_buffer_grows(void **state)
{
	struct uapi_hwpt_pgfault records[16];

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		records[i] = fault_record(5, 1);
		if (i < 15)
			records[i].flags &= ~UAPI_PGFAULT_FLAGS_LAST_PAGE;
	}
	expect_faults_error(4, -EINVAL);
	expect_faults_error(8, -EINVAL);
	expect_faults_room(16, records, 16);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, fault_batch), 16);
	assert_true(fault(0)->token == fault(15)->token);
	assert_int_equal(outstanding(), 1);
	/* And stays. */
	expect_faults_room(16, NULL, 0);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, fault_batch), 0);
}

static void test_buffer_grows_not_for_ever(void **state)
{
	(void)state;
	for (size_t room = BATCH; room <= 65536; room *= 2)
		expect_faults_error(room, -EINVAL);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, fault_batch), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_fault_queue_read");
}

static void test_read_without_memory(void **state)
{
	const struct uapi_hwpt_pgfault record = fault_record(5, 1);
	unsigned int nth = 1;
	int result;

	(void)state;
	/* The first read makes room for groups; the second has to make room for records. */
	for (; nth < 20; nth++) {
		alloc_fail_nth(nth);
		expect_faults_error(BATCH, -EINVAL);
		expect_faults_room(2 * BATCH, &record, 1);
		result = libiommu_fault_queue_read(fault_queue, fault_batch);
		if (!alloc_restore())
			break;
		assert_int_equal(result, -ENOMEM);
		assert_failure(-ENOMEM, LIBRARY, "libiommu_fault_queue_read");
		assert_int_equal(libiommu_fault_batch_count(fault_batch), 0);
		assert_int_equal(outstanding(), 0);
		script_drop();
	}
	assert_int_equal(result, 1);
	assert_in_range(nth, 3, 8);
}

/* Room for some groups but no memory for more: only what can be kept is asked for. */
static void test_read_less_without_memory(void **state)
{
	struct uapi_hwpt_pgfault records[62];
	struct libiommu_fault_batch *large;
	size_t i;

	(void)state;
	for (i = 0; i < 62; i++)
		records[i] = fault_record(5, (uint32_t)i + 1);
	assert_int_equal(libiommu_fault_batch_new(64, &large), 0);
	expect_faults_room(64, records, 62);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, large), 62);
	alloc_fail_nth(1);
	expect_faults_room(2, NULL, 0);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, large), 0);
	assert_true(alloc_restore());
	/* Whether the group fits a larger buffer cannot be found out. */
	alloc_fail_nth(1);
	expect_faults_error(2, -EINVAL);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, large), -ENOMEM);
	assert_true(alloc_restore());
	/* With memory all is as ever, and the old groups are where they were. */
	expect_faults_room(64, NULL, 0);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, large), 0);
	assert_int_equal(outstanding(), 62);
	libiommu_fault_batch_free(large);
}

static void test_one_write_for_all(void **state)
{
	const struct uapi_hwpt_pgfault records[] = {
		fault_record(5, 1),
		fault_record(0, 2),
		fault_record(5, 3),
	};
	const struct uapi_hwpt_page_response answers[] = {{3, 1}, {1, 0}, {2, 0}};
	struct libiommu_fault_response responses[3] = {{.code = 1}, {.code = 0}, {.code = 0}};
	size_t stale = 99;

	(void)state;
	read_records(records, 3);
	responses[0].token = fault(2)->token;
	responses[1].token = fault(0)->token;
	responses[2].token = fault(1)->token;
	expect_answers(answers, 3, 3);
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, responses, 3, &stale), 3);
	assert_int_equal(stale, 0);
	assert_int_equal(outstanding(), 0);
	/* Once each. */
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, responses, 3, &stale), 3);
	assert_int_equal(stale, 3);
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, NULL, 0, NULL), 0);
}

static void test_answers_that_are_refused(void **state)
{
	struct libiommu_fault_response responses[2] = {{.code = 0}, {.code = 2}};
	const uint64_t token = read_token(5, 1);
	size_t stale = 99;

	(void)state;
	responses[0].token = token;
	responses[1].token = token;
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, responses, 2, &stale), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_fault_queue_respond");
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, NULL, 1, &stale), -EINVAL);
	assert_int_equal(
		libiommu_fault_queue_respond(fault_queue, responses, (1 << 20) + 1, &stale),
		-EINVAL);
	assert_int_equal(stale, 99);
	assert_int_equal(outstanding(), 1);
	/* Twice in one call: the second is late. */
	responses[1].code = 1;
	expect_answer(1, 0, 1);
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, responses, 2, &stale), 2);
	assert_int_equal(stale, 1);
	/* Tokens that never were. */
	assert_int_equal(respond(0, 0), 1);
	assert_int_equal(respond(UINT64_MAX, 0), 1);
	assert_int_equal(respond(token + (1 << 20), 0), 1);
}

static void read_three(struct libiommu_fault_response responses[3])
{
	const struct uapi_hwpt_pgfault records[] = {
		fault_record(5, 1),
		fault_record(5, 2),
		fault_record(5, 3),
	};

	read_records(records, 3);
	for (size_t i = 0; i < 3; i++)
		responses[i] = (struct libiommu_fault_response){.token = fault(i)->token};
}

static void test_short_writes_go_on(void **state)
{
	const struct uapi_hwpt_page_response answers[] = {{1, 0}, {2, 0}, {3, 0}};
	struct libiommu_fault_response responses[3];
	size_t stale = 99;

	(void)state;
	read_three(responses);
	expect_answers(answers, 3, -EINTR);
	expect_answers(answers, 3, 1);
	expect_answers(answers + 1, 2, -EINVAL);
	expect_answers(answers + 2, 1, 1);
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, responses, 3, &stale), 3);
	assert_int_equal(stale, 1);
	assert_int_equal(outstanding(), 0);
}

static void test_write_fails_half_way(void **state)
{
	const struct uapi_hwpt_page_response answers[] = {{1, 0}, {2, 0}, {3, 0}};
	struct libiommu_fault_response responses[3];
	size_t stale = 99;

	(void)state;
	read_three(responses);
	expect_answers(answers, 3, 1);
	expect_answers(answers + 1, 2, -EIO);
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, responses, 3, &stale), 1);
	assert_int_equal(stale, 0);
	assert_int_equal(outstanding(), 2);
	expect_answers(answers + 1, 2, -EIO);
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, responses + 1, 2, &stale), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_fault_queue_respond");
	/* One that is late does not hide it from who repeats the call. */
	expect_answers(answers + 1, 2, -EIO);
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, responses, 3, &stale), -EIO);
	assert_int_equal(stale, 0);
	/* A kernel that takes nothing and says so is not asked for ever. */
	expect_answers(answers + 1, 2, 0);
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, responses + 1, 2, &stale), -EIO);
	/* All of them again: the first is late. */
	expect_answers(answers + 1, 2, 2);
	assert_int_equal(libiommu_fault_queue_respond(fault_queue, responses, 3, &stale), 3);
	assert_int_equal(stale, 1);
}

/* The kernel gives the cookie out again at once; the token of the first is good for nothing. */
static void test_reused_cookie(void **state)
{
	const uint64_t first = read_token(5, 1);
	uint64_t second;

	(void)state;
	expect_answer(1, 0, 1);
	assert_int_equal(respond(first, 0), 0);
	second = read_token(5, 1);
	assert_true(first != second);
	assert_int_equal(respond(first, 0), 1);
	assert_int_equal(outstanding(), 1);
	expect_answer(1, 1, 1);
	assert_int_equal(respond(second, 1), 0);
}

/* Something else than this library ended the first one's attachment. */
static void test_cookie_that_comes_back_by_itself(void **state)
{
	const uint64_t first = read_token(5, 1);
	const uint64_t second = read_token(5, 1);

	(void)state;
	assert_true(first != second);
	assert_int_equal(outstanding(), 1);
	assert_int_equal(respond(first, 0), 1);
	expect_answer(1, 0, 1);
	assert_int_equal(respond(second, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(test_in_the_callers_terms),
		FAULT_TEST(test_translated_pasid),
		FAULT_TEST(test_not_alone_in_its_group),
		FAULT_TEST(test_nothing_to_read),
		FAULT_TEST(test_groups_have_one_token),
		FAULT_TEST(test_cookie_of_two_groups),
		FAULT_TEST(test_buffer_grows),
		FAULT_TEST(test_buffer_grows_not_for_ever),
		FAULT_TEST(test_read_without_memory),
		FAULT_TEST(test_read_less_without_memory),
		FAULT_TEST(test_one_write_for_all),
		FAULT_TEST(test_answers_that_are_refused),
		FAULT_TEST(test_short_writes_go_on),
		FAULT_TEST(test_write_fails_half_way),
		FAULT_TEST(test_reused_cookie),
		FAULT_TEST(test_cookie_that_comes_back_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A ring that is fed from a fault queue: what its reader sees, and what the kernel is answered. */
#include "queue-rig.h"

static void test_every_field(void **state)
{
	const struct libiommu_record *records;
	const uint32_t number = model_raise(0, RIG_PASID, 3);
	size_t count;

	(void)state;
	door_clock(1234567);
	rig_dispatch();
	assert_int_equal(libiommu_reader_next(rig.reader, &records, &count), 1);
	assert_int_equal(count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct libiommu_record expected = {
			.kind = LIBIOMMU_RECORD_FAULT,
			.flags = LIBIOMMU_RECORD_PASID | (i == 2 ? LIBIOMMU_RECORD_LAST : 0),
			.permissions = (uint16_t)i,
			.queue = 1,
			.label = RIG_LABEL,
			.time = 1234567,
			.token = records[0].token,
			.address = ((uint64_t)number << 32) + i,
			.tag = RIG_TAG,
			.length = 0x1000 * i,
			.vpasid = RIG_PASID,
			.group = number,
			.attachment = 1,
		};

		assert_memory_equal(&records[i], &expected, sizeof(expected));
	}
	assert_true(records[0].token != 0);
	assert_int_equal(libiommu_reader_release(rig.reader), 0);
	assert_int_equal(model_state(number), MODEL_OUT);
	rig_complete(&records[0]);
	assert_int_equal(model_state(number), MODEL_ANSWERED);
	assert_int_equal(model_wrong(), 0);
	assert_int_equal(rig_count(LIBIOMMU_RING_RECORDS), 3);
}

/* Of a device whose IOMMU group has others, as its bind has found. */
static void test_a_shared_group(void **state)
{
	struct libiommu_record record;
	uint32_t number;

	(void)state;
	script_device_share_group(rig.dev);
	number = model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	record = rig_take_fault(number);
	assert_int_equal(record.flags, LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_PASID |
	                                       LIBIOMMU_RECORD_SHARED_GROUP);
	rig_complete(&record);
}

/* All permissions, of a group that is larger than what is read at a time. */
static void test_long_group(void **state)
{
	const struct libiommu_record *records;
	const uint32_t number = model_raise(0, RIG_PASID, 512);
	size_t count;

	(void)state;
	rig_dispatch();
	assert_int_equal(libiommu_reader_next(rig.reader, &records, &count), 1);
	assert_int_equal(count, 512);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(records[i].address, ((uint64_t)number << 32) + i);
		assert_int_equal(records[i].permissions, i % 16);
		assert_int_equal(!!(records[i].flags & LIBIOMMU_RECORD_LAST), i == 511);
	}
	assert_int_equal(libiommu_reader_release(rig.reader), 0);
	rig_complete(&records[0]);
	assert_int_equal(model_state(number), MODEL_ANSWERED);
}

static void test_without_a_pasid(void **state)
{
	const uint32_t own = model_raise(0, 0, 1);
	const uint32_t through_own = model_raise(0, 9, 1);
	struct libiommu_record record;

	(void)state;
	rig_dispatch();
	record = rig_take_fault(own);
	assert_int_equal(record.flags, LIBIOMMU_RECORD_LAST);
	assert_int_equal(record.tag, RIG_OWN_TAG);
	assert_int_equal(record.vpasid, 0);
	rig_complete(&record);
	/* Nothing is attached there: it came through the device's own page table. */
	record = rig_take_fault(through_own);
	assert_int_equal(record.flags, LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_PASID);
	assert_int_equal(record.tag, RIG_OWN_TAG);
	assert_int_equal(record.vpasid, 9);
	rig_complete(&record);
	assert_int_equal(model_code(own), 0);
	assert_int_equal(model_code(through_own), 1);
}

static void test_unknown(void **state)
{
	const uint32_t strange = model_raise_strange(0, 99, 9);
	const uint32_t plain = model_raise_strange(0, 99, 0);
	struct libiommu_record record;

	(void)state;
	rig_dispatch();
	record = rig_take_fault(strange);
	assert_int_equal(record.flags,
	                 LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_UNKNOWN);
	assert_int_equal(record.label, 0);
	assert_int_equal(record.tag, 0);
	assert_int_equal(record.vpasid, 9);
	assert_int_equal(record.attachment, 0);
	rig_complete(&record);
	record = rig_take_fault(plain);
	assert_int_equal(record.flags, LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_UNKNOWN);
	rig_complete(&record);
	assert_int_equal(model_count(MODEL_ANSWERED), 2);
	assert_int_equal(model_wrong(), 0);
}

/* Of a device that is known, where the library has attached nothing. */
static void test_not_attached_by_us(void **state)
{
	struct libiommu_record record;
	uint32_t number;

	(void)state;
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	rig_dispatch();
	rig_take_end(RIG_OWN_TAG);
	number = model_raise_strange(0, MODEL_DEVICE_ID, 9);
	rig_dispatch();
	record = rig_take_fault(number);
	assert_int_equal(record.flags,
	                 LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_UNKNOWN);
	assert_int_equal(record.label, RIG_LABEL);
	assert_int_equal(record.tag, 0);
	assert_int_equal(record.vpasid, 9);
	assert_int_equal(record.attachment, 0);
	/* It belongs to no attachment, and none takes it along. */
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), 0);
	rig_dispatch();
	rig_take_end(RIG_TAG);
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 0);
	rig_complete(&record);
	assert_int_equal(model_code(number), number % 2);
}

/* A read that did not fill its buffer need not be followed by another one. */
static void test_reads_and_writes_once(void **state)
{
	struct libiommu_completion done[40];

	(void)state;
	for (uint32_t i = 0; i < 40; i++)
		model_raise(0, i % 2 ? RIG_PASID : 0, 1);
	model_reads();
	model_writes();
	assert_true(ring_ready(rig.ring));
	rig_dispatch();
	assert_int_equal(model_reads(), 1);
	for (uint32_t i = 0; i < 40; i++) {
		const struct libiommu_record record = rig_take_fault(i);

		done[i] = (struct libiommu_completion){
			.token = record.token, .code = i % 2, .queue = record.queue};
	}
	assert_int_equal(libiommu_reader_complete(rig.reader, done, 40), 40);
	rig_dispatch();
	assert_int_equal(model_writes(), 1);
	assert_int_equal(model_reads(), 0);
	assert_int_equal(model_count(MODEL_ANSWERED), 40);
	assert_int_equal(model_wrong(), 0);
}

/* Many groups of changing length, more than there is room for at once. */
static void test_many(void **state)
{
	uint32_t raised = 0, taken = 0;

	(void)state;
	rig_ring(1024, 64, 0);
	while (taken < 3000) {
		while (raised < 3000 && raised < taken + 700)
			raised += model_raise(0, raised % 3 ? RIG_PASID : 0, 1 + raised % 7) ==
			          raised;
		assert_int_equal(libiommu_ring_dispatch(rig.ring), 0);
		for (uint32_t more = taken + 50; taken < more; taken++) {
			struct libiommu_completion done;

			if (taken == raised || rig_count(LIBIOMMU_RING_GROUPS) == taken)
				break;
			assert_int_equal(reader_take(rig.reader, &done), taken);
			done.code = taken % 2;
			assert_int_equal(libiommu_reader_release(rig.reader), 0);
			assert_int_equal(libiommu_reader_complete(rig.reader, &done, 1), 1);
		}
	}
	rig_dispatch();
	assert_int_equal(model_count(MODEL_ANSWERED), 3000);
	assert_int_equal(model_wrong(), 0);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 0);
}

static void test_full_ring_holds_back(void **state)
{
	(void)state;
	rig_ring(1024, 2048, 0);
	for (uint32_t i = 0; i < 1100; i++)
		assert_int_equal(model_raise(0, RIG_PASID, 1), i);
	rig_dispatch();
	assert_int_equal(model_count(MODEL_OUT), 1024);
	assert_int_equal(model_count(MODEL_WAITING), 76);
	assert_int_equal(rig_count(LIBIOMMU_RING_FULL), 1);
	assert_int_equal(rig_count(LIBIOMMU_RING_WAITING), 1);
	for (uint32_t i = 0; i < 1024; i++) {
		rig_take_fault(i);
		if (i == 10)
			rig_dispatch();
	}
	rig_dispatch();
	for (uint32_t i = 1024; i < 1100; i++)
		rig_take_fault(i);
	rig_take_none();
	assert_int_equal(rig_count(LIBIOMMU_RING_WAITING), 0);
	libiommu_ring_destroy(rig.ring);
	rig.ring = NULL;
	assert_int_equal(model_count(MODEL_ANSWERED), 1100);
	assert_int_equal(model_code(1099), LIBIOMMU_FAULT_INVALID);
}

/* What is read to fit a long group may be more than may be out: it is kept until it may. */
static void test_held(void **state)
{
	struct libiommu_record record;
	uint32_t pair, behind;

	(void)state;
	rig_ring(1024, 1, 0);
	pair = model_raise(0, RIG_PASID, 3);
	behind = model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	assert_int_equal(model_count(MODEL_OUT), 2);
	record = rig_take(3);
	rig_take_none();
	assert_int_equal(record.group, pair);
	rig_complete(&record);
	record = rig_take_fault(behind);
	rig_complete(&record);
	assert_int_equal(model_code(pair), 0);
	assert_int_equal(model_code(behind), 1);
}

static void test_group_too_large(void **state)
{
	const uint32_t large = model_raise(0, RIG_PASID, 513);
	const uint32_t small = model_raise(0, RIG_PASID, 1);
	const uint32_t larger = model_raise(0, RIG_PASID, 2000);
	struct libiommu_record record;

	(void)state;
	rig_dispatch();
	assert_int_equal(model_code(large), LIBIOMMU_FAULT_INVALID);
	assert_int_equal(model_code(larger), LIBIOMMU_FAULT_INVALID);
	assert_int_equal(rig_count(LIBIOMMU_RING_TOO_LARGE), 2);
	record = rig_take_fault(small);
	rig_complete(&record);
	assert_int_equal(model_code(small), 1);
	rig_take_none();
}

static void test_deadline(void **state)
{
	struct libiommu_record record;
	uint32_t number;

	(void)state;
	door_clock(1000);
	rig_ring(1024, 16, 500);
	number = model_raise(0, RIG_PASID, 1);
	/* The timer runs by the real clock, and so is always late. */
	assert_int_equal(libiommu_ring_dispatch(rig.ring), 0);
	record = rig_take_fault(number);
	door_clock(1499);
	assert_int_equal(libiommu_ring_dispatch(rig.ring), 0);
	assert_int_equal(model_state(number), MODEL_OUT);
	door_clock(1500);
	assert_int_equal(libiommu_ring_dispatch(rig.ring), 0);
	assert_int_equal(model_code(number), LIBIOMMU_FAULT_INVALID);
	assert_int_equal(rig_count(LIBIOMMU_RING_EXPIRED), 1);
	rig_complete(&record);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 1);
	assert_int_equal(model_writes(), 1);
}

static void test_reader_dies(void **state)
{
	const uint32_t out = model_raise(0, RIG_PASID, 1);
	uint32_t later, next;

	(void)state;
	rig_dispatch();
	rig_take_fault(out);
	rig_lose_reader();
	later = model_raise(0, 0, 2);
	rig_dispatch();
	assert_int_equal(model_code(out), LIBIOMMU_FAULT_INVALID);
	assert_int_equal(model_code(later), LIBIOMMU_FAULT_INVALID);
	assert_int_equal(rig_count(LIBIOMMU_RING_ABANDONED), 1);
	assert_int_equal(rig_count(LIBIOMMU_RING_REFUSED), 1);
	for (uint32_t i = 0; i < 1000; i++)
		next = model_raise(0, 0, 1);
	rig_dispatch();
	assert_int_equal(model_count(MODEL_ANSWERED), 1002);
	assert_int_equal(rig_count(LIBIOMMU_RING_REFUSED), 1001);
	assert_int_equal(libiommu_ring_open_reader(rig.ring, &rig.reader), 0);
	rig_dispatch();
	rig_take_none();
	next = model_raise(0, 0, 1);
	rig_dispatch();
	rig_take_fault(next);
}

/* Before the first reader they wait. */
static void test_no_reader_yet(void **state)
{
	uint32_t number;

	(void)state;
	rig_ring(1024, 16, 0);
	libiommu_reader_free(rig.reader);
	libiommu_ring_destroy(rig.ring);
	rig.reader = NULL;
	rig.ring = ring_make(rig.ctx, 1024, 16, 0);
	rig_add(rig.queue[0]);
	number = model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	assert_int_equal(model_state(number), MODEL_WAITING);
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), 0);
	assert_int_equal(model_state(number), MODEL_ENDED);
	number = model_raise(0, 0, 1);
	assert_int_equal(libiommu_ring_open_reader(rig.ring, &rig.reader), 0);
	rig_dispatch();
	rig_take_end(RIG_TAG);
	rig_take_fault(number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST_BOTH(test_every_field),      RIG_TEST_BOTH(test_a_shared_group),
		RIG_TEST_BOTH(test_long_group),       RIG_TEST_BOTH(test_without_a_pasid),
		RIG_TEST_BOTH(test_unknown),          RIG_TEST_BOTH(test_not_attached_by_us),
		RIG_TEST(test_reads_and_writes_once), RIG_TEST_BOTH(test_many),
		RIG_TEST(test_full_ring_holds_back),  RIG_TEST_BOTH(test_held),
		RIG_TEST_BOTH(test_group_too_large),  RIG_TEST_BOTH(test_deadline),
		RIG_TEST_BOTH(test_reader_dies),      RIG_TEST_BOTH(test_no_reader_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

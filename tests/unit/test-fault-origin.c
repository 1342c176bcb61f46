/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A page table comes to a PASID while faults of that PASID wait that came through the device's own:
 * they stay the own one's, whoever reads them and when.
 */
#include "queue-rig.h"

#include "../../lib/object/fault-queue.h"

enum { PASID = 9, TAG = 79 };

static void check(struct libiommu_record record, uint64_t tag)
{
	assert_int_equal(record.tag, tag);
	assert_int_equal(record.vpasid, PASID);
	assert_int_equal(record.flags, LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_LAST);
	assert_int_equal(record.label, RIG_LABEL);
}

/* Both of one queue: what waits is read before the attachment. */
static void test_of_one_queue(void **state)
{
	const uint32_t before = model_raise(0, PASID, 1);
	struct libiommu_record first, second;
	uint32_t after;

	(void)state;
	rig_attach(PASID, rig.pt[0], TAG);
	assert_int_equal(model_state(before), MODEL_OUT);
	after = model_raise(0, PASID, 1);
	rig_dispatch();
	first = rig_take_fault(before);
	check(first, RIG_OWN_TAG);
	second = rig_take_fault(after);
	check(second, TAG);
	/* They end with what they came through. */
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	rig_dispatch();
	rig_take_end(RIG_OWN_TAG);
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 1);
	assert_int_equal(model_state(before), MODEL_ENDED);
	assert_int_equal(model_state(after), MODEL_OUT);
	rig_complete(&second);
	assert_int_equal(model_state(after), MODEL_ANSWERED);
	rig_complete(&first);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 1);
	assert_int_equal(model_wrong(), 0);
}

/* The end of what is attached at the PASID is none of theirs. */
static void test_the_pasids_end(void **state)
{
	const uint32_t before = model_raise(0, PASID, 1);
	struct libiommu_record record;

	(void)state;
	rig_attach(PASID, rig.pt[0], TAG);
	rig_dispatch();
	record = rig_take_fault(before);
	assert_int_equal(libiommu_pasid_detach(rig.dev, PASID), 0);
	rig_dispatch();
	rig_take_end(TAG);
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 0);
	assert_int_equal(rig_count(LIBIOMMU_RING_OUTSTANDING), 1);
	rig_complete(&record);
	assert_int_equal(model_code(before), before % 2);
}

/* Of two queues: the one that a fault is read from tells what it came through. */
static void test_of_two_queues(void **state)
{
	const uint32_t before = model_raise(0, PASID, 1);
	uint32_t after;

	(void)state;
	rig_attach(PASID, rig.pt[1], TAG);
	after = model_raise(0, PASID, 1);
	rig_dispatch();
	check(rig_take_fault(before), RIG_OWN_TAG);
	rig_take_none();
	rig_add(rig.queue[1]);
	rig_dispatch();
	check(rig_take_fault(after), TAG);
}

/* A page table that is in the way has no queue at all. */
static void test_beside_one_without_a_queue(void **state)
{
	const uint32_t before = model_raise(0, 0, 1);
	struct libiommu_record record;

	(void)state;
	/* What comes from its old queue then is of nothing that the library attached. */
	assert_int_equal(libiommu_device_replace_hwpt(rig.dev, rig.pt[1]), 0);
	assert_int_equal(model_state(before), MODEL_ENDED);
	model_raise_strange(0, MODEL_DEVICE_ID, 0);
	rig_dispatch();
	if (rig.fed)
		rig_take_fault(before);
	rig_take_end(RIG_OWN_TAG);
	record = rig_take(1);
	assert_int_equal(record.flags, LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_UNKNOWN);
	assert_int_equal(record.label, RIG_LABEL);
	assert_int_equal(record.tag, 0);
}

/* More than are read at a time, and groups that are larger than that. */
static void test_many(void **state)
{
	uint32_t count = 0;

	(void)state;
	for (; count < 150; count++)
		model_raise(0, PASID, count % 50 == 49 ? 300 : 1);
	rig_attach(PASID, rig.pt[0], TAG);
	assert_int_equal(model_count(MODEL_WAITING), 0);
	model_raise(0, PASID, 1);
	for (uint32_t i = 0; i < count; i++) {
		const struct libiommu_record *records;
		size_t length = 0;

		rig_dispatch();
		assert_int_equal(libiommu_reader_next(rig.reader, &records, &length), 1);
		assert_int_equal(records->group, i);
		assert_int_equal(records->tag, RIG_OWN_TAG);
		assert_int_equal(length, i % 50 == 49 ? 300 : 1);
		assert_int_equal(libiommu_reader_release(rig.reader), 0);
	}
	rig_dispatch();
	check(rig_take_fault(count), TAG);
}

/* Again and again before anybody reads: faults and ends come in their order, and all of them. */
static void test_many_changes(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(model_raise(0, PASID, 1), i);
		rig_attach(PASID, rig.pt[0], 1000 + i);
		assert_int_equal(libiommu_pasid_detach(rig.dev, PASID), 0);
	}
	rig_dispatch();
	for (uint32_t i = 0; i < 20; i++) {
		check(rig_take_fault(i), RIG_OWN_TAG);
		rig_take_end(1000 + i);
	}
	rig_take_none();
}

static void attach_fails(int error)
{
	uint32_t pasid = 99;

	assert_int_equal(libiommu_pasid_attach(rig.dev, PASID, rig.pt[0], TAG, &pasid), error);
	assert_int_equal(pasid, 99);
	assert_failure(error, KERNEL, "libiommu_pasid_attach");
	assert_int_equal(libiommu_pasid_find(rig.dev, PASID, &pasid), -ENOENT);
	assert_int_equal(rig_reserved(rig.queue[0]), 2);
}

/* Then nothing has changed, and nothing is lost. */
static void test_failures(void **state)
{
	const uint32_t before = model_raise(0, PASID, 1);
	unsigned int failed = 0;
	uint32_t pasid;
	int error = -ENOMEM;

	(void)state;
	model_fail_read(-EIO);
	attach_fails(-EIO);
	for (unsigned int nth = 1; error; nth++) {
		alloc_fail_nth(nth);
		error = libiommu_pasid_attach(rig.dev, PASID, rig.pt[0], TAG, &pasid);
		assert_int_equal(error, alloc_restore() ? -ENOMEM : 0);
		failed += error != 0;
	}
	assert_true(failed > 1);
	rig_dispatch();
	check(rig_take_fault(before), RIG_OWN_TAG);
	/* What was read stays read where it is the kernel that refuses in the end. */
	assert_int_equal(libiommu_pasid_detach(rig.dev, PASID), 0);
	model_raise(0, PASID, 1);
	model_fail_change(-EIO);
	attach_fails(-EIO);
	rig_dispatch();
	rig_take_end(TAG);
	check(rig_take_fault(before + 1), RIG_OWN_TAG);
}

/* Without a ring: who reads the queue gets them too, though the descriptor is silent. */
static void test_without_a_ring(void **state)
{
	struct libiommu_fault_response response = {0};
	struct libiommu_fault_batch *batch;
	uint32_t before;
	size_t stale = 99;

	(void)state;
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[0]), 0);
	assert_int_equal(libiommu_fault_batch_new(4, &batch), 0);
	before = model_raise(0, PASID, 1);
	assert_int_equal(libiommu_fault_queue_wait(rig.queue[0], 0), 1);
	rig_attach(PASID, rig.pt[0], TAG);
	assert_int_equal(libiommu_fault_queue_wait(rig.queue[0], 0), 1);
	assert_int_equal(libiommu_fault_queue_read(rig.queue[0], batch), 1);
	check(*libiommu_fault_batch_get(batch, 0), RIG_OWN_TAG);
	assert_int_equal(libiommu_fault_queue_wait(rig.queue[0], 0), 0);
	response.token = libiommu_fault_batch_get(batch, 0)->token;
	assert_int_equal(libiommu_fault_queue_respond(rig.queue[0], &response, 1, &stale), 1);
	assert_int_equal(stale, 0);
	assert_int_equal(model_state(before), MODEL_ANSWERED);
	/* And what nobody has read by then goes to the next ring. */
	assert_int_equal(libiommu_pasid_detach(rig.dev, PASID), 0);
	before = model_raise(0, PASID, 1);
	rig_attach(PASID, rig.pt[0], TAG);
	rig_add(rig.queue[0]);
	rig_dispatch();
	check(rig_take_fault(before), RIG_OWN_TAG);
	libiommu_fault_batch_free(batch);
}

/* Who reads but is never done with what is read early: it takes no more and more memory. */
static void test_always_behind(void **state)
{
	const struct libiommu_fault_batch *const early = &li_fault_queue_state(rig.queue[0])->early;
	struct libiommu_fault_batch *batch;

	(void)state;
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[0]), 0);
	assert_int_equal(libiommu_fault_batch_new(1, &batch), 0);
	model_raise(0, PASID, 1);
	for (uint32_t i = 0; i < 900; i++) {
		struct libiommu_fault_response response = {.code = i % 2};

		assert_int_equal(model_raise(0, PASID, 1), i + 1);
		rig_attach(PASID + 1 + i, rig.pt[0], TAG);
		assert_int_equal(libiommu_fault_queue_read(rig.queue[0], batch), 1);
		assert_int_equal(libiommu_fault_batch_get(batch, 0)->group, i);
		check(*libiommu_fault_batch_get(batch, 0), RIG_OWN_TAG);
		response.token = libiommu_fault_batch_get(batch, 0)->token;
		assert_int_equal(libiommu_fault_queue_respond(rig.queue[0], &response, 1, NULL), 1);
	}
	assert_true(early->count < 10 && early->room < 300);
	assert_int_equal(model_count(MODEL_ANSWERED), 900);
	assert_int_equal(model_wrong(), 0);
	libiommu_fault_batch_free(batch);
}

/* Their tag is the caller's again, and nobody would be told. */
static void test_ended_before_it_is_read(void **state)
{
	struct libiommu_fault_batch *batch;
	uint32_t ended, kept;

	(void)state;
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[0]), 0);
	assert_int_equal(libiommu_fault_batch_new(4, &batch), 0);
	ended = model_raise(0, PASID, 1);
	model_raise(0, PASID, 3);
	kept = model_raise(0, RIG_PASID, 2);
	model_raise(0, PASID, 1);
	rig_attach(PASID, rig.pt[0], TAG);
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	assert_int_equal(model_state(ended), MODEL_ENDED);
	assert_int_equal(libiommu_fault_queue_wait(rig.queue[0], 0), 1);
	assert_int_equal(libiommu_fault_queue_read(rig.queue[0], batch), 2);
	assert_int_equal(libiommu_fault_batch_get(batch, 0)->group, kept);
	assert_int_equal(libiommu_fault_batch_get(batch, 1)->tag, RIG_TAG);
	assert_int_equal(libiommu_fault_queue_wait(rig.queue[0], 0), 0);
	assert_int_equal(libiommu_fault_queue_read(rig.queue[0], batch), 0);
	libiommu_fault_batch_free(batch);
}

/* The same where the queue is in a ring, and the end comes before its first reader. */
static void test_ended_before_the_first_reader(void **state)
{
	(void)state;
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[0]), 0);
	rig_lose_reader();
	assert_int_equal(libiommu_ring_destroy(rig.ring), 0);
	rig.ring = ring_make(rig.ctx, 1024, 512, 0);
	rig_add(rig.queue[0]);
	model_raise(0, PASID, 1);
	rig_attach(PASID, rig.pt[0], TAG);
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	rig_dispatch();
	assert_int_equal(libiommu_ring_open_reader(rig.ring, &rig.reader), 0);
	rig_dispatch();
	rig_take_none();
	assert_int_equal(libiommu_pasid_detach(rig.dev, PASID), 0);
	rig_dispatch();
	rig_take_end(TAG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST_BOTH(test_of_one_queue),
		RIG_TEST_BOTH(test_the_pasids_end),
		RIG_TEST_BOTH(test_of_two_queues),
		RIG_TEST_BOTH(test_beside_one_without_a_queue),
		RIG_TEST_BOTH(test_many),
		RIG_TEST_BOTH(test_many_changes),
		RIG_TEST_BOTH(test_failures),
		RIG_TEST_BOTH(test_without_a_ring),
		RIG_TEST_BOTH(test_always_behind),
		RIG_TEST_BOTH(test_ended_before_it_is_read),
		RIG_TEST_BOTH(test_ended_before_the_first_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

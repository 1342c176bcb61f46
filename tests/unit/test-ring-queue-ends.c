/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What is attached changes under a ring that is fed from a fault queue. */
#include "queue-rig.h"

#include "../../lib/object/fault-queue.h"

static void detach(uint32_t vpasid)
{
	assert_int_equal(libiommu_pasid_detach(rig.dev, vpasid), 0);
}

static void test_end_follows_the_last_fault(void **state)
{
	const uint32_t first = model_raise(0, RIG_PASID, 1);
	const uint32_t other = model_raise(0, 0, 1);
	struct libiommu_record fault, own, end, next;
	uint32_t unread, again;

	(void)state;
	rig_dispatch();
	unread = model_raise(0, RIG_PASID, 1);
	assert_int_equal(rig_reserved(rig.queue[0]), 2);
	detach(RIG_PASID);
	assert_int_equal(rig_reserved(rig.queue[0]), 1);
	assert_true(ring_ready(rig.ring));
	/* The same tag at the same place, and the cookie that was free: another attachment. */
	rig_attach(RIG_PASID, rig.pt[0], RIG_TAG);
	assert_int_equal(rig_reserved(rig.queue[0]), 2);
	again = model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	fault = rig_take_fault(first);
	own = rig_take_fault(other);
	/* Read, but not by us. */
	if (rig.fed)
		rig_take_fault(unread);
	end = rig_take_end(RIG_TAG);
	next = rig_take_fault(again);
	assert_int_equal(end.flags, LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_PASID);
	assert_int_equal(end.label, RIG_LABEL);
	assert_int_equal(end.vpasid, RIG_PASID);
	assert_int_equal(end.queue, fault.queue);
	assert_int_equal(end.attachment, fault.attachment);
	assert_true(next.attachment > end.attachment);
	assert_int_equal(model_cookie(again), model_cookie(first));
	assert_int_equal(rig_count(LIBIOMMU_RING_DETACHED), 1);
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 1 + rig.fed);
	assert_int_equal(rig_count(LIBIOMMU_RING_OUTSTANDING), 2);
	/* A late answer is nobody's, least of all that of the fault that has its cookie. */
	rig_complete(&fault);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 1);
	assert_int_equal(model_state(first), MODEL_ENDED);
	assert_int_equal(model_state(unread), MODEL_ENDED);
	assert_int_equal(model_state(again), MODEL_OUT);
	rig_complete(&next);
	rig_complete(&own);
	assert_int_equal(model_count(MODEL_ANSWERED), 2);
	assert_int_equal(model_wrong(), 0);
}

/* A completion that comes with the end of its attachment, or before the reader can know of it. */
static void test_answer_between_end_and_record(void **state)
{
	const uint32_t number = model_raise(0, RIG_PASID, 1);
	struct libiommu_record fault;

	(void)state;
	rig_dispatch();
	fault = rig_take_fault(number);
	detach(RIG_PASID);
	rig_complete(&fault);
	rig_take_end(RIG_TAG);
	assert_int_equal(model_state(number), MODEL_ENDED);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 1);
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 0);
	assert_int_equal(rig_count(LIBIOMMU_RING_SUCCESS), 1);
}

/* What a device that was adopted has attached becomes known: it has an end from then on. */
static void test_own_of_an_adopted_device(void **state)
{
	struct libiommu_device *const second = model_device(rig.ctx, 1);
	struct libiommu_device *adopted;
	uint32_t id = 0;

	(void)state;
	assert_int_equal(libiommu_device_attach_hwpt(second, rig.own), 0);
	assert_int_equal(libiommu_device_pt_id(second, &id), 0);
	assert_int_equal(libiommu_device_adopt(rig.ctx, libiommu_device_fd(second),
	                                       LIBIOMMU_FD_BORROW, MODEL_DEVICE_ID + 5, id, 2,
	                                       &adopted),
	                 0);
	assert_int_equal(libiommu_device_set_tag(adopted, 55), 0);
	assert_int_equal(libiommu_device_replace_hwpt(adopted, rig.own), 0);
	/* Ahead of the next one. */
	assert_int_equal(libiommu_device_set_tag(adopted, 56), 0);
	assert_int_equal(libiommu_device_detach(adopted), 0);
	rig_dispatch();
	rig_take_end(55);
	assert_int_equal(libiommu_device_destroy(adopted), 0);
	assert_int_equal(libiommu_device_destroy(second), 0);
}

/* The device's own page table: those of PASIDs without one go with it. */
static void test_own(void **state)
{
	struct libiommu_record end;

	(void)state;
	model_raise(0, 0, 1);
	model_raise(0, 9, 1);
	model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	rig_dispatch();
	for (uint32_t i = 0; i < 3; i++)
		rig_take_fault(i);
	end = rig_take_end(RIG_OWN_TAG);
	assert_int_equal(end.flags, LIBIOMMU_RECORD_LAST);
	assert_int_equal(end.vpasid, 0);
	assert_int_equal(end.label, RIG_LABEL);
	rig_take_none();
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 2);
	assert_int_equal(model_state(2), MODEL_OUT);
	assert_int_equal(libiommu_device_attach_hwpt(rig.dev, rig.own), 0);
	assert_int_equal(rig_reserved(rig.queue[0]), 2);
}

static void test_replace(void **state)
{
	const uint32_t before = model_raise(0, RIG_PASID, 1);
	uint32_t own;

	(void)state;
	rig_dispatch();
	/* To a queue that is not in the ring, and back. */
	assert_int_equal(libiommu_pasid_replace(rig.dev, RIG_PASID, rig.pt[1], 76), 0);
	assert_int_equal(rig_reserved(rig.queue[0]), 1);
	assert_int_equal(rig_reserved(rig.queue[1]), 1);
	assert_true(model_raise(0, RIG_PASID, 1) != UINT32_MAX);
	rig_dispatch();
	rig_take_fault(before);
	rig_take_end(RIG_TAG);
	assert_int_equal(libiommu_pasid_replace(rig.dev, RIG_PASID, rig.pt[0], 77), 0);
	rig_dispatch();
	rig_take_none();
	assert_int_equal(rig_reserved(rig.queue[1]), 0);
	/* Within the queue. */
	assert_int_equal(libiommu_pasid_replace(rig.dev, RIG_PASID, rig.own, 78), 0);
	assert_int_equal(rig_reserved(rig.queue[0]), 2);
	rig_dispatch();
	rig_take_end(77);
	/* To one without, and the device's own. */
	assert_int_equal(libiommu_pasid_replace(rig.dev, RIG_PASID, rig.plain, 79), 0);
	assert_int_equal(libiommu_device_replace_hwpt(rig.dev, rig.pt[0]), 0);
	own = model_raise(0, 0, 1);
	rig_dispatch();
	rig_take_end(78);
	rig_take_end(RIG_OWN_TAG);
	rig_take_fault(own);
	assert_int_equal(rig_reserved(rig.queue[0]), 1);
}

/* Neither ends an attachment; but it has another number, and its end the last tag. */
static void test_retagged(void **state)
{
	const uint32_t before = model_raise(0, RIG_PASID, 1);
	struct libiommu_record first, second, end;
	uint32_t after, own;

	(void)state;
	rig_dispatch();
	assert_int_equal(libiommu_pasid_replace(rig.dev, RIG_PASID, rig.pt[0], 80), 0);
	assert_int_equal(libiommu_device_set_tag(rig.dev, 81), 0);
	assert_int_equal(libiommu_device_replace_hwpt(rig.dev, rig.own), 0);
	assert_int_equal(rig_reserved(rig.queue[0]), 2);
	after = model_raise(0, RIG_PASID, 1);
	own = model_raise(0, 0, 1);
	rig_dispatch();
	first = rig_take_fault(before);
	second = rig_take_fault(after);
	assert_int_equal(first.tag, RIG_TAG);
	assert_int_equal(second.tag, 80);
	assert_true(second.attachment > first.attachment);
	assert_int_equal(rig_take_fault(own).tag, 81);
	detach(RIG_PASID);
	rig_dispatch();
	end = rig_take_end(80);
	assert_int_equal(end.attachment, second.attachment);
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 2);
	rig_take_none();
}

static struct libiommu_record own_ends_with(uint64_t tag)
{
	rig_dispatch();
	return rig_take_end(tag);
}

/* A tag that is set ahead of a replacement is not that of the page table that goes. */
static void test_tag_set_ahead(void **state)
{
	struct libiommu_record fault, end;
	uint32_t number;

	(void)state;
	number = model_raise(0, 0, 1);
	rig_dispatch();
	fault = rig_take_fault(number);
	assert_int_equal(libiommu_device_set_tag(rig.dev, 90), 0);
	assert_int_equal(libiommu_device_set_tag(rig.dev, 91), 0);
	assert_int_equal(libiommu_device_replace_hwpt(rig.dev, rig.pt[0]), 0);
	end = own_ends_with(RIG_OWN_TAG);
	assert_int_equal(end.attachment, fault.attachment);
	number = model_raise(0, 0, 1);
	rig_dispatch();
	fault = rig_take_fault(number);
	assert_int_equal(fault.tag, 91);
	/* Without a fault of its own: with what it began with. */
	assert_int_equal(libiommu_device_replace_hwpt(rig.dev, rig.own), 0);
	assert_int_equal(own_ends_with(91).attachment, fault.attachment);
	assert_int_equal(libiommu_device_set_tag(rig.dev, 92), 0);
	assert_int_equal(libiommu_device_replace_hwpt(rig.dev, rig.pt[0]), 0);
	own_ends_with(91);
	/* With one that had the tag: that. */
	assert_int_equal(libiommu_device_set_tag(rig.dev, 93), 0);
	number = model_raise(0, 0, 1);
	rig_dispatch();
	fault = rig_take_fault(number);
	assert_int_equal(fault.tag, 93);
	assert_int_equal(libiommu_device_set_tag(rig.dev, 94), 0);
	assert_int_equal(libiommu_device_revoke(rig.dev), 0);
	rig_dispatch();
	rig_take_end(RIG_TAG);
	end = rig_take_end(93);
	assert_int_equal(end.attachment, fault.attachment);
}

/* What was read and not published when its attachment ended still comes before the end. */
static void test_held(void **state)
{
	struct libiommu_record record;
	uint32_t held, next;

	(void)state;
	rig_ring(1024, 1, 0);
	model_raise(0, RIG_PASID, 3);
	held = model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	assert_int_equal(model_state(held), MODEL_OUT);
	record = rig_take(3);
	detach(RIG_PASID);
	rig_attach(RIG_PASID, rig.pt[0], 82);
	next = model_raise(0, RIG_PASID, 1);
	assert_int_equal(model_state(held), MODEL_ENDED);
	rig_dispatch();
	/* What was held has ended: the end does not wait for a place for it. */
	rig_take_end(RIG_TAG);
	rig_complete(&record);
	record = rig_take_fault(next);
	assert_int_equal(record.tag, 82);
	rig_complete(&record);
	assert_int_equal(model_state(held), MODEL_ENDED);
	assert_int_equal(model_code(next), next % 2);
}

/* More than are taken at a time, and in their order. */
static void test_many_ends(void **state)
{
	const struct libiommu_record *records;
	size_t count;

	(void)state;
	for (uint32_t i = 10; i < 60; i++)
		rig_attach(i, rig.pt[0], 100 + i);
	assert_int_equal(rig_reserved(rig.queue[0]), 52);
	for (uint32_t i = 10; i < 60; i++)
		detach(i);
	model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	for (uint32_t i = 10; i < 60; i++) {
		assert_int_equal(libiommu_reader_next(rig.reader, &records, &count), 1);
		assert_int_equal(records->kind, LIBIOMMU_RECORD_DETACHED);
		assert_int_equal(records->vpasid, i);
		assert_int_equal(records->tag, 100 + i);
	}
	rig_take_fault(0);
	assert_int_equal(rig_count(LIBIOMMU_RING_DETACHED), 50);
	assert_int_equal(rig_reserved(rig.queue[0]), 2);
}

/* Ends wait for room, as faults do, and are not lost. */
static void test_ends_without_room(void **state)
{
	struct libiommu_record record;

	(void)state;
	rig_ring(1024, 1024, 0);
	for (uint32_t i = 0; i < 1024; i++)
		model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	detach(RIG_PASID);
	rig_dispatch();
	assert_int_equal(rig_count(LIBIOMMU_RING_DETACHED), 0);
	assert_int_equal(rig_count(LIBIOMMU_RING_WAITING), 1);
	for (uint32_t i = 0; i < 1024; i++)
		record = rig_take_fault(i);
	/* It needs room, and none of the places that the reader still has all of. */
	rig_dispatch();
	rig_take_end(RIG_TAG);
	rig_complete(&record);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 1);
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 1024);
	assert_int_equal(rig_count(LIBIOMMU_RING_OUTSTANDING), 0);
	assert_int_equal(rig_count(LIBIOMMU_RING_WAITING), 0);
}

/* It needs room, and no place: neither its own queue nor another source keeps it from coming. */
static void test_ends_without_places(void **state)
{
	struct libiommu_record record;

	(void)state;
	rig_ring(2048, 1024, 0);
	rig_add(rig.queue[1]);
	for (uint32_t i = 0; i < 1024; i++)
		model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	for (uint32_t i = 0; i < 1024; i++)
		record = rig_take_fault(i);
	rig_dispatch();
	detach(RIG_PASID);
	rig_dispatch();
	rig_take_end(RIG_TAG);
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 1024);
	assert_int_equal(rig_count(LIBIOMMU_RING_OUTSTANDING), 0);
	rig_complete(&record);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 1);
}

/* No more of them than there is room for. */
static void test_ends_with_little_room(void **state)
{
	(void)state;
	rig_ring(1024, 2048, 0);
	for (uint32_t i = 10; i < 20; i++)
		rig_attach(i, rig.pt[0], 100 + i);
	for (uint32_t i = 0; i < 1021; i++)
		model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	for (uint32_t i = 10; i < 20; i++)
		detach(i);
	rig_dispatch();
	assert_int_equal(rig_count(LIBIOMMU_RING_DETACHED), 3);
	for (uint32_t i = 0; i < 1021; i++)
		rig_take_fault(i);
	for (uint32_t i = 10; i < 20; i++) {
		rig_dispatch();
		rig_take_end(100 + i);
	}
	rig_take_none();
}

/* The attachment is gone whatever the kernel says of the answers, and with it their tokens. */
static void test_answers_to_ended_groups_fail(void **state)
{
	const uint32_t number = model_raise(0, RIG_PASID, 1);
	struct libiommu_record fault;
	size_t count = 99;

	(void)state;
	rig_dispatch();
	fault = rig_take_fault(number);
	model_fail_write(1, -EIO);
	detach(RIG_PASID);
	assert_int_equal(libiommu_fault_queue_outstanding(rig.queue[0], &count), 0);
	assert_int_equal(count, 0);
	rig_dispatch();
	rig_take_end(RIG_TAG);
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 1);
	rig_complete(&fault);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 1);
	assert_int_equal(rig_count(LIBIOMMU_RING_ERRORS), 0);
}

static void end_of_device(int (*end)(struct libiommu_device *dev))
{
	uint32_t number;

	rig_attach(9, rig.plain, 1);
	rig_attach(300, rig.pt[0], 83);
	number = model_raise(0, 300, 1);
	model_raise(0, RIG_PASID, 1);
	model_raise(0, 0, 1);
	rig_dispatch();
	assert_int_equal(end(rig.dev), 0);
	assert_int_equal(model_count(MODEL_ENDED), 3);
	rig_dispatch();
	for (; number < 3; number++)
		rig_take_fault(number);
	rig_take_end(RIG_TAG);
	rig_take_end(83);
	assert_int_equal(rig_take_end(RIG_OWN_TAG).label, RIG_LABEL);
	rig_take_none();
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 3);
	assert_int_equal(rig_reserved(rig.queue[0]), 0);
}

static void test_device_goes(void **state)
{
	(void)state;
	end_of_device(libiommu_device_destroy);
	rig.dev = NULL;
}

static void test_device_is_revoked(void **state)
{
	(void)state;
	end_of_device(libiommu_device_revoke);
	assert_int_equal(libiommu_device_destroy(rig.dev), 0);
	rig.dev = NULL;
	rig_dispatch();
	rig_take_none();
}

/* A device whose descriptor is another's is detached rather than closed. */
static void test_borrowed_device_goes(void **state)
{
	const int fd = libiommu_device_fd(rig.dev);
	struct libiommu_device *other;
	uint32_t pasid;

	(void)state;
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	detach(RIG_PASID);
	rig_dispatch();
	rig_take_end(RIG_OWN_TAG);
	rig_take_end(RIG_TAG);
	assert_int_equal(libiommu_device_adopt(rig.ctx, fd, LIBIOMMU_FD_BORROW, 77, 0, 3, &other),
	                 0);
	assert_int_equal(libiommu_device_attach_hwpt(other, rig.own), 0);
	assert_int_equal(libiommu_pasid_attach(other, 12, rig.pt[0], 84, &pasid), 0);
	assert_int_equal(libiommu_device_destroy(other), 0);
	rig_dispatch();
	assert_int_equal(rig_take_end(84).label, 3);
	assert_int_equal(rig_take_end(0).label, 3);
	assert_int_equal(rig_reserved(rig.queue[0]), 0);
}

/* The next reader has not seen those that ended before it came. */
static void test_ends_without_a_reader(void **state)
{
	(void)state;
	for (uint32_t i = 10; i < 60; i++)
		rig_attach(i, rig.pt[0], 100 + i);
	model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	rig_lose_reader();
	rig_dispatch();
	assert_int_equal(model_code(0), LIBIOMMU_FAULT_INVALID);
	model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	assert_int_equal(model_code(1), LIBIOMMU_FAULT_INVALID);
	for (uint32_t i = 10; i < 60; i++)
		detach(i);
	rig_dispatch();
	assert_int_equal(libiommu_ring_open_reader(rig.ring, &rig.reader), 0);
	detach(RIG_PASID);
	rig_dispatch();
	rig_take_end(RIG_TAG);
	rig_take_none();
	assert_int_equal(rig_count(LIBIOMMU_RING_DETACHED), 1);
}

/* Before the first reader there is nobody to tell, and no list that grows. */
static void test_ends_before_the_first_reader(void **state)
{
	const struct fault_notices *const notices = &li_fault_queue_state(rig.queue[0])->notices;
	uint32_t number;

	(void)state;
	libiommu_reader_free(rig.reader);
	assert_int_equal(libiommu_ring_destroy(rig.ring), 0);
	rig.ring = ring_make(rig.ctx, 1024, 64, 0);
	rig.reader = NULL;
	rig_add(rig.queue[0]);
	number = model_raise(0, 0, 1);
	for (uint32_t i = 0; i < 100; i++) {
		rig_attach(9, rig.pt[0], i);
		detach(9);
		assert_true(ring_ready(rig.ring));
		assert_int_equal(libiommu_ring_dispatch(rig.ring), 0);
		assert_int_equal(notices->count, 0);
	}
	assert_int_equal(notices->room, 16);
	/* What waits does so for the reader. */
	assert_int_equal(libiommu_ring_open_reader(rig.ring, &rig.reader), 0);
	detach(RIG_PASID);
	rig_dispatch();
	rig_take_fault(number);
	rig_take_end(RIG_TAG);
	rig_take_none();
}

/* A ring that nobody drives: its ends do not take all memory. */
static void test_too_many_ends(void **state)
{
	struct fault_notices *const notices = &li_fault_queue_state(rig.queue[0])->notices;
	const size_t count = notices->count;
	uint32_t pasid = 99;

	(void)state;
	rig_attach(6, rig.pt[1], 1);
	notices->count = FAULT_NOTICES_MAX;
	assert_int_equal(libiommu_pasid_attach(rig.dev, 9, rig.pt[0], 1, &pasid), -ENOBUFS);
	assert_failure(-ENOBUFS, LIBRARY, "libiommu_pasid_attach");
	assert_explained("wait to be told");
	assert_int_equal(pasid, 99);
	assert_int_equal(libiommu_pasid_replace(rig.dev, 6, rig.pt[0], 1), -ENOBUFS);
	assert_failure(-ENOBUFS, LIBRARY, "libiommu_pasid_replace");
	assert_int_equal(libiommu_device_replace_hwpt(rig.dev, rig.pt[0]), -ENOBUFS);
	assert_failure(-ENOBUFS, LIBRARY, "libiommu_device_replace_hwpt");
	assert_explained("wait to be told");
	assert_int_equal(rig_reserved(rig.queue[0]), 2);
	notices->count = count;
	rig_attach(9, rig.pt[0], 1);
}

static void test_change_that_fails(void **state)
{
	const uint32_t number = model_raise(0, RIG_PASID, 1);
	struct libiommu_record record;
	uint32_t pasid;

	(void)state;
	model_fail_change(-EIO);
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), -EIO);
	model_fail_change(-EIO);
	assert_int_equal(libiommu_pasid_replace(rig.dev, RIG_PASID, rig.pt[1], 1), -EIO);
	model_fail_change(-EIO);
	assert_int_equal(libiommu_pasid_replace(rig.dev, RIG_PASID, rig.own, 1), -EIO);
	model_fail_change(-EIO);
	assert_int_equal(libiommu_pasid_attach(rig.dev, 6, rig.pt[0], 1, &pasid), -EIO);
	model_fail_change(-EIO);
	assert_int_equal(libiommu_device_detach(rig.dev), -EIO);
	model_fail_change(-EIO);
	assert_int_equal(libiommu_device_replace_hwpt(rig.dev, rig.pt[1]), -EIO);
	assert_int_equal(rig_reserved(rig.queue[0]), 2);
	assert_int_equal(rig_reserved(rig.queue[1]), 0);
	rig_dispatch();
	record = rig_take_fault(number);
	rig_take_none();
	rig_complete(&record);
	assert_int_equal(model_code(number), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST_BOTH(test_end_follows_the_last_fault),
		RIG_TEST_BOTH(test_answer_between_end_and_record),
		RIG_TEST_BOTH(test_own),
		RIG_TEST_BOTH(test_own_of_an_adopted_device),
		RIG_TEST_BOTH(test_replace),
		RIG_TEST_BOTH(test_retagged),
		RIG_TEST_BOTH(test_tag_set_ahead),
		RIG_TEST_BOTH(test_held),
		RIG_TEST_BOTH(test_many_ends),
		RIG_TEST_BOTH(test_ends_without_room),
		RIG_TEST_BOTH(test_ends_without_places),
		RIG_TEST_BOTH(test_ends_with_little_room),
		RIG_TEST_BOTH(test_answers_to_ended_groups_fail),
		RIG_TEST_BOTH(test_device_goes),
		RIG_TEST_BOTH(test_device_is_revoked),
		RIG_TEST_BOTH(test_borrowed_device_goes),
		RIG_TEST_BOTH(test_ends_without_a_reader),
		RIG_TEST_BOTH(test_ends_before_the_first_reader),
		RIG_TEST_BOTH(test_too_many_ends),
		RIG_TEST_BOTH(test_change_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

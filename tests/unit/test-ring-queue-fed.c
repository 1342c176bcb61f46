/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Queues that the kernel reads ahead for a ring, when something attached changes. */
#include "../../lib/object/fault-queue.h"
#include "queue-rig.h"

enum { AHEAD = 10 };

static void detach(void)
{
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), 0);
}

/* What the kernel has read and nobody has taken from it. */
static void raise_ahead(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		model_raise(0, RIG_PASID, 1);
	assert_int_equal(model_count(MODEL_OUT), count);
	assert_int_equal(model_reads() > 0, true);
}

static void take_all(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		rig_take_fault(i);
	rig_take_end(RIG_TAG);
	rig_take_none();
}

/* It comes before the end of its attachment, and is answered by the kernel. */
static void test_detach(void **state)
{
	(void)state;
	raise_ahead(AHEAD);
	model_writes();
	detach();
	assert_int_equal(model_count(MODEL_ENDED), AHEAD);
	rig_dispatch();
	take_all(AHEAD);
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), AHEAD);
	/* Armed again by now. */
	assert_int_equal(model_uring_armed(), 1);
	assert_int_equal(model_raise(0, 0, 1), AHEAD);
	assert_int_equal(model_state(AHEAD), MODEL_OUT);
	rig_dispatch();
	rig_take_fault(AHEAD);
}

/* The kernel gives the cookies out again at once; nobody is answered for another. */
static void test_cookies_are_reused(void **state)
{
	struct libiommu_record record;
	uint32_t own;

	(void)state;
	raise_ahead(AHEAD);
	detach();
	own = model_raise(0, 0, 1);
	rig_dispatch();
	assert_int_equal(model_cookie(own), model_cookie(0));
	for (uint32_t i = 0; i < AHEAD; i++) {
		record = rig_take_fault(i);
		rig_complete(&record);
	}
	rig_take_end(RIG_TAG);
	assert_int_equal(model_count(MODEL_ANSWERED), 0);
	record = rig_take_fault(own);
	rig_complete(&record);
	assert_int_equal(model_code(own), own % 2);
	assert_int_equal(model_count(MODEL_ENDED), AHEAD);
}

/* More than there is room for: in its order, over several dispatches. */
static void test_little_room(void **state)
{
	struct libiommu_record record;

	(void)state;
	rig_ring(1024, 4, 0);
	for (uint32_t i = 0; i < 30; i++)
		model_raise(0, RIG_PASID, 1 + i % 3);
	detach();
	rig_attach(RIG_PASID, rig.pt[0], 76);
	detach();
	model_raise(0, 0, 1);
	rig_dispatch();
	/* As many as there are places; the others have ended, and the ends do not wait for them. */
	for (uint32_t i = 0; i < 4; i++) {
		record = rig_take(1 + i % 3);
		assert_int_equal(record.group, i);
	}
	rig_take_end(RIG_TAG);
	rig_take_end(76);
	rig_take_fault(30);
}

/* All buffers full: the rest waits, and is read behind them. */
static void test_more_than_buffers(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		model_raise(0, RIG_PASID, 1);
	assert_int_equal(model_count(MODEL_OUT), 64);
	assert_int_equal(model_uring_armed(), 0);
	rig_dispatch();
	for (uint32_t i = 0; i < 100; i++)
		rig_take_fault(i);
	assert_int_equal(model_uring_armed(), 1);
}

/* Without memory for what was read ahead a change fails, until there is some. */
static void test_detach_without_memory(void **state)
{
	unsigned int failed = 0;
	int error = -ENOMEM;

	(void)state;
	raise_ahead(AHEAD);
	alloc_fail_nth(1);
	assert_int_equal(libiommu_device_detach(rig.dev), -ENOMEM);
	assert_true(alloc_restore());
	assert_failure(-ENOMEM, LIBRARY, "libiommu_device_detach");
	for (unsigned int nth = 1; error; nth++) {
		alloc_fail_nth(nth);
		error = libiommu_pasid_detach(rig.dev, RIG_PASID);
		assert_int_equal(error, alloc_restore() ? -ENOMEM : 0);
		if (!error)
			break;
		assert_failure(-ENOMEM, LIBRARY, "libiommu_pasid_detach");
		assert_explained("no memory");
		assert_int_equal(model_count(MODEL_OUT), AHEAD);
		assert_int_equal(rig_reserved(rig.queue[0]), 2);
		failed++;
	}
	assert_true(failed > 0);
	rig_dispatch();
	take_all(AHEAD);
}

/* And the queue is read as before. */
static void test_reads_on_without_memory(void **state)
{
	(void)state;
	raise_ahead(AHEAD);
	alloc_fail_nth(1);
	assert_int_equal(libiommu_pasid_replace(rig.dev, RIG_PASID, rig.own, 3), -ENOMEM);
	assert_true(alloc_restore());
	assert_failure(-ENOMEM, LIBRARY, "libiommu_pasid_replace");
	assert_explained("no memory");
	for (uint32_t i = 0; i < 2 * AHEAD; i++) {
		if (i >= AHEAD)
			model_raise(0, RIG_PASID, 1);
		rig_dispatch();
		rig_take_fault(i);
	}
	assert_int_equal(model_uring_armed(), 1);
}

/* The end of a device cannot fail: what nobody can be told of is answered at least. */
static void test_device_goes_without_memory(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < AHEAD; i++)
		model_raise(0, i % 2 ? RIG_PASID : 0, 1 + i % 4);
	alloc_fail_nth(1);
	assert_int_equal(libiommu_device_revoke(rig.dev), 0);
	assert_true(alloc_restore());
	assert_int_equal(model_count(MODEL_OUT), 0);
	rig_dispatch();
	rig_take_end(RIG_TAG);
	rig_take_end(RIG_OWN_TAG);
	rig_take_none();
	assert_int_equal(rig_reserved(rig.queue[0]), 0);
}

/* Where the kernel cannot be stopped nothing changes. */
static void test_kernel_is_not_stopped(void **state)
{
	(void)state;
	raise_ahead(AHEAD);
	model_uring_fail_nth(1);
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), -EIO);
	assert_true(model_uring_failed());
	assert_failure(-EIO, KERNEL, "libiommu_pasid_detach");
	model_uring_fail_nth(1);
	assert_int_equal(libiommu_pasid_replace(rig.dev, RIG_PASID, rig.pt[1], 1), -EIO);
	assert_true(model_uring_failed());
	assert_failure(-EIO, KERNEL, "libiommu_pasid_replace");
	model_uring_fail_nth(1);
	assert_int_equal(libiommu_device_detach(rig.dev), -EIO);
	assert_true(model_uring_failed());
	assert_failure(-EIO, KERNEL, "libiommu_device_detach");
	assert_int_equal(rig_reserved(rig.queue[0]), 2);
	assert_int_equal(rig_reserved(rig.queue[1]), 0);
	assert_int_equal(model_count(MODEL_OUT), AHEAD);
	rig_dispatch();
	for (uint32_t i = 0; i < AHEAD; i++)
		rig_take_fault(i);
	/* It ends some time after it was told to. */
	model_uring_linger(true);
	model_raise(0, RIG_PASID, 1);
	detach();
	rig_dispatch();
	rig_take_fault(AHEAD);
	rig_take_end(RIG_TAG);
	/* A device that goes has no choice. */
	model_raise(0, 0, 1);
	model_uring_fail_nth(1);
	assert_int_equal(libiommu_device_revoke(rig.dev), 0);
	assert_true(model_uring_failed());
	assert_int_equal(model_count(MODEL_OUT), 0);
	rig_dispatch();
}

static void test_queue_goes(void **state)
{
	(void)state;
	raise_ahead(AHEAD);
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[0]), 0);
	assert_int_equal(model_count(MODEL_ANSWERED), AHEAD);
	assert_int_equal(model_code(0), LIBIOMMU_FAULT_INVALID);
	assert_int_equal(model_uring_armed(), 0);
	/* The same for what was taken in for a change, and for groups of more than one fault. */
	rig_add(rig.queue[0]);
	rig_dispatch();
	for (uint32_t i = 0; i < AHEAD; i++)
		model_raise(0, RIG_PASID, 1 + i % 3);
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	model_raise(0, RIG_PASID, 40);
	assert_int_equal(libiommu_ring_destroy(rig.ring), 0);
	rig.ring = NULL;
	assert_int_equal(model_count(MODEL_OUT), 0);
	assert_int_equal(model_count(MODEL_ANSWERED), 2 * AHEAD);
	assert_int_equal(model_count(MODEL_WAITING), 1);
}

static void test_reader_goes(void **state)
{
	(void)state;
	raise_ahead(AHEAD);
	rig_lose_reader();
	rig_dispatch();
	assert_int_equal(model_count(MODEL_ANSWERED), AHEAD);
	assert_int_equal(rig_count(LIBIOMMU_RING_REFUSED), AHEAD);
	model_raise(0, RIG_PASID, 1);
	detach();
	rig_dispatch();
	assert_int_equal(model_count(MODEL_OUT), 0);
	assert_int_equal(libiommu_ring_open_reader(rig.ring, &rig.reader), 0);
	rig_dispatch();
	rig_take_none();
}

/* Where io_uring is not to be had all is as without it. */
static void test_not_to_be_had(void **state)
{
	struct libiommu_record record;
	unsigned int failed = 0;
	bool again = true;
	uint32_t number;

	(void)state;
	rig_attach(6, rig.pt[1], 76);
	for (unsigned int nth = 1; again; nth++) {
		int fed;

		model_uring_fail_nth(nth);
		fed = libiommu_ring_add_queue(rig.ring, rig.queue[1], LIBIOMMU_RING_IO_URING);
		again = model_uring_failed();
		assert_int_equal(fed, !again);
		failed += again;
		number = model_raise(0, 6, 1);
		rig_dispatch();
		record = rig_take_fault(number);
		rig_complete(&record);
		assert_int_equal(model_state(number), MODEL_ANSWERED);
		assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[1]), 0);
	}
	assert_true(failed > 4);
	assert_int_equal(model_wrong(), 0);
	/* No place for it in memory: the same. */
	alloc_fail_nth(6);
	assert_in_range(libiommu_ring_add_queue(rig.ring, rig.queue[1], LIBIOMMU_RING_IO_URING), 0,
	                1);
	alloc_restore();
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[1]), 0);
	model_uring_forbid(true);
	assert_int_equal(libiommu_ring_add_queue(rig.ring, rig.queue[1], LIBIOMMU_RING_IO_URING),
	                 0);
	number = model_raise(0, 6, 1);
	rig_dispatch();
	rig_take_fault(number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST_FED(test_detach),
		RIG_TEST_FED(test_cookies_are_reused),
		RIG_TEST_FED(test_little_room),
		RIG_TEST_FED(test_more_than_buffers),
		RIG_TEST_FED(test_detach_without_memory),
		RIG_TEST_FED(test_reads_on_without_memory),
		RIG_TEST_FED(test_device_goes_without_memory),
		RIG_TEST_FED(test_kernel_is_not_stopped),
		RIG_TEST_FED(test_queue_goes),
		RIG_TEST_FED(test_reader_goes),
		RIG_TEST_FED(test_not_to_be_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

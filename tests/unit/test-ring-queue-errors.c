/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Queues that come to a ring and go from it, and everything that can fail meanwhile. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/object/fault-queue.h"
#include "queue-rig.h"

static void test_two_queues(void **state)
{
	struct libiommu_record first, second;
	uint32_t here, there;

	(void)state;
	rig_add(rig.queue[1]);
	rig_attach(6, rig.pt[1], 76);
	here = model_raise(0, RIG_PASID, 1);
	there = model_raise(0, 6, 1);
	rig_dispatch();
	first = rig_take_fault(here);
	second = rig_take_fault(there);
	assert_int_equal(second.tag, 76);
	assert_true(first.queue != second.queue);
	/* Each queue has its own. */
	assert_int_equal(model_cookie(here), model_cookie(there));
	/* Named wrongly it is nobody's. */
	second.queue = first.queue;
	rig_complete(&second);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 1);
	assert_int_equal(model_count(MODEL_ANSWERED), 0);
	second.queue++;
	rig_complete(&second);
	assert_int_equal(model_code(there), there % 2);
	rig_complete(&first);
	assert_int_equal(model_code(here), here % 2);
	/* From one to the other: an end here, faults there. */
	assert_int_equal(libiommu_pasid_replace(rig.dev, 6, rig.pt[0], 77), 0);
	there = model_raise(0, 6, 1);
	rig_dispatch();
	/* The two ask for nothing of each other: in either order. */
	for (int i = 0; i < 2; i++) {
		const struct libiommu_record record = rig_take(1);

		if (record.kind == LIBIOMMU_RECORD_DETACHED)
			assert_int_equal(record.tag, 76);
		else
			assert_int_equal(record.tag, 77);
	}
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 0);
}

static void test_one_of_two_goes(void **state)
{
	struct libiommu_record record;
	uint32_t here, there, later;

	(void)state;
	rig_add(rig.queue[1]);
	rig_attach(6, rig.pt[1], 76);
	here = model_raise(0, RIG_PASID, 1);
	there = model_raise(0, 6, 1);
	rig_dispatch();
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[0]), 0);
	assert_int_equal(model_code(here), LIBIOMMU_FAULT_INVALID);
	assert_int_equal(rig_count(LIBIOMMU_RING_ABANDONED), 1);
	later = model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	assert_int_equal(model_state(later), MODEL_WAITING);
	record = rig_take_fault(here);
	rig_complete(&record);
	record = rig_take_fault(there);
	rig_complete(&record);
	assert_int_equal(model_code(there), there % 2);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 1);
	/* In the place that is free again. */
	rig_add(rig.queue[0]);
	rig_dispatch();
	record = rig_take_fault(later);
	rig_complete(&record);
	assert_int_equal(model_code(later), later % 2);
}

/* What is held is answered in several writes: what one could not answer comes with the next. */
static void test_remove_with_groups_held(void **state)
{
	uint32_t number = 0;

	(void)state;
	model_raise(0, RIG_PASID, 1025);
	while (number < 1023)
		number = model_raise(0, RIG_PASID, 1);
	rig_ring(4096, 1, 0);
	assert_int_equal(model_count(MODEL_OUT), 1024);
	model_fail_write(2, -EIO);
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[0]), 0);
	assert_int_equal(model_code(0), LIBIOMMU_FAULT_INVALID);
	assert_int_equal(model_count(MODEL_OUT), 0);
	assert_int_equal(model_count(MODEL_ANSWERED), 1024);
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), 0);
}

/* Ends that come while the queue is in no ring are told to nobody. */
static void test_remove_and_add_again(void **state)
{
	struct libiommu_fault_batch *batch;
	struct libiommu_fault_response response = {0};
	struct libiommu_record record;
	uint32_t number;

	(void)state;
	assert_int_equal(libiommu_fault_batch_new(4, &batch), 0);
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), 0);
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[0]), 0);
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[0]), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_ring_remove_queue");
	rig_attach(6, rig.pt[0], 76);
	rig_attach(7, rig.pt[0], 77);
	assert_int_equal(rig_reserved(rig.queue[0]), 3);
	assert_int_equal(libiommu_pasid_detach(rig.dev, 6), 0);
	number = model_raise(0, 7, 1);
	assert_int_equal(libiommu_fault_queue_read(rig.queue[0], batch), 1);
	response.token = libiommu_fault_batch_get(batch, 0)->token;
	assert_int_equal(libiommu_fault_queue_respond(rig.queue[0], &response, 1, NULL), 1);
	assert_int_equal(model_code(number), 0);
	number = model_raise(0, 7, 1);
	rig_add(rig.queue[0]);
	rig_dispatch();
	record = rig_take_fault(number);
	rig_complete(&record);
	rig_take_none();
	assert_int_equal(libiommu_pasid_detach(rig.dev, 7), 0);
	rig_dispatch();
	rig_take_end(77);
	libiommu_fault_batch_free(batch);
}

/* While a ring has it nobody else reads or answers it, nor destroys it. */
static void test_the_rings_alone(void **state)
{
	const struct libiommu_fault_response response = {0};
	struct libiommu_fault_batch *batch;
	struct libiommu_ring *other;
	uint32_t number;
	size_t count;

	(void)state;
	number = model_raise(0, RIG_PASID, 1);
	assert_int_equal(libiommu_fault_batch_new(4, &batch), 0);
	assert_int_equal(libiommu_fault_queue_read(rig.queue[0], batch), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_fault_queue_read");
	assert_int_equal(libiommu_fault_queue_respond(rig.queue[0], &response, 1, NULL), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_fault_queue_respond");
	assert_int_equal(libiommu_fault_queue_wait(rig.queue[0], 0), !rig.fed);
	assert_int_equal(libiommu_ring_add_queue(rig.ring, rig.queue[0], 0), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_ring_add_queue");
	other = ring_make(rig.ctx, 1024, 16, 0);
	assert_int_equal(libiommu_ring_add_queue(other, rig.queue[0], 0), -EBUSY);
	assert_int_equal(libiommu_ring_remove_queue(other, rig.queue[0]), -ENOENT);
	/* One that no page table has. */
	assert_int_equal(libiommu_hwpt_destroy(rig.pt[1]), 0);
	rig.pt[1] = NULL;
	assert_int_equal(libiommu_ring_add_queue(other, rig.queue[1], 0), 0);
	assert_int_equal(libiommu_fault_queue_destroy(rig.queue[1]), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_fault_queue_destroy");
	assert_explained("ring");
	assert_int_equal(libiommu_ring_destroy(other), 0);
	assert_int_equal(libiommu_fault_queue_destroy(rig.queue[1]), 0);
	rig.queue[1] = NULL;
	rig_dispatch();
	rig_take_fault(number);
	assert_int_equal(libiommu_fault_queue_outstanding(rig.queue[0], &count), 0);
	assert_int_equal(count, 1);
	libiommu_fault_batch_free(batch);
}

/* Handles of an id and a descriptor that somebody else has. */
static void test_adopted_queue(void **state)
{
	struct libiommu_fault_queue *adopted;
	struct libiommu_record record;
	struct libiommu_hwpt *hwpt;
	uint32_t id, number;

	(void)state;
	assert_int_equal(libiommu_fault_queue_id(rig.queue[1], &id), 0);
	assert_int_equal(libiommu_fault_queue_adopt(rig.ctx, id, LIBIOMMU_ID_BORROW,
	                                            libiommu_fault_queue_fd(rig.queue[1]),
	                                            LIBIOMMU_FD_BORROW, &adopted),
	                 0);
	hwpt = model_hwpt(rig.ctx, adopted);
	assert_int_equal(libiommu_ring_add_queue(rig.ring, adopted, 0), 0);
	/* Two handles of one descriptor: the second is one too many. */
	assert_int_equal(libiommu_ring_add_queue(rig.ring, rig.queue[1], 0), -EEXIST);
	assert_failure(-EEXIST, KERNEL, "libiommu_ring_add_queue");
	rig_attach(6, hwpt, 76);
	number = model_raise(0, 6, 1);
	rig_dispatch();
	record = rig_take_fault(number);
	assert_int_equal(record.tag, 76);
	rig_complete(&record);
	assert_int_equal(model_code(number), 0);
	assert_int_equal(libiommu_pasid_detach(rig.dev, 6), 0);
	rig_dispatch();
	rig_take_end(76);
	assert_int_equal(libiommu_hwpt_destroy(hwpt), 0);
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, adopted), 0);
	assert_int_equal(libiommu_fault_queue_destroy(adopted), 0);
}

static void test_wrong_arguments(void **state)
{
	struct libiommu_fault_queue *adopted;
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *strange;

	(void)state;
	assert_int_equal(libiommu_ring_add_queue(rig.ring, rig.queue[1], 2), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_ring_add_queue");
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	libiommu_ctx_config_set_sys(config, ring_door());
	libiommu_ctx_config_set_fd(config, 0, LIBIOMMU_FD_BORROW);
	assert_int_equal(libiommu_ctx_new(config, &strange), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_fault_queue_adopt(strange, 5, LIBIOMMU_ID_BORROW, 0,
	                                            LIBIOMMU_FD_BORROW, &adopted),
	                 0);
	assert_int_equal(libiommu_ring_add_queue(rig.ring, adopted, 0), -EINVAL);
	assert_explained("different contexts");
	assert_int_equal(libiommu_fault_queue_destroy(adopted), 0);
	assert_int_equal(libiommu_ctx_destroy(strange), 0);
}

/* Something else has the queue too: its descriptor is closed, and the handle is of no more use. */
static void test_closed_queue(void **state)
{
	struct libiommu_fault_queue *const queue = model_queue(rig.ctx);

	(void)state;
	model_fail_destroy(-EBUSY);
	assert_int_equal(libiommu_fault_queue_destroy(queue), -EBUSY);
	assert_int_equal(libiommu_ring_add_queue(rig.ring, queue, 0), -EBADF);
	assert_failure(-EBADF, LIBRARY, "libiommu_ring_add_queue");
	assert_int_equal(libiommu_fault_queue_destroy(queue), 0);
}

static void test_too_many_queues(void **state)
{
	struct libiommu_fault_queue *queues[63];

	(void)state;
	for (int i = 0; i < 63; i++)
		queues[i] = model_queue(rig.ctx);
	for (int i = 0; i < 62; i++)
		assert_int_equal(libiommu_ring_add_queue(rig.ring, queues[i], 0), 0);
	assert_int_equal(libiommu_ring_add_queue(rig.ring, queues[62], 0), -ENOSPC);
	assert_failure(-ENOSPC, LIBRARY, "libiommu_ring_add_queue");
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, queues[30]), 0);
	assert_int_equal(libiommu_ring_add_queue(rig.ring, queues[62], 0), 0);
	assert_int_equal(libiommu_fault_queue_destroy(queues[62]), -EBUSY);
	/* The ring goes with the rest of them in it. */
	libiommu_reader_free(rig.reader);
	assert_int_equal(libiommu_ring_destroy(rig.ring), 0);
	rig.reader = NULL;
	rig.ring = NULL;
	for (int i = 0; i < 63; i++)
		assert_int_equal(libiommu_fault_queue_destroy(queues[i]), 0);
}

/* Whatever call of the door fails. */
static void test_add_fails(void **state)
{
	unsigned int failed = 0;
	bool again = true;

	(void)state;
	for (unsigned int nth = 1; again; nth++) {
		int error;

		door_fail_nth(nth);
		error = libiommu_ring_add_queue(rig.ring, rig.queue[1], 0);
		again = door_failed();
		if (again) {
			assert_int_equal(error, -EIO);
			assert_failure(-EIO, KERNEL, "libiommu_ring_add_queue");
			failed++;
			/* It is nobody's again. */
			error = libiommu_ring_add_queue(rig.ring, rig.queue[1], 0);
		}
		assert_int_equal(error, 0);
		assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[1]), 0);
	}
	assert_true(failed > 0);
	ALLOC_LOOP
	{
		if (!ALLOC_TRY(libiommu_ring_add_queue(rig.ring, rig.queue[1], 0)))
			assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[1]), 0);
	}
}

static void test_attach_without_memory(void **state)
{
	uint32_t pasid, before;
	int error = -ENOMEM;

	(void)state;
	/* Fill what there is: the next one needs more. */
	for (before = 0; before + 2 < 16; before++)
		rig_attach(20 + before, rig.pt[0], 1);
	assert_int_equal(rig_reserved(rig.queue[0]), 16);
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	rig_dispatch();
	rig_take_end(RIG_OWN_TAG);
	rig_attach(40, rig.pt[0], 1);
	assert_int_equal(rig_reserved(rig.queue[0]), 16);
	alloc_fail_nth(1);
	assert_int_equal(libiommu_device_attach_hwpt(rig.dev, rig.own), -ENOMEM);
	assert_true(alloc_restore());
	assert_failure(-ENOMEM, LIBRARY, "libiommu_device_attach_hwpt");
	alloc_fail_nth(1);
	assert_int_equal(libiommu_pasid_replace(rig.dev, 20, rig.own, 2), -ENOMEM);
	assert_true(alloc_restore());
	assert_failure(-ENOMEM, LIBRARY, "libiommu_pasid_replace");
	/* The library's record of what is there is as the kernel's. */
	assert_int_equal(libiommu_pasid_find(rig.dev, 20, &pasid), 0);
	assert_int_equal(rig_reserved(rig.queue[0]), 16);
	/* What the tables have grown by stays. */
	for (unsigned int nth = 1; error; nth++) {
		assert_int_equal(rig_reserved(rig.queue[0]), 16);
		alloc_fail_nth(nth);
		error = libiommu_pasid_attach(rig.dev, 900, rig.pt[0], 1, &pasid);
		assert_int_equal(error, alloc_restore() ? -ENOMEM : 0);
	}
	assert_int_equal(rig_reserved(rig.queue[0]), 17);
	/* An end needs none. */
	alloc_fail_nth(1);
	assert_int_equal(libiommu_pasid_detach(rig.dev, 900), 0);
	assert_int_equal(libiommu_device_revoke(rig.dev), 0);
	assert_false(alloc_restore());
	assert_int_equal(rig_reserved(rig.queue[0]), 0);
	rig_dispatch();
	assert_int_equal(rig_count(LIBIOMMU_RING_DETACHED), 18);
}

/* Nothing that waits is lost where there is no memory for it. */
static void test_fetch_without_memory(void **state)
{
	uint32_t first = 0, failed = 0;

	(void)state;
	rig_ring(4096, 2048, 0);
	for (unsigned int nth = 1; nth < 12; nth++) {
		/* More than there has been, so that all tables grow, and one longer group. */
		const uint32_t count = 64U << nth > 1024 ? 1024 : 64U << nth;
		uint32_t last = model_raise(0, RIG_PASID, 300 + nth * 10);
		uint32_t groups = 1;

		for (; groups < count; groups++)
			last = model_raise(0, RIG_PASID, 1);
		alloc_fail_nth(nth);
		if (libiommu_ring_dispatch(rig.ring))
			failed++;
		alloc_restore();
		rig_dispatch();
		for (; first <= last; first++) {
			struct libiommu_completion done;

			assert_int_equal(reader_take(rig.reader, &done), first);
			assert_int_equal(libiommu_reader_release(rig.reader), 0);
			done.code = first % 2;
			assert_int_equal(libiommu_reader_complete(rig.reader, &done, 1), 1);
		}
		rig_dispatch();
		assert_int_equal(model_count(MODEL_ANSWERED), first);
	}
	assert_true(failed > 0);
	assert_int_equal(rig_count(LIBIOMMU_RING_ERRORS), failed);
	assert_int_equal(model_wrong(), 0);
}

static void test_read_fails(void **state)
{
	static const int errors[] = {-EIO, -EINTR, -EFAULT};
	struct libiommu_record record;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		model_raise(0, 0, 1);
		model_fail_read(errors[i]);
		assert_int_equal(libiommu_ring_dispatch(rig.ring), errors[i]);
		assert_failure(errors[i], KERNEL, "libiommu_ring_dispatch");
		rig_take_none();
		assert_true(ring_ready(rig.ring));
		rig_dispatch();
		record = rig_take_fault(i);
		rig_complete(&record);
	}
	assert_int_equal(rig_count(LIBIOMMU_RING_ERRORS), 3);
	/* What ended is told all the same. */
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), 0);
	model_raise(0, 0, 1);
	model_fail_read(-EIO);
	libiommu_ring_dispatch(rig.ring);
	rig_take_end(RIG_TAG);
	rig_dispatch();
	rig_take_fault(3);
	/* A reader that is gone does not make it any different. */
	rig_lose_reader();
	rig_dispatch();
	model_raise(0, 0, 1);
	model_fail_read(-EIO);
	assert_int_equal(libiommu_ring_dispatch(rig.ring), -EIO);
	rig_dispatch();
	assert_int_equal(model_code(4), LIBIOMMU_FAULT_INVALID);
}

static void test_write_fails(void **state)
{
	struct libiommu_completion done[6];

	(void)state;
	for (uint32_t i = 0; i < 6; i++)
		model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	for (uint32_t i = 0; i < 6; i++) {
		const struct libiommu_record record = rig_take_fault(i);

		done[i] = (struct libiommu_completion){
			.token = record.token, .code = i % 2, .queue = record.queue};
	}
	assert_int_equal(libiommu_reader_complete(rig.reader, done, 2), 2);
	model_fail_write(1, -EINTR);
	model_limit_write(1);
	rig_dispatch();
	assert_int_equal(model_count(MODEL_ANSWERED), 2);
	assert_int_equal(model_writes(), 3);
	assert_int_equal(libiommu_reader_complete(rig.reader, done + 2, 2), 2);
	model_fail_write(1, -EIO);
	assert_int_equal(libiommu_ring_dispatch(rig.ring), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_ring_dispatch");
	/* The rest goes on. */
	assert_int_equal(libiommu_reader_complete(rig.reader, done + 4, 2), 2);
	rig_dispatch();
	assert_int_equal(model_code(4), 0);
	assert_int_equal(model_code(5), 1);
	assert_int_equal(rig_count(LIBIOMMU_RING_ERRORS), 1);
}

static struct libiommu_record complete(uint32_t number)
{
	const struct libiommu_record record = rig_take_fault(number);
	const struct libiommu_completion done = {
		.token = record.token,
		.code = number % 2,
		.queue = record.queue,
	};

	assert_int_equal(libiommu_reader_complete(rig.reader, &done, 1), 1);
	return record;
}

static void dispatch_fails(uint64_t errors)
{
	model_fail_write(1, -EIO);
	assert_int_equal(libiommu_ring_dispatch(rig.ring), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_ring_dispatch");
	assert_int_equal(rig_count(LIBIOMMU_RING_ERRORS), errors);
}

/* What the kernel refuses is tried again, with what comes next and also if nothing does. */
static void test_refused_answers(void **state)
{
	struct pollfd ready = {.events = POLLIN};

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	complete(0);
	complete(1);
	dispatch_fails(1);
	dispatch_fails(2);
	complete(2);
	dispatch_fails(3);
	assert_int_equal(model_count(MODEL_OUT), 4);
	model_writes();
	complete(3);
	rig_dispatch();
	assert_int_equal(model_count(MODEL_ANSWERED), 4);
	assert_int_equal(model_writes(), 1);
	/* The first of them goes, and the rest does not. */
	for (uint32_t i = 4; i < 6; i++)
		model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	complete(4);
	complete(5);
	model_limit_write(1);
	model_fail_write(2, -EIO);
	assert_int_equal(libiommu_ring_dispatch(rig.ring), -EIO);
	assert_int_equal(model_code(4), 0);
	assert_int_equal(model_state(5), MODEL_OUT);
	/* Nobody does anything. */
	ready.fd = libiommu_ring_fd(rig.ring);
	assert_int_equal(poll(&ready, 1, -1), 1);
	rig_dispatch();
	assert_int_equal(model_code(5), 1);
	assert_int_equal(model_wrong(), 0);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 0);
	assert_false(model_ready(rig.ring));
}

/* What is owed to a group ends with its attachment: the next group with its cookie is another. */
static void test_refused_answers_and_ends(void **state)
{
	struct libiommu_record next;
	uint32_t own;

	(void)state;
	model_raise(0, RIG_PASID, 1);
	own = model_raise(0, 0, 1);
	model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	for (uint32_t i = 0; i < 3; i++)
		complete(i);
	dispatch_fails(1);
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), 0);
	rig_attach(RIG_PASID, rig.pt[0], RIG_TAG);
	assert_int_equal(model_raise(0, RIG_PASID, 1), 3);
	rig_dispatch();
	assert_int_equal(model_code(own), own % 2);
	assert_int_equal(model_count(MODEL_ENDED), 2);
	assert_int_equal(model_cookie(3), model_cookie(0));
	assert_int_equal(model_state(3), MODEL_OUT);
	rig_take_end(RIG_TAG);
	next = rig_take_fault(3);
	rig_complete(&next);
	assert_int_equal(model_code(3), 1);
	assert_int_equal(model_wrong(), 0);
}

/* So for those of a ring that goes, or that lets go of the queue: there is one more time. */
static void test_refused_answers_of_a_ring_that_goes(void **state)
{
	struct libiommu_fault_batch *batch;
	size_t count = 99;

	(void)state;
	model_raise(0, RIG_PASID, 1);
	model_raise(0, RIG_PASID, 1);
	rig_dispatch();
	complete(0);
	dispatch_fails(1);
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[0]), 0);
	assert_int_equal(model_code(0), 0);
	assert_int_equal(model_code(1), LIBIOMMU_FAULT_INVALID);
	rig_add(rig.queue[0]);
	model_raise(0, 0, 1);
	rig_dispatch();
	rig_take_fault(1);
	complete(2);
	dispatch_fails(2);
	rig_lose_reader();
	rig_dispatch();
	assert_int_equal(model_code(2), 0);
	model_raise(0, RIG_PASID, 1);
	model_fail_write(1, -EIO);
	assert_int_equal(libiommu_ring_dispatch(rig.ring), -EIO);
	rig_dispatch();
	assert_int_equal(model_code(3), LIBIOMMU_FAULT_INVALID);
	assert_int_equal(libiommu_ring_remove_queue(rig.ring, rig.queue[0]), 0);
	assert_int_equal(libiommu_fault_queue_outstanding(rig.queue[0], &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(libiommu_fault_batch_new(4, &batch), 0);
	assert_int_equal(libiommu_fault_queue_read(rig.queue[0], batch), 0);
	libiommu_fault_batch_free(batch);
}

/* A queue with 2^20 unanswered groups is no ring without room: other sources go on. */
static void test_queue_full_of_groups(void **state)
{
	struct fault_groups *const groups = &li_fault_queue_state(rig.queue[0])->groups;
	struct libiommu_record record;
	uint32_t used, number;

	(void)state;
	rig_add(rig.queue[1]);
	rig_attach(6, rig.pt[1], 76);
	model_raise(0, RIG_PASID, 1);
	number = model_raise(0, 6, 1);
	used = groups->used;
	groups->used = FAULT_GROUPS_MAX;
	assert_int_equal(libiommu_ring_dispatch(rig.ring), -ENOSPC);
	groups->used = used;
	record = rig_take_fault(number);
	assert_int_equal(rig_count(LIBIOMMU_RING_WAITING), 0);
	rig_complete(&record);
	rig_take_fault(0);
}

/*
 * Joining finds that the last reader is gone, and fails then: what that one had is still to be
 * answered, and the ring's descriptor has to tell so, as nothing else will.
 */
static void test_join_fails_after_a_dead_reader(void **state)
{
	const uint32_t number = model_raise(0, RIG_PASID, 1);
	int ends[2];

	(void)state;
	rig_dispatch();
	rig_lose_reader();
	/* The death is still to be told by the socket: let the joining be what finds it out. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(libiommu_ring_join(rig.ring, ends[0], LIBIOMMU_FD_BORROW, 0), -EPIPE);
	assert_int_equal(rig_count(LIBIOMMU_RING_CONDEMNED), 1);
	assert_int_equal(model_state(number), MODEL_OUT);
	assert_true(ring_ready(rig.ring));
	rig_dispatch();
	assert_int_equal(model_code(number), LIBIOMMU_FAULT_INVALID);
	assert_int_equal(close(ends[0]), 0);
}

static void test_forked(void **state)
{
	int status = -1;
	pid_t child;

	(void)state;
	child = fork();
	if (!child)
		_exit(libiommu_ring_add_queue(rig.ring, rig.queue[1], 0) != -ECHILD ||
		      libiommu_ring_remove_queue(rig.ring, rig.queue[0]) != -ECHILD);
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST_BOTH(test_two_queues),
		RIG_TEST_BOTH(test_one_of_two_goes),
		RIG_TEST_BOTH(test_remove_with_groups_held),
		RIG_TEST_BOTH(test_remove_and_add_again),
		RIG_TEST_BOTH(test_the_rings_alone),
		RIG_TEST_BOTH(test_adopted_queue),
		RIG_TEST_BOTH(test_wrong_arguments),
		RIG_TEST_BOTH(test_closed_queue),
		RIG_TEST_BOTH(test_too_many_queues),
		RIG_TEST_BOTH(test_add_fails),
		RIG_TEST_BOTH(test_attach_without_memory),
		RIG_TEST_BOTH(test_fetch_without_memory),
		RIG_TEST(test_read_fails),
		RIG_TEST_BOTH(test_write_fails),
		RIG_TEST_BOTH(test_refused_answers),
		RIG_TEST_BOTH(test_refused_answers_and_ends),
		RIG_TEST_BOTH(test_refused_answers_of_a_ring_that_goes),
		RIG_TEST_BOTH(test_queue_full_of_groups),
		RIG_TEST_BOTH(test_join_fails_after_a_dead_reader),
		RIG_TEST_BOTH(test_forked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

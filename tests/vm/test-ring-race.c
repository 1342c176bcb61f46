/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The race that the lock of a fault queue is for, with a ring that is fed from the queue. A fault
 * has left the kernel's queue and the library does not know of it yet. Now its attachment ends,
 * and the kernel frees its number, which the next fault gets. The late fault must still come in the
 * terms of its own attachment and before the end of that, and its answer must not be taken for an
 * answer to the next.
 *
 * Fed by read(), the moment is after the system call, where the thread that made it is held; a
 * queue that is fed through io_uring is read so too after a change, before the kernel reads again.
 * While the kernel does, each moment between two dispatches is like that; what is left to force is
 * a fault that is read while the armed read is being cancelled, and one that comes between that
 * and the end of the attachment.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "mock.h"
#include "vm.h"

#define LABEL UINT64_C(0xfeed00000001)

enum { OWN_TAG = 70, TAG = 75, OTHER_TAG = 76, ENDED_TAG = 77, PASID = 5 };
enum { LATE = 0x1000, NEXT = 0x2000, WHILE_CANCELLED = 0x3000, UNREAD = 0x4000 };

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas;
static struct libiommu_fault_queue *queue, *other_queue;
static struct libiommu_hwpt *own, *table, *other; /* of queue, queue, and other_queue */
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;

/* A test has its feed as its state. */
static int setup(void **state)
{
	const uint32_t feed = *(const uint32_t *)*state;
	uint32_t pasid;

	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, LABEL, true);
	OK(libiommu_ioas_alloc(ctx, &ioas));
	OK(libiommu_fault_queue_alloc(ctx, &queue));
	OK(libiommu_fault_queue_alloc(ctx, &other_queue));
	own = mock_hwpt(dev, ioas, queue);
	table = mock_hwpt(dev, ioas, queue);
	other = mock_hwpt(dev, ioas, other_queue);
	OK(libiommu_device_set_tag(dev, OWN_TAG));
	OK(libiommu_device_attach_hwpt(dev, own));
	OK(libiommu_pasid_attach(dev, PASID, table, TAG, &pasid));
	OK(libiommu_ring_new(ctx, NULL, &ring));
	/* The kernel of the test machine has io_uring. */
	assert_int_equal(libiommu_ring_add_queue(ring, queue, feed), !!feed);
	assert_int_equal(libiommu_ring_add_queue(ring, other_queue, feed), !!feed);
	OK(libiommu_ring_open_reader(ring, &reader));
	SUCCEEDS(libiommu_ring_dispatch(ring));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mock_set_read_hook(mock, NULL, NULL, NULL);
	mock_set_cancel_hook(mock, NULL, NULL, NULL);
	OK(libiommu_device_destroy(dev));
	OK(libiommu_ring_destroy(ring));
	libiommu_reader_free(reader);
	OK(libiommu_hwpt_destroy(own));
	OK(libiommu_hwpt_destroy(table));
	OK(libiommu_hwpt_destroy(other));
	OK(libiommu_fault_queue_destroy(queue));
	OK(libiommu_fault_queue_destroy(other_queue));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ctx_destroy(ctx));
	return 0;
}

static void trigger(uint32_t pasid, uint64_t address)
{
	assert_int_equal(mock_fault(mock, dev, pasid, 1, LIBIOMMU_FAULT_READ, address), 0);
}

static void pause_a_little(void)
{
	nanosleep(&(const struct timespec){.tv_nsec = 2000000}, NULL);
}

/* The next record, which must be there; dispatches as often as it takes. */
static struct libiommu_record next_record(void)
{
	const struct libiommu_record *records;
	struct libiommu_record copy;
	size_t count;
	int got;

	for (int i = 0; (got = libiommu_reader_next(reader, &records, &count)) == 0 && i < 500;
	     i++) {
		pause_a_little();
		SUCCEEDS(libiommu_ring_dispatch(ring));
	}
	assert_int_equal(got, 1);
	assert_int_equal(count, 1);
	copy = *records;
	OK(libiommu_reader_release(reader));
	return copy;
}

static struct libiommu_record next_fault(uint64_t address, uint64_t tag)
{
	const struct libiommu_record record = next_record();

	assert_int_equal(record.kind, LIBIOMMU_RECORD_FAULT);
	assert_true(record.address == address);
	assert_true(record.label == LABEL);
	assert_int_equal(record.tag, tag);
	assert_int_equal(record.vpasid, tag == OWN_TAG ? 0 : PASID);
	assert_int_equal(record.flags & LIBIOMMU_RECORD_UNKNOWN, 0);
	assert_true(record.token);
	return record;
}

static void next_end(uint64_t tag)
{
	const struct libiommu_record record = next_record();

	assert_int_equal(record.kind, LIBIOMMU_RECORD_DETACHED);
	assert_int_equal(record.tag, tag);
	assert_true(!record.token);
}

/* How many of the answers to faults have been taken by the kernel as what the reader said. */
static uint64_t succeed(const struct libiommu_record *record)
{
	const struct libiommu_completion completion = {
		.token = record->token,
		.queue = record->queue,
		.code = LIBIOMMU_FAULT_SUCCESS,
	};
	struct mock_answers before, after;

	mock_get_answers(mock, &before);
	assert_int_equal(libiommu_reader_complete(reader, &completion, 1), 1);
	SUCCEEDS(libiommu_ring_dispatch(ring));
	mock_get_answers(mock, &after);
	assert_true(after.refused[LIBIOMMU_FAULT_SUCCESS] ==
	            before.refused[LIBIOMMU_FAULT_SUCCESS]);
	return after.taken[LIBIOMMU_FAULT_SUCCESS] - before.taken[LIBIOMMU_FAULT_SUCCESS];
}

static int detach(void)
{
	return libiommu_pasid_detach(dev, PASID);
}

static int replace(void)
{
	return libiommu_pasid_replace(dev, PASID, other, OTHER_TAG);
}

static void nothing_is_left(void)
{
	size_t count, other_count;

	OK(libiommu_fault_queue_outstanding(queue, &count));
	OK(libiommu_fault_queue_outstanding(other_queue, &other_count));
	assert_int_equal(count + other_count, 0);
}

/* The one that reads is held until the attachment has ended and the next fault is there. */
static atomic_bool held, changed;

static void hold(void *user)
{
	(void)user;
	if (atomic_exchange(&held, true))
		return;
	/* Without the lock the other thread comes through at once; with it, it cannot. */
	for (int i = 0; i < 100 && !atomic_load(&changed); i++)
		pause_a_little();
}

static void *dispatch_and_be_held(void *arg)
{
	return libiommu_ring_dispatch(ring) ? NULL : arg;
}

static void race_by_read(int (*change)(void), bool disarmed)
{
	struct libiommu_record late, next;
	pthread_t thread;
	void *result;

	atomic_store(&held, false);
	atomic_store(&changed, false);
	trigger(PASID, LATE);
	mock_set_read_hook(mock, NULL, hold, NULL);
	assert_int_equal(pthread_create(&thread, NULL, dispatch_and_be_held, ring), 0);
	for (int i = 0; i < 5000 && !atomic_load(&held); i++)
		pause_a_little();
	OK(change());
	trigger(0, NEXT);
	atomic_store(&changed, true);
	assert_true(atomic_load(&held));
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_non_null(result);
	mock_set_read_hook(mock, NULL, NULL, NULL);
	if (disarmed)
		next_end(ENDED_TAG);
	late = next_fault(LATE, TAG);
	next_end(TAG);
	next = next_fault(NEXT, OWN_TAG);
	assert_int_equal(succeed(&late), 0);
	assert_int_equal(succeed(&next), 1);
	nothing_is_left();
}

static void test_detach_by_read(void **state)
{
	(void)state;
	race_by_read(detach, false);
}

static void test_replace_by_read(void **state)
{
	(void)state;
	race_by_read(replace, false);
}

/* The end of another attachment, after which the kernel does not read by itself. */
static void disarm(void)
{
	uint32_t pasid;

	OK(libiommu_pasid_attach(dev, PASID + 1, table, ENDED_TAG, &pasid));
	OK(libiommu_pasid_detach(dev, PASID + 1));
}

static void test_detach_by_read_between(void **state)
{
	(void)state;
	disarm();
	race_by_read(detach, true);
}

static void test_replace_by_read_between(void **state)
{
	(void)state;
	disarm();
	race_by_read(replace, true);
}

/* What happens around the first system call with which a change ends the armed read. */
static atomic_int calls, missed;

/* True: the kernel has read all that is in the queue, so that nothing is left to read. */
static bool wait_until_read(void)
{
	struct pollfd unread = {.fd = libiommu_fault_queue_fd(queue), .events = POLLIN};

	for (int i = 0; i < 500; i++) {
		if (poll(&unread, 1, 0) == 0)
			return true;
		pause_a_little();
	}
	return false;
}

static void before_cancel(void *user)
{
	(void)user;
	if (atomic_fetch_add(&calls, 1))
		return;
	/* Still armed. */
	if (mock_fault(mock, dev, PASID, 1, LIBIOMMU_FAULT_READ, WHILE_CANCELLED) ||
	    !wait_until_read())
		atomic_store(&missed, 1);
}

static void after_cancel(void *user)
{
	(void)user;
	if (atomic_load(&calls) == 1 &&
	    mock_fault(mock, dev, PASID, 1, LIBIOMMU_FAULT_READ, UNREAD))
		atomic_store(&missed, 1);
}

static void race_by_io_uring(int (*change)(void))
{
	struct libiommu_record records[3], next;
	int count = 0;

	atomic_store(&calls, 0);
	atomic_store(&missed, 0);
	trigger(PASID, LATE);
	assert_true(wait_until_read());
	mock_set_cancel_hook(mock, before_cancel, after_cancel, NULL);
	OK(change());
	mock_set_cancel_hook(mock, NULL, NULL, NULL);
	assert_false(atomic_load(&missed));
	trigger(0, NEXT);
	records[count++] = next_fault(LATE, TAG);
	assert_true(atomic_load(&calls));
	records[count++] = next_fault(WHILE_CANCELLED, TAG);
	/* What came last the kernel has read, or has answered by itself: either is right. */
	next = next_record();
	if (next.kind == LIBIOMMU_RECORD_FAULT) {
		assert_true(next.address == UNREAD);
		assert_int_equal(next.tag, TAG);
		records[count++] = next;
		next = next_record();
	}
	assert_int_equal(next.kind, LIBIOMMU_RECORD_DETACHED);
	assert_int_equal(next.tag, TAG);
	next = next_fault(NEXT, OWN_TAG);
	while (count)
		assert_int_equal(succeed(&records[--count]), 0);
	assert_int_equal(succeed(&next), 1);
	nothing_is_left();
}

static void test_detach_by_io_uring(void **state)
{
	(void)state;
	race_by_io_uring(detach);
}

static void test_replace_by_io_uring(void **state)
{
	(void)state;
	race_by_io_uring(replace);
}

#define RACE_TEST(function, feed)                                                                  \
	cmocka_unit_test_prestate_setup_teardown(function, setup, teardown, &(feed))

int main(void)
{
	static uint32_t by_read, by_io_uring = LIBIOMMU_RING_IO_URING;
	const struct CMUnitTest tests[] = {
		RACE_TEST(test_detach_by_read, by_read),
		RACE_TEST(test_replace_by_read, by_read),
		RACE_TEST(test_detach_by_read_between, by_io_uring),
		RACE_TEST(test_replace_by_read_between, by_io_uring),
		RACE_TEST(test_detach_by_io_uring, by_io_uring),
		RACE_TEST(test_replace_by_io_uring, by_io_uring),
	};
	int failed;

	mock = mock_new();
	if (!mock)
		return 77;
	failed = cmocka_run_group_tests_name("ring-race", tests, NULL, NULL);
	mock_free(mock);
	return failed;
}

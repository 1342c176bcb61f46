/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What io_uring does with the descriptor of a fault queue: what ends the read that is armed, and
 * that nothing is lost with it. What the library makes of it is in test-feed.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../lib/base/uring.h"
#include "feed-rig.h"

#define NO_END 1 /* in the place of what ended the read */

/* Of a thread of the kernel's that submits, which the library does not use. */
#define SETUP_SQPOLL    (1U << 1)
#define ENTER_SQ_WAKEUP (1U << 1)
#define ENTER_SQ_WAIT   (1U << 2)

static struct libiommu_sys *sys;
static struct uring ring;
static uint64_t taken;

static int setup_sqpoll(void *user, unsigned int entries, void *params)
{
	struct uapi_io_uring_params *const p = params;

	(void)user;
	p->flags |= SETUP_SQPOLL;
	p->sq_thread_idle = 1;
	return li_sys_uring_setup(li_sys_libc(), entries, params);
}

/* Until that thread has taken what is to be submitted. */
static int enter_sqpoll(void *user, int fd, unsigned int submit, unsigned int wait,
                        unsigned int flags, const void *arg, size_t size)
{
	(void)user;
	if (submit)
		flags |= ENTER_SQ_WAKEUP | ENTER_SQ_WAIT;
	return li_sys_uring_enter(li_sys_libc(), fd, submit, wait, flags, arg, size);
}

static void begin(void)
{
	OK(li_uring_open(&ring, sys, RECORD));
	OK(li_sys_nonblock(sys, rig.fd));
	taken = 0;
}

static int setup(void **state)
{
	(void)state;
	rig_begin();
	OK(libiommu_sys_new(&sys));
	begin();
	return 0;
}

static int setup_with_sqpoll(void **state)
{
	(void)state;
	rig_begin();
	OK(libiommu_sys_new(&sys));
	OK(libiommu_sys_set_uring_setup(sys, setup_sqpoll));
	OK(libiommu_sys_set_uring_enter(sys, enter_sqpoll));
	begin();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	li_uring_cancel(&ring);
	li_uring_close(&ring, false);
	libiommu_sys_free(sys);
	rig_end();
	return 0;
}

/* One completion: how many records it has; what ends the read, if it does, in @end. */
static size_t complete(int *end)
{
	struct uring_done done;
	size_t count;

	assert_true(li_uring_peek(&ring, &done));
	count = done.length / RECORD;
	assert_int_equal(done.length % RECORD, 0);
	for (size_t i = 0; i < count; i++)
		rig_check((const struct uapi_hwpt_pgfault *)done.data + i, taken++);
	*end = done.end ? done.error : NO_END;
	li_uring_pop(&ring);
	return count;
}

static void arm(void)
{
	OK(li_uring_arm(&ring, rig.fd));
}

/* All that was raised, and the read is armed after it. */
static void complete_all(void)
{
	struct uring_done done;
	int end = NO_END;

	while (taken < rig.raised) {
		while (!li_uring_peek(&ring, &done))
			OK(li_uring_wait(&ring));
		complete(&end);
		if (end != NO_END)
			arm();
	}
	while (li_uring_peek(&ring, &done))
		complete(&end);
	if (end != NO_END)
		arm();
}

static void disarm(void)
{
	int end = NO_END;

	while (!li_uring_ended(&ring)) {
		OK(li_uring_cancel(&ring));
		if (!li_uring_ended(&ring))
			OK(li_uring_wait(&ring));
	}
	while (end == NO_END)
		complete(&end);
}

static bool queue_has_some(void)
{
	struct pollfd queue = {.fd = rig.fd, .events = POLLIN};

	return poll(&queue, 1, 0) == 1;
}

/* The read ends, with everything that there was a buffer for; the rest is the queue's as before. */
static void test_no_buffer_left(void **state)
{
	unsigned int filled = 0;
	int end = NO_END;

	(void)state;
	arm();
	while (!li_uring_ended(&ring))
		rig_fault(1);
	rig_fault(100);
	for (; end == NO_END; filled++)
		if (!complete(&end))
			break;
	assert_int_equal(end, -ENOBUFS);
	assert_int_equal(filled, URING_BUFFERS);
	assert_true(taken < rig.raised);
	assert_true(queue_has_some());
	arm();
	complete_all();
	assert_false(queue_has_some());
	disarm();
}

static void *arm_in_thread(void *arg)
{
	arm();
	return arg;
}

static void arm_and_end(void)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, arm_in_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

/*
 * The thread that armed it takes the read along, at the latest when there is something to read: one
 * that ends while its read is still being armed leaves it to that.
 */
static void test_thread_ends(void **state)
{
	int end;

	(void)state;
	for (int i = 0; i < 20; i++) {
		arm_and_end();
		rig_fault(3);
		while (!li_uring_ended(&ring))
			OK(li_uring_wait(&ring));
		assert_int_equal(complete(&end), 0);
		assert_int_equal(end, -ECANCELED);
		assert_true(queue_has_some());
		arm();
		complete_all();
		disarm();
	}
}

/* Unless the kernel has a thread for it: that one stays, and reads whatever becomes of ours. */
static void test_thread_of_the_kernel(void **state)
{
	struct uring_done done;
	int end;

	(void)state;
	arm_and_end();
	for (int i = 0; i < 100; i++) {
		rig_fault(1);
		while (!li_uring_peek(&ring, &done))
			OK(li_uring_wait(&ring));
		assert_int_equal(complete(&end), 1);
		assert_int_equal(end, NO_END);
	}
	/* And runs out of buffers as any. */
	rig_fault(URING_BUFFERS + 100);
	while (!li_uring_ended(&ring))
		OK(li_uring_wait(&ring));
	complete_all();
	disarm();
}

/* Past the ring; 0 for none. */
static size_t read_directly(void)
{
	struct uapi_hwpt_pgfault record;
	const ssize_t got = read(rig.fd, &record, RECORD);

	assert_true(got == 0 || got == RECORD);
	if (got)
		rig_check(&record, taken++);
	return (size_t)got;
}

/* Without O_NONBLOCK the kernel may read nothing and say nothing: all stays where it is. */
static void test_blocking(void **state)
{
	(void)state;
	assert_int_equal(fcntl(rig.fd, F_SETFL, O_RDWR), 0);
	arm();
	for (int i = 0; i < 10; i++)
		rig_fault(1);
	disarm();
	print_message("# without O_NONBLOCK the kernel has read %u of 10\n", (unsigned int)taken);
	while (read_directly())
		;
	assert_int_equal(taken, 10);
}

/* Of another length than the queue's records no buffer is filled, and each read ends at once. */
static void ends_with_buffers_of(size_t size, int error)
{
	int end;

	li_uring_close(&ring, false);
	OK(li_uring_open(&ring, sys, size));
	arm();
	rig_fault(1);
	while (!li_uring_ended(&ring))
		OK(li_uring_wait(&ring));
	assert_int_equal(complete(&end), 0);
	assert_int_equal(end, error);
	assert_int_equal(read_directly(), RECORD);
}

static void test_length_of_buffers(void **state)
{
	(void)state;
	ends_with_buffers_of(RECORD - 8, -ESPIPE);
	ends_with_buffers_of(RECORD + 8, -ESPIPE);
	ends_with_buffers_of(2 * RECORD + 8, -ESPIPE);
}

#define URING_TEST(function, setup) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		URING_TEST(test_no_buffer_left, setup),
		URING_TEST(test_thread_ends, setup),
		URING_TEST(test_thread_of_the_kernel, setup_with_sqpoll),
		URING_TEST(test_blocking, setup),
		URING_TEST(test_length_of_buffers, setup),
	};
	int failed;

	mock = mock_new();
	if (!mock)
		return 77;
	failed = cmocka_run_group_tests_name("uring", tests, NULL, NULL);
	mock_free(mock);
	return failed;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A fault queue of the kernel's test driver that the kernel reads by itself, into memory: every
 * page request comes once and in order, whoever arms, stops and frees, and when.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../../lib/base/feed.h"
#include "../../lib/object/fault-queue.h"
#include "feed-rig.h"

static struct libiommu_sys *sys;
static struct feed *feed;
static unsigned int reads; /* by us, and not by the kernel itself */
static unsigned int arms;
static struct uapi_hwpt_pgfault records[8192];
static uint64_t taken;

static ssize_t counted_read(void *user, int from, void *buffer, size_t size)
{
	(void)user;
	reads++;
	return li_sys_read(li_sys_libc(), from, buffer, size);
}

static int counted_enter(void *user, int ring, unsigned int submit, unsigned int wait,
                         unsigned int flags, const void *arg, size_t size)
{
	(void)user;
	arms += submit;
	return li_sys_uring_enter(li_sys_libc(), ring, submit, wait, flags, arg, size);
}

static int setup(void **state)
{
	(void)state;
	rig_begin();
	OK(li_feed_new(sys, rig.fd, RECORD, &feed));
	taken = 0;
	reads = arms = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	li_feed_free(feed);
	rig_end();
	return 0;
}

/* Takes and answers; how many. */
static size_t take(size_t room)
{
	const ssize_t got = li_feed_read(feed, records, room * RECORD);
	struct uapi_hwpt_page_response answers[256];

	assert_true(got >= 0 && got % (ssize_t)RECORD == 0);
	for (size_t i = 0; i < (size_t)got / RECORD; i++) {
		rig_check(&records[i], taken++);
		answers[i] = (struct uapi_hwpt_page_response){.cookie = records[i].cookie};
	}
	if (got)
		assert_int_equal(write(rig.fd, answers, (size_t)got / RECORD * sizeof(answers[0])),
		                 (size_t)got / RECORD * sizeof(answers[0]));
	return (size_t)got / RECORD;
}

static bool wait_ready(int ms)
{
	struct pollfd ready = {.fd = li_feed_fd(feed), .events = POLLIN};
	const int result = poll(&ready, 1, ms);

	assert_true(result >= 0);
	return result;
}

static void take_all(void)
{
	while (taken < rig.raised) {
		assert_true(wait_ready(-1));
		take(256);
	}
}

static void test_one_by_one(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		rig_fault(1);
		take_all();
	}
	assert_int_equal(reads, 1);
}

static void test_in_bursts(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		rig_fault(1 + (uint64_t)i * 2);
		take_all();
	}
	assert_int_equal(rig.raised, 10000);
}

/*
 * More than there are buffers for: the read ends, the rest stays in the kernel until it is read
 * directly, and the read is armed again.
 */
static void test_more_than_fits(void **state)
{
	(void)state;
	take(1);
	for (int i = 0; i < 3; i++) {
		const unsigned int before = arms;

		rig_fault(li_feed_capacity(feed) + 2000);
		take_all();
		take(1);
		assert_int_equal(arms, before + 1);
	}
}

static void *raise_many(void *arg)
{
	for (uint64_t i = 0; i < 10000; i++)
		if (mock_fault(mock, rig.dev, 0, 1, LIBIOMMU_FAULT_READ, 4096 * i))
			return arg;
	return NULL;
}

static void test_while_they_come(void **state)
{
	pthread_t thread;
	void *failed;

	(void)state;
	rig.raised = 10000;
	pthread_create(&thread, NULL, raise_many, mock);
	take_all();
	pthread_join(thread, &failed);
	assert_null(failed);
}

/* What comes after the pause stays in the kernel, where a detach finds it. */
static void test_pause(void **state)
{
	uint64_t before;

	(void)state;
	for (int i = 0; i < 500; i++) {
		take(256);
		rig_fault(1 + (uint64_t)i % 3);
		before = rig.raised;
		OK(li_feed_pause(feed));
		rig_fault(1);
		while (take(256))
			;
		assert_true(taken <= before);
		assert_false(wait_ready(0));
		li_feed_resume(feed);
		take_all();
	}
}

/* Each thread finds nothing, arms, takes what comes, and ends; the last has armed for the next. */
static void *take_some(void *arg)
{
	const size_t upto = *(uint64_t *)arg;

	take(256);
	rig_fault(3);
	while (taken < upto) {
		wait_ready(-1);
		take(1);
	}
	return NULL;
}

static void test_threads_that_end(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		uint64_t upto = rig.raised + 2;
		pthread_t thread;

		pthread_create(&thread, NULL, take_some, &upto);
		pthread_join(thread, NULL);
		rig_fault(2);
		take_all();
	}
}

static sem_t armed, over;

static void *arm_and_wait(void *arg)
{
	take(256);
	sem_post(&armed);
	while (sem_wait(&over))
		;
	return arg;
}

/*
 * The queue is in use as long as a read is armed, and hardly longer: how the feed of a ring ends,
 * with the moment that destroying it then has to wait in the kernel.
 */
static void test_destroy(void **state)
{
	pthread_t thread;

	(void)state;
	sem_init(&armed, 0, 0);
	sem_init(&over, 0, 0);
	for (int i = 0; i < 50; i++) {
		pthread_create(&thread, NULL, arm_and_wait, NULL);
		while (sem_wait(&armed))
			;
		OK(libiommu_device_destroy(rig.dev));
		OK(libiommu_hwpt_destroy(rig.table));
		if (i % 2)
			assert_int_equal(libiommu_fault_queue_destroy(rig.queue), -EBUSY);
		li_feed_free(feed);
		li_fault_queue_state(rig.queue)->was_fed = true;
		OK(libiommu_fault_queue_destroy(rig.queue));
		OK(libiommu_ioas_destroy(rig.ioas));
		OK(libiommu_ctx_destroy(rig.ctx));
		sem_post(&over);
		pthread_join(thread, NULL);
		setup(NULL);
	}
}

/* What a group that its device no longer waits for leaves: an answer that nobody takes. */
static void test_detach(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		struct uapi_hwpt_page_response answer = {0};
		ssize_t got;

		li_feed_read(feed, records, sizeof(records));
		rig_fault(1);
		if (i % 2)
			assert_true(wait_ready(-1));
		OK(li_feed_pause(feed));
		OK(libiommu_device_detach(rig.dev));
		/* Filled before the detach, or ended by it in the kernel; never both. */
		got = li_feed_read(feed, records, sizeof(records));
		assert_true(got == 0 || got == RECORD);
		assert_true(!(i % 2) || got == RECORD);
		answer.cookie = records[0].cookie;
		if (got)
			assert_int_equal(write(rig.fd, &answer, sizeof(answer)), -1);
		OK(libiommu_device_attach_hwpt(rig.dev, rig.table));
		li_feed_resume(feed);
		assert_int_equal(li_feed_read(feed, records, sizeof(records)), 0);
	}
}

static void *raise_now_and_then(void *arg)
{
	for (uint64_t i = 0; i < 100 && arg; i++) {
		usleep(2000);
		if (mock_fault(mock, rig.dev, 0, 1, LIBIOMMU_FAULT_READ, 4096 * i))
			arg = NULL;
	}
	return arg;
}

/* The thread that the kernel reads in is interrupted for it; nothing else tells that. */
static void test_epoll_is_interrupted(void **state)
{
	struct epoll_event event = {.events = EPOLLIN};
	const int epoll = epoll_create1(EPOLL_CLOEXEC);
	unsigned int interrupted = 0;
	pthread_t thread;
	void *ended;

	(void)state;
	OK(epoll_ctl(epoll, EPOLL_CTL_ADD, li_feed_fd(feed), &event));
	take(1);
	pthread_create(&thread, NULL, raise_now_and_then, mock);
	while (taken < 100)
		if (epoll_wait(epoll, &event, 1, -1) == 1)
			take(256);
		else if (errno == EINTR)
			interrupted++;
	pthread_join(thread, &ended);
	assert_non_null(ended);
	print_message("# epoll_wait() ended %u times with EINTR for 100 faults\n", interrupted);
	close(epoll);
}

#define FEED_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FEED_TEST(test_one_by_one),
		FEED_TEST(test_in_bursts),
		FEED_TEST(test_more_than_fits),
		FEED_TEST(test_while_they_come),
		FEED_TEST(test_pause),
		FEED_TEST(test_threads_that_end),
		FEED_TEST(test_destroy),
		FEED_TEST(test_detach),
		FEED_TEST(test_epoll_is_interrupted),
	};
	int failed;

	mock = mock_new();
	if (!mock)
		return 77;
	if (libiommu_sys_new(&sys) || libiommu_sys_set_read(sys, counted_read) ||
	    libiommu_sys_set_uring_enter(sys, counted_enter))
		abort();
	failed = cmocka_run_group_tests_name("feed", tests, NULL, NULL);
	libiommu_sys_free(sys);
	mock_free(mock);
	return failed;
}

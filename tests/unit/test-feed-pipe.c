/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The feed on this machine's own io_uring, with a pipe for a fault queue. Where there is no
 * io_uring that is all that is tested.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "alloc.h"
#include "script.h"

#include "../../lib/base/feed.h"

#define RECORD sizeof(struct uapi_hwpt_pgfault)
#define MANY   20000U

static const struct libiommu_sys *sys;
static struct feed *feed;
static int ends[2];
static struct uapi_hwpt_pgfault records[8192];
static uint64_t next;

static int setup(void **state)
{
	int error;

	(void)state;
	alloc_start();
	sys = li_sys_libc();
	next = 0;
	feed = NULL;
	assert_int_equal(pipe(ends), 0);
	error = li_feed_new(sys, ends[0], RECORD, &feed);
	if (!error)
		return 0;
	print_message("# no io_uring here: %s\n", strerror(-error));
	assert_true(error == -ENOSYS || error == -EPERM || error == -EACCES || error == -ENOMEM ||
	            error == -EOPNOTSUPP);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	li_feed_free(feed);
	if (ends[0] >= 0)
		close(ends[0]);
	close(ends[1]);
	alloc_check();
	return 0;
}

static void write_records(uint64_t from, uint64_t count)
{
	for (uint64_t i = from; i < from + count; i++) {
		const struct uapi_hwpt_pgfault record = {
			.flags = UAPI_PGFAULT_FLAGS_LAST_PAGE,
			.addr = i,
			.cookie = (uint32_t)i + 1,
		};

		assert_int_equal(write(ends[1], &record, RECORD), RECORD);
	}
}

static size_t take(size_t room)
{
	const ssize_t got = li_feed_read(feed, records, room * RECORD);

	assert_true(got >= 0 && got % (ssize_t)RECORD == 0);
	for (size_t i = 0; i < (size_t)got / RECORD; i++)
		assert_int_equal(records[i].addr, next++);
	return (size_t)got / RECORD;
}

static bool wait_ready(int ms)
{
	struct pollfd ready = {.fd = li_feed_fd(feed), .events = POLLIN};
	int result;

	do
		result = li_sys_poll(sys, &ready, 1, ms);
	while (result == -EINTR);
	assert_true(result >= 0);
	return result;
}

static void take_until(uint64_t last)
{
	while (next < last) {
		assert_true(wait_ready(-1));
		take(100);
	}
	assert_int_equal(next, last);
}

static void *write_many(void *arg)
{
	(void)arg;
	write_records(0, MANY);
	return NULL;
}

static void test_many(void **state)
{
	pthread_t writer;

	(void)state;
	if (!feed)
		return;
	pthread_create(&writer, NULL, write_many, NULL);
	take_until(MANY);
	pthread_join(writer, NULL);
	/* Until there is nothing to be found out any more. */
	while (wait_ready(0))
		assert_int_equal(take(1), 0);
}

static void test_pause(void **state)
{
	size_t filled = 0, got;

	(void)state;
	if (!feed)
		return;
	for (uint64_t i = 0; i < 1000; i++) {
		take(100);
		write_records(2 * i, 1);
		assert_int_equal(li_feed_pause(feed), 0);
		write_records(2 * i + 1, 1);
		while ((got = take(100)))
			filled += got;
		/* What was written since is in the pipe. */
		assert_in_range(next, 2 * i, 2 * i + 1);
		assert_false(wait_ready(0));
		li_feed_resume(feed);
		take_until(2 * i + 2);
	}
	print_message("# %zu of 1000 were filled before the pause\n", filled);
}

static void *arm_and_end(void *arg)
{
	(void)arg;
	take(100);
	write_records(0, 1);
	take_until(1);
	return NULL;
}

static void test_thread_that_ends(void **state)
{
	pthread_t thread;

	(void)state;
	if (!feed)
		return;
	pthread_create(&thread, NULL, arm_and_end, NULL);
	pthread_join(thread, NULL);
	write_records(1, 1);
	take_until(2);
	write_records(2, 100);
	take_until(102);
}

static pthread_barrier_t barrier;

static void *arm_and_stay(void *arg)
{
	take(100);
	pthread_barrier_wait(&barrier);
	/* Until the other is done, either asleep or at work without a system call. */
	for (volatile uint64_t work = 0; arg && !*(atomic_bool *)arg;)
		work = work + 1;
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void pause_and_free(bool works, bool pauses)
{
	atomic_bool done = false;
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, arm_and_stay, works ? &done : NULL);
	pthread_barrier_wait(&barrier);
	write_records(0, 1);
	assert_true(wait_ready(-1));
	if (pauses) {
		assert_int_equal(li_feed_pause(feed), 0);
		assert_int_equal(take(100), 1);
		assert_false(wait_ready(0));
		li_feed_resume(feed);
		write_records(1, 1);
		take_until(2);
	}
	li_feed_free(feed);
	feed = NULL;
	/* Nothing has the descriptor any more. */
	close(ends[0]);
	ends[0] = -1;
	assert_int_equal(write(ends[1], "", 1), -1);
	assert_int_equal(errno, EPIPE);
	done = true;
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
}

/* The thread that the read is armed in does something else. */
static void test_from_another_thread(void **state)
{
	(void)state;
	if (feed)
		pause_and_free(false, true);
}

static void test_free_from_another_thread(void **state)
{
	(void)state;
	if (feed)
		pause_and_free(false, false);
}

static void test_from_a_thread_at_work(void **state)
{
	(void)state;
	if (feed)
		pause_and_free(true, true);
}

static void test_free_from_a_thread_at_work(void **state)
{
	(void)state;
	if (feed)
		pause_and_free(true, false);
}

#define FEED_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FEED_TEST(test_many),
		FEED_TEST(test_pause),
		FEED_TEST(test_thread_that_ends),
		FEED_TEST(test_from_another_thread),
		FEED_TEST(test_free_from_another_thread),
		FEED_TEST(test_from_a_thread_at_work),
		FEED_TEST(test_free_from_a_thread_at_work),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

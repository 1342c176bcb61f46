/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The kernel is stopped to read by itself, and goes on; and all of it in any order. */
#include <stdlib.h>

#include "feed-steps.h"

static void test_pause(void **state)
{
	(void)state;
	feed_arm();
	feed_raise(5);
	fake_uring_run();
	assert_int_equal(li_feed_pause(feed), 0);
	assert_false(fake_uring.armed);
	fake_uring_raise(1, 1);
	assert_int_equal(li_feed_pause(feed), 0);
	assert_int_equal(fake_uring.cancels, 1);
	/* What was filled comes, and nothing else. */
	feed_take(2, 2);
	feed_take(FEED_MOST, 3);
	feed_take(FEED_MOST, 0);
	assert_false(fake_uring_ready());
	assert_int_equal(fake_uring.reads, 0);
	assert_int_equal(fake_uring.arms, 1);
	li_feed_resume(feed);
	assert_true(fake_uring_ready());
	feed_take(FEED_MOST, 1);
	assert_int_equal(fake_uring.arms, 2);
	li_feed_resume(feed);
	assert_int_equal(fake_uring.cancels, 1);
}

/* Resumed with something still to be taken: that wakes. */
static void test_resume_early(void **state)
{
	(void)state;
	feed_arm();
	feed_raise(2);
	fake_uring_run();
	assert_int_equal(li_feed_pause(feed), 0);
	li_feed_resume(feed);
	fake_uring_raise(1, 1);
	assert_true(fake_uring_ready());
	feed_take(1, 1);
	assert_true(fake_uring_ready());
	feed_take(1, 1);
	assert_true(fake_uring_ready());
	feed_take(2, 1);
	assert_true(fake_uring.armed);
	/* And with nothing but the end. */
	assert_int_equal(li_feed_pause(feed), 0);
	li_feed_resume(feed);
	assert_true(fake_uring_ready());
	feed_take(1, 0);
	assert_true(fake_uring.armed);
	assert_false(fake_uring_ready());
}

static void test_pause_before_anything(void **state)
{
	(void)state;
	assert_int_equal(li_feed_pause(feed), 0);
	assert_int_equal(fake_uring.cancels, 0);
	fake_uring_raise(1, 1);
	assert_false(fake_uring_ready());
	feed_take(FEED_MOST, 0);
	li_feed_resume(feed);
	assert_true(fake_uring_ready());
	feed_take(FEED_MOST, 1);
}

/* A read that ends because it was told to is not one that does not work. */
static void test_pause_often(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		feed_arm();
		assert_int_equal(li_feed_pause(feed), 0);
		feed_take(1, 0);
		li_feed_resume(feed);
	}
}

/* The read ended by itself; its last completion has not been looked at. */
static void test_pause_after_the_end(void **state)
{
	(void)state;
	feed_arm();
	feed_raise(FEED_MOST + 1);
	fake_uring_run();
	assert_int_equal(li_feed_pause(feed), 0);
	assert_int_equal(fake_uring.cancels, 0);
	feed_take(2 * FEED_MOST, FEED_MOST);
	assert_int_equal(li_feed_capacity(feed), FEED_MOST);
	li_feed_resume(feed);
	feed_take(FEED_MOST, 1);
}

/* Something comes in between, and as much as there can be. */
static void test_cancel_races(void **state)
{
	(void)state;
	feed_arm();
	feed_raise(3);
	fake_uring_run();
	feed_raise(2);
	fake_uring.refills = true;
	assert_int_equal(li_feed_pause(feed), 0);
	feed_take(FEED_MOST, 5);
	li_feed_resume(feed);
	feed_arm();
	feed_raise(FEED_MOST + 7);
	fake_uring.refills = true;
	assert_int_equal(li_feed_pause(feed), 0);
	feed_take(2 * FEED_MOST, FEED_MOST);
	feed_take(FEED_MOST, 0);
	li_feed_resume(feed);
	feed_take(FEED_MOST, 7);
}

static void pause_with(int said, unsigned int waits)
{
	feed_arm();
	fake_uring.cancel_error = said;
	fake_uring.stuck = waits;
	fake_uring.waits = waits;
	assert_int_equal(li_feed_pause(feed), 0);
	assert_false(fake_uring.armed);
	feed_take(FEED_MOST, 0);
	li_feed_resume(feed);
}

static void test_cancelled_later(void **state)
{
	(void)state;
	pause_with(0, 1);
	pause_with(-EALREADY, 0);
	pause_with(-ETIME, 5);
	pause_with(-EINTR, 2);
	pause_with(-ENOENT, 100);
}

static void test_pause_fails(void **state)
{
	(void)state;
	feed_arm();
	fake_uring_raise(1, 1);
	fake_uring_run();
	fake_uring.stuck = true;
	assert_int_equal(li_feed_pause(feed), -ETIMEDOUT);
	assert_in_range(fake_uring.now, UINT64_C(30000000000), UINT64_C(31000000000));
	/* As before; and when it ends after all, that is found. */
	feed_take(FEED_MOST, 1);
	fake_uring.stuck = false;
	fake_uring_run();
	assert_false(fake_uring.armed);
	assert_true(fake_uring_ready());
	feed_take(FEED_MOST, 0);
	assert_true(fake_uring.armed);
	fake_uring.stuck = true;
	for (unsigned int nth = 1; nth <= 3; nth++) {
		fake_uring_fail_nth(nth);
		assert_int_equal(li_feed_pause(feed), -EIO);
		assert_true(fake_uring_failed());
	}
	fake_uring.stuck = false;
	assert_int_equal(li_feed_pause(feed), 0);
}

static void test_free_while_armed(void **state)
{
	(void)state;
	feed_arm();
	feed_raise(3);
	fake_uring_run();
	li_feed_free(feed);
	assert_false(fake_uring.armed);
	feed = NULL;
}

/* Rather memory lost than memory that somebody else has and the kernel writes to. */
static void test_free_while_stuck(void **state)
{
	(void)state;
	feed_arm();
	fake_uring.stuck = true;
	assert_int_equal(li_feed_pause(feed), -ETIMEDOUT);
	fake_uring.armed = false; /* the rings may go */
	li_feed_free(feed);
	feed = NULL;
	assert_int_equal(fake_uring.fds, 0);
	assert_int_equal(fake_uring.maps, 1);
	fake_uring.maps = 0;
}

/* One after the other, by chance: all that there is comes in order, and nobody sleeps over it. */
static void test_at_random(void **state)
{
	uint32_t cookie = 0;
	bool paused = false;

	(void)state;
	srand(1);
	for (int step = 0; step < 30000; step++) {
		const int what = rand() % 100;
		ssize_t got;

		if (what < 30 && fake_uring.left + feed_next < 60000)
			fake_uring_raise(cookie++, 1 + (uint32_t)(rand() % (rand() % 50 ? 8 : 90)));
		else if (what < 60)
			fake_uring_run();
		else if (what < 65 && fake_uring.armed)
			fake_uring_finish(rand() % 2 ? -ECANCELED : 0);
		else if (what < 68)
			fake_uring.refuses = rand() % 2;
		else if (what < 72)
			assert_int_equal(li_feed_pause(feed), 0), paused = true;
		else if (what < 80)
			li_feed_resume(feed), paused = false;
		/* Whatever is waiting, there is somebody to see it. */
		if (!paused && fake_uring.left && !fake_uring.armed)
			assert_true(fake_uring_ready());
		if (what < 80)
			continue;
		got = li_feed_read(feed, feed_records, (size_t)(rand() % 100) * FEED_RECORD);
		if (got == -EINVAL)
			got = li_feed_read(feed, feed_records, 100 * FEED_RECORD);
		assert_true(got >= 0 && !(got % (ssize_t)FEED_RECORD));
		for (ssize_t i = 0; i < got / (ssize_t)FEED_RECORD; i++)
			assert_int_equal(feed_records[i].addr, feed_next++);
	}
	assert_true(feed_next > 10000);
	li_feed_resume(feed);
	fake_uring.refuses = false;
	while (fake_uring_ready() || (fake_uring.armed && fake_uring.left)) {
		const ssize_t got = li_feed_read(feed, feed_records, 100 * FEED_RECORD);

		for (ssize_t i = 0; i < got / (ssize_t)FEED_RECORD; i++)
			assert_int_equal(feed_records[i].addr, feed_next++);
		fake_uring_run();
	}
	assert_int_equal(fake_uring.left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FEED_TEST(test_pause),
		FEED_TEST(test_resume_early),
		FEED_TEST(test_pause_before_anything),
		FEED_TEST(test_pause_often),
		FEED_TEST(test_pause_after_the_end),
		FEED_TEST(test_cancel_races),
		FEED_TEST(test_cancelled_later),
		FEED_TEST(test_pause_fails),
		FEED_TEST(test_free_while_armed),
		FEED_TEST(test_free_while_stuck),
		FEED_TEST(test_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

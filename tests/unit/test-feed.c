/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A fault queue that the kernel reads by itself: each record comes once, whatever ends that. */
#include "feed-steps.h"

static void test_new(void **state)
{
	(void)state;
	assert_int_equal(li_feed_fd(feed), FAKE_EPOLL);
	assert_int_equal(li_feed_capacity(feed), FEED_MOST);
	assert_int_equal(fake_uring.arms, 0);
	assert_int_equal(fake_uring.maps, 3);
	assert_int_equal(fake_uring.forkable, 0);
	assert_true(fake_uring.nonblock);
	/* Until somebody reads the descriptor itself is looked at. */
	assert_true(fake_uring.watched);
	assert_false(fake_uring_ready());
	fake_uring_raise(1, 1);
	assert_true(fake_uring_ready());
	feed_take(FEED_MOST, 1);
	assert_int_equal(fake_uring.reads, 1);
	assert_int_equal(fake_uring.arms, 1);
	assert_false(fake_uring.watched);
}

static void no_feed(int error)
{
	struct feed *none = NULL;

	assert_int_equal(li_feed_new(feed_sys, FAKE_FD, FEED_RECORD, &none), error);
	assert_null(none);
}

static void test_new_refuses(void **state)
{
	struct feed *none = NULL;

	(void)state;
	li_feed_free(feed);
	feed = NULL;
	assert_int_equal(li_feed_new(feed_sys, FAKE_FD, FEED_RECORD - 8, &none), -EINVAL);
	assert_int_equal(li_feed_new(feed_sys, FAKE_FD, FEED_RECORD + 4, &none), -EINVAL);
	fake_uring.features = UAPI_IORING_FEAT_SINGLE_MMAP;
	no_feed(-EOPNOTSUPP);
	fake_uring.features = UAPI_IORING_FEAT_EXT_ARG;
	no_feed(-EOPNOTSUPP);
	fake_uring.features = UINT32_MAX;
	fake_uring.known = false;
	no_feed(-EOPNOTSUPP);
	fake_uring.known = true;
	fake_uring.operations = UAPI_IORING_OP_READ_MULTISHOT;
	no_feed(-EOPNOTSUPP);
	assert_int_equal(fake_uring.fds, 0);
	assert_int_equal(fake_uring.maps, 0);
	li_feed_free(NULL);
}

static void test_each_step_of_new_fails(void **state)
{
	unsigned int nth = 1;

	(void)state;
	li_feed_free(feed);
	feed = NULL;
	for (;; nth++) {
		int error;

		fake_uring.nonblock = false;
		fake_uring_fail_nth(nth);
		error = li_feed_new(feed_sys, FAKE_FD, FEED_RECORD, &feed);
		if (!fake_uring_failed())
			break;
		assert_int_equal(error, -EIO);
		assert_null(feed);
		assert_int_equal(fake_uring.fds, 0);
		assert_int_equal(fake_uring.maps, 0);
		assert_false(fake_uring.nonblock);
	}
	/* setup, probe, three maps advised, buffers, epoll, two descriptors, O_NONBLOCK */
	assert_int_equal(nth, 14);
}

static void test_new_without_memory(void **state)
{
	(void)state;
	li_feed_free(feed);
	feed = NULL;
	ALLOC_LOOP
	{
		if (ALLOC_TRY(li_feed_new(feed_sys, FAKE_FD, FEED_RECORD, &feed))) {
			assert_null(feed);
			assert_int_equal(fake_uring.fds, 0);
			assert_int_equal(fake_uring.maps, 0);
		}
	}
}

static void test_without_system_calls(void **state)
{
	(void)state;
	feed_arm();
	for (int i = 0; i < 200; i++) {
		fake_uring_raise(7, 1);
		fake_uring_raise(8, 2);
		assert_false(fake_uring_ready());
		fake_uring_run();
		assert_true(fake_uring_ready());
		feed_take(FEED_MOST, 3);
		assert_false(fake_uring_ready());
		feed_take(FEED_MOST, 0);
	}
	assert_int_equal(fake_uring.reads, 0);
	assert_int_equal(fake_uring.arms, 1);
}

static void test_several_completions_at_once(void **state)
{
	(void)state;
	feed_arm();
	for (uint32_t i = 0; i < 40; i++) {
		fake_uring_raise(i, 1 + i % 3);
		fake_uring_run();
	}
	feed_take(FEED_MOST, 79);
	/* And several groups in one. */
	feed_raise(FEED_IN_ONE + 10);
	fake_uring_run();
	feed_take(FEED_MOST, FEED_IN_ONE + 10);
}

static void test_whole_groups_only(void **state)
{
	(void)state;
	feed_arm();
	fake_uring_raise(1, 2);
	fake_uring_raise(2, 3);
	fake_uring_run();
	fake_uring_raise(3, 3);
	fake_uring_run();
	assert_int_equal(li_feed_read(feed, feed_records, 1 * FEED_RECORD), -EINVAL);
	assert_int_equal(li_feed_read(feed, feed_records, 0), -EINVAL);
	feed_take(4, 2);
	assert_true(fake_uring_ready());
	assert_int_equal(li_feed_read(feed, feed_records, 2 * FEED_RECORD), -EINVAL);
	feed_take(5, 3);
	feed_take(3, 3);
	feed_take(3, 0);
	assert_int_equal(li_feed_read(feed, feed_records, 0), 0);
	/* Room for one and a half. */
	fake_uring_raise(1, 1);
	fake_uring_raise(2, 1);
	fake_uring_run();
	assert_int_equal(li_feed_read(feed, feed_records, FEED_RECORD + 20), FEED_RECORD);
	feed_next++;
	feed_take(1, 1);
}

/* It was answered behind our back, and the next got its name: two reads tell them apart. */
static void test_one_cookie_twice(void **state)
{
	(void)state;
	feed_arm();
	fake_uring_raise(1, 2);
	fake_uring_run();
	fake_uring_raise(1, 1);
	fake_uring_run();
	fake_uring_raise(2, 1);
	fake_uring_run();
	feed_take(FEED_MOST, 2);
	feed_take(FEED_MOST, 2);
	assert_int_equal(fake_uring.reads, 0);
}

static void test_buffers_run_out(void **state)
{
	(void)state;
	feed_arm();
	feed_raise(FEED_MOST + 100);
	fake_uring_run();
	assert_false(fake_uring.armed);
	assert_int_equal(fake_uring.left, 100);
	feed_take(FEED_MOST - 1, FEED_MOST - 1);
	assert_int_equal(fake_uring.arms, 1);
	assert_true(fake_uring_ready());
	/* The last of them comes with the end; what is left then is read directly. */
	feed_take(FEED_MOST, 1);
	assert_int_equal(fake_uring.arms, 1);
	assert_true(fake_uring.watched && fake_uring_ready());
	feed_take(60, 60);
	assert_int_equal(fake_uring.reads, 1);
	assert_int_equal(fake_uring.arms, 1);
	assert_true(fake_uring_ready());
	feed_take(60, 40);
	assert_int_equal(fake_uring.reads, 2);
	assert_int_equal(fake_uring.arms, 2);
	feed_raise(1);
	fake_uring_run();
	feed_take(60, 1);
	assert_int_equal(fake_uring.reads, 2);
}

/* Each buffer goes to the kernel again, however often. */
static void test_buffers_go_round(void **state)
{
	(void)state;
	feed_arm();
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 64; i++) {
			fake_uring_raise((uint32_t)i, 1);
			fake_uring_run();
		}
		assert_true(fake_uring.armed);
		feed_take(FEED_MOST, 64);
	}
	assert_int_equal(fake_uring.arms, 1);
}

static void test_group_that_fits_no_buffer(void **state)
{
	(void)state;
	feed_arm();
	feed_raise(3);
	fake_uring_run();
	fake_uring_raise(1, FEED_IN_ONE + 1);
	fake_uring_raise(2, 1);
	fake_uring_run();
	assert_false(fake_uring.armed);
	assert_true(fake_uring_ready());
	feed_take(3, 3);
	/* Nothing is armed that would end like the last. */
	assert_int_equal(li_feed_read(feed, feed_records, 3 * FEED_RECORD), -EINVAL);
	assert_int_equal(li_feed_read(feed, feed_records, FEED_IN_ONE * FEED_RECORD), -EINVAL);
	feed_take(FEED_IN_ONE + 1, FEED_IN_ONE + 1);
	feed_take(FEED_MOST, 1);
	assert_true(fake_uring.armed);
}

static void ends_with(int result)
{
	const unsigned int arms = fake_uring.arms;

	fake_uring_raise(1, 1);
	fake_uring_run();
	fake_uring_finish(result);
	fake_uring_raise(2, 1);
	assert_true(fake_uring_ready());
	feed_take(1, 1);
	fake_uring_run();
	feed_take(FEED_MOST, 1);
	assert_int_equal(fake_uring.arms, arms + 1);
	assert_true(fake_uring.armed);
	/* With nothing there. */
	fake_uring_finish(result);
	assert_true(fake_uring_ready());
	feed_take(FEED_MOST, 0);
	assert_int_equal(fake_uring.arms, arms + 2);
	assert_false(fake_uring_ready());
}

static void test_read_ends(void **state)
{
	(void)state;
	feed_arm();
	ends_with(0);
	ends_with(-ECANCELED); /* the thread it was armed in is gone */
	ends_with(-EAGAIN);
	ends_with(-ENOMEM);
	ends_with(-ENOBUFS);
}

/* Something that will not work is not tried for ever, nor does anybody wait for it. */
static void test_read_ends_always(void **state)
{
	unsigned int rounds = 0;

	(void)state;
	feed_arm();
	for (; fake_uring.armed; rounds++) {
		assert_in_range(rounds, 0, 100);
		fake_uring_finish(-EBADFD);
		assert_true(fake_uring_ready());
		feed_take(FEED_MOST, 0);
	}
	assert_true(fake_uring.watched);
	assert_in_range(rounds, 2, 30);
	fake_uring.arms = 0;
	fake_uring_raise(1, 1);
	assert_true(fake_uring_ready());
	feed_take(FEED_MOST, 1);
	/* What came may have changed something. */
	assert_true(fake_uring.armed);
}

/* The last completion has data, as where there is no room for one more. */
static void test_end_with_data(void **state)
{
	(void)state;
	feed_arm();
	fake_uring_raise(1, 2);
	fake_uring_run();
	fake_uring.armed = false;
	fake_uring_post(0, 0);
	feed_take(FEED_MOST, 2);
	assert_true(fake_uring.watched);
	feed_take(FEED_MOST, 0);
	assert_true(fake_uring.armed);
}

/* Not what a kernel says: nothing outside of the buffers is read. */
static void test_nonsense(void **state)
{
	const uint32_t more = UAPI_IORING_CQE_F_MORE | UAPI_IORING_CQE_F_BUFFER;

	(void)state;
	feed_arm();
	fake_uring_post(40, UAPI_IORING_CQE_F_MORE);
	fake_uring_post(40, more | UINT32_C(64) << 16);
	fake_uring_post(40, more | UINT32_C(65535) << 16);
	fake_uring_post(39, more | UINT32_C(3) << 16);
	fake_uring_post(-5, UAPI_IORING_CQE_F_MORE);
	feed_take(FEED_MOST, 0);
	fake_uring_post(INT32_MAX, more);
	assert_int_equal(li_feed_read(feed, feed_records, sizeof(feed_records)),
	                 FEED_IN_ONE * FEED_RECORD);
	assert_true(fake_uring.armed);
}

static void test_no_arming(void **state)
{
	(void)state;
	fake_uring.refuses = true;
	for (int i = 0; i < 100; i++) {
		fake_uring_raise(1, 1);
		assert_true(fake_uring_ready());
		feed_take(FEED_MOST, 1);
	}
	assert_int_equal(fake_uring.arms, 0);
	fake_uring.refuses = false;
	fake_uring_fail_nth(2);
	feed_take(FEED_MOST, 0);
	assert_true(fake_uring_failed());
	assert_true(fake_uring.watched);
	assert_int_equal(fake_uring.arms, 0);
	feed_take(FEED_MOST, 0);
	assert_int_equal(fake_uring.arms, 1);
	assert_false(fake_uring.watched);
}

/* What was taken is taken, whatever is said of it. */
static void test_lie_about_arming(void **state)
{
	(void)state;
	fake_uring.lies = true;
	feed_arm();
	fake_uring_raise(1, 1);
	fake_uring_run();
	feed_take(FEED_MOST, 1);
	assert_int_equal(fake_uring.arms, 1);
}

static void test_read_fails(void **state)
{
	(void)state;
	fake_uring.read_error = -EIO;
	assert_int_equal(li_feed_read(feed, feed_records, FEED_RECORD), -EIO);
	assert_int_equal(fake_uring.arms, 0);
	fake_uring.read_error = -EAGAIN;
	assert_int_equal(li_feed_read(feed, feed_records, FEED_RECORD), 0);
	assert_int_equal(fake_uring.arms, 1);
	fake_uring_finish(0);
	fake_uring.read_error = -EIO;
	assert_int_equal(li_feed_read(feed, feed_records, FEED_RECORD), -EIO);
	fake_uring_raise(1, 1);
	assert_true(fake_uring_ready());
	fake_uring.read_error = 0;
	feed_take(FEED_MOST, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FEED_TEST(test_new),
		FEED_TEST(test_new_refuses),
		FEED_TEST(test_each_step_of_new_fails),
		FEED_TEST(test_new_without_memory),
		FEED_TEST(test_without_system_calls),
		FEED_TEST(test_several_completions_at_once),
		FEED_TEST(test_whole_groups_only),
		FEED_TEST(test_one_cookie_twice),
		FEED_TEST(test_buffers_run_out),
		FEED_TEST(test_buffers_go_round),
		FEED_TEST(test_group_that_fits_no_buffer),
		FEED_TEST(test_read_ends),
		FEED_TEST(test_read_ends_always),
		FEED_TEST(test_end_with_data),
		FEED_TEST(test_nonsense),
		FEED_TEST(test_no_arming),
		FEED_TEST(test_lie_about_arming),
		FEED_TEST(test_read_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

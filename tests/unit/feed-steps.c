/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "feed-steps.h"

const struct libiommu_sys *feed_sys;
struct feed *feed;
struct uapi_hwpt_pgfault feed_records[2 * FEED_MOST];
uint64_t feed_next;

int feed_setup(void **state)
{
	(void)state;
	alloc_start();
	feed_sys = fake_uring_begin();
	assert_int_equal(li_feed_new(feed_sys, FAKE_FD, FEED_RECORD, &feed), 0);
	feed_next = 0;
	return 0;
}

int feed_teardown(void **state)
{
	(void)state;
	li_feed_free(feed);
	fake_uring_end();
	alloc_check();
	return 0;
}

void feed_take(size_t room, size_t count)
{
	const ssize_t got = li_feed_read(feed, feed_records, room * FEED_RECORD);

	assert_int_equal(got, count * FEED_RECORD);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(feed_records[i].addr, feed_next++);
	assert_true(!count || feed_records[count - 1].flags & UAPI_PGFAULT_FLAGS_LAST_PAGE);
}

void feed_raise(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		fake_uring_raise(1000 + i, 1);
}

void feed_arm(void)
{
	feed_take(FEED_MOST, 0);
	assert_true(fake_uring.armed);
	assert_false(fake_uring.watched);
	fake_uring.reads = 0;
}

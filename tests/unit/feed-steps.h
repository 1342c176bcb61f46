/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Tests of the feed over the kernel of fake-uring.h. */
#ifndef LIBIOMMU_TESTS_FEED_STEPS_H
#define LIBIOMMU_TESTS_FEED_STEPS_H

#include "alloc.h"
#include "fake-uring.h"

#include "../../lib/base/feed.h"

#define FEED_RECORD sizeof(struct uapi_hwpt_pgfault)
#define FEED_IN_ONE 64 /* records in a buffer */
#define FEED_MOST   (64 * FEED_IN_ONE)

extern const struct libiommu_sys *feed_sys;
extern struct feed *feed;
extern struct uapi_hwpt_pgfault feed_records[2 * FEED_MOST];
extern uint64_t feed_next; /* the address of the next record */

/* Every test has a feed, which it may free and set to NULL. */
int feed_setup(void **state);
int feed_teardown(void **state);
#define FEED_TEST(function) cmocka_unit_test_setup_teardown(function, feed_setup, feed_teardown)

/* So many groups of one record. */
void feed_raise(uint32_t count);
/* Reads @room records at most, of which @count come: the next ones, in whole groups. */
void feed_take(size_t room, size_t count);
/* From now on the kernel reads. */
void feed_arm(void);

#endif

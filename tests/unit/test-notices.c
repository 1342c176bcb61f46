/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Ends of attachments: none may fail for want of memory, and none be told twice or out of order. */
#include "alloc.h"
#include "script.h"

#include "../../lib/object/fault-notices.h"

#define SOME 200

static uint64_t added, taken;

static void add(struct fault_notices *notices)
{
	const struct fault_notice notice = {.tag = added++, .pasid = true};

	li_fault_notices_add(notices, &notice);
}

static size_t take(struct fault_notices *notices, size_t max)
{
	struct fault_notice got[SOME];
	const size_t count = li_fault_notices_take(notices, 0, got, max);

	assert_true(count <= max);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(got[i].tag, taken++);
	return count;
}

/* Whatever number is told, of whatever has ended, with whatever is still to come. */
static void test_in_order(void **state)
{
	(void)state;
	for (size_t step = 1; step < 20; step++) {
		struct fault_notices notices = {0};

		added = 0;
		taken = 0;
		for (size_t i = 0; i < SOME; i++) {
			assert_true(li_fault_notices_reserve(&notices));
			if (i % 3)
				add(&notices);
			if (i % step == 0)
				take(&notices, i % 7);
			assert_true(notices.first + notices.count <= notices.room);
			assert_true(notices.reserved + notices.count <= notices.room);
		}
		/* The rest ends without any more memory. */
		alloc_fail_nth(1);
		while (notices.reserved)
			add(&notices);
		assert_false(alloc_restore());
		while (take(&notices, 5))
			;
		assert_int_equal(taken, SOME);
		assert_int_equal(notices.count, 0);
		li_fault_notices_free(&notices);
	}
}

/* What is told makes room: the list does not grow with what has ever ended. */
static void test_stays_small(void **state)
{
	struct fault_notices notices = {0};

	(void)state;
	added = 0;
	taken = 0;
	for (size_t i = 0; i < 10; i++)
		assert_true(li_fault_notices_reserve(&notices));
	for (size_t i = 0; i < 1000; i++) {
		add(&notices);
		if (i % 2)
			assert_int_equal(take(&notices, 2), 2);
		assert_true(li_fault_notices_reserve(&notices));
	}
	assert_int_equal(notices.room, 16);
	assert_int_equal(notices.reserved, 10);
	li_fault_notices_free(&notices);
}

static void test_without_memory(void **state)
{
	struct fault_notices notices = {0};

	(void)state;
	added = 0;
	taken = 0;
	assert_int_equal(take(&notices, SOME), 0);
	alloc_fail_nth(1);
	assert_false(li_fault_notices_reserve(&notices));
	assert_true(alloc_restore());
	assert_int_equal(notices.reserved, 0);
	for (size_t i = 0; i < 16; i++)
		assert_true(li_fault_notices_reserve(&notices));
	add(&notices);
	add(&notices);
	alloc_fail_nth(1);
	assert_false(li_fault_notices_reserve(&notices));
	assert_true(alloc_restore());
	assert_int_equal(notices.reserved, 14);
	/* One that did not begin makes room for another. */
	li_fault_notices_unreserve(&notices);
	assert_true(li_fault_notices_reserve(&notices));
	assert_int_equal(notices.room, 16);
	assert_int_equal(take(&notices, SOME), 2);
	li_fault_notices_free(&notices);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_in_order),
		SCRIPT_TEST(test_stays_small),
		SCRIPT_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The allocator of I/O virtual addresses, against a model that looks at every granule. */
#include <stdlib.h>

#include "alloc.h"
#include "script.h"

#include "../../lib/base/iova.h"
#include "../random.h"

#define PAGE UINT64_C(0x1000)
#define MIB2 UINT64_C(0x200000)
#define GIB  UINT64_C(0x40000000)

static struct iova_space space;

static int setup(void **state)
{
	(void)state;
	alloc_start();
	li_iova_init(&space, PAGE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	li_iova_free(&space);
	alloc_check();
	return 0;
}

static void set_range(uint64_t start, uint64_t last)
{
	const struct libiommu_iova_range range = {start, last};

	assert_int_equal(li_iova_set_ranges(&space, &range, 1, NULL), 0);
}

static int take(uint64_t length, uint64_t alignment, uint64_t phase, uint64_t *iova)
{
	return li_iova_take(&space, &(const struct iova_request){length, alignment, phase}, iova);
}

static uint64_t must_take(uint64_t length, uint64_t alignment)
{
	uint64_t iova = 0;

	assert_int_equal(take(length, alignment, 0, &iova), 0);
	return iova;
}

static void test_nothing_is_usable_at_first(void **state)
{
	uint64_t iova = 7;

	(void)state;
	assert_int_equal(take(PAGE, PAGE, 0, &iova), -ENOSPC);
	assert_int_equal(iova, 7);
	assert_int_equal(li_iova_take_at(&space, PAGE, PAGE), -EADDRNOTAVAIL);
	assert_int_equal(li_iova_give(&space, PAGE, PAGE), -ENOENT);
}

static void test_all_addresses(void **state)
{
	struct iova_usage usage;

	(void)state;
	set_range(0, UINT64_MAX);
	li_iova_usage(&space, &usage);
	assert_int_equal(usage.free_bytes, UINT64_MAX);
	assert_int_equal(usage.longest, UINT64_MAX);
	/* 0 is never handed out, but can be asked for. */
	assert_int_equal(must_take(PAGE, PAGE), PAGE);
	assert_int_equal(must_take(GIB, GIB), GIB);
	assert_int_equal(li_iova_take_at(&space, 0, PAGE), 0);
	assert_int_equal(li_iova_take_at(&space, UINT64_MAX - PAGE + 1, PAGE), 0);
	set_range(0, UINT64_MAX);
	li_iova_usage(&space, &usage);
	assert_int_equal(usage.taken, 4);
	assert_int_equal(usage.taken_bytes, 3 * PAGE + GIB);
	assert_int_equal(usage.free_bytes, 0 - (3 * PAGE + GIB));
	assert_int_equal(li_iova_give(&space, 0, PAGE), 0);
	assert_int_equal(li_iova_give(&space, PAGE, PAGE), 0);
	assert_int_equal(li_iova_give(&space, UINT64_MAX - PAGE + 1, PAGE), 0);
	assert_int_equal(li_iova_give(&space, GIB, GIB), 0);
	li_iova_usage(&space, &usage);
	assert_int_equal(usage.pieces, 1);
	assert_int_equal(usage.free_bytes, UINT64_MAX);
}

static void test_wrong_requests(void **state)
{
	uint64_t iova = 7;

	(void)state;
	set_range(PAGE, 16 * PAGE - 1);
	assert_int_equal(take(0, PAGE, 0, &iova), -EINVAL);
	assert_int_equal(take(PAGE + 1, PAGE, 0, &iova), -EINVAL);
	assert_int_equal(take(PAGE, 0, 0, &iova), -EINVAL);
	assert_int_equal(take(PAGE, 3 * PAGE, 0, &iova), -EINVAL);
	assert_int_equal(take(PAGE, PAGE / 2, 0, &iova), -EINVAL);
	assert_int_equal(take(PAGE, MIB2, 1, &iova), -EINVAL);
	assert_int_equal(iova, 7);
	assert_int_equal(li_iova_take_at(&space, PAGE + 1, PAGE), -EINVAL);
	assert_int_equal(li_iova_take_at(&space, PAGE, 1), -EINVAL);
	assert_int_equal(li_iova_take_at(&space, PAGE, 0), -EINVAL);
	assert_int_equal(li_iova_take_at(&space, 0 - PAGE, 2 * PAGE), -EINVAL);
	assert_int_equal(li_iova_take_at(&space, 0, PAGE), -EADDRNOTAVAIL);
	assert_int_equal(li_iova_take_at(&space, 15 * PAGE, 2 * PAGE), -EADDRNOTAVAIL);
	assert_int_equal(li_iova_take_at(&space, 0, 2 * PAGE), -EADDRNOTAVAIL);
}

static void test_only_what_was_taken_is_given_back(void **state)
{
	struct libiommu_iova_range range;

	(void)state;
	set_range(PAGE, 16 * PAGE - 1);
	assert_int_equal(li_iova_take_at(&space, 4 * PAGE, 4 * PAGE), 0);
	assert_int_equal(li_iova_take_at(&space, 7 * PAGE, 2 * PAGE), -EEXIST);
	assert_int_equal(li_iova_take_at(&space, 2 * PAGE, 4 * PAGE), -EEXIST);
	assert_int_equal(li_iova_take_at(&space, 0, 32 * PAGE), -EEXIST);
	assert_int_equal(li_iova_give(&space, 4 * PAGE, 3 * PAGE), -ENOENT);
	assert_int_equal(li_iova_give(&space, 5 * PAGE, 3 * PAGE), -ENOENT);
	assert_int_equal(li_iova_give(&space, PAGE, PAGE), -ENOENT);
	assert_false(li_iova_next(&space, 8 * PAGE, &range));
	assert_true(li_iova_next(&space, PAGE, &range));
	assert_int_equal(range.start, 4 * PAGE);
	assert_int_equal(range.last, 8 * PAGE - 1);
	assert_int_equal(li_iova_give(&space, 4 * PAGE, 4 * PAGE), 0);
	assert_int_equal(li_iova_give(&space, 4 * PAGE, 4 * PAGE), -ENOENT);
}

static void test_alignment_and_phase(void **state)
{
	uint64_t iova;

	(void)state;
	set_range(PAGE, 8 * GIB - 1);
	assert_int_equal(must_take(PAGE, PAGE), PAGE);
	assert_int_equal(must_take(GIB, GIB), GIB);
	assert_int_equal(must_take(MIB2, MIB2), MIB2);
	/* Congruent: large pages of both sides begin in the same places. */
	assert_int_equal(take(2 * GIB, GIB, 5 * PAGE, &iova), 0);
	assert_int_equal(iova % GIB, 5 * PAGE);
	/* The lowest free place is found again, whatever was taken behind it. */
	assert_int_equal(li_iova_give(&space, MIB2, MIB2), 0);
	assert_int_equal(must_take(MIB2, MIB2), MIB2);
	assert_int_equal(take(8 * GIB, GIB, 0, &iova), -ENOSPC);
}

static void test_a_range_that_just_fits_is_found_behind_many(void **state)
{
	uint64_t iova = 0;

	(void)state;
	set_range(PAGE, 4096 * PAGE - 1);
	/* Odd places of two pages, none of them aligned, and one that is, at the end. */
	for (uint64_t i = 1; i < 4090; i += 4)
		assert_int_equal(li_iova_take_at(&space, i * PAGE, 2 * PAGE), 0);
	assert_int_equal(li_iova_take_at(&space, 4092 * PAGE, PAGE), 0);
	assert_int_equal(li_iova_take_at(&space, 4095 * PAGE, PAGE), 0);
	assert_int_equal(take(2 * PAGE, 2 * PAGE, 0, &iova), -ENOSPC);
	assert_int_equal(li_iova_give(&space, 4092 * PAGE, PAGE), 0);
	assert_int_equal(take(2 * PAGE, 2 * PAGE, 0, &iova), 0);
	assert_int_equal(iova, 4092 * PAGE);
}

static void test_fragmentation_is_told(void **state)
{
	struct iova_usage usage;
	uint64_t iova;

	(void)state;
	set_range(PAGE, 101 * PAGE - 1);
	for (int i = 0; i < 100; i++)
		must_take(PAGE, PAGE);
	assert_int_equal(take(PAGE, PAGE, 0, &iova), -ENOSPC);
	li_iova_usage(&space, &usage);
	assert_int_equal(usage.free_bytes, 0);
	assert_int_equal(usage.longest, 0);
	assert_int_equal(usage.pieces, 0);
	assert_int_equal(usage.taken, 100);
	for (uint64_t i = 1; i <= 100; i += 2)
		assert_int_equal(li_iova_give(&space, i * PAGE, PAGE), 0);
	assert_int_equal(take(2 * PAGE, PAGE, 0, &iova), -ENOSPC);
	li_iova_usage(&space, &usage);
	assert_int_equal(usage.free_bytes, 50 * PAGE);
	assert_int_equal(usage.longest, PAGE);
	assert_int_equal(usage.pieces, 50);
	assert_int_equal(must_take(PAGE, PAGE), PAGE);
}

static void test_ranges(void **state)
{
	const struct libiommu_iova_range unordered[] = {
		{0x20800, 0x2f7ff}, {0x10000, 0x17fff}, {0x18000, 0x1ffff}, {0x100, 0x200}};
	const struct libiommu_iova_range overlapping[] = {{0x1000, 0x2fff}, {0x2000, 0x3fff}};
	const struct libiommu_iova_range backwards[] = {{0x2000, 0x1fff}};
	const struct libiommu_iova_range end[] = {{0xfffffffffffff800, UINT64_MAX}};
	struct iova_usage usage;

	(void)state;
	assert_int_equal(li_iova_set_ranges(&space, unordered, 4, NULL), 0);
	li_iova_usage(&space, &usage);
	/* Two that touch are one, ends are cut, what is less than a page is none. */
	assert_int_equal(usage.pieces, 2);
	assert_int_equal(usage.longest, 0x10000);
	assert_int_equal(usage.free_bytes, 0x10000 + 0xe000);
	assert_int_equal(li_iova_set_ranges(&space, overlapping, 2, NULL), -EINVAL);
	assert_int_equal(li_iova_set_ranges(&space, backwards, 1, NULL), -EINVAL);
	li_iova_usage(&space, &usage);
	assert_int_equal(usage.free_bytes, 0x1e000);
	assert_int_equal(li_iova_set_ranges(&space, end, 1, NULL), 0);
	li_iova_usage(&space, &usage);
	assert_int_equal(usage.free_bytes, 0);
	assert_int_equal(li_iova_set_ranges(&space, NULL, 0, NULL), 0);
}

/* What an attach does: what is taken stays, or nothing changes. */
static void test_ranges_change(void **state)
{
	const struct libiommu_iova_range split[] = {{PAGE, 8 * PAGE - 1},
	                                            {9 * PAGE, 64 * PAGE - 1}};
	const struct libiommu_iova_range hole[] = {{PAGE, 2 * PAGE - 1}, {9 * PAGE, 64 * PAGE - 1}};
	struct libiommu_iova_range conflict = {1, 1};
	struct iova_usage usage;

	(void)state;
	set_range(PAGE, 64 * PAGE - 1);
	assert_int_equal(li_iova_take_at(&space, 4 * PAGE, 2 * PAGE), 0);
	assert_int_equal(li_iova_set_ranges(&space, split, 2, &conflict), 0);
	li_iova_usage(&space, &usage);
	assert_int_equal(usage.pieces, 3);
	assert_int_equal(li_iova_take_at(&space, 8 * PAGE, PAGE), -EADDRNOTAVAIL);
	assert_int_equal(conflict.start, 1);
	assert_int_equal(li_iova_set_ranges(&space, hole, 2, NULL), -EADDRINUSE);
	assert_int_equal(li_iova_set_ranges(&space, hole, 2, &conflict), -EADDRINUSE);
	assert_int_equal(conflict.start, 4 * PAGE);
	assert_int_equal(conflict.last, 6 * PAGE - 1);
	assert_int_equal(li_iova_give(&space, 4 * PAGE, 2 * PAGE), 0);
	assert_int_equal(li_iova_set_ranges(&space, hole, 2, &conflict), 0);
}

static void test_without_memory(void **state)
{
	const struct libiommu_iova_range two[] = {{PAGE, 8 * PAGE - 1}, {9 * PAGE, 64 * PAGE - 1}};
	unsigned int nth = 0;
	uint64_t iova;
	int error;

	(void)state;
	do {
		alloc_fail_nth(++nth);
		error = li_iova_set_ranges(&space, two, 2, NULL);
	} while (alloc_restore() && error == -ENOMEM);
	assert_int_equal(error, 0);
	assert_true(nth > 3);
	for (nth = 0; nth < 2; nth++) {
		li_iova_free(&space);
		li_iova_init(&space, PAGE);
		set_range(PAGE, 64 * PAGE - 1);
		alloc_fail_nth(nth + 1);
		assert_int_equal(take(PAGE, PAGE, 0, &iova), -ENOMEM);
		assert_true(alloc_restore());
		alloc_fail_nth(1);
		assert_int_equal(li_iova_take_at(&space, 4 * PAGE, PAGE), -ENOMEM);
		assert_true(alloc_restore());
	}
	/* With something taken, which the new ranges have to have. */
	assert_int_equal(li_iova_take_at(&space, 4 * PAGE, PAGE), 0);
	for (nth = 1; nth < 4; nth++) {
		alloc_fail_nth(nth);
		assert_int_equal(li_iova_set_ranges(&space, two, 2, NULL), -ENOMEM);
		assert_true(alloc_restore());
	}
}

#define MODEL 2048 /* pages */

/* Which of the pages are usable, and by which taking each is taken. */
static bool usable[MODEL];
static uint32_t owner[MODEL];

static bool model_fits(size_t page, size_t pages)
{
	for (size_t i = page; i < page + pages; i++)
		if (i >= MODEL || !usable[i] || owner[i])
			return false;
	return true;
}

static bool model_has_room(size_t pages, size_t alignment, size_t phase)
{
	for (size_t page = 1; page < MODEL; page++)
		if (page % alignment == phase && model_fits(page, pages))
			return true;
	return false;
}

static void check_model(size_t takings)
{
	struct iova_usage usage;
	size_t free_pages = 0, pieces = 0, longest = 0, run = 0;

	for (size_t i = 0; i <= MODEL; i++) {
		if (i < MODEL && usable[i] && !owner[i]) {
			free_pages++;
			run++;
			if (run > longest)
				longest = run;
			continue;
		}
		pieces += run > 0;
		run = 0;
	}
	li_iova_usage(&space, &usage);
	assert_int_equal(usage.free_bytes, free_pages * PAGE);
	assert_int_equal(usage.pieces, pieces);
	assert_int_equal(usage.longest, longest * PAGE);
	assert_int_equal(usage.taken, takings);
}

static void fill(size_t page, size_t pages, uint32_t by)
{
	for (size_t i = page; i < page + pages; i++)
		owner[i] = by;
}

struct taking {
	size_t page;
	size_t pages;
};

static void test_random(void **state)
{
	static struct taking takings[MODEL];
	static const struct libiommu_iova_range ranges[] = {{0, 600 * PAGE - 1},
	                                                    {640 * PAGE, 1500 * PAGE - 1},
	                                                    {1503 * PAGE, MODEL * PAGE - 1}};
	uint32_t seed = 99, refused = 0;
	size_t count = 0;

	(void)state;
	assert_int_equal(li_iova_set_ranges(&space, ranges, 3, NULL), 0);
	for (size_t i = 0; i < MODEL; i++)
		usable[i] = i < 600 || (i >= 640 && i < 1500) || i >= 1503;
	for (uint32_t round = 1; round < 30000; round++) {
		const size_t pages = 1 + next_random(&seed) % (next_random(&seed) % 60 + 1);
		const size_t alignment = (size_t)1 << next_random(&seed) % 7;
		const size_t phase = next_random(&seed) % alignment;
		const uint32_t what = next_random(&seed) % 8;
		uint64_t iova = 0;

		if (what < 4) {
			const int error = take(pages * PAGE, alignment * PAGE, phase * PAGE, &iova);

			assert_int_equal(error,
			                 model_has_room(pages, alignment, phase) ? 0 : -ENOSPC);
			refused += error != 0;
			if (error)
				continue;
			assert_int_equal(iova / PAGE % alignment, phase);
			assert_true(iova && model_fits((size_t)(iova / PAGE), pages));
		} else if (what == 4) {
			const size_t page = next_random(&seed) % (MODEL + 2);
			const int error = li_iova_take_at(&space, page * PAGE, pages * PAGE);

			assert_int_equal(!error, model_fits(page, pages));
			if (error)
				continue;
			iova = page * PAGE;
		} else {
			const size_t which = count ? next_random(&seed) % count : 0;

			if (!count)
				continue;
			assert_int_equal(li_iova_give(&space, takings[which].page * PAGE,
			                              takings[which].pages * PAGE),
			                 0);
			fill(takings[which].page, takings[which].pages, 0);
			takings[which] = takings[--count];
			continue;
		}
		takings[count++] = (struct taking){(size_t)(iova / PAGE), pages};
		fill((size_t)(iova / PAGE), pages, round);
		if (round % 50 == 0)
			check_model(count);
		if (round % 1000 == 0)
			assert_int_equal(li_iova_set_ranges(&space, ranges, 3, NULL), 0);
	}
	check_model(count);
	assert_true(refused > 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_is_usable_at_first),
		TEST(test_all_addresses),
		TEST(test_wrong_requests),
		TEST(test_only_what_was_taken_is_given_back),
		TEST(test_alignment_and_phase),
		TEST(test_a_range_that_just_fits_is_found_behind_many),
		TEST(test_fragmentation_is_told),
		TEST(test_ranges),
		TEST(test_ranges_change),
		TEST(test_without_memory),
		TEST(test_random),
	};

	return cmocka_run_group_tests_name("iova", tests, NULL, NULL);
}

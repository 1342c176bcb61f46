/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What is mapped, as a sorted list, and where there is room: against a map of every page. */
#include <stdlib.h>

#include "alloc.h"
#include "script.h"

#include "../../lib/base/extents.h"

enum { PAGES = 64, ROUNDS = 20000 };

static const struct libiommu_iova_range everywhere = {0, UINT64_MAX};

static void add(struct extents *extents, uint64_t first, uint64_t last)
{
	assert_int_equal(li_extents_reserve(extents), 0);
	li_extents_add(extents, &(const struct extent){.first = first, .last = last});
}

static size_t count_in(const struct extents *extents, uint64_t first, uint64_t last)
{
	size_t from, to;

	li_extents_find(extents, first, last, &from, &to);
	assert_true(from <= to && to <= extents->count);
	return to - from;
}

static void test_ends_of_the_address_space(void **state)
{
	struct extents extents;
	uint64_t first = 7;

	(void)state;
	li_extents_init(&extents);
	assert_int_equal(count_in(&extents, 0, UINT64_MAX), 0);
	add(&extents, 0, 0xfff);
	add(&extents, UINT64_MAX - 0xfff, UINT64_MAX);
	assert_int_equal(count_in(&extents, 0, UINT64_MAX), 2);
	assert_int_equal(count_in(&extents, 0, 0), 1);
	assert_int_equal(count_in(&extents, 0x1000, UINT64_MAX - 0x1000), 0);
	assert_int_equal(count_in(&extents, 0x1000, UINT64_MAX - 0xfff), 1);
	assert_int_equal(count_in(&extents, UINT64_MAX, UINT64_MAX), 1);
	/* All between the two, and not a byte more. */
	assert_true(
		li_extents_place(&extents, &everywhere, 1, UINT64_MAX - 0x1fff, 0x1000, &first));
	assert_int_equal(first, 0x1000);
	assert_false(
		li_extents_place(&extents, &everywhere, 1, UINT64_MAX - 0x1ffe, 0x1000, &first));
	assert_int_equal(li_extents_remove(&extents, 0, 2), 0x2000);
	/* 0 is no place. */
	assert_true(li_extents_place(&extents, &everywhere, 1, 0x1000, 0x1000, &first));
	assert_int_equal(first, 0x1000);
	assert_false(li_extents_place(&extents, &everywhere, 1, UINT64_MAX, 0x1000, &first));
	li_extents_free(&extents);
}

static void test_room_in_ranges(void **state)
{
	const struct libiommu_iova_range ranges[] = {{0x1800, 0x37ff}, {0x10000, 0x13fff}};
	struct extents extents;
	uint64_t first;

	(void)state;
	li_extents_init(&extents);
	/* Aligned, and inside. */
	assert_true(li_extents_place(&extents, ranges, 2, 0x1000, 0x1000, &first));
	assert_int_equal(first, 0x2000);
	add(&extents, 0x2000, 0x2fff);
	assert_true(li_extents_place(&extents, ranges, 2, 0x1000, 0x1000, &first));
	assert_int_equal(first, 0x10000);
	assert_true(li_extents_place(&extents, ranges, 2, 0x2000, 0x2000, &first));
	assert_int_equal(first, 0x12000);
	assert_false(li_extents_place(&extents, ranges, 2, 0x5000, 0x1000, &first));
	assert_false(li_extents_place(&extents, ranges, 0, 0x1000, 0x1000, &first));
	/* What is given back is found again. */
	li_extents_remove(&extents, 0, 1);
	assert_true(li_extents_place(&extents, ranges, 2, 0x1000, 0x1000, &first));
	assert_int_equal(first, 0x2000);
	/* And what was passed over. */
	assert_true(li_extents_place(&extents, ranges, 2, 0x4000, 0x1000, &first));
	assert_int_equal(first, 0x10000);
	add(&extents, 0x10000, 0x13fff);
	assert_true(li_extents_place(&extents, ranges, 2, 0x1000, 0x1000, &first));
	assert_int_equal(first, 0x2000);
	li_extents_free(&extents);
}

static bool is_free(const bool *pages, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		if (i >= PAGES || pages[i])
			return false;
	return true;
}

static void mark(bool *pages, const struct extent *extent, bool used)
{
	for (uint64_t i = extent->first / 0x1000; i <= extent->last / 0x1000; i++) {
		assert_int_equal(pages[i], !used);
		pages[i] = used;
	}
}

/* Places or removes at random; what is found must be free, and what is there must be found. */
static void test_against_a_map_of_pages(void **state)
{
	const struct libiommu_iova_range ranges[] = {{0, PAGES * 0x1000 - 1}};
	bool pages[PAGES] = {true}; /* the first is no place */
	struct extents extents;

	(void)state;
	li_extents_init(&extents);
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		const size_t count = (size_t)rand() % 8 + 1;
		struct extent extent;
		bool possible = false;

		if (rand() % 2 && extents.count) {
			const size_t at = (size_t)rand() % extents.count;

			extent = extents.all[at];
			mark(pages, &extent, false);
			assert_int_equal(li_extents_remove(&extents, at, at + 1),
			                 extent.last - extent.first + 1);
			continue;
		}
		for (size_t i = 0; i < PAGES; i++)
			possible |= is_free(pages, i, count);
		assert_int_equal(li_extents_place(&extents, ranges, 1, count * 0x1000, 0x1000,
		                                  &extent.first),
		                 possible);
		if (!possible)
			continue;
		extent.last = extent.first + count * 0x1000 - 1;
		assert_int_equal(count_in(&extents, extent.first, extent.last), 0);
		mark(pages, &extent, true);
		add(&extents, extent.first, extent.last);
		for (size_t i = 1; i < extents.count; i++)
			assert_true(extents.all[i - 1].last < extents.all[i].first);
	}
	li_extents_free(&extents);
}

static void test_without_memory(void **state)
{
	struct extents extents;

	(void)state;
	li_extents_init(&extents);
	for (uint64_t i = 0; i < 16; i++)
		add(&extents, i * 0x1000, i * 0x1000 + 0xfff);
	alloc_fail_nth(1);
	assert_int_equal(li_extents_reserve(&extents), -ENOMEM);
	assert_true(alloc_restore());
	assert_int_equal(extents.count, 16);
	assert_int_equal(count_in(&extents, 0, UINT64_MAX), 16);
	assert_int_equal(li_extents_reserve(&extents), 0);
	li_extents_free(&extents);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_ends_of_the_address_space),
		SCRIPT_TEST(test_room_in_ranges),
		SCRIPT_TEST(test_against_a_map_of_pages),
		SCRIPT_TEST(test_without_memory),
	};

	return cmocka_run_group_tests_name("extents", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Sets of ranges, against a list of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../emu/range.h"

enum { RANGES = 400, NUMBERS = 2000, ROUNDS = 20000 };

static struct emu_range ranges[RANGES];
static bool there[RANGES];
static struct emu_ranges set;

static uint64_t seed = 1;

static uint64_t draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1;
	return (seed >> 33) % below;
}

static unsigned int has(uint64_t number)
{
	unsigned int count = 0;

	for (size_t i = 0; i < RANGES; i++)
		count += there[i] && ranges[i].start <= number && number <= ranges[i].last;
	return count;
}

static bool less(const struct emu_range *a, const struct emu_range *b)
{
	return a->start < b->start || (a->start == b->start && a->last < b->last);
}

/* The lowest that has one of these numbers. */
static const struct emu_range *slow_meet(uint64_t start, uint64_t last)
{
	const struct emu_range *found = NULL;

	for (size_t i = 0; i < RANGES; i++)
		if (there[i] && ranges[i].start <= last && ranges[i].last >= start &&
		    (!found || ranges[i].start < found->start))
			found = &ranges[i];
	return found;
}

static const struct emu_range *slow_above(uint64_t at)
{
	const struct emu_range *found = NULL;

	for (size_t i = 0; i < RANGES; i++)
		if (there[i] && ranges[i].start > at && (!found || ranges[i].start < found->start))
			found = &ranges[i];
	return found;
}

static uint64_t slow_reach(uint64_t at)
{
	uint64_t reach = 0;

	for (size_t i = 0; i < RANGES; i++)
		if (there[i] && ranges[i].start <= at && ranges[i].last > reach)
			reach = ranges[i].last;
	return reach;
}

/* What each says of those below it; how high it is. */
static int check_below(const struct emu_range *range)
{
	uint64_t reach;
	int left, right;

	if (!range)
		return 0;
	left = check_below(range->left);
	right = check_below(range->right);
	assert_in_range(left - right + 1, 0, 2);
	assert_int_equal(range->height, 1 + (left > right ? left : right));
	assert_true(!range->left || range->left->parent == range);
	assert_true(!range->right || range->right->parent == range);
	assert_true(range->first == (range->left ? range->left->first : range->start));
	reach = range->last;
	if (range->left && range->left->reach > reach)
		reach = range->left->reach;
	if (range->right && range->right->reach > reach)
		reach = range->right->reach;
	assert_true(range->reach == reach);
	return range->height;
}

static void check_order(void)
{
	size_t count = 0, in_order = 0;

	for (size_t i = 0; i < RANGES; i++)
		count += there[i];
	for (struct emu_range *at = emu_ranges_first(&set); at; at = emu_ranges_next(at)) {
		const struct emu_range *const next = emu_ranges_next(at);

		assert_true(!next || !less(next, at));
		in_order++;
	}
	assert_int_equal(in_order, count);
	check_below(set.root);
}

static void check_questions(void)
{
	const uint64_t at = draw(NUMBERS + 50), last = at + draw(30);
	const struct emu_range *met = emu_ranges_meet(&set, at, last);
	const struct emu_range *above = emu_ranges_above(&set, at);
	const struct emu_range *const slow = slow_meet(at, last);
	uint64_t reach = 0;

	assert_true(!met == !slow);
	if (met)
		assert_int_equal(met->start, slow->start);
	assert_true(!above == !slow_above(at));
	if (above)
		assert_int_equal(above->start, slow_above(at)->start);
	assert_int_equal(emu_ranges_cover(&set, at, &reach), has(at) > 0);
	if (has(at))
		assert_int_equal(reach, slow_reach(at));
}

static void add(size_t i, uint64_t start, uint64_t last)
{
	ranges[i].start = start;
	ranges[i].last = last;
	there[i] = true;
	emu_ranges_add(&set, &ranges[i]);
	assert_non_null(emu_ranges_find(&set, start, last));
}

static void take_away(size_t i)
{
	emu_ranges_remove(&set, &ranges[i]);
	there[i] = false;
}

static void begin(void)
{
	set = (struct emu_ranges){NULL, NULL};
	for (size_t i = 0; i < RANGES; i++)
		there[i] = false;
}

static void overlapping(void **state)
{
	(void)state;
	begin();
	assert_null(emu_ranges_first(&set));
	for (unsigned int round = 0; round < ROUNDS; round++) {
		const size_t i = draw(RANGES);
		const uint64_t start = draw(NUMBERS);

		if (there[i])
			take_away(i);
		else
			add(i, start, start + draw(40));
		check_questions();
		if (round % 97 == 0)
			check_order();
	}
	for (size_t i = 0; i < RANGES; i++)
		if (there[i])
			take_away(i);
	assert_null(set.root);
}

static bool slow_gap(uint64_t from, uint64_t last, uint64_t least, uint64_t *start, uint64_t *end)
{
	uint64_t length = 0;

	for (uint64_t at = from; at <= last; at++) {
		length = has(at) ? 0 : length + 1;
		if (length && length >= least && (at == last || has(at + 1))) {
			*start = at - length + 1;
			*end = at;
			return true;
		}
	}
	return false;
}

static void check_meet_one(void)
{
	const uint64_t at = draw(NUMBERS + 50), last = at + draw(60);

	assert_ptr_equal(emu_ranges_meet_one(&set, at, last), slow_meet(at, last));
	assert_ptr_equal(emu_ranges_meet(&set, at, last), slow_meet(at, last));
}

static void check_gap(void)
{
	const uint64_t from = draw(NUMBERS), last = from + draw(NUMBERS), least = 1 + draw(60);
	uint64_t start = 0, end = 0, wanted_start = 0, wanted_end = 0;
	const bool found = emu_ranges_gap(&set, from, last, least, &start, &end);

	assert_int_equal(found, slow_gap(from, last, least, &wanted_start, &wanted_end));
	if (!found)
		return;
	assert_int_equal(start, wanted_start);
	assert_int_equal(end, wanted_end);
}

static void gaps(void **state)
{
	(void)state;
	begin();
	check_gap();
	for (unsigned int round = 0; round < 3000; round++) {
		const size_t i = draw(80);
		const uint64_t start = draw(NUMBERS), last = start + draw(40);

		if (there[i])
			take_away(i);
		else if (!emu_ranges_meet(&set, start, last))
			add(i, start, last);
		check_gap();
		check_meet_one();
		check_order();
	}
}

/* The highest numbers there are. */
static void ends(void **state)
{
	uint64_t start, end;

	(void)state;
	begin();
	add(0, 0, 9);
	add(1, UINT64_MAX - 9, UINT64_MAX);
	assert_true(emu_ranges_gap(&set, 0, UINT64_MAX, 1, &start, &end));
	assert_true(start == 10 && end == UINT64_MAX - 10);
	assert_false(emu_ranges_gap(&set, UINT64_MAX - 5, UINT64_MAX, 1, &start, &end));
	assert_false(emu_ranges_gap(&set, 0, 9, 1, &start, &end));
	assert_false(emu_ranges_gap(&set, 0, UINT64_MAX, UINT64_MAX - 18, &start, &end));
	take_away(1);
	assert_true(emu_ranges_gap(&set, 3, UINT64_MAX, UINT64_MAX - 9, &start, &end));
	assert_true(start == 10 && end == UINT64_MAX);
	take_away(0);
	assert_true(emu_ranges_gap(&set, 0, UINT64_MAX, UINT64_MAX, &start, &end));
	assert_true(start == 0 && end == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlapping),
		cmocka_unit_test(gaps),
		cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}

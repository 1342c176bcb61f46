/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Tokens when their generations go round: 0 never, and none that somebody still has. */
#include <stdlib.h>

#include "alloc.h"
#include "script.h"

#include "../../lib/base/places.h"
#include "../../lib/object/fault-groups.h"

/* Generations are 44 bits of a token. */
#define LAST   ((UINT64_C(1) << 44) - 1)
#define LIVE   3
#define ROUNDS 12

static uint64_t generation(uint64_t token)
{
	return token >> 20;
}

/* Which of the tokens went round, and that each is new. */
static void check_next(uint64_t *token, uint64_t next, const uint64_t *live, size_t count)
{
	assert_true(next != 0 && generation(next) != 0);
	for (size_t i = 0; i < count; i++)
		assert_true(live[i] != next);
	/* Also not the one before, which a reader may complete once more. */
	assert_true(*token != next);
	*token = next;
}

static void test_places_of_a_ring(void **state)
{
	uint64_t live[LIVE] = {0}, first = 0;
	struct place *taken[LIVE] = {NULL};
	uint32_t rounds = 0;
	struct places places;

	(void)state;
	alloc_start();
	assert_int_equal(li_places_init(&places, 4), 0);
	/* Those of free places are even. */
	for (uint32_t i = 0; i < places.count; i++)
		places.place[i].token = (LAST - 3 + i % 2 * 2) << 20 | i;
	for (size_t n = 0; n < LIVE * ROUNDS; n++) {
		const size_t i = n % LIVE;
		const uint64_t before = live[i];

		if (taken[i]) {
			places_give(&places, taken[i]);
			assert_null(places_find(&places, before, 0));
		}
		taken[i] = places_take(&places);
		taken[i]->origin = place_origin(0, 0);
		check_next(&live[i], taken[i]->token, live, LIVE);
		rounds += generation(live[i]) == 1;
		for (size_t j = 0; j < LIVE && j <= n; j++)
			assert_ptr_equal(places_find(&places, live[j], 0), taken[j]);
		if (!first)
			first = live[i];
	}
	assert_true(generation(first) >= LAST - 2 && rounds >= LIVE);
	/* The rest of a generation is none. */
	assert_null(places_find(&places, live[0] & PLACE_INDEX, 0));
	li_places_free(&places);
	alloc_check();
}

static void test_groups_of_a_fault_queue(void **state)
{
	struct fault_groups groups = {0};
	uint64_t live[LIVE] = {0};
	uint32_t rounds = 0;

	(void)state;
	alloc_start();
	assert_int_equal(li_fault_groups_reserve(&groups, LIVE), LIVE);
	for (uint32_t i = 0; i < groups.room; i++)
		groups.groups[i].token = (LAST - 3 + i % 2 * 2) << 20 | i;
	for (size_t n = 0; n < LIVE * ROUNDS; n++) {
		const size_t i = n % LIVE;
		const uint64_t before = live[i];

		if (before) {
			const int32_t index = fault_groups_take(&groups, before);

			assert_true(index >= 0);
			li_fault_groups_retire(&groups, (uint32_t)index);
			assert_false(fault_groups_wants(&groups, before));
		}
		check_next(&live[i], fault_groups_add(&groups, 1 + (uint32_t)i, NULL), live, LIVE);
		rounds += generation(live[i]) == 1;
		for (size_t j = 0; j < LIVE && j <= n; j++)
			assert_true(fault_groups_wants(&groups, live[j]));
	}
	assert_true(rounds >= LIVE);
	li_fault_groups_free(&groups);
	alloc_check();
}

/* The kernel begins with 1; one that does not must not have an answer twice all the same. */
static void test_a_cookie_of_0_survives_growth(void **state)
{
	struct fault_groups groups = {0};
	uint64_t first, second;

	(void)state;
	alloc_start();
	assert_int_equal(li_fault_groups_reserve(&groups, 1), 1);
	first = fault_groups_add(&groups, 0, NULL);
	assert_int_equal(li_fault_groups_reserve(&groups, 1000), 1000);
	assert_true(fault_groups_wants(&groups, first));
	second = fault_groups_add(&groups, 0, NULL);
	assert_false(fault_groups_wants(&groups, first));
	assert_true(fault_groups_wants(&groups, second));
	assert_int_equal(groups.used, 1);
	li_fault_groups_free(&groups);
	alloc_check();
}

/* Its group ended behind our back, and the next has its place and its cookie. */
static void test_what_is_owed_to_an_ended_group(void **state)
{
	struct fault_groups groups = {0};
	uint64_t first, second;

	(void)state;
	alloc_start();
	assert_int_equal(li_fault_groups_reserve(&groups, 2), 2);
	for (uint32_t cookie = 1; cookie <= 2; cookie++) {
		const uint64_t token = fault_groups_add(&groups, cookie, NULL);

		groups.answered[groups.owed] = (uint32_t)fault_groups_take(&groups, token);
		groups.answers[groups.owed].cookie = cookie;
		li_fault_groups_owe(&groups, groups.owed);
	}
	first = fault_groups_add(&groups, 1, NULL);
	assert_int_equal(groups.owed, 1);
	assert_int_equal(groups.answers[0].cookie, 2);
	second = fault_groups_add(&groups, 2, NULL);
	assert_int_equal(groups.owed, 0);
	assert_int_equal(groups.used, 2);
	assert_true(fault_groups_wants(&groups, first) && fault_groups_wants(&groups, second));
	li_fault_groups_free(&groups);
	alloc_check();
}

#define COOKIES 200

/* Near, far, and as far as they go: where others have read too, they are not the lowest ones. */
static uint32_t cookie_of(size_t n)
{
	if (n < COOKIES / 2)
		return (uint32_t)n + 1;
	return n % 2 ? (uint32_t)n * 7 : UINT32_MAX - (uint32_t)n;
}

/* Whatever cookies there are, in any order: a token is good for its group and for no other. */
static void test_any_cookies(void **state)
{
	struct fault_groups groups = {0};
	uint64_t tokens[COOKIES] = {0};
	uint32_t live = 0;

	(void)state;
	alloc_start();
	srand(1);
	for (int step = 0; step < 50000; step++) {
		const size_t n = (size_t)rand() % COOKIES;
		const uint64_t before = tokens[n];
		const int what = rand() % 4;

		if (what < 2) {
			assert_int_equal(li_fault_groups_reserve(&groups, 1), 1);
			tokens[n] = fault_groups_add(&groups, cookie_of(n), NULL);
			assert_true(tokens[n] != 0 && tokens[n] != before);
			live += !before;
		} else if (before) {
			const int32_t index = fault_groups_take(&groups, before);

			assert_true(index >= 0);
			assert_int_equal(groups.groups[index].cookie, cookie_of(n));
			assert_int_equal(fault_groups_take(&groups, before), -1);
			if (what == 2) {
				fault_groups_give_back(&groups, (uint32_t)index);
				assert_true(fault_groups_wants(&groups, before));
				continue;
			}
			groups.answered[0] = (uint32_t)index;
			li_fault_groups_retire_answered(&groups, 0, 1);
			tokens[n] = 0;
			live--;
		}
		if (before && before != tokens[n])
			assert_false(fault_groups_wants(&groups, before));
		if (tokens[n])
			assert_true(fault_groups_wants(&groups, tokens[n]));
		assert_int_equal(groups.used, live);
		if (step % 100)
			continue;
		for (size_t i = 0; i < COOKIES; i++)
			for (size_t j = 0; j < i; j++)
				assert_true(!tokens[i] || tokens[i] != tokens[j]);
	}
	for (size_t i = 0; i < COOKIES; i++)
		if (tokens[i])
			li_fault_groups_retire(&groups,
			                       (uint32_t)fault_groups_take(&groups, tokens[i]));
	assert_int_equal(groups.used, 0);
	assert_int_equal(groups.strays, 0);
	li_fault_groups_free(&groups);
	alloc_check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_of_a_ring),
		cmocka_unit_test(test_groups_of_a_fault_queue),
		cmocka_unit_test(test_a_cookie_of_0_survives_growth),
		cmocka_unit_test(test_what_is_owed_to_an_ended_group),
		cmocka_unit_test(test_any_cookies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

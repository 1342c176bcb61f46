/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The table of groups that a ring's reader has: which token finds what, and in which order. */
#include "script.h"

#include "../../lib/base/places.h"

#define COUNT 4

static struct places places;

static int setup(void **state)
{
	(void)state;
	return li_places_init(&places, COUNT);
}

static int teardown(void **state)
{
	(void)state;
	li_places_free(&places);
	return 0;
}

static struct place *take(uint32_t source)
{
	struct place *const place = places_take(&places);

	place->origin = place_origin(source, 0);
	return place;
}

/* From the oldest on, by source. */
static void check_order(const uint32_t *sources, uint32_t count)
{
	const struct place *place = places_oldest(&places);

	assert_int_equal(places.busy, count);
	for (uint32_t i = 0; i < count; i++) {
		assert_non_null(place);
		assert_int_equal(place_source(place), sources[i]);
		place = places_newer(&places, place);
	}
	assert_null(place);
}

static void test_order(void **state)
{
	struct place *taken[COUNT];

	(void)state;
	check_order(NULL, 0);
	for (uint32_t i = 0; i < COUNT; i++)
		taken[i] = take(i);
	check_order((const uint32_t[]){0, 1, 2, 3}, 4);
	places_give(&places, taken[1]);
	places_give(&places, taken[3]);
	check_order((const uint32_t[]){0, 2}, 2);
	take(5);
	check_order((const uint32_t[]){0, 2, 5}, 3);
	places_give(&places, taken[0]);
	check_order((const uint32_t[]){2, 5}, 2);
}

static void test_what_a_token_finds(void **state)
{
	struct place *const place = take(7);
	const uint64_t token = place->token, index = token & PLACE_INDEX;

	(void)state;
	assert_ptr_equal(places_find(&places, token, 7), place);
	assert_null(places_find(&places, token, 8));
	assert_null(places_find(&places, token + PLACE_GENERATION, 7));
	assert_null(places_find(&places, (token & ~PLACE_INDEX) | COUNT, 7));
	assert_null(places_find(&places, 0, 7));
	places_give(&places, place);
	/* Neither the old one nor that of a group that has not come yet. */
	for (uint64_t generation = 0; generation < 8; generation++)
		for (uint64_t i = 0; i <= COUNT; i++)
			assert_null(places_find(&places, generation * PLACE_GENERATION | i, 7));
	assert_ptr_equal(take(7), place);
	assert_int_equal(place->token & PLACE_INDEX, index);
	assert_null(places_find(&places, token, 7));
	assert_ptr_equal(places_find(&places, place->token, 7), place);
}

/* All free places, each with the last generation that there is. */
static void test_generations_go_round(void **state)
{
	struct place *taken[COUNT];

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++)
		places.place[i].token = (~PLACE_INDEX - PLACE_GENERATION) | i;
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < COUNT; i++) {
			taken[i] = take(1);
			/* 0 is no group's, also where it is that of the first place. */
			assert_true(taken[i]->token > PLACE_INDEX);
			for (uint32_t j = 0; j < i; j++)
				assert_true(taken[j]->token != taken[i]->token);
			assert_ptr_equal(places_find(&places, taken[i]->token, 1), taken[i]);
		}
		for (uint32_t i = 0; i < COUNT; i++) {
			const uint64_t token = taken[i]->token;

			places_give(&places, taken[i]);
			assert_null(places_find(&places, token, 1));
			assert_int_equal(places.place[token & PLACE_INDEX].token >> PLACE_BITS,
			                 2 * round);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_a_token_finds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_generations_go_round, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

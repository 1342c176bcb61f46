/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The table of groups that a ring's reader has: which token finds what, and in which order. */
#include "script.h"

#include "../../lib/fault/slots.h"

#define COUNT 4

static struct slots slots;

static int setup(void **state)
{
	(void)state;
	return li_slots_init(&slots, COUNT);
}

static int teardown(void **state)
{
	(void)state;
	li_slots_free(&slots);
	return 0;
}

static struct slot *take(uint32_t source)
{
	struct slot *const slot = slots_take(&slots);

	slot->source = source;
	return slot;
}

/* From the oldest on, by source. */
static void check_order(const uint32_t *sources, uint32_t count)
{
	const struct slot *slot = slots_oldest(&slots);

	assert_int_equal(slots.busy, count);
	for (uint32_t i = 0; i < count; i++) {
		assert_non_null(slot);
		assert_int_equal(slot->source, sources[i]);
		slot = slots_newer(&slots, slot);
	}
	assert_null(slot);
}

static void test_order(void **state)
{
	struct slot *taken[COUNT];

	(void)state;
	check_order(NULL, 0);
	for (uint32_t i = 0; i < COUNT; i++)
		taken[i] = take(i);
	check_order((const uint32_t[]){0, 1, 2, 3}, 4);
	slots_give(&slots, taken[1]);
	slots_give(&slots, taken[3]);
	check_order((const uint32_t[]){0, 2}, 2);
	take(5);
	check_order((const uint32_t[]){0, 2, 5}, 3);
	slots_give(&slots, taken[0]);
	check_order((const uint32_t[]){2, 5}, 2);
}

static void test_what_a_token_finds(void **state)
{
	struct slot *const slot = take(7);
	const uint64_t token = slot->token, index = token & SLOT_INDEX;

	(void)state;
	assert_ptr_equal(slots_find(&slots, token, 7), slot);
	assert_null(slots_find(&slots, token, 8));
	assert_null(slots_find(&slots, token + SLOT_GENERATION, 7));
	assert_null(slots_find(&slots, (token & ~SLOT_INDEX) | COUNT, 7));
	assert_null(slots_find(&slots, 0, 7));
	slots_give(&slots, slot);
	/* Neither the old one nor that of a group that has not come yet. */
	for (uint64_t generation = 0; generation < 8; generation++)
		for (uint64_t i = 0; i <= COUNT; i++)
			assert_null(slots_find(&slots, generation * SLOT_GENERATION | i, 7));
	assert_ptr_equal(take(7), slot);
	assert_int_equal(slot->token & SLOT_INDEX, index);
	assert_null(slots_find(&slots, token, 7));
	assert_ptr_equal(slots_find(&slots, slot->token, 7), slot);
}

/* All free slots, each with the last generation that there is. */
static void test_generations_go_round(void **state)
{
	struct slot *taken[COUNT];

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++)
		slots.slot[i].token = (~SLOT_INDEX - SLOT_GENERATION) | i;
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < COUNT; i++) {
			taken[i] = take(1);
			/* 0 is no group's, also where it is that of the first slot. */
			assert_true(taken[i]->token > SLOT_INDEX);
			for (uint32_t j = 0; j < i; j++)
				assert_true(taken[j]->token != taken[i]->token);
			assert_ptr_equal(slots_find(&slots, taken[i]->token, 1), taken[i]);
		}
		for (uint32_t i = 0; i < COUNT; i++) {
			const uint64_t token = taken[i]->token;

			slots_give(&slots, taken[i]);
			assert_null(slots_find(&slots, token, 1));
			assert_int_equal(slots.slot[token & SLOT_INDEX].token >> RING_SLOT_BITS,
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

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Keys to elements, and slots that are read while they change. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "alloc.h"
#include "script.h"

#include "../../lib/base/table.h"
#include "../../lib/object/slot.h"

static struct table table;

/* The queue is another number that goes with the tag. */
static void set(struct slot *slot, uint32_t vpasid, struct libiommu_hwpt *hwpt, uint64_t tag)
{
	const struct slot_value value = {
		.vpasid = vpasid,
		.hwpt = hwpt,
		.queue = (uint32_t)tag * 7,
		.tag = tag,
	};

	li_slot_set(slot, &value);
}

static int setup(void **state)
{
	alloc_start();
	li_table_init(&table, sizeof(struct slot));
	(void)state;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	li_table_free(&table);
	alloc_check();
	return 0;
}

static const uint32_t keys[] = {0, 1, 63, 64, 8191, 8192, 0x55555, 0xfffff};

static void test_each_key_has_its_own_element(void **state)
{
	const size_t count = sizeof(keys) / sizeof(keys[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_null(table_find(&table, keys[i]));
	for (size_t i = 0; i < count; i++) {
		struct slot *const slot = li_table_make(&table, keys[i]);

		assert_non_null(slot);
		set(slot, keys[i], NULL, keys[i] * UINT64_C(3));
	}
	for (size_t i = 0; i < count; i++) {
		struct slot_value value;

		assert_true(slot_read(table_find(&table, keys[i]), &value));
		assert_int_equal(value.vpasid, keys[i]);
		assert_int_equal(value.tag, keys[i] * UINT64_C(3));
	}
	assert_null(table_find(&table, TABLE_KEYS));
	assert_null(table_find(&table, UINT32_MAX));
	assert_null(table_find(&table, 0x20000));
}

/* Whatever the key, and for its neighbours. */
static void test_one_leaf_when_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		li_table_init(&table, sizeof(struct slot));
		assert_non_null(li_table_make(&table, keys[i]));
		assert_int_equal(alloc_live(), 1);
		assert_non_null(li_table_make(&table, keys[i] ^ 1));
		assert_int_equal(alloc_live(), 1);
		assert_null(table_find(&table, keys[i] ^ TABLE_LEAF));
		assert_null(table_find(&table, keys[i] ^ TABLE_LEAF * TABLE_NODE));
		assert_null(table_find(&table, keys[i] | TABLE_KEYS));
		li_table_free(&table);
		li_table_init(&table, sizeof(struct slot));
	}
}

static void test_no_wider_than_needed(void **state)
{
	(void)state;
	assert_non_null(li_table_make(&table, 0x12345));
	/* A leaf and the node of both. */
	assert_non_null(li_table_make(&table, 0x12345 ^ TABLE_LEAF));
	assert_int_equal(alloc_live(), 3);
	/* A leaf, its node, and the root. */
	assert_non_null(li_table_make(&table, 0x12345 ^ TABLE_LEAF * TABLE_NODE));
	assert_int_equal(alloc_live(), 6);
	assert_non_null(li_table_make(&table, 0x12345 ^ TABLE_LEAF * TABLE_NODE * 2));
	assert_int_equal(alloc_live(), 8);
}

/* From nothing to a leaf, a node, a root and another node, with each allocation failing once. */
static void test_without_memory(void **state)
{
	static const uint32_t grows[] = {0x777, 0x777 ^ TABLE_LEAF, 0x80000, 0xf0000};
	static const unsigned int allocations[] = {1, 2, 3, 2};
	void *made[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		unsigned int failures = 0;

		for (;;) {
			alloc_fail_nth(failures + 1);
			made[i] = li_table_make(&table, grows[i]);
			if (!alloc_restore())
				break;
			failures++;
			assert_null(made[i]);
			assert_null(table_find(&table, grows[i]));
			for (size_t j = 0; j < i; j++)
				assert_ptr_equal(table_find(&table, grows[j]), made[j]);
			li_table_free(&table);
			li_table_init(&table, sizeof(struct slot));
			for (size_t j = 0; j < i; j++)
				made[j] = li_table_make(&table, grows[j]);
		}
		assert_int_equal(failures, allocations[i]);
		assert_ptr_equal(table_find(&table, grows[i]), made[i]);
	}
}

/* Without starting anew: what a failure has left behind is used. */
static void test_again_after_no_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		for (unsigned int nth = 3; nth > 0; nth--) {
			alloc_fail_nth(nth);
			li_table_make(&table, keys[i]);
			alloc_restore();
		}
		assert_non_null(li_table_make(&table, keys[i]));
		assert_ptr_equal(table_find(&table, keys[i]), li_table_make(&table, keys[i]));
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(table_find(&table, keys[j]),
			                     table_find(&table, keys[i]));
	}
}

static void test_generations(void **state)
{
	static struct slot slot;
	struct slot_value value;
	uint32_t vpasid;
	uint32_t before;

	(void)state;
	assert_false(slot_read(&slot, &value));
	set(&slot, 0xfffff, (struct libiommu_hwpt *)&slot, UINT64_MAX);
	assert_true(slot_read(&slot, &value));
	assert_ptr_equal(value.hwpt, &slot);
	assert_true(value.tag == UINT64_MAX);
	assert_int_equal(value.queue, UINT32_MAX - 6);
	assert_true(slot_vpasid(&slot, &vpasid));
	assert_int_equal(vpasid, 0xfffff);
	before = value.generation;
	set(&slot, 5, NULL, 6);
	assert_true(slot_read(&slot, &value));
	assert_int_not_equal(value.generation, before);
	before = value.generation;
	li_slot_clear(&slot);
	assert_false(slot_read(&slot, &value));
	assert_false(slot_vpasid(&slot, &vpasid));
	/* Twice is harmless. */
	li_slot_clear(&slot);
	set(&slot, 5, NULL, 6);
	assert_true(slot_read(&slot, &value));
	assert_int_not_equal(value.generation, before);
}

#define READERS 3
#define ROUNDS  20000

static struct slot shared;
static atomic_bool stop;
static atomic_uint wrong;

/* Whatever is read belongs together: the tag and the page table of one and the same change. */
static void *read_all(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		struct slot_value value;

		if (!slot_read(&shared, &value))
			continue;
		if ((uintptr_t)value.hwpt != value.tag * 16 || value.vpasid != value.tag % 1000 ||
		    value.queue != (uint32_t)value.tag * 7)
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

static void test_read_while_it_changes(void **state)
{
	pthread_t readers[READERS];

	(void)state;
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_all, NULL), 0);
	for (uintptr_t round = 1; round <= ROUNDS; round++) {
		set(&shared, round % 1000, (struct libiommu_hwpt *)(round * 16), round);
		if (round % 7 == 0)
			li_slot_clear(&shared);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
}

#define GROWTHS 50

/* In this order it grows through all its widths; each is found from the moment it was made. */
static const uint32_t growing[] = {7, 8, 70, 8000, 8200, 0x55555, 0xfffff};
static atomic_size_t made;

static void *find_what_was_made(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		const size_t count = atomic_load(&made);

		for (size_t i = 0; i < sizeof(growing) / sizeof(growing[0]); i++) {
			const struct slot *const slot = table_find(&table, growing[i]);
			struct slot_value value;

			if (i < count && !slot)
				atomic_fetch_add(&wrong, 1);
			else if (slot && slot_read(slot, &value) && value.vpasid != growing[i])
				atomic_fetch_add(&wrong, 1);
		}
		sched_yield();
	}
	return NULL;
}

static void grow(void)
{
	pthread_t readers[READERS];

	atomic_store(&stop, false);
	atomic_store(&made, 0);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, find_what_was_made, NULL), 0);
	for (size_t i = 0; i < sizeof(growing) / sizeof(growing[0]); i++) {
		struct slot *const slot = li_table_make(&table, growing[i]);

		assert_non_null(slot);
		set(slot, growing[i], NULL, i);
		atomic_store(&made, i + 1);
		sched_yield();
	}
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
}

static void test_found_while_it_grows(void **state)
{
	(void)state;
	atomic_store(&wrong, 0);
	for (int round = 0; round < GROWTHS; round++) {
		grow();
		li_table_free(&table);
		li_table_init(&table, sizeof(struct slot));
	}
}

#define TABLE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(test_each_key_has_its_own_element),
		TABLE_TEST(test_one_leaf_when_alone),
		TABLE_TEST(test_no_wider_than_needed),
		TABLE_TEST(test_without_memory),
		TABLE_TEST(test_again_after_no_memory),
		TABLE_TEST(test_generations),
		TABLE_TEST(test_read_while_it_changes),
		TABLE_TEST(test_found_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

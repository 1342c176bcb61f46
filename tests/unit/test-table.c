/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Keys to elements, and slots that are read while they change. */
#include <pthread.h>
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

static void test_one_leaf_when_alone(void **state)
{
	(void)state;
	assert_non_null(li_table_make(&table, 0x12345));
	assert_int_equal(alloc_live(), 2);
	/* The same leaf. */
	assert_non_null(li_table_make(&table, 0x12345 ^ 1));
	assert_int_equal(alloc_live(), 2);
}

static void test_without_memory(void **state)
{
	(void)state;
	for (unsigned int nth = 1; nth <= 2; nth++) {
		alloc_fail_nth(nth);
		assert_null(li_table_make(&table, 0x777));
		assert_true(alloc_restore());
		assert_null(table_find(&table, 0x777));
	}
	assert_non_null(li_table_make(&table, 0x777));
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

#define TABLE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(test_each_key_has_its_own_element),
		TABLE_TEST(test_one_leaf_when_alone),
		TABLE_TEST(test_without_memory),
		TABLE_TEST(test_generations),
		TABLE_TEST(test_read_while_it_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

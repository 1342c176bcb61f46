/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Ids to pointers: dense, sparse, at the limits, without memory, and under threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "alloc.h"
#include "script.h"

#include "../../lib/base/idmap.h"

static struct idmap map;

static int setup(void **state)
{
	alloc_start();
	li_idmap_init(&map);
	(void)state;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	li_idmap_free(&map);
	alloc_check();
	return 0;
}

/* A value that tells which id it stands for. */
static void *value_of(uint32_t id)
{
	return (void *)((uintptr_t)id * 2 + 8);
}

static int insert(uint32_t id)
{
	struct idmap_spare spare;
	int error;

	assert_int_equal(li_idmap_spare_alloc(&spare), 0);
	error = li_idmap_insert(&map, id, value_of(id), &spare);
	li_idmap_spare_free(&spare);
	return error;
}

static void test_empty(void **state)
{
	(void)state;
	assert_null(li_idmap_find(&map, 0));
	assert_null(li_idmap_find(&map, 12345));
	assert_null(li_idmap_find(&map, UINT32_MAX));
	li_idmap_remove(&map, 5, value_of(5));
}

static void test_dense(void **state)
{
	const uint32_t ids = 70000;

	(void)state;
	for (uint32_t id = 1; id < ids; id++)
		assert_int_equal(insert(id), 0);
	for (uint32_t id = 1; id < ids; id++)
		assert_ptr_equal(li_idmap_find(&map, id), value_of(id));
	assert_null(li_idmap_find(&map, ids));
	for (uint32_t id = 1; id < ids; id += 2)
		li_idmap_remove(&map, id, value_of(id));
	for (uint32_t id = 1; id < ids; id++)
		assert_ptr_equal(li_idmap_find(&map, id), id % 2 ? NULL : value_of(id));
}

static const uint32_t sparse[] = {
	0,         1,         255,       256,        65535,      65536,      0xffffff,
	0x1000000, 0x1000001, 0x2ffffff, 0x10101010, 0x7f000000, 0x7fffff00, 0x7fffffff,
};

static void test_sparse(void **state)
{
	const size_t count = sizeof(sparse) / sizeof(sparse[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(insert(sparse[i]), 0);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(li_idmap_find(&map, sparse[i]), value_of(sparse[i]));
		assert_int_equal(insert(sparse[i]), -EEXIST);
	}
	assert_null(li_idmap_find(&map, 2));
	assert_null(li_idmap_find(&map, 0x7ffffffe));
}

static void test_beyond_31_bits(void **state)
{
	(void)state;
	assert_int_equal(insert(UINT32_C(1) << 31), -EINVAL);
	assert_int_equal(insert(UINT32_MAX), -EINVAL);
	assert_null(li_idmap_find(&map, UINT32_C(1) << 31));
	li_idmap_remove(&map, UINT32_MAX, NULL);
}

static void test_remove_only_what_it_names(void **state)
{
	(void)state;
	assert_int_equal(insert(9), 0);
	li_idmap_remove(&map, 9, value_of(10));
	assert_ptr_equal(li_idmap_find(&map, 9), value_of(9));
	li_idmap_remove(&map, 9, value_of(9));
	assert_null(li_idmap_find(&map, 9));
	assert_int_equal(insert(9), 0);
}

static void test_spare_without_memory(void **state)
{
	struct idmap_spare spare;

	(void)state;
	for (unsigned int nth = 1; nth <= IDMAP_LEVELS; nth++) {
		const long live = alloc_live();

		alloc_fail_nth(nth);
		assert_int_equal(li_idmap_spare_alloc(&spare), -ENOMEM);
		assert_true(alloc_restore());
		assert_int_equal(alloc_live(), live);
	}
}

static void test_insert_allocates_nothing(void **state)
{
	struct idmap_spare spare;
	long live;

	(void)state;
	assert_int_equal(li_idmap_spare_alloc(&spare), 0);
	live = alloc_live();
	alloc_fail_nth(1);
	assert_int_equal(li_idmap_insert(&map, 0x7fffffff, value_of(1), &spare), 0);
	assert_false(alloc_restore());
	assert_int_equal(alloc_live(), live);
	li_idmap_spare_free(&spare);
	/* Twice is harmless. */
	li_idmap_spare_free(&spare);
}

#define READERS 3
#define ROUNDS  2000
#define SPREAD  UINT32_C(0x10001)

static atomic_bool stop;
static atomic_uint wrong;

static void *read_all(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		for (uint32_t id = SPREAD; id < 64 * SPREAD; id += SPREAD) {
			void *const found = li_idmap_find(&map, id);

			if (found && found != value_of(id))
				atomic_fetch_add(&wrong, 1);
		}
		/* What was there from the beginning is there at any time. */
		if (li_idmap_find(&map, 1) != value_of(1))
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

static void test_lookups_while_others_change(void **state)
{
	pthread_t readers[READERS];

	(void)state;
	atomic_store(&stop, false);
	atomic_store(&wrong, 0);
	assert_int_equal(insert(1), 0);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_all, NULL), 0);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		const uint32_t id = (round % 63 + 1) * SPREAD;

		if (li_idmap_find(&map, id))
			li_idmap_remove(&map, id, value_of(id));
		else
			assert_int_equal(insert(id), 0);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
}

#define MAP_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MAP_TEST(test_empty),
		MAP_TEST(test_dense),
		MAP_TEST(test_sparse),
		MAP_TEST(test_beyond_31_bits),
		MAP_TEST(test_remove_only_what_it_names),
		MAP_TEST(test_spare_without_memory),
		MAP_TEST(test_insert_allocates_nothing),
		MAP_TEST(test_lookups_while_others_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

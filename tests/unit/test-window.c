/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Windows of IOVAs, as a program sees them. */
#include <pthread.h>
#include <stdatomic.h>

#include "alloc.h"
#include "objects.h"

#define PAGE UINT64_C(4096)

static const struct libiommu_iova_range range = {PAGE, 64 * PAGE - 1};
static struct libiommu_iova_window *window;

static int setup(void **state)
{
	(void)state;
	alloc_start();
	libiommu_failure_clear();
	assert_int_equal(libiommu_iova_window_new(&range, 1, PAGE, &window), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(libiommu_iova_window_destroy(window), 0);
	alloc_check();
	return 0;
}

static uint64_t usage(enum libiommu_iova_usage which)
{
	uint64_t value = 77;

	assert_int_equal(libiommu_iova_window_usage(window, which, &value), 0);
	return value;
}

static void test_new(void **state)
{
	const struct libiommu_iova_range overlapping[] = {{0, PAGE}, {PAGE, 2 * PAGE}};
	struct libiommu_iova_window *made = NULL;

	(void)state;
	assert_int_equal(libiommu_iova_window_new(NULL, 1, PAGE, &made), -EINVAL);
	assert_int_equal(libiommu_iova_window_new(&range, 1, PAGE, NULL), -EINVAL);
	assert_int_equal(libiommu_iova_window_new(&range, 1, 0, &made), -EINVAL);
	assert_int_equal(libiommu_iova_window_new(&range, 1, 1, &made), -EINVAL);
	assert_int_equal(libiommu_iova_window_new(&range, 1, 3 * PAGE, &made), -EINVAL);
	assert_int_equal(libiommu_iova_window_new(overlapping, 2, PAGE, &made), -EINVAL);
	assert_explained("overlap");
	for (unsigned int nth = 1; nth <= 3; nth++) {
		alloc_fail_nth(nth);
		assert_int_equal(libiommu_iova_window_new(&range, 1, PAGE, &made), -ENOMEM);
		assert_true(alloc_restore());
	}
	assert_null(made);
	assert_int_equal(libiommu_iova_window_new(NULL, 0, PAGE, &made), 0);
	assert_int_equal(libiommu_iova_window_destroy(made), 0);
	assert_int_equal(libiommu_iova_window_destroy(NULL), 0);
}

static void test_errors_in_words(void **state)
{
	uint64_t iova = 7;

	(void)state;
	assert_int_equal(libiommu_iova_window_take(window, 60 * PAGE, PAGE, 0, &iova), 0);
	assert_int_equal(libiommu_iova_window_take(window, 4 * PAGE, PAGE, 0, &iova), -ENOSPC);
	assert_explained("12288 bytes in 1 ranges, the longest 12288 bytes");
	assert_int_equal(libiommu_iova_window_take(window, 0, PAGE, 0, &iova), -EINVAL);
	assert_int_equal(libiommu_iova_window_take_at(window, PAGE, PAGE), -EEXIST);
	assert_explained("is taken");
	assert_int_equal(libiommu_iova_window_take_at(window, 64 * PAGE, PAGE), -EADDRNOTAVAIL);
	assert_explained("not among");
	assert_int_equal(libiommu_iova_window_give(window, PAGE, PAGE), -ENOENT);
	assert_explained("just so");
	assert_int_equal(libiommu_iova_window_destroy(window), -EBUSY);
	assert_int_equal(libiommu_iova_window_give(window, PAGE, 60 * PAGE), 0);
	assert_int_equal(libiommu_iova_window_usage(window, (enum libiommu_iova_usage)5, &iova),
	                 -EINVAL);
	for (unsigned int nth = 1; nth <= 2; nth++) {
		struct libiommu_iova_window *fresh;

		assert_int_equal(libiommu_iova_window_new(&range, 1, PAGE, &fresh), 0);
		alloc_fail_nth(nth);
		assert_int_equal(libiommu_iova_window_take(fresh, PAGE, PAGE, 0, &iova), -ENOMEM);
		assert_true(alloc_restore());
		assert_int_equal(libiommu_iova_window_destroy(fresh), 0);
	}
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(libiommu_iova_window_take_at(window, 4 * PAGE, 2 * PAGE), 0);
	assert_int_equal(libiommu_iova_window_take_at(window, 8 * PAGE, PAGE), 0);
	assert_int_equal(usage(LIBIOMMU_IOVA_TAKEN), 3 * PAGE);
	assert_int_equal(usage(LIBIOMMU_IOVA_FREE), 60 * PAGE);
	assert_int_equal(usage(LIBIOMMU_IOVA_LONGEST), 55 * PAGE);
	assert_int_equal(usage(LIBIOMMU_IOVA_TAKEN_RANGES), 2);
	assert_int_equal(usage(LIBIOMMU_IOVA_FREE_RANGES), 3);
	assert_int_equal(libiommu_iova_window_give(window, 4 * PAGE, 2 * PAGE), 0);
	assert_int_equal(libiommu_iova_window_give(window, 8 * PAGE, PAGE), 0);
}

static void test_cut(void **state)
{
	const struct libiommu_iova_range other = {PAGE, 32 * PAGE - 1};
	struct libiommu_iova_window *child = NULL, *grandchild;
	uint64_t iova;

	(void)state;
	assert_int_equal(libiommu_iova_window_cut(window, 64 * PAGE, PAGE, &child), -ENOSPC);
	assert_int_equal(libiommu_iova_window_cut(window, PAGE, 3, &child), -EINVAL);
	assert_null(child);
	assert_int_equal(libiommu_iova_window_cut(window, 16 * PAGE, 16 * PAGE, &child), 0);
	assert_int_equal(libiommu_iova_window_cut(child, 8 * PAGE, 8 * PAGE, &grandchild), 0);
	assert_int_equal(libiommu_iova_window_take(grandchild, 8 * PAGE, PAGE, 0, &iova), 0);
	assert_int_equal(iova, 16 * PAGE);
	assert_int_equal(libiommu_iova_window_take(grandchild, PAGE, PAGE, 0, &iova), -ENOSPC);
	assert_int_equal(libiommu_iova_window_set_ranges(child, &range, 1), -EBUSY);
	assert_int_equal(libiommu_iova_window_set_ranges(window, NULL, 1), -EINVAL);
	assert_int_equal(libiommu_iova_window_set_ranges(window, &other, 1), 0);
	assert_int_equal(libiommu_iova_window_set_ranges(window, &other, 0), -EADDRINUSE);
	assert_explained("usable");
	assert_int_equal(libiommu_iova_window_destroy(window), -EBUSY);
	assert_int_equal(libiommu_iova_window_destroy(child), -EBUSY);
	assert_int_equal(libiommu_iova_window_destroy(grandchild), -EBUSY);
	assert_int_equal(libiommu_iova_window_give(grandchild, 16 * PAGE, 8 * PAGE), 0);
	assert_int_equal(libiommu_iova_window_destroy(grandchild), 0);
	assert_int_equal(libiommu_iova_window_destroy(child), 0);
	assert_int_equal(usage(LIBIOMMU_IOVA_TAKEN), 0);
	for (unsigned int nth = 1;; nth++) {
		struct libiommu_iova_window *fresh;
		int error;

		assert_int_equal(libiommu_iova_window_new(&range, 1, PAGE, &fresh), 0);
		alloc_fail_nth(nth);
		error = libiommu_iova_window_cut(fresh, PAGE, PAGE, &child);
		if (!alloc_restore()) {
			assert_int_equal(libiommu_iova_window_destroy(child), 0);
			assert_int_equal(libiommu_iova_window_destroy(fresh), 0);
			break;
		}
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(libiommu_iova_window_destroy(fresh), 0);
	}
}

#define THREADS 3

static atomic_uint clashes;
static atomic_uchar owners[64];

static void *take_and_give(void *user)
{
	(void)user;
	for (int i = 0; i < 3000; i++) {
		uint64_t iova;

		if (libiommu_iova_window_take(window, 2 * PAGE, PAGE, 0, &iova))
			continue;
		if (atomic_fetch_add(&owners[iova / PAGE], 1) ||
		    atomic_fetch_add(&owners[iova / PAGE + 1], 1))
			atomic_fetch_add(&clashes, 1);
		atomic_fetch_sub(&owners[iova / PAGE], 1);
		atomic_fetch_sub(&owners[iova / PAGE + 1], 1);
		if (libiommu_iova_window_give(window, iova, 2 * PAGE))
			atomic_fetch_add(&clashes, 1);
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&clashes), 0);
	assert_int_equal(usage(LIBIOMMU_IOVA_FREE_RANGES), 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_new), TEST(test_errors_in_words), TEST(test_usage),
		TEST(test_cut), TEST(test_threads),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}

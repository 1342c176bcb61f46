/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Whom a completion reaches, in whatever company it comes; and how long its group has waited. */
#include "ring-door.h"

#define SOURCES 3

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;
static struct fake fakes[SOURCES];

static int setup(void **state)
{
	(void)state;
	ctx = ring_ctx();
	door_clock(1000);
	ring = ring_make(ctx, 1024, 512, 0);
	for (int i = 0; i < SOURCES; i++) {
		fake_init(&fakes[i]);
		assert_int_equal(li_filler_add(li_ring_filler(ring), &fakes[i].source), 0);
	}
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	door_clock(0);
	ring_check(ring);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	for (int i = 0; i < SOURCES; i++) {
		fake_check(&fakes[i]);
		fake_close(&fakes[i]);
	}
	ring_ctx_close(ctx);
	return 0;
}

static void dispatch(void)
{
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
}

/* Groups of one source, and their completions. */
static void there(struct fake *fake, struct libiommu_completion *done, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		fake_raise(fake, 1, 1);
	dispatch();
	for (uint32_t i = 0; i < count; i++)
		reader_take(reader, &done[i]);
	assert_int_equal(libiommu_reader_release(reader), 0);
}

static void back(const struct libiommu_completion *done, uint32_t count)
{
	assert_int_equal(libiommu_reader_complete(reader, done, count), count);
	dispatch();
}

static void test_sources_in_turns(void **state)
{
	struct libiommu_completion done[SOURCES][40], mixed[SOURCES * 40];
	uint32_t count = 0;

	(void)state;
	for (int i = 0; i < SOURCES; i++)
		there(&fakes[i], done[i], 40);
	/* One of each, then two of each, and so on. */
	for (uint32_t n = 0, length = 1; n < 40; n += length++)
		for (uint32_t i = 0; i < SOURCES; i++)
			for (uint32_t at = n; at < n + length && at < 40; at++) {
				done[i][at].code = at % 7 == 3;
				mixed[count++] = done[i][at];
			}
	assert_int_equal(count, SOURCES * 40);
	back(mixed, count);
	for (int i = 0; i < SOURCES; i++)
		for (uint32_t n = 0; n < 40; n++) {
			assert_int_equal(fakes[i].groups[n].answers, 1);
			assert_int_equal(fakes[i].groups[n].code, n % 7 == 3);
		}
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_INVALID), SOURCES * 6);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), SOURCES * 34);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OUTSTANDING), 0);
}

/* More than are handed over at a time, and past the end of the memory of completions. */
static void test_many_of_one_source(void **state)
{
	static struct libiommu_completion done[500];

	(void)state;
	for (int round = 0; round < 7; round++) {
		there(&fakes[1], done, 500);
		for (uint32_t i = 1; i < 500; i += 100)
			done[i].code = LIBIOMMU_FAULT_INVALID;
		back(done, 500);
		for (uint32_t i = 0; i < 500; i++)
			assert_int_equal(fakes[1].groups[round * 500 + i].code, i % 100 == 1);
	}
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 7 * 495);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_INVALID), 7 * 5);
}

static void test_stale_among_good(void **state)
{
	struct libiommu_completion done[6], twice[9];

	(void)state;
	there(&fakes[0], done, 3);
	there(&fakes[1], done + 3, 3);
	for (int i = 0; i < 9; i++)
		twice[i] = done[(int[]){0, 0, 1, 3, 4, 3, 5, 2, 2}[i]];
	twice[3].queue = twice[0].queue; /* another source's */
	twice[4].code = 5;
	back(twice, 9);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 3);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_BAD_CODE), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_INVALID), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 5);
	assert_int_equal(fakes[1].groups[1].code, LIBIOMMU_FAULT_INVALID);
}

/* Also where it was the only one that anything was heard of. */
static void test_a_source_that_is_gone(void **state)
{
	struct libiommu_completion done[4];

	(void)state;
	there(&fakes[0], done, 2);
	back(done, 1);
	assert_int_equal(li_filler_remove(li_ring_filler(ring), &fakes[0].source), 0);
	assert_int_equal(fakes[0].groups[1].code, LIBIOMMU_FAULT_INVALID);
	there(&fakes[2], done + 2, 2);
	back(done + 1, 3);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 3);
}

static void test_all_sources_gone(void **state)
{
	struct libiommu_completion done[2];

	(void)state;
	there(&fakes[2], done, 2);
	for (int i = 0; i < SOURCES; i++)
		assert_int_equal(li_filler_remove(li_ring_filler(ring), &fakes[i].source), 0);
	done[1].queue = UINT32_MAX;
	back(done, 2);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 2);
}

static void test_the_longest_wait(void **state)
{
	struct libiommu_completion done[8];

	(void)state;
	there(&fakes[0], &done[0], 2);
	door_clock(1100);
	there(&fakes[0], &done[2], 4);
	door_clock(1150);
	there(&fakes[0], &done[6], 2);
	back(&done[6], 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_LONGEST), 0);
	door_clock(1170);
	back(&done[2], 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_LONGEST), 70);
	door_clock(1180);
	/* The older ones are still out, and these are not all alike. */
	done[4].code = LIBIOMMU_FAULT_INVALID;
	back(&done[3], 4);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_LONGEST), 80);
	back(&done[0], 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_LONGEST), 180);
	door_clock(1200);
	back(&done[7], 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_LONGEST), 180);
	back(&done[1], 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_LONGEST), 200);
}

#define RING_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_sources_in_turns), RING_TEST(test_many_of_one_source),
		RING_TEST(test_stale_among_good), RING_TEST(test_a_source_that_is_gone),
		RING_TEST(test_all_sources_gone), RING_TEST(test_the_longest_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

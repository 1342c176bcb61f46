/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Many groups taken by one call: whole ones, as far as they follow each other in memory. */
#include "ring-door.h"

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;
static struct fake fake;
static struct libiommu_completion done[64];
static uint32_t taken; /* groups; the number of the next */

static int setup(void **state)
{
	(void)state;
	ctx = ring_ctx();
	ring = ring_make(ctx, 1024, 64, 0);
	fake_init(&fake);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &fake.source), 0);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	taken = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ring_check(ring);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	fake_check(&fake);
	fake_close(&fake);
	ring_ctx_close(ctx);
	return 0;
}

static void raise_some(uint32_t count, uint32_t length)
{
	for (uint32_t i = 0; i < count; i++)
		fake_raise(&fake, length, 1);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
}

/* Exactly these records, of groups in their order; their completions are kept. */
static void take(size_t most, size_t expected)
{
	const struct libiommu_record *records;
	size_t count = 0;
	uint32_t part = 0;

	assert_int_equal(libiommu_reader_next_span(reader, most, &records, &count), 1);
	assert_int_equal(count, expected);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(records[i].group, taken);
		assert_int_equal(records[i].address, ((uint64_t)taken << 32) + part++);
		if (!(records[i].flags & LIBIOMMU_RECORD_LAST))
			continue;
		done[taken % 64] = (struct libiommu_completion){.token = records[i].token,
		                                                .queue = records[i].queue};
		taken++;
		part = 0;
	}
	assert_int_equal(part, 0);
}

static int none(void)
{
	const struct libiommu_record *records;
	size_t count;

	return libiommu_reader_next_span(reader, 8, &records, &count);
}

/* All that was taken. */
static void finish(uint32_t count)
{
	assert_int_equal(libiommu_reader_release(reader), 0);
	assert_int_equal(libiommu_reader_complete(reader, done, count), count);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OUTSTANDING), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 0);
}

static void test_as_many_as_wanted(void **state)
{
	(void)state;
	assert_int_equal(none(), 0);
	raise_some(20, 1);
	take(8, 8);
	take(1, 1);
	/* Both ways go together. */
	assert_int_equal(reader_take(reader, &done[9]), 9);
	taken++;
	take(SIZE_MAX, 10);
	assert_int_equal(none(), 0);
	finish(20);
}

static void test_groups_are_whole(void **state)
{
	(void)state;
	raise_some(6, 3);
	take(8, 6);
	take(5, 3);
	take(3, 3);
	/* The first one comes also where it alone is more. */
	take(2, 3);
	take(0, 3);
	assert_int_equal(none(), 0);
	finish(6);
}

static void test_the_end_of_the_memory(void **state)
{
	(void)state;
	/* Up to 1020; the next one is behind padding. */
	raise_some(3, 340);
	take(SIZE_MAX, 1020);
	finish(3);
	taken = 3;
	raise_some(2, 6);
	take(SIZE_MAX, 6);
	take(SIZE_MAX, 6);
	assert_int_equal(li_ring_filler(ring)->session->prod, 1024 + 12);
	assert_int_equal(libiommu_reader_release(reader), 0);
	assert_int_equal(libiommu_reader_complete(reader, &done[3], 2), 2);
	/* Up to 1024, and on at the beginning: two pieces. */
	raise_some(1, 500);
	raise_some(1, 511);
	take(SIZE_MAX, 1011);
	assert_int_equal(libiommu_reader_release(reader), 0);
	raise_some(10, 1);
	take(SIZE_MAX, 1);
	take(SIZE_MAX, 9);
	assert_int_equal(libiommu_reader_complete(reader, &done[5], 12), 12);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
}

/* Groups before it are taken, and it is released by itself with them. */
static void test_padding_ends_what_is_taken(void **state)
{
	(void)state;
	raise_some(3, 330);
	take(SIZE_MAX, 990);
	finish(3);
	raise_some(2, 15);
	raise_some(1, 20);
	take(SIZE_MAX, 30);
	take(SIZE_MAX, 20);
	assert_int_equal(libiommu_reader_release(reader), 0);
	assert_int_equal(libiommu_reader_complete(reader, &done[3], 3), 3);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_UNRELEASED), 0);
}

static void test_nonsense_and_ends(void **state)
{
	struct session *const session = li_ring_filler(ring)->session;

	(void)state;
	/* A group without an end. */
	session->memory.records[0].kind = LIBIOMMU_RECORD_FAULT;
	session->memory.records[0].flags = 0;
	atomic_store(&session->memory.a->prod, 1);
	assert_int_equal(none(), -EPROTO);
	/* More than there can be. */
	reader->seen = 0;
	atomic_store(&session->memory.a->prod, 1025);
	assert_int_equal(none(), -EPROTO);
	reader->seen = 0;
	atomic_store(&session->memory.a->prod, 0);
	assert_int_equal(none(), 0);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	assert_int_equal(none(), -EPIPE);
	ring = ring_make(ctx, 1024, 64, 0);
}

#define RING_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_as_many_as_wanted),     RING_TEST(test_groups_are_whole),
		RING_TEST(test_the_end_of_the_memory), RING_TEST(test_padding_ends_what_is_taken),
		RING_TEST(test_nonsense_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

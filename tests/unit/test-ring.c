/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a ring does for a reader that behaves: every group there once, every answer back once. */
#include <string.h>

#include "ring-door.h"

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;
static struct fake fake;

static int setup(void **state)
{
	(void)state;
	ctx = ring_ctx();
	ring = ring_make(ctx, 1024, 512, 0);
	fake_init(&fake);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &fake.source), 0);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (ring)
		ring_check(ring);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	fake_check(&fake);
	fake_close(&fake);
	ring_ctx_close(ctx);
	return 0;
}

static void dispatch(void)
{
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
}

static void complete(const struct libiommu_completion *completions, size_t count)
{
	assert_int_equal(libiommu_reader_complete(reader, completions, count), count);
}

static void test_a_group_there_and_back(void **state)
{
	struct libiommu_completion done;

	(void)state;
	assert_false(ring_ready(ring));
	fake_raise(&fake, 3, 1);
	assert_true(ring_ready(ring));
	assert_int_equal(reader_none(reader), 0);
	dispatch();
	assert_false(ring_ready(ring));
	assert_int_equal(reader_take(reader, &done), 0);
	assert_true(done.token != 0);
	assert_int_equal(done.queue, 1);
	assert_int_equal(reader_none(reader), 0);
	assert_int_equal(libiommu_reader_release(reader), 0);
	/* Room is no news to a filler that has enough of it. */
	assert_false(ring_ready(ring));
	complete(&done, 1);
	assert_true(ring_ready(ring));
	dispatch();
	assert_int_equal(fake.groups[0].answers, 1);
	assert_int_equal(fake.groups[0].code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_GROUPS), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_RECORDS), 3);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OUTSTANDING), 0);
	assert_true(ring_count(ring, LIBIOMMU_RING_LONGEST) > 0);
}

static void test_completed_in_any_order_and_in_parts(void **state)
{
	struct libiommu_completion done[16];

	(void)state;
	for (uint32_t i = 0; i < 16; i++)
		fake_raise(&fake, 1 + i % 3, i);
	dispatch();
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(reader_take(reader, &done[i]), i);
	libiommu_reader_release(reader);
	done[9].code = LIBIOMMU_FAULT_INVALID;
	complete(&done[9], 1);
	dispatch();
	assert_int_equal(fake.groups[9].code, LIBIOMMU_FAULT_INVALID);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(fake.groups[i].answers, i == 9);
	complete(&done[10], 6);
	complete(&done[0], 9);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 15);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_INVALID), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 0);
}

static void test_a_full_ring_loses_nothing_and_goes_on(void **state)
{
	struct libiommu_completion done[400];

	(void)state;
	for (uint32_t i = 0; i < 400; i++)
		fake_raise(&fake, 5, 0);
	dispatch();
	assert_int_equal(fake.fetched, 204); /* 1020 of 1024 records */
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_FULL), 1);
	/* Nothing is to be done until there is room, although the source has something. */
	assert_false(ring_ready(ring));
	for (uint32_t i = 0; i < 204; i++)
		assert_int_equal(reader_take(reader, &done[i]), i);
	complete(done, 204);
	dispatch();
	/* Completing alone gives no room. */
	assert_int_equal(fake.fetched, 204);
	libiommu_reader_release(reader);
	assert_true(ring_ready(ring));
	dispatch();
	for (uint32_t i = 204; i < 400; i++)
		assert_int_equal(reader_take(reader, &done[i]), i);
	libiommu_reader_release(reader);
	complete(&done[204], 196);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 400);
	/* And the source is polled again. */
	assert_false(ring_ready(ring));
	fake_raise(&fake, 1, 0);
	assert_true(ring_ready(ring));
}

static void test_as_many_groups_out_as_chosen(void **state)
{
	struct libiommu_completion done[600];

	(void)state;
	for (uint32_t i = 0; i < 600; i++)
		fake_raise(&fake, 1, 0);
	dispatch();
	assert_int_equal(fake.fetched, 512);
	for (uint32_t i = 0; i < 512; i++)
		reader_take(reader, &done[i]);
	libiommu_reader_release(reader);
	dispatch();
	assert_int_equal(fake.fetched, 512);
	complete(done, 100);
	dispatch();
	assert_int_equal(fake.fetched, 600);
	for (uint32_t i = 512; i < 600; i++)
		assert_int_equal(reader_take(reader, &done[i]), i);
	complete(&done[100], 500);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 600);
}

static void test_groups_stay_in_one_piece(void **state)
{
	struct libiommu_completion done;
	uint64_t padded;

	(void)state;
	/* 300, 300, 300 and then the end of the memory is in the way: 124 records of padding. */
	for (uint32_t i = 0; i < 100; i++) {
		fake_raise(&fake, 300, 0);
		dispatch();
		assert_int_equal(reader_take(reader, &done), i);
		libiommu_reader_release(reader);
		complete(&done, 1);
		dispatch();
	}
	padded = li_ring_filler(ring)->session->prod - UINT64_C(100) * 300;
	assert_int_equal(padded, 33 * 124);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 100);
	/* Half of the ring always fits, wherever it is. */
	fake_raise(&fake, 512, 0);
	dispatch();
	assert_int_equal(reader_take(reader, &done), 100);
	complete(&done, 1);
}

static void test_padding_is_released_with_what_is_before_it(void **state)
{
	struct libiommu_completion done[3];

	(void)state;
	fake_raise(&fake, 500, 0);
	fake_raise(&fake, 500, 0);
	fake_raise(&fake, 500, 0);
	dispatch();
	assert_int_equal(reader_take(reader, &done[0]), 0);
	assert_int_equal(reader_take(reader, &done[1]), 1);
	/* The padding is published, the third group is not: there is no room. */
	assert_int_equal(reader_none(reader), 0);
	assert_int_equal(fake.fetched, 2);
	libiommu_reader_release(reader);
	dispatch();
	assert_int_equal(reader_take(reader, &done[2]), 2);
	complete(done, 3);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 3);
}

static void test_too_large_a_group_is_refused_alone(void **state)
{
	struct libiommu_completion done;

	(void)state;
	fake_raise(&fake, 513, 0);
	fake_raise(&fake, 2, 0);
	dispatch();
	assert_int_equal(fake.groups[0].code, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(fake.groups[0].answers, 1);
	assert_int_equal(reader_take(reader, &done), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_TOO_LARGE), 1);
	complete(&done, 1);
}

static void test_indices_go_round(void **state)
{
	struct session *const session = li_ring_filler(ring)->session;
	struct libiommu_completion done[64];
	const uint32_t start = UINT32_MAX - 1023; /* a multiple of both capacities */
	uint32_t taken = 0;

	(void)state;
	session->prod = session->cons = reader->seen = reader->next = reader->released = start;
	atomic_store(&session->memory.a->prod, start);
	atomic_store(&reader->memory.b->cons, start);
	session->taken = reader->made = start;
	atomic_store(&session->memory.a->taken, start);
	atomic_store(&reader->memory.b->made, start);
	session->seq = UINT32_MAX - 5;
	reader->seq = UINT32_MAX - 3;
	for (int round = 0; round < 64; round++) {
		for (int i = 0; i < 64; i++)
			fake_raise(&fake, 1 + (uint32_t)(i + round) % 2, 0);
		assert_int_equal(libiommu_reader_arm(reader), 0);
		assert_int_not_equal(atomic_load(&reader->memory.b->wait), 0);
		dispatch();
		assert_int_equal(libiommu_reader_disarm(reader), 0);
		for (int i = 0; i < 64; i++)
			assert_int_equal(reader_take(reader, &done[i]), taken++);
		libiommu_reader_release(reader);
		complete(done, 64);
		assert_true(ring_ready(ring));
		dispatch();
		assert_int_not_equal(atomic_load(&session->memory.a->wait), 0);
	}
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 64 * 64);
	assert_true(session->prod < start && reader->made < start);
}

static void test_the_end_of_an_attachment(void **state)
{
	const struct libiommu_record *records;
	struct libiommu_completion done[3];
	size_t count;

	(void)state;
	fake_raise(&fake, 1, 7);
	fake_raise(&fake, 1, 8);
	dispatch();
	reader_take(reader, &done[0]);
	reader_take(reader, &done[1]);
	/* What a source does when it detaches: the kernel has answered, the answer is stale. */
	fake.groups[0].answers = 1;
	fake_detach(&fake, 7);
	dispatch();
	assert_int_equal(libiommu_reader_next(reader, &records, &count), 1);
	assert_int_equal(count, 1);
	assert_int_equal(records->kind, LIBIOMMU_RECORD_DETACHED);
	assert_int_equal(records->attachment, 7);
	assert_int_equal(records->token, 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OUTSTANDING), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_DETACHED), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_DROPPED), 1);
	/* A completion of it reaches nobody. */
	complete(done, 2);
	dispatch();
	assert_int_equal(fake.groups[0].answers, 1);
	assert_int_equal(fake.groups[1].answers, 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 1);
}

/* What is so now: what is out and since when, what is not released, whether anything waits. */
static void test_the_backlog(void **state)
{
	struct libiommu_completion done[64];

	(void)state;
	door_clock(1000);
	for (int i = 0; i < 65; i++) {
		if (i == 1) {
			dispatch();
			door_clock(2000);
		}
		fake_raise(&fake, 16, 0);
	}
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_WAITING), 0);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OUTSTANDING), 64);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OLDEST), 1000);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_UNRELEASED), 1024);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_WAITING), 1);
	for (int i = 0; i < 64; i++)
		reader_take(reader, &done[i]);
	libiommu_reader_release(reader);
	complete(done, 1);
	door_clock(3000);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OUTSTANDING), 64);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OLDEST), 2000);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_UNRELEASED), 16);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_LONGEST), 2000);
	complete(done + 1, 63);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_WAITING), 0);
	reader_take(reader, done);
	complete(done, 1);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OLDEST), 0);
}

static void test_answers_that_the_source_finds_stale(void **state)
{
	struct libiommu_completion done;

	(void)state;
	fake.groups[fake_raise(&fake, 1, 0)].stale = true;
	dispatch();
	reader_take(reader, &done);
	complete(&done, 1);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 1);
}

static void test_several_sources_into_one_ring(void **state)
{
	static struct fake other;
	struct libiommu_completion a, b;

	(void)state;
	fake_init(&other);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &other.source), 0);
	assert_false(ring_count(ring, LIBIOMMU_RING_GROUPS));
	dispatch();
	fake_raise(&fake, 1, 0);
	fake_raise(&other, 1, 0);
	dispatch();
	reader_take(reader, &a);
	reader_take(reader, &b);
	assert_int_equal(a.queue, 1);
	assert_int_equal(b.queue, 2);
	/* The queue is part of the name: a token does not reach another source. */
	b.queue = 1;
	complete(&b, 1);
	dispatch();
	assert_int_equal(other.groups[0].answers, 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 1);
	complete(&a, 1);
	dispatch();
	assert_int_equal(fake.groups[0].answers, 1);
	/* A source that goes has its groups answered first. */
	assert_int_equal(li_filler_remove(li_ring_filler(ring), &other.source), 0);
	assert_int_equal(other.groups[0].answers, 1);
	assert_int_equal(other.groups[0].code, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_ABANDONED), 1);
	assert_int_equal(li_filler_remove(li_ring_filler(ring), &other.source), -ENOENT);
	/* What it leaves behind is places, which others may have waited for. */
	assert_true(ring_ready(ring));
	dispatch();
	fake_raise(&other, 1, 0);
	assert_false(ring_ready(ring));
	fake_close(&other);
}

static void test_no_source_starves_another(void **state)
{
	static struct fake other;
	struct libiommu_completion done;
	unsigned int turns[3] = {0};

	(void)state;
	fake_init(&other);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &other.source), 0);
	for (int i = 0; i < 2000; i++) {
		fake_raise(&fake, 1, 0);
		fake_raise(&other, 1, 0);
	}
	/* Each fills the ring by itself; the one that found no room is next. */
	for (int round = 1; round <= 6; round++) {
		dispatch();
		for (int i = 0; i < 512; i++) {
			reader_take(reader, &done);
			turns[done.queue]++;
			complete(&done, 1);
		}
		libiommu_reader_release(reader);
		assert_true(round % 2 || turns[1] == turns[2]);
	}
	dispatch();
	assert_int_equal(li_filler_remove(li_ring_filler(ring), &other.source), 0);
	fake_check(&other);
	fake_close(&other);
}

/* Whoever had all the places: another one goes next, also beside a source that has nothing. */
static void test_none_of_several_sources_starves(void **state)
{
	static struct fake sources[3];
	struct libiommu_ring *const small = ring_make(ctx, 1024, 64, 0);
	struct libiommu_completion done[64];
	struct libiommu_reader *reading;
	unsigned int turns[4] = {0};

	(void)state;
	assert_int_equal(libiommu_ring_open_reader(small, &reading), 0);
	for (int i = 0; i < 3; i++) {
		fake_init(&sources[i]);
		assert_int_equal(li_filler_add(li_ring_filler(small), &sources[i].source), 0);
		for (int j = 0; j < 2000; j++)
			fake_raise(&sources[i], 1, 0);
	}
	for (int round = 0; round < 12; round++) {
		assert_int_equal(libiommu_ring_dispatch(small), 0);
		for (int i = 0; i < 64; i++) {
			reader_take(reading, &done[i]);
			turns[done[i].queue]++;
		}
		libiommu_reader_release(reading);
		assert_int_equal(libiommu_reader_complete(reading, done, 64), 64);
	}
	for (int i = 1; i < 4; i++)
		assert_int_equal(turns[i], 4 * 64);
	assert_int_equal(libiommu_ring_destroy(small), 0);
	libiommu_reader_free(reading);
	for (int i = 0; i < 3; i++)
		fake_close(&sources[i]);
}

/* The places of a source that goes are for those who have waited for them. */
static void test_places_of_a_source_that_goes(void **state)
{
	static struct fake other;

	(void)state;
	fake_init(&other);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &other.source), 0);
	for (int i = 0; i < 512; i++)
		fake_raise(&other, 1, 0);
	dispatch();
	for (int i = 0; i < 512; i++) {
		struct libiommu_completion done;

		reader_take(reader, &done);
	}
	libiommu_reader_release(reader);
	dispatch();
	fake_raise(&fake, 1, 0);
	dispatch();
	assert_int_equal(reader_none(reader), 0);
	assert_int_equal(li_filler_remove(li_ring_filler(ring), &other.source), 0);
	assert_true(ring_ready(ring));
	dispatch();
	assert_int_not_equal(reader_none(reader), 0);
	fake_close(&other);
}

static void test_a_busy_side_costs_the_other_no_call(void **state)
{
	struct libiommu_completion done[2];

	(void)state;
	fake_raise(&fake, 1, 0);
	dispatch();
	reader_take(reader, &done[0]);
	door_calls();
	/* The filler sleeps: the first completion rings, the second finds that it was rung for. */
	complete(&done[0], 1);
	assert_int_equal(door_calls(), 1);
	done[0].token = 1;
	complete(&done[0], 1);
	assert_int_equal(door_calls(), 0);
	libiommu_reader_release(reader);
	assert_int_equal(door_calls(), 0);
	dispatch();
	/* The reader does not sleep: a fault makes no call but those of every dispatch. */
	door_calls();
	dispatch();
	{
		const unsigned int idle = door_calls();

		fake_raise(&fake, 1, 0);
		dispatch();
		assert_int_equal(door_calls(), idle);
	}
	reader_take(reader, &done[1]);
	complete(&done[1], 1);
	libiommu_reader_release(reader);
	dispatch();
}

static void test_waking_a_reader(void **state)
{
	struct libiommu_completion done;

	(void)state;
	assert_int_equal(libiommu_reader_sleep(reader, 0), 0);
	assert_int_equal(libiommu_reader_arm(reader), 0);
	fake_raise(&fake, 1, 0);
	dispatch();
	door_calls();
	fake_raise(&fake, 1, 0);
	dispatch();
	assert_int_equal(libiommu_reader_disarm(reader), 0);
	/* There is something: no call is made. */
	door_calls();
	assert_int_equal(libiommu_reader_sleep(reader, -1), 1);
	assert_int_equal(libiommu_reader_arm(reader), 1);
	assert_int_equal(door_calls(), 0);
	reader_take(reader, &done);
	complete(&done, 1);
	reader_take(reader, &done);
	complete(&done, 1);
	dispatch();
	assert_int_equal(libiommu_reader_sleep(reader, 0), 0);
}

static void answered(void *user, enum libiommu_fault_code code)
{
	*(int *)user = (int)code;
}

static void test_software_injects(void **state)
{
	const struct libiommu_record records[2] = {
		{.kind = 99, .flags = 0xff, .label = 5, .vpasid = 6, .token = 1, .queue = 1},
		{.address = 1, .permissions = LIBIOMMU_FAULT_WRITE},
	};
	const struct libiommu_record *got;
	struct libiommu_completion done = {.code = LIBIOMMU_FAULT_SUCCESS};
	int first = -1, second = -1, third = -1;
	size_t count;

	(void)state;
	assert_int_equal(libiommu_ring_inject(ring, records, 2, answered, &first), 0);
	assert_true(ring_ready(ring));
	dispatch();
	assert_int_equal(libiommu_reader_next(reader, &got, &count), 1);
	assert_int_equal(count, 2);
	assert_int_equal(got[0].kind, LIBIOMMU_RECORD_FAULT);
	assert_int_equal(got[0].flags, LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_SHARED_GROUP |
	                                       LIBIOMMU_RECORD_INJECTED);
	assert_int_equal(got[1].flags, LIBIOMMU_RECORD_INJECTED | LIBIOMMU_RECORD_LAST);
	assert_int_equal(got[0].label, 5);
	assert_int_equal(got[0].queue, 0);
	assert_int_equal(got[1].permissions, LIBIOMMU_FAULT_WRITE);
	done.token = got[0].token;
	complete(&done, 1);
	assert_int_equal(first, -1);
	dispatch();
	assert_int_equal(first, LIBIOMMU_FAULT_SUCCESS);
	/* What waits or is out at the end is answered too: by the teardown. */
	assert_int_equal(libiommu_ring_inject(ring, records, 1, answered, &second), 0);
	dispatch();
	assert_int_equal(libiommu_ring_inject(ring, records, 1, answered, &third), 0);
	libiommu_reader_free(reader);
	reader = NULL;
	libiommu_ring_destroy(ring);
	assert_int_equal(second, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(third, LIBIOMMU_FAULT_INVALID);
	ring = NULL;
}

static void test_injection_has_its_limits(void **state)
{
	static struct libiommu_record records[513];
	int codes[512];

	(void)state;
	memset(codes, 0xff, sizeof(codes));
	assert_int_equal(libiommu_ring_inject(ring, records, 0, answered, codes), -EINVAL);
	assert_int_equal(libiommu_ring_inject(ring, records, 513, answered, codes), -EINVAL);
	for (int i = 0; i < 512; i++)
		assert_int_equal(libiommu_ring_inject(ring, records, 1, answered, &codes[i]), 0);
	assert_int_equal(libiommu_ring_inject(ring, records, 1, answered, codes), -EAGAIN);
	dispatch();
	assert_int_equal(libiommu_ring_inject(ring, records, 512, answered, &codes[0]), 0);
	libiommu_ring_destroy(ring);
	ring = NULL;
	for (int i = 0; i < 512; i++)
		assert_int_equal(codes[i], LIBIOMMU_FAULT_INVALID);
	assert_int_equal(reader_none(reader), -EPIPE);
}

#define RING_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_a_group_there_and_back),
		RING_TEST(test_completed_in_any_order_and_in_parts),
		RING_TEST(test_a_full_ring_loses_nothing_and_goes_on),
		RING_TEST(test_as_many_groups_out_as_chosen),
		RING_TEST(test_groups_stay_in_one_piece),
		RING_TEST(test_padding_is_released_with_what_is_before_it),
		RING_TEST(test_too_large_a_group_is_refused_alone),
		RING_TEST(test_indices_go_round),
		RING_TEST(test_the_end_of_an_attachment),
		RING_TEST(test_the_backlog),
		RING_TEST(test_answers_that_the_source_finds_stale),
		RING_TEST(test_several_sources_into_one_ring),
		RING_TEST(test_no_source_starves_another),
		RING_TEST(test_none_of_several_sources_starves),
		RING_TEST(test_places_of_a_source_that_goes),
		RING_TEST(test_a_busy_side_costs_the_other_no_call),
		RING_TEST(test_waking_a_reader),
		RING_TEST(test_software_injects),
		RING_TEST(test_injection_has_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

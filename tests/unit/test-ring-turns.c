/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What a dispatch does in the rounds of its turn: asks the kernel rarely, lets nobody wait for the
 * rest of it, comes to an end, and leaves nothing behind that nobody will tell of.
 */
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ring-door.h"

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;

/* A source without a descriptor that has a group whenever it is asked, up to a number. */
static struct {
	struct source source;
	uint32_t left;
	uint32_t length; /* records of each */
	unsigned int asked;
	unsigned int answered;
	void (*when_asked)(void);
} endless;

static int endless_fetch(void *self, struct fault_out *out)
{
	(void)self;
	endless.asked++;
	if (endless.when_asked)
		endless.when_asked();
	if (!endless.left || !out->max_groups)
		return 0;
	if (endless.length > out->room) {
		out->need = endless.length;
		return -ENOBUFS;
	}
	for (uint32_t i = 0; i < endless.length; i++)
		out->records[i] = (struct libiommu_record){
			.kind = LIBIOMMU_RECORD_FAULT,
			.flags = i + 1 == endless.length ? LIBIOMMU_RECORD_LAST : 0,
		};
	fault_out_put(out, 0, endless.length);
	endless.left--;
	return 0;
}

static int endless_answer(void *self, const struct libiommu_fault_response *answers, size_t count)
{
	(void)self;
	(void)answers;
	endless.answered += (unsigned int)count;
	return 0;
}

static bool endless_wants(void *self, uint64_t cookie)
{
	(void)self;
	(void)cookie;
	return true;
}

static int endless_refuse(void *self, size_t max)
{
	(void)self;
	endless.asked++;
	return (int)max;
}

static const struct source_ops endless_ops = {
	.fetch = endless_fetch,
	.answer = endless_answer,
	.wants = endless_wants,
	.refuse = endless_refuse,
};

static struct filler *filler(void)
{
	return li_ring_filler(ring);
}

static void dispatch(void)
{
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
}

static int begin(uint32_t groups, uint64_t deadline, int fd)
{
	ctx = ring_ctx();
	ring = ring_make(ctx, 1024, groups, deadline);
	memset(&endless, 0, sizeof(endless));
	endless.source = (struct source){.ops = &endless_ops, .fd = fd};
	endless.length = 1;
	assert_int_equal(li_filler_add(filler(), &endless.source), 0);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	dispatch();
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return begin(512, 0, -1);
}

static int setup_few_places(void **state)
{
	(void)state;
	return begin(2, 0, -1);
}

#define DEADLINE 1000

static int setup_deadline(void **state)
{
	(void)state;
	begin(512, DEADLINE, -1);
	door_clock(1);
	return 0;
}

/* Of a source that calls the kernel. */
static int setup_descriptor(void **state)
{
	(void)state;
	return begin(512, 0, eventfd(0, EFD_CLOEXEC));
}

static int teardown(void **state)
{
	(void)state;
	endless.when_asked = NULL;
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	if (endless.source.fd >= 0)
		close(endless.source.fd);
	door_clock(0);
	ring_ctx_close(ctx);
	return 0;
}

static void raise_some(uint32_t count)
{
	endless.left = count;
	li_filler_poke(filler());
}

/* Takes one group, releases it if that is wanted, and completes it. */
static bool handle_one(bool release)
{
	struct libiommu_completion done = {.code = LIBIOMMU_FAULT_SUCCESS};
	const struct libiommu_record *records;
	size_t count;

	if (libiommu_reader_next(reader, &records, &count) != 1)
		return false;
	done.token = records->token;
	done.queue = records->queue;
	if (release)
		assert_int_equal(libiommu_reader_release(reader), 0);
	assert_int_equal(libiommu_reader_complete(reader, &done, 1), 1);
	return true;
}

static void handle_when_asked(void)
{
	handle_one(true);
}

static void test_many_rounds_cost_few_calls(void **state)
{
	unsigned int calls;

	(void)state;
	raise_some(1000);
	endless.when_asked = handle_when_asked;
	door_calls();
	dispatch();
	calls = door_calls();
	while (endless.left || handle_one(true))
		dispatch();
	dispatch();
	assert_int_equal(endless.answered, 1000);
	/* With the clock now and then. */
	assert_true(calls <= 1000 / 16);
}

static void test_a_poke_is_heard_at_any_moment(void **state)
{
	(void)state;
	/* Asleep: it must be written. At work: it need not. */
	door_calls();
	li_filler_poke(filler());
	assert_int_equal(door_calls(), 1);
	assert_true(ring_ready(ring));
	dispatch();
	assert_false(ring_ready(ring));
	assert_false(atomic_load(&filler()->poked));
}

static bool poked_once;

/* It comes too late for this time, and the source has nothing then. */
static void raise_once(void)
{
	if (poked_once)
		return;
	poked_once = true;
	door_calls();
	li_filler_poke(filler());
	assert_int_equal(door_calls(), 0);
}

static void test_a_poke_in_a_dispatch_is_heard_in_it(void **state)
{
	(void)state;
	poked_once = false;
	endless.when_asked = raise_once;
	raise_some(0);
	endless.asked = 0;
	dispatch();
	assert_int_equal(endless.asked, 2);
	assert_false(ring_ready(ring));
}

static void check_bell(void)
{
	struct pollfd bell = {.fd = libiommu_reader_fd(reader), .events = POLLIN};

	/* The first group is published by the time that there is a second one. */
	if (endless.left == 1)
		assert_int_equal(poll(&bell, 1, 0), 1);
}

static void test_a_reader_is_woken_before_the_next_round(void **state)
{
	(void)state;
	assert_int_equal(libiommu_reader_arm(reader), 0);
	raise_some(2);
	endless.when_asked = check_bell;
	endless.asked = 0;
	dispatch();
	assert_true(endless.asked >= 2);
	assert_int_equal(libiommu_reader_disarm(reader), 0);
	assert_true(handle_one(true));
	assert_true(handle_one(true));
	dispatch();
	assert_int_equal(endless.answered, 2);
}

static unsigned int most_ahead;

/* Each group is there to be read by the time that the next is asked for. */
static void handle_and_compare(void)
{
	const unsigned int fetched = endless.asked - 1;

	if (fetched && endless.left)
		assert_true(handle_one(true));
	if (fetched - endless.answered > most_ahead)
		most_ahead = fetched - endless.answered;
}

static void raise_one_by_one(uint32_t count)
{
	most_ahead = 0;
	endless.asked = 0;
	endless.when_asked = handle_and_compare;
	raise_some(count);
}

static void answer_all(unsigned int count)
{
	while (handle_one(true))
		dispatch();
	assert_int_equal(endless.answered, count);
}

/* Nothing is called that takes long, so that a round asks more than once; and still ends soon. */
static void test_groups_that_come_one_by_one(void **state)
{
	(void)state;
	raise_one_by_one(500);
	dispatch();
	assert_true(most_ahead > 1 && most_ahead <= FILLER_FETCH);
	answer_all(500);
}

/* What has taken so long that the reader is to be heard first. */
static void test_a_call_ends_the_round(void **state)
{
	(void)state;
	raise_one_by_one(50);
	dispatch();
	assert_int_equal(most_ahead, 1);
	answer_all(50);
}

static int fail_fetch(void *self, struct fault_out *out)
{
	(void)self;
	(void)out;
	return -EIO;
}

/* A source that fails is not called again and again before the reader is heard. */
static void test_a_failure_ends_the_round(void **state)
{
	const struct source_ops ops = {.fetch = fail_fetch, .answer = endless_answer};
	struct source failing = {.ops = &ops, .fd = -1};

	(void)state;
	assert_int_equal(li_filler_add(filler(), &failing), 0);
	raise_one_by_one(50);
	assert_int_equal(libiommu_ring_dispatch(ring), -EIO);
	assert_int_equal(most_ahead, 1);
	assert_int_equal(li_filler_remove(filler(), &failing), 0);
	answer_all(50);
}

/* The reader gives back each place at once: it is never the places that are missing. */
static void test_few_places_and_a_fast_reader(void **state)
{
	(void)state;
	raise_one_by_one(50);
	dispatch();
	answer_all(50);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_FULL), 0);
}

/* Asked for between two dispatches, too. */
static void test_what_is_not_released(void **state)
{
	(void)state;
	raise_some(2);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_UNRELEASED), 2);
	assert_true(handle_one(true));
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_UNRELEASED), 1);
	assert_true(handle_one(true));
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_UNRELEASED), 0);
}

static void (*after_some)(void);

/* Takes and releases each group, but answers none; and after some, it is late for the first. */
static void keep_and_be_late(void)
{
	const struct libiommu_record *records;
	size_t count;

	if (endless.asked > 1 && endless.left)
		assert_int_equal(libiommu_reader_next(reader, &records, &count), 1);
	assert_int_equal(libiommu_reader_release(reader), 0);
	if (endless.asked == 1)
		door_clock(DEADLINE / 2);
	if (endless.asked == 100) {
		door_clock(1 + DEADLINE);
		after_some();
	}
}

static void be_honest(void)
{
}

static void release_nonsense(void)
{
	endless.when_asked = NULL;
	atomic_store(&reader->memory.b->cons, 1U << 30);
}

static void be_late(void (*then)(void))
{
	endless.asked = 0;
	endless.when_asked = keep_and_be_late;
	after_some = then;
	raise_some(200);
	dispatch();
	endless.when_asked = NULL;
}

/* It is in the middle of a turn, and what it has released is not known from before. */
static void test_late_in_a_later_round(void **state)
{
	(void)state;
	be_late(be_honest);
	assert_true(ring_count(ring, LIBIOMMU_RING_EXPIRED) > 8);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 0);
}

static void test_late_with_nonsense(void **state)
{
	(void)state;
	be_late(release_nonsense);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_EXPIRED), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 1);
}

/* However many there are, the program's loop has its turn, as after so many rounds of one. */
static void test_one_by_one_without_end(void **state)
{
	(void)state;
	endless.asked = 0;
	endless.when_asked = handle_when_asked;
	raise_some(UINT32_MAX);
	dispatch();
	assert_true(endless.asked > FILLER_FETCH && endless.asked <= 2048);
	assert_true(ring_ready(ring));
	endless.when_asked = NULL;
	endless.left = 0;
	while (handle_one(true))
		dispatch();
}

static void test_a_turn_ends(void **state)
{
	(void)state;
	libiommu_reader_free(reader);
	reader = NULL;
	dispatch();
	li_filler_poke(filler());
	/* A device that always has something, for nobody: the program's loop has its turn still. */
	for (int i = 0; i < 2; i++) {
		endless.asked = 0;
		dispatch();
		assert_true(endless.asked > 0);
		assert_true(ring_ready(ring));
	}
	assert_int_equal(li_filler_remove(filler(), &endless.source), 0);
	dispatch();
	assert_false(ring_ready(ring));
}

/* Where nobody else stops it, so that the test comes to an end. */
static void stop_after_many(void)
{
	if (endless.asked == 100000)
		endless.left = 0;
}

static void ignore_answer(void *user, enum libiommu_fault_code code)
{
	(void)user;
	(void)code;
}

/* One after the other that is too large for the ring: nobody else waits for the last of them. */
static void test_large_groups_without_end(void **state)
{
	const struct libiommu_record record = {.address = 4096};

	(void)state;
	endless.length = 513;
	endless.when_asked = stop_after_many;
	raise_some(UINT32_MAX);
	assert_int_equal(libiommu_ring_inject(ring, &record, 1, ignore_answer, NULL), 0);
	dispatch();
	assert_true(endless.asked > 0 && endless.asked < 100000);
	assert_true(ring_count(ring, LIBIOMMU_RING_TOO_LARGE) > 0);
	assert_true(handle_one(true));
	assert_true(ring_ready(ring));
	endless.left = 0;
	dispatch();
	assert_false(ring_ready(ring));
}

static void test_nothing_done_is_no_new_wait(void **state)
{
	const atomic_uint_least32_t *const wait = &filler()->session->memory.a->wait;
	const uint32_t first = atomic_load(wait);

	(void)state;
	assert_int_not_equal(first, 0);
	dispatch();
	dispatch();
	assert_int_equal(atomic_load(wait), first);
	raise_some(1);
	dispatch();
	assert_int_not_equal(atomic_load(wait), first);
	assert_int_not_equal(atomic_load(wait), 0);
	assert_true(handle_one(true));
	dispatch();
}

/* A kick is spent on room that is too little: the rest of it must be kicked for as well. */
static void test_room_in_small_pieces(void **state)
{
	const struct libiommu_record *records;
	size_t count;

	(void)state;
	endless.length = 1;
	raise_some(512);
	dispatch();
	while (handle_one(true))
		;
	dispatch();
	/* 512 more records, and then a group that needs the whole other half. */
	raise_some(511);
	dispatch();
	assert_int_equal(endless.left, 0);
	endless.length = 512;
	raise_some(2);
	dispatch();
	assert_false(ring_ready(ring));
	for (int i = 0; endless.left && i < 511; i++) {
		assert_int_equal(libiommu_reader_next(reader, &records, &count), 1);
		libiommu_reader_release(reader);
		assert_true(ring_ready(ring));
		dispatch();
	}
	assert_true(endless.left < 2);
}

/* The same with the change seen before the kick is: what the model found. */
static void test_a_kick_that_comes_late(void **state)
{
	struct libiommu_completion done[2];
	const struct libiommu_record *records;
	const uint64_t one = 1;
	size_t count;

	(void)state;
	raise_some(2);
	dispatch();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(libiommu_reader_next(reader, &records, &count), 1);
		done[i] = (struct libiommu_completion){.token = records->token,
		                                       .queue = records->queue};
	}
	/* The reader is held up between its completion and the kick, which is for the next wait. */
	assert_int_equal(libiommu_reader_complete(reader, &done[0], 1), 1);
	dispatch();
	reader->kicked = atomic_load(&reader->memory.a->wait);
	assert_int_equal(write(reader->kick, &one, 8), 8);
	dispatch();
	assert_int_equal(libiommu_reader_complete(reader, &done[1], 1), 1);
	assert_true(ring_ready(ring));
	dispatch();
	assert_int_equal(endless.answered, 2);
}

#define RING_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_many_rounds_cost_few_calls),
		RING_TEST(test_a_poke_is_heard_at_any_moment),
		RING_TEST(test_a_poke_in_a_dispatch_is_heard_in_it),
		RING_TEST(test_a_reader_is_woken_before_the_next_round),
		RING_TEST(test_groups_that_come_one_by_one),
		RING_TEST(test_one_by_one_without_end),
		cmocka_unit_test_setup_teardown(test_a_call_ends_the_round, setup_descriptor,
	                                        teardown),
		RING_TEST(test_a_failure_ends_the_round),
		RING_TEST(test_what_is_not_released),
		cmocka_unit_test_setup_teardown(test_few_places_and_a_fast_reader, setup_few_places,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_late_in_a_later_round, setup_deadline,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_late_with_nonsense, setup_deadline, teardown),
		RING_TEST(test_a_turn_ends),
		RING_TEST(test_large_groups_without_end),
		RING_TEST(test_nothing_done_is_no_new_wait),
		RING_TEST(test_room_in_small_pieces),
		RING_TEST(test_a_kick_that_comes_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Readers that are late, gone, or write nonsense: they fail their own faults, and nothing else. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring-door.h"

#define DEADLINE 1000

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;
static struct fake fake;

static int setup(void **state)
{
	(void)state;
	ctx = ring_ctx();
	door_clock(1);
	ring = ring_make(ctx, 1024, 64, DEADLINE);
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
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	libiommu_reader_free(reader);
	fake_check(&fake);
	fake_close(&fake);
	ring_ctx_close(ctx);
	return 0;
}

static void dispatch(void)
{
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
}

static void raise_some(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		fake_raise(&fake, 1, 0);
	dispatch();
}

/* The reader has been given up: all is answered, its end is visible, a new one starts anew. */
static void check_condemned(uint32_t abandoned)
{
	struct libiommu_completion done;
	const uint32_t raised = fake.raised;

	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_ABANDONED), abandoned);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OUTSTANDING), 0);
	fake_check(&fake);
	/* Until there is a new one, faults are answered for it. */
	assert_true(ring_count(ring, LIBIOMMU_RING_REFUSED) == 0);
	fake_raise(&fake, 1, 0);
	fake_raise(&fake, 2, 0);
	assert_true(ring_ready(ring));
	dispatch();
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_REFUSED), 2);
	assert_int_equal(fake.groups[raised].code, LIBIOMMU_FAULT_INVALID);
	assert_false(ring_ready(ring));
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	fake_raise(&fake, 1, 0);
	dispatch();
	assert_int_equal(reader_take(reader, &done), raised + 2);
	assert_int_equal(libiommu_reader_complete(reader, &done, 1), 1);
	dispatch();
	assert_int_equal(fake.groups[raised + 2].code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(reader->memory.a->epoch, 2);
}

static void test_nonsense_in_made(void **state)
{
	(void)state;
	raise_some(3);
	atomic_store(&reader->memory.b->made, 129);
	dispatch();
	assert_int_equal(reader_none(reader), -EPIPE);
	check_condemned(3);
}

static void test_as_many_completions_as_there_are_places(void **state)
{
	(void)state;
	raise_some(3);
	/* Allowed, and all of them stale. */
	atomic_store(&reader->memory.b->made, 128);
	reader->made = 128;
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 128);
}

static void test_nonsense_in_cons(void **state)
{
	(void)state;
	raise_some(3);
	atomic_store(&reader->memory.b->cons, 4);
	dispatch();
	check_condemned(3);
}

static void test_cons_that_goes_back(void **state)
{
	struct libiommu_completion done;

	(void)state;
	raise_some(3);
	reader_take(reader, &done);
	reader_take(reader, &done);
	libiommu_reader_release(reader);
	dispatch();
	atomic_store(&reader->memory.b->cons, 1);
	dispatch();
	check_condemned(3);
}

static void test_nonsense_in_tokens_and_codes(void **state)
{
	struct libiommu_completion done[3], bad[6];

	(void)state;
	raise_some(3);
	for (int i = 0; i < 3; i++)
		reader_take(reader, &done[i]);
	for (int i = 0; i < 6; i++)
		bad[i] = done[0];
	bad[0].token = 0;
	bad[1].token += UINT64_C(1) << 20; /* another generation */
	bad[2].token |= (1 << 20) - 1;     /* a place that does not exist */
	bad[3].token += 5;                 /* one that is free */
	bad[4].queue = 0;                  /* another source */
	bad[5].queue = UINT32_MAX;
	assert_int_equal(libiommu_reader_complete(reader, bad, 6), 6);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 6);
	assert_int_equal(fake.groups[0].answers, 0);
	done[1].code = 2;
	assert_int_equal(libiommu_reader_complete(reader, done, 3), 3);
	/* Twice is once. */
	assert_int_equal(libiommu_reader_complete(reader, done, 3), 3);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 9);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_BAD_CODE), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_INVALID), 1);
	assert_int_equal(fake.groups[1].code, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 0);
}

static void test_a_consumed_group_that_is_late_dies_alone(void **state)
{
	struct libiommu_completion done[2];

	(void)state;
	raise_some(1);
	door_clock(500);
	raise_some(1);
	reader_take(reader, &done[0]);
	reader_take(reader, &done[1]);
	libiommu_reader_release(reader);
	door_clock(1000);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_EXPIRED), 0);
	door_clock(1 + DEADLINE);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_EXPIRED), 1);
	assert_int_equal(fake.groups[0].code, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(fake.groups[1].answers, 0);
	/* The late answer reaches nobody, also where its place is another group's now. */
	raise_some(1);
	assert_int_equal(libiommu_reader_complete(reader, done, 2), 2);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 1);
	assert_int_equal(fake.groups[2].answers, 0);
	assert_int_equal(fake.groups[1].code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_LONGEST), DEADLINE);
}

static void test_a_reader_that_hangs_is_given_up(void **state)
{
	struct libiommu_completion done;

	(void)state;
	raise_some(2);
	reader_take(reader, &done);
	libiommu_reader_release(reader);
	door_clock(1 + DEADLINE);
	/* The first one was consumed: it only expires; the second one was not. */
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_EXPIRED), 1);
	/* What it has looked at before is still there, for nothing. */
	assert_int_equal(reader_take(reader, &done), 1);
	assert_int_equal(reader_none(reader), -EPIPE);
	assert_int_equal(libiommu_reader_sleep(reader, -1), -EPIPE);
	assert_int_equal(libiommu_reader_arm(reader), -EPIPE);
	check_condemned(1);
}

static void test_the_timer_makes_the_ring_ready(void **state)
{
	uint64_t now;

	(void)state;
	door_clock(0);
	fake_raise(&fake, 1, 0);
	dispatch();
	/* 1000 ns are over by now: the descriptor says so without any help. */
	while (!ring_ready(ring))
		assert_int_equal(li_sys_clock(li_sys_libc(), &now), 0);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 1);
}

static void test_a_sleeping_reader_hears_of_its_end(void **state)
{
	(void)state;
	assert_int_equal(libiommu_reader_arm(reader), 0);
	libiommu_ring_destroy(ring);
	ring = NULL;
	assert_int_equal(libiommu_reader_disarm(reader), -EPIPE);
	assert_int_equal(reader_none(reader), -EPIPE);
}

static void test_a_reader_that_leaves(void **state)
{
	struct libiommu_completion done;

	(void)state;
	raise_some(3);
	reader_take(reader, &done);
	libiommu_reader_release(reader);
	/* The last thing it does counts. */
	assert_int_equal(libiommu_reader_complete(reader, &done, 1), 1);
	libiommu_reader_free(reader);
	reader = NULL;
	assert_true(ring_ready(ring));
	dispatch();
	assert_int_equal(fake.groups[0].code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(fake.groups[1].code, LIBIOMMU_FAULT_INVALID);
	check_condemned(2);
}

static void test_one_reader_at_a_time(void **state)
{
	struct libiommu_reader *other = NULL;

	(void)state;
	assert_int_equal(libiommu_ring_open_reader(ring, &other), -EBUSY);
	assert_null(other);
	/* One that is gone is noticed without a dispatch in between. */
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 1);
}

static void test_nonsense_on_the_socket(void **state)
{
	char text[100] = "";

	(void)state;
	raise_some(1);
	assert_int_equal(send(reader->socket, text, 1, 0), 1);
	dispatch();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 0);
	assert_int_equal(send(reader->socket, text, 100, 0), 100);
	dispatch();
	check_condemned(1);
}

static void test_before_the_first_reader_faults_wait(void **state)
{
	struct libiommu_ring *const other = ring_make(ctx, 1024, 64, DEADLINE);
	static struct fake source;
	struct libiommu_reader *first;
	struct libiommu_completion done;

	(void)state;
	fake_init(&source);
	assert_int_equal(li_filler_add(li_ring_filler(other), &source.source), 0);
	fake_raise(&source, 1, 0);
	assert_int_equal(libiommu_ring_dispatch(other), 0);
	assert_int_equal(source.fetched, 0);
	assert_false(ring_ready(other));
	assert_int_equal(libiommu_ring_monitor(other), -ENODATA);
	assert_int_equal(libiommu_ring_open_reader(other, &first), 0);
	assert_true(ring_ready(other));
	assert_int_equal(libiommu_ring_dispatch(other), 0);
	assert_int_equal(reader_take(first, &done), 0);
	libiommu_reader_free(first);
	assert_int_equal(libiommu_ring_dispatch(other), 0);
	fake_check(&source);
	libiommu_ring_destroy(other);
	fake_close(&source);
}

/* A reader in another process: takes and completes until it is killed. */
static void run_reader(int socket)
{
	struct libiommu_completion done;
	const struct libiommu_record *records;
	struct libiommu_reader *mine;
	size_t count;

	if (libiommu_reader_open(NULL, socket, LIBIOMMU_FD_OWN, &mine))
		_exit(1);
	for (;;) {
		const int got = libiommu_reader_next(mine, &records, &count);

		if (got < 0)
			_exit(2);
		if (!got) {
			libiommu_reader_sleep(mine, -1);
			continue;
		}
		done = (struct libiommu_completion){
			.token = records->token, .queue = records->queue, .code = 0};
		libiommu_reader_release(mine);
		while (libiommu_reader_complete(mine, &done, 1) != 1)
			;
	}
}

static void wait_and_dispatch(void)
{
	struct pollfd fd = {.fd = libiommu_ring_fd(ring), .events = POLLIN};

	poll(&fd, 1, -1);
	dispatch();
}

static void test_a_reader_that_is_killed_at_any_moment(void **state)
{
	uint64_t before;

	(void)state;
	door_clock(0);
	libiommu_reader_free(reader);
	reader = NULL;
	libiommu_ring_destroy(ring);
	ring = ring_make(ctx, 1024, 64, 0);
	fake_close(&fake);
	fake_init(&fake);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &fake.source), 0);
	for (uint32_t round = 0; round < 100; round++) {
		int ends[2];
		pid_t child;

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
		child = fork();
		if (!child) {
			close(ends[0]);
			run_reader(ends[1]);
		}
		close(ends[1]);
		assert_int_equal(libiommu_ring_join(ring, ends[0], LIBIOMMU_FD_DUP,
		                                    round % 2 ? LIBIOMMU_RING_TRUSTED : 0),
		                 0);
		close(ends[0]);
		before = ring_count(ring, LIBIOMMU_RING_SUCCESS);
		for (uint32_t i = 0; i < 40; i++)
			fake_raise(&fake, 1 + i % 3, 0);
		/* Somewhere after this many answers. */
		while (ring_count(ring, LIBIOMMU_RING_SUCCESS) < before + round % 41)
			wait_and_dispatch();
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (ring_count(ring, LIBIOMMU_RING_CONDEMNED) == round)
			wait_and_dispatch();
		dispatch();
		assert_int_equal(fake.fetched, fake.raised);
		fake_check(&fake);
	}
}

static void never(void *user, enum libiommu_fault_code code)
{
	(void)user;
	fail_msg("called with %d", (int)code);
}

static void test_a_forked_child_has_no_part_in_it(void **state)
{
	const struct libiommu_record record = {0}, *records;
	struct libiommu_completion done = {0};
	struct libiommu_reader *other;
	uint64_t value;
	size_t count;
	pid_t child;
	int status = -1;

	(void)state;
	raise_some(1);
	child = fork();
	if (!child)
		_exit(libiommu_ring_dispatch(ring) != -ECHILD ||
		      libiommu_ring_join(ring, 0, LIBIOMMU_FD_DUP, 0) != -ECHILD ||
		      libiommu_ring_open_reader(ring, &other) != -ECHILD ||
		      libiommu_ring_inject(ring, &record, 1, never, NULL) != -ECHILD ||
		      libiommu_ring_counter(ring, LIBIOMMU_RING_GROUPS, &value) != -ECHILD ||
		      libiommu_ring_monitor(ring) != -ECHILD ||
		      libiommu_ring_destroy(ring) != -ECHILD ||
		      libiommu_reader_next(reader, &records, &count) != -ECHILD ||
		      libiommu_reader_next_span(reader, 1, &records, &count) != -ECHILD ||
		      libiommu_reader_release(reader) != -ECHILD ||
		      libiommu_reader_complete(reader, &done, 1) != -ECHILD ||
		      libiommu_reader_sleep(reader, 0) != -ECHILD ||
		      libiommu_reader_arm(reader) != -ECHILD ||
		      libiommu_reader_disarm(reader) != -ECHILD);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* And has not disturbed it. */
	dispatch();
	assert_int_equal(reader_take(reader, &done), 0);
	assert_int_equal(libiommu_reader_complete(reader, &done, 1), 1);
	dispatch();
	assert_int_equal(fake.groups[0].code, LIBIOMMU_FAULT_SUCCESS);
}

#define RING_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_nonsense_in_made),
		RING_TEST(test_as_many_completions_as_there_are_places),
		RING_TEST(test_nonsense_in_cons),
		RING_TEST(test_cons_that_goes_back),
		RING_TEST(test_nonsense_in_tokens_and_codes),
		RING_TEST(test_a_consumed_group_that_is_late_dies_alone),
		RING_TEST(test_a_reader_that_hangs_is_given_up),
		RING_TEST(test_the_timer_makes_the_ring_ready),
		RING_TEST(test_a_sleeping_reader_hears_of_its_end),
		RING_TEST(test_a_reader_that_leaves),
		RING_TEST(test_one_reader_at_a_time),
		RING_TEST(test_nonsense_on_the_socket),
		RING_TEST(test_before_the_first_reader_faults_wait),
		RING_TEST(test_a_reader_that_is_killed_at_any_moment),
		RING_TEST(test_a_forked_child_has_no_part_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

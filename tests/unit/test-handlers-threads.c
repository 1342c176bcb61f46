/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Filler, injector and handlers in threads of their own, all asleep whenever they can be: an answer
 * that is lost stops the test.
 */
#include <poll.h>
#include <pthread.h>

#include "ring-door.h"

#define MOST 5000

static struct libiommu_ring *ring;

struct run {
	atomic_uint answered;
	atomic_uint wrong;
	uint32_t kept;
	struct libiommu_completion later[MOST];
	uint32_t got[4];
};

static struct run run;

static void answered(void *user, enum libiommu_fault_code code)
{
	const uint32_t number = (uint32_t)(uintptr_t)user;

	/* Tag 3 has no handler, tag 1 says no. */
	if (code != (number % 2 ? LIBIOMMU_FAULT_INVALID : LIBIOMMU_FAULT_SUCCESS))
		atomic_fetch_add(&run.wrong, 1);
	atomic_fetch_add(&run.answered, 1);
}

static void *inject(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < MOST; i++) {
		const struct libiommu_record records[3] = {
			{.tag = i % 4}, {.tag = i % 4}, {.tag = i % 4}};

		while (libiommu_ring_inject(ring, records, 1 + i % 3, answered,
		                            (void *)(uintptr_t)i) == -EAGAIN)
			poll(NULL, 0, 1);
	}
	return NULL;
}

static void *drive(void *arg)
{
	struct pollfd fd = {.fd = libiommu_ring_fd(ring), .events = POLLIN};

	(void)arg;
	while (atomic_load(&run.answered) < MOST) {
		poll(&fd, 1, -1);
		if (libiommu_ring_dispatch(ring))
			atomic_fetch_add(&run.wrong, 1);
	}
	return NULL;
}

static int yes(void *user, const struct libiommu_record *records, size_t count)
{
	(void)user;
	(void)count;
	run.got[records->tag]++;
	return LIBIOMMU_FAULT_SUCCESS;
}

static int no(void *user, const struct libiommu_record *records, size_t count)
{
	yes(user, records, count);
	return LIBIOMMU_FAULT_INVALID;
}

static int later(void *user, const struct libiommu_record *records, size_t count)
{
	yes(user, records, count);
	run.later[run.kept++] = (struct libiommu_completion){
		.token = records->token,
		.code = LIBIOMMU_FAULT_SUCCESS,
		.queue = records->queue,
	};
	return LIBIOMMU_HANDLERS_LATER;
}

/* Says the same of every group, too often: there is room for two answers only. */
static int chatter(void *user, const struct libiommu_record *records, size_t count)
{
	const struct libiommu_completion nonsense[3] = {{0}};

	yes(user, records, count);
	libiommu_reader_complete(user, nonsense, 1 + records->tag % 3);
	return records->tag % 2 ? LIBIOMMU_FAULT_INVALID : LIBIOMMU_FAULT_SUCCESS;
}

/* Answers that have to wait for room, again and again: no wake-up for it is lost. */
static void test_waiting_for_room(void **state)
{
	struct libiommu_handlers *handlers;
	struct libiommu_reader *reader;
	struct libiommu_ctx *ctx;
	pthread_t filler, injector;
	uint32_t done = 0, waits = 0;

	(void)state;
	ctx = ring_ctx();
	door_alias(true);
	run = (struct run){0};
	ring = ring_make(ctx, 1024, 1, 0);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_handlers_new(reader, &handlers), 0);
	assert_int_equal(libiommu_handlers_set_default(handlers, chatter, NULL, reader), 0);
	pthread_create(&filler, NULL, drive, NULL);
	pthread_create(&injector, NULL, inject, NULL);
	for (;;) {
		const int got = libiommu_handlers_dispatch(handlers);

		assert_true(got >= 0 || got == -EAGAIN);
		done += got > 0 ? (uint32_t)got : 0;
		waits += got == -EAGAIN;
		if (!got && done == MOST)
			break;
		if (got <= 0)
			assert_true(libiommu_reader_sleep(reader, -1) >= 0);
	}
	pthread_join(injector, NULL);
	pthread_join(filler, NULL);
	assert_int_equal(atomic_load(&run.wrong), 0);
	assert_true(waits > 0);
	libiommu_handlers_free(handlers);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	ring_ctx_close(ctx);
}

static void test_threads(void **state)
{
	pthread_t filler, injector;
	struct libiommu_handlers *handlers;
	struct libiommu_reader *reader;
	struct libiommu_ctx *ctx;
	uint64_t unhandled = 0;
	uint32_t done = 0;

	(void)state;
	ctx = ring_ctx();
	door_alias(true);
	ring = ring_make(ctx, 1024, 64, 0);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_handlers_new(reader, &handlers), 0);
	assert_int_equal(libiommu_handlers_set(handlers, 0, yes, NULL, NULL), 0);
	assert_int_equal(libiommu_handlers_set(handlers, 1, no, NULL, NULL), 0);
	assert_int_equal(libiommu_handlers_set(handlers, 2, later, NULL, NULL), 0);
	pthread_create(&filler, NULL, drive, NULL);
	pthread_create(&injector, NULL, inject, NULL);
	while (done < MOST) {
		const int got = libiommu_handlers_dispatch(handlers);

		assert_true(got >= 0);
		done += (uint32_t)got;
		/* What was put off is made good when there is nothing else. */
		if (!got && run.kept) {
			assert_int_equal(libiommu_reader_complete(reader, run.later, run.kept),
			                 run.kept);
			run.kept = 0;
		} else if (!got) {
			assert_true(libiommu_reader_sleep(reader, -1) >= 0);
		}
	}
	if (run.kept)
		assert_int_equal(libiommu_reader_complete(reader, run.later, run.kept), run.kept);
	pthread_join(injector, NULL);
	pthread_join(filler, NULL);
	assert_int_equal(atomic_load(&run.wrong), 0);
	assert_int_equal(atomic_load(&run.answered), MOST);
	for (int i = 0; i < 3; i++)
		assert_int_equal(run.got[i], MOST / 4);
	assert_int_equal(
		libiommu_handlers_counter(handlers, LIBIOMMU_HANDLERS_UNHANDLED, &unhandled), 0);
	assert_int_equal(unhandled, MOST / 4);
	ring_check(ring);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 0);
	libiommu_handlers_free(handlers);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	ring_ctx_close(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_waiting_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

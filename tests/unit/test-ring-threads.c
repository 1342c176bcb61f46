/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Filler, reader and injectors in threads of their own, all asleep whenever they can be: a wake-up
 * that is lost stops the test. Both sides of the shared memory are the same mapping, so that
 * ThreadSanitizer sees who orders what.
 */
#include <poll.h>
#include <pthread.h>

#include "ring-door.h"

#define INJECTORS 2
#define MOST      20000

struct run {
	struct libiommu_ring *ring;
	struct libiommu_reader *reader;
	uint32_t each; /* groups of each injector */
	size_t batch;  /* groups completed at a time */
	bool spans;    /* and taken many at a time */
	atomic_uint answered;
	atomic_uint wrong;
};

struct injected {
	struct run *run;
	uint32_t number;
};

static struct injected injected[INJECTORS][MOST];

static void answered(void *user, enum libiommu_fault_code code)
{
	const struct injected *const one = user;

	if (code != (one->number % 2 ? LIBIOMMU_FAULT_INVALID : LIBIOMMU_FAULT_SUCCESS))
		atomic_fetch_add(&one->run->wrong, 1);
	atomic_fetch_add(&one->run->answered, 1);
}

static void *inject(void *arg)
{
	struct injected *const mine = arg;

	for (uint32_t i = 0; i < mine->run->each; i++) {
		const struct libiommu_record records[3] = {
			{.address = i}, {.address = i}, {.address = i}};

		mine[i].number = i;
		while (libiommu_ring_inject(mine->run->ring, records, 1 + i % 3, answered,
		                            &mine[i]) == -EAGAIN)
			poll(NULL, 0, 1);
	}
	return NULL;
}

static void *fill(void *arg)
{
	struct run *const run = arg;
	struct pollfd fd = {.fd = libiommu_ring_fd(run->ring), .events = POLLIN};

	while (atomic_load(&run->answered) < INJECTORS * run->each) {
		poll(&fd, 1, -1);
		if (libiommu_ring_dispatch(run->ring))
			atomic_fetch_add(&run->wrong, 1);
	}
	return NULL;
}

static int take(const struct run *run, size_t most, const struct libiommu_record **records,
                size_t *count)
{
	if (run->spans)
		return libiommu_reader_next_span(run->reader, most, records, count);
	return libiommu_reader_next(run->reader, records, count);
}

static struct libiommu_completion answer_to(const struct libiommu_record *record)
{
	return (struct libiommu_completion){
		.token = record->token,
		.queue = record->queue,
		.code = record->address % 2 ? LIBIOMMU_FAULT_INVALID : LIBIOMMU_FAULT_SUCCESS,
	};
}

static void *handle(void *arg)
{
	struct run *const run = arg;
	struct libiommu_completion done[32];
	unsigned int left = INJECTORS * run->each;
	size_t held = 0, count;

	while (left) {
		const struct libiommu_record *records;
		int got = take(run, run->batch - held, &records, &count);

		if (got > 0) {
			for (size_t i = 0; i < count; i++)
				if (records[i].flags & LIBIOMMU_RECORD_LAST)
					done[held++] = answer_to(&records[i]);
			if (held < run->batch && held < left)
				continue;
		}
		if (held) {
			libiommu_reader_release(run->reader);
			if (libiommu_reader_complete(run->reader, done, held) != (int)held)
				atomic_fetch_add(&run->wrong, 1);
			left -= (unsigned int)held;
			held = 0;
		} else if (got == 0) {
			got = libiommu_reader_sleep(run->reader, -1);
		}
		if (got < 0)
			atomic_fetch_add(&run->wrong, 1);
	}
	return NULL;
}

static void run_all(uint32_t outstanding, size_t batch, uint32_t each, bool spans)
{
	struct libiommu_ctx *const ctx = ring_ctx();
	struct run run = {.batch = batch, .each = each, .spans = spans};
	pthread_t threads[INJECTORS + 2];

	door_alias(true);
	run.ring = ring_make(ctx, 1024, outstanding, 0);
	assert_int_equal(libiommu_ring_open_reader(run.ring, &run.reader), 0);
	pthread_create(&threads[0], NULL, fill, &run);
	pthread_create(&threads[1], NULL, handle, &run);
	for (int i = 0; i < INJECTORS; i++) {
		for (uint32_t j = 0; j < each; j++)
			injected[i][j].run = &run;
		pthread_create(&threads[2 + i], NULL, inject, injected[i]);
	}
	for (int i = 0; i < INJECTORS + 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&run.wrong), 0);
	assert_int_equal(atomic_load(&run.answered), INJECTORS * each);
	assert_int_equal(ring_count(run.ring, LIBIOMMU_RING_GROUPS), INJECTORS * each);
	assert_int_equal(ring_count(run.ring, LIBIOMMU_RING_SUCCESS), INJECTORS * each / 2);
	assert_int_equal(ring_count(run.ring, LIBIOMMU_RING_INVALID), INJECTORS * each / 2);
	ring_check(run.ring);
	assert_int_equal(ring_count(run.ring, LIBIOMMU_RING_STALE), 0);
	libiommu_reader_free(run.reader);
	libiommu_ring_destroy(run.ring);
	ring_ctx_close(ctx);
}

static void test_one_at_a_time(void **state)
{
	(void)state;
	run_all(1, 1, 1000, false);
}

static void test_few_out(void **state)
{
	(void)state;
	run_all(8, 3, 5000, false);
}

static void test_batches(void **state)
{
	(void)state;
	run_all(512, 32, MOST, false);
}

static void test_spans(void **state)
{
	(void)state;
	run_all(512, 32, MOST, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_few_out),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The race that the lock of a fault queue is for, with a ring that is fed from the queue. A fault
 * has left the kernel's queue and the library does not know of it yet. Now its attachment ends,
 * and the kernel frees its number, which the next fault gets. The late fault must still come in the
 * terms of its own attachment and before the end of that, and its answer must not be taken for an
 * answer to the next.
 *
 * Fed by read(), the moment is after the system call, where the thread that made it is held; a
 * queue that is fed through io_uring is read so too after a change, before the kernel reads again,
 * which a thread of the library's lets it do at once.
 * While the kernel does, each moment between two dispatches is like that; what is left to force is
 * a fault that is read while the armed read is being cancelled, and one that comes between that
 * and the end of the attachment.
 */
#include "race-rig.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LATE = 0x1000, NEXT = 0x2000, WHILE_CANCELLED = 0x3000, UNREAD = 0x4000 };

/* The one that reads is held until the attachment has ended and the next fault is there. */
static atomic_bool raised, held, changed;

/* So the first that is read, by whichever thread, is the late fault. */
static void wait_for_it(void *user)
{
	(void)user;
	for (int i = 0; i < 5000 && !atomic_load(&raised); i++)
		pause_a_little();
}

static void hold(void *user)
{
	(void)user;
	/* Something else was read, or nothing. */
	if (!atomic_load(&raised) || !is_read() || atomic_exchange(&held, true))
		return;
	/* Without the lock the other thread comes through at once; with it, it cannot. */
	for (int i = 0; i < 100 && !atomic_load(&changed); i++)
		pause_a_little();
}

static void *dispatch_until_held(void *arg)
{
	(void)arg;
	for (int i = 0; i < 5000 && !atomic_load(&held); i++)
		if (libiommu_ring_dispatch(rig.ring) < 0)
			return NULL;
	return arg;
}

/*
 * The next fault has the number that the late one had. Between two changes the kernel may read it
 * by itself, and then nobody has seen its number.
 */
static void check_cookies(void)
{
	const uint32_t next = mock_cookie(mock, rig.queue, NEXT);

	assert_int_not_equal(mock_cookie(mock, rig.queue, LATE), 0);
	if (next || !rig.race->between)
		assert_int_equal(next, mock_cookie(mock, rig.queue, LATE));
}

static void test_by_read(void **state)
{
	struct libiommu_record late, next;
	pthread_t thread;
	void *result = NULL;

	(void)state;
	if (rig.race->between)
		rig_disarm();
	atomic_store(&raised, false);
	atomic_store(&held, false);
	atomic_store(&changed, false);
	mock_set_read_hook(mock, wait_for_it, hold, NULL);
	OK(raise_late(LATE));
	atomic_store(&raised, true);
	if (!rig.race->threaded)
		assert_int_equal(pthread_create(&thread, NULL, dispatch_until_held, &rig), 0);
	for (int i = 0; i < 5000 && !atomic_load(&held); i++)
		pause_a_little();
	OK(rig_change());
	OK(raise_next(NEXT));
	atomic_store(&changed, true);
	assert_true(atomic_load(&held));
	if (!rig.race->threaded) {
		assert_int_equal(pthread_join(thread, &result), 0);
		assert_non_null(result);
	}
	mock_set_read_hook(mock, NULL, NULL, NULL);
	if (rig.race->between)
		next_end(ENDED_TAG);
	late = next_late(LATE);
	next_end(TAG);
	next = next_other(NEXT);
	check_cookies();
	assert_int_equal(succeed(&late), 0);
	assert_int_equal(succeed(&next), 1);
	nothing_is_left();
}

/* What happens around the first system call with which a change ends the armed read. */
static atomic_int calls, missed;

/* True: the kernel has read all that is in the queue, so that nothing is left to read. */
static bool wait_until_read(void)
{
	for (int i = 0; i < 5000 && !is_read(); i++)
		pause_a_little();
	return is_read();
}

static void before_cancel(void *user)
{
	(void)user;
	if (atomic_fetch_add(&calls, 1))
		return;
	/* Still armed. */
	if (raise_late(WHILE_CANCELLED) || !wait_until_read())
		atomic_store(&missed, 1);
}

static void after_cancel(void *user)
{
	(void)user;
	if (atomic_load(&calls) == 1 && raise_late(UNREAD))
		atomic_store(&missed, 1);
}

static void test_by_io_uring(void **state)
{
	struct libiommu_record records[3], next;
	int count = 0;

	(void)state;
	atomic_store(&calls, 0);
	atomic_store(&missed, 0);
	OK(raise_late(LATE));
	assert_true(wait_until_read());
	mock_set_cancel_hook(mock, before_cancel, after_cancel, NULL);
	OK(rig_change());
	mock_set_cancel_hook(mock, NULL, NULL, NULL);
	assert_false(atomic_load(&missed));
	OK(raise_next(NEXT));
	records[count++] = next_late(LATE);
	assert_true(atomic_load(&calls));
	records[count++] = next_late(WHILE_CANCELLED);
	/* What came last the kernel has read, or has answered by itself: either is right. */
	next = next_record();
	if (next.kind == LIBIOMMU_RECORD_FAULT) {
		assert_true(next.address == UNREAD);
		assert_int_equal(next.tag, TAG);
		records[count++] = next;
		next = next_record();
	}
	assert_int_equal(next.kind, LIBIOMMU_RECORD_DETACHED);
	assert_int_equal(next.tag, TAG);
	next = next_other(NEXT);
	while (count)
		assert_int_equal(succeed(&records[--count]), 0);
	assert_int_equal(succeed(&next), 1);
	nothing_is_left();
}

/* Each way of feeding and driving a ring. */
static const struct way {
	struct race race;
	CMUnitTestFunction test;
	const char *name;
} ways[] = {
	{{0}, test_by_read, "fed by read()"},
	{{.threaded = true}, test_by_read, "fed by read(), driven by the thread"},
	{{.feed = LIBIOMMU_RING_IO_URING, .between = true}, test_by_read, "fed by read() between"},
	{{.feed = LIBIOMMU_RING_IO_URING}, test_by_io_uring, "fed by io_uring"},
	{{.feed = LIBIOMMU_RING_IO_URING, .threaded = true},
         test_by_io_uring,
         "fed by io_uring, driven by the thread"},
};
static const char *const subjects[SUBJECTS] = {"PASID", "device", "nested"};

enum { WAYS = sizeof(ways) / sizeof(ways[0]), TESTS = WAYS * SUBJECTS * 2 };

int main(void)
{
	static struct race races[TESTS];
	static char names[TESTS][80];
	static struct CMUnitTest tests[TESTS];
	int failed;

	mock = mock_new();
	if (!mock)
		return 77;
	for (int i = 0; i < TESTS; i++) {
		const struct way *const way = &ways[i % WAYS];

		races[i] = way->race;
		races[i].subject = (enum subject)(i / WAYS / 2);
		races[i].replaced = i / WAYS % 2;
		snprintf(names[i], sizeof(names[i]), "%s %s, %s", subjects[races[i].subject],
		         races[i].replaced ? "replaced" : "detached", way->name);
		tests[i] = (struct CMUnitTest){.name = names[i],
		                               .test_func = way->test,
		                               .setup_func = rig_setup,
		                               .teardown_func = rig_teardown,
		                               .initial_state = &races[i]};
	}
	failed = cmocka_run_group_tests_name("ring-race", tests, NULL, NULL);
	mock_free(mock);
	return failed;
}

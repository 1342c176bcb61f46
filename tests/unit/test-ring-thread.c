/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A ring that a thread of the library's drives. Nobody here waits for a time: whatever is waited
 * for comes, or the test stands still. Times are compared with what they must be at least.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "limit.h"
#include "ring-door.h"

#define MANY 2000

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;

/* An answer to an injected group, and what was found where it was given. */
struct answered {
	sem_t came;
	sem_t gate; /* held here if it is shut */
	bool shut;
	int (*call)(struct libiommu_ring *ring);
	int result;
	enum libiommu_fault_code code;
	pthread_t thread;
	sigset_t blocked;
	char name[16];
};

static struct answered one;

static void answered(void *user, enum libiommu_fault_code code)
{
	struct answered *const it = user;
	const bool shut = it->shut;

	it->code = code;
	it->thread = pthread_self();
	pthread_sigmask(SIG_BLOCK, NULL, &it->blocked);
	pthread_getname_np(pthread_self(), it->name, sizeof(it->name));
	if (it->call)
		it->result = it->call(ring);
	sem_post(&it->came);
	if (shut)
		sem_wait(&it->gate);
}

static void make(uint64_t deadline)
{
	ring = ring_make(ctx, 1024, 64, deadline);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
}

static int setup(void **state)
{
	(void)state;
	ctx = ring_ctx();
	libiommu_failure_clear();
	door_alias(true);
	make(0);
	memset(&one, 0, sizeof(one));
	sem_init(&one.came, 0, 0);
	sem_init(&one.gate, 0, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	sem_destroy(&one.came);
	sem_destroy(&one.gate);
	ring_ctx_close(ctx);
	return 0;
}

/* Another ring than setup()'s. */
static void make_anew(uint64_t deadline)
{
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	make(deadline);
}

static void inject(struct answered *it)
{
	const struct libiommu_record record = {.address = 1};

	assert_int_equal(libiommu_ring_inject(ring, &record, 1, answered, it), 0);
}

/* Without libiommu_reader_sleep(), which a test may have taken the means from. */
static struct libiommu_completion next_group(void)
{
	struct libiommu_completion done = {0};
	const struct libiommu_record *records;
	size_t count;
	int got;

	while ((got = libiommu_reader_next(reader, &records, &count)) == 0)
		poll(NULL, 0, 1);
	assert_int_equal(got, 1);
	done.token = records->token;
	done.queue = records->queue;
	libiommu_reader_release(reader);
	return done;
}

static void complete(struct libiommu_completion done)
{
	assert_int_equal(libiommu_reader_complete(reader, &done, 1), 1);
}

static void pass_one(void)
{
	inject(&one);
	complete(next_group());
	sem_wait(&one.came);
}

static struct answered many[MANY];

static void *inject_many(void *arg)
{
	const struct libiommu_record record = {0};

	(void)arg;
	for (size_t i = 0; i < MANY; i++)
		while (libiommu_ring_inject(ring, &record, 1, answered, &many[i]) == -EAGAIN)
			poll(NULL, 0, 1);
	return NULL;
}

static atomic_bool over;

/* A loop of the program's own beside the thread. */
static void *dispatch_too(void *arg)
{
	atomic_uint *const wrong = arg;

	while (!atomic_load(&over)) {
		struct pollfd fd = {.fd = libiommu_ring_fd(ring), .events = POLLIN};

		poll(&fd, 1, 1);
		if (libiommu_ring_dispatch(ring))
			atomic_fetch_add(wrong, 1);
	}
	return NULL;
}

/* The reader sleeps whenever it can: a wake-up that is lost stops the test. */
static void handle_many(void)
{
	struct libiommu_completion done = {0};
	const struct libiommu_record *records;
	unsigned int left = MANY;
	size_t count;

	while (left) {
		if (libiommu_reader_next(reader, &records, &count) == 0) {
			assert_true(libiommu_reader_sleep(reader, -1) >= 0);
			continue;
		}
		done.token = records->token;
		done.queue = records->queue;
		libiommu_reader_release(reader);
		complete(done);
		left--;
	}
	for (size_t i = 0; i < MANY; i++) {
		sem_wait(&many[i].came);
		sem_destroy(&many[i].came);
		assert_int_equal(many[i].code, LIBIOMMU_FAULT_SUCCESS);
	}
}

static void run_many(unsigned int loops)
{
	atomic_uint wrong = 0;
	pthread_t injector, looping[2];

	atomic_store(&over, false);
	memset(many, 0, sizeof(many));
	for (size_t i = 0; i < MANY; i++)
		sem_init(&many[i].came, 0, 0);
	assert_int_equal(libiommu_ring_start(ring), 0);
	pthread_create(&injector, NULL, inject_many, NULL);
	for (unsigned int i = 0; i < loops; i++)
		pthread_create(&looping[i], NULL, dispatch_too, &wrong);
	handle_many();
	atomic_store(&over, true);
	pthread_join(injector, NULL);
	for (unsigned int i = 0; i < loops; i++)
		pthread_join(looping[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), MANY);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_ERRORS), 0);
}

static void test_faults_arrive_and_are_answered(void **state)
{
	(void)state;
	run_many(0);
	for (size_t i = 0; i < MANY; i++) {
		assert_true(pthread_equal(many[i].thread, many[0].thread));
		assert_false(pthread_equal(many[i].thread, pthread_self()));
	}
}

static void test_beside_loops_of_the_program(void **state)
{
	(void)state;
	run_many(2);
}

static void test_what_the_thread_is_like(void **state)
{
	static const int blocked[] = {SIGTERM, SIGINT, SIGALRM, SIGCHLD, SIGUSR1, SIGPIPE};
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
	sigset_t only, before, after;

	(void)state;
	sigemptyset(&only);
	sigaddset(&only, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &only, &before);
	assert_int_equal(libiommu_ring_start(ring), 0);
	pthread_sigmask(SIG_SETMASK, &before, &after);
	pass_one();
	assert_string_equal(one.name, "libiommu-ring");
	for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++)
		assert_int_equal(sigismember(&one.blocked, blocked[i]), 1);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		assert_int_equal(sigismember(&one.blocked, own[i]), 0);
	/* And what this one is like as before. */
	for (int i = 1; i < SIGRTMIN; i++)
		assert_int_equal(sigismember(&after, i), i == SIGUSR2);
}

static void test_deadlines_need_no_call(void **state)
{
	(void)state;
	make_anew(2000000);
	assert_int_equal(libiommu_ring_start(ring), 0);
	inject(&one);
	sem_wait(&one.came);
	assert_int_equal(one.code, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_ABANDONED), 1);
	assert_int_equal(reader_none(reader), -EPIPE);
}

static void test_the_end_of_a_reader_needs_no_call(void **state)
{
	(void)state;
	assert_int_equal(libiommu_ring_start(ring), 0);
	inject(&one);
	next_group();
	libiommu_reader_free(reader);
	reader = NULL;
	sem_wait(&one.came);
	assert_int_equal(one.code, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_ABANDONED), 1);
	/* Nor does what comes then. */
	inject(&one);
	sem_wait(&one.came);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_REFUSED), 1);
}

static void test_stop_and_start_again(void **state)
{
	const int fds = door_fds();

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(libiommu_ring_start(ring), 0);
		pass_one();
		assert_int_equal(libiommu_ring_stop(ring), 0);
		assert_int_equal(door_fds(), fds);
		/* Nobody is there any more who would take it... */
		inject(&one);
		assert_true(ring_ready(ring));
		assert_int_equal(reader_none(reader), 0);
		/* ... but the program, */
		assert_int_equal(libiommu_ring_dispatch(ring), 0);
		complete(next_group());
		assert_int_equal(libiommu_ring_start(ring), 0);
		/* or the next thread. */
		sem_wait(&one.came);
		assert_int_equal(libiommu_ring_stop(ring), 0);
	}
}

static void *sleep_until_the_end(void *arg)
{
	const struct libiommu_record *records;
	int result = 0;
	size_t count;

	(void)arg;
	while (result >= 0) {
		result = libiommu_reader_next(reader, &records, &count);
		if (result == 0)
			result = libiommu_reader_sleep(reader, -1);
	}
	return (void *)(intptr_t)result;
}

static void test_destroy_while_it_runs(void **state)
{
	pthread_t sleeper;
	void *result;

	(void)state;
	for (int i = 0; i < 50; i++) {
		make_anew(0);
		assert_int_equal(libiommu_ring_start(ring), 0);
		inject(&one);
		/* From taken by the reader to not even fetched. */
		if (i % 2)
			next_group();
		else
			pthread_create(&sleeper, NULL, sleep_until_the_end, NULL);
		assert_int_equal(libiommu_ring_destroy(ring), 0);
		/* From the thread or from destroying, but before that has ended. */
		assert_int_equal(sem_trywait(&one.came), 0);
		assert_int_equal(one.code, LIBIOMMU_FAULT_INVALID);
		if (i % 2 == 0) {
			pthread_join(sleeper, &result);
			assert_int_equal((intptr_t)result, -EPIPE);
		}
		ring = ring_make(ctx, 1024, 64, 0);
	}
}

static void test_one_thread_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(libiommu_ring_stop(ring), -ENOENT);
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_LIBRARY);
	assert_int_equal(libiommu_ring_start(ring), 0);
	assert_int_equal(libiommu_ring_start(ring), -EALREADY);
	assert_string_equal(libiommu_failure_operation(), "libiommu_ring_start");
	assert_int_equal(libiommu_ring_stop(ring), 0);
	assert_int_equal(libiommu_ring_stop(ring), -ENOENT);
	assert_string_equal(libiommu_failure_operation(), "libiommu_ring_stop");
}

static void test_starts_that_fail_leave_nothing_behind(void **state)
{
	const int fds = door_fds();
	sigset_t only, before, after;
	char text[512];

	(void)state;
	sigemptyset(&only);
	sigaddset(&only, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &only, &before);
	door_fail_nth(1);
	assert_int_equal(libiommu_ring_start(ring), -EIO);
	assert_true(door_failed());
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
	limit_threads(true);
	assert_int_equal(libiommu_ring_start(ring), -EAGAIN);
	limit_threads(false);
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
	assert_true(libiommu_failure_text(text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "ulimit -u"));
	assert_int_equal(door_fds(), fds);
	pthread_sigmask(SIG_SETMASK, &before, &after);
	for (int i = 1; i < SIGRTMIN; i++)
		assert_int_equal(sigismember(&after, i), i == SIGUSR2);
	assert_int_equal(libiommu_ring_stop(ring), -ENOENT);
	assert_int_equal(libiommu_ring_start(ring), 0);
	pass_one();
}

static void test_a_callback_cannot_end_its_own_thread(void **state)
{
	static int (*const calls[])(struct libiommu_ring *) = {libiommu_ring_stop,
	                                                       libiommu_ring_destroy};

	(void)state;
	assert_int_equal(libiommu_ring_start(ring), 0);
	for (int i = 0; i < 2; i++) {
		one.call = calls[i];
		pass_one();
		assert_int_equal(one.result, -EDEADLK);
	}
	one.call = libiommu_ring_start;
	pass_one();
	assert_int_equal(one.result, -EALREADY);
}

struct stopper {
	pthread_t thread;
	atomic_bool returned;
	int result;
};

static void *stop(void *arg)
{
	struct stopper *const stopper = arg;

	stopper->result = libiommu_ring_stop(ring);
	atomic_store(&stopper->returned, true);
	return NULL;
}

static void test_whoever_stops_it_waits_for_a_callback(void **state)
{
	struct stopper stoppers[2];

	(void)state;
	assert_int_equal(libiommu_ring_start(ring), 0);
	one.shut = true;
	pass_one();
	for (int i = 0; i < 2; i++) {
		atomic_init(&stoppers[i].returned, false);
		pthread_create(&stoppers[i].thread, NULL, stop, &stoppers[i]);
	}
	/* Time to return where they must not; were it too short, nothing would fail. */
	usleep(20000);
	assert_false(atomic_load(&stoppers[0].returned) || atomic_load(&stoppers[1].returned));
	assert_int_equal(libiommu_ring_start(ring), -EALREADY);
	sem_post(&one.gate);
	for (int i = 0; i < 2; i++)
		pthread_join(stoppers[i].thread, NULL);
	assert_int_equal(stoppers[0].result + stoppers[1].result, -ENOENT);
	assert_int_equal(libiommu_ring_stop(ring), -ENOENT);
}

static atomic_uint starts, stops, strange;

static void *start_and_stop(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		const int started = libiommu_ring_start(ring);
		const int stopped = libiommu_ring_stop(ring);

		atomic_fetch_add(&starts, !started);
		atomic_fetch_add(&stops, !stopped);
		if ((started && started != -EALREADY) || (stopped && stopped != -ENOENT))
			atomic_fetch_add(&strange, 1);
	}
	return NULL;
}

static void test_starts_and_stops_from_everywhere(void **state)
{
	const int fds = door_fds();
	pthread_t threads[3];

	(void)state;
	atomic_store(&starts, 0);
	atomic_store(&stops, 0);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, start_and_stop, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&strange), 0);
	assert_true(atomic_load(&starts) > 0);
	assert_int_equal(atomic_load(&starts), atomic_load(&stops));
	assert_int_equal(libiommu_ring_stop(ring), -ENOENT);
	assert_int_equal(door_fds(), fds);
}

#define FAILURES 64

static sem_t told;
static const char *told_of;
static unsigned int failures;
/* How long was waited before each, of the first of them. */
static int waited[FAILURES];

static void note_log(const char *message)
{
	if (!strstr(message, told_of))
		return;
	if (failures < FAILURES)
		waited[failures++] = door_waited();
	sem_post(&told);
}

static int64_t ms_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The time that @count failures take, at least so long that nothing spins. */
static int64_t fail_for(unsigned int count, const char *operation, bool dispatches, bool waits)
{
	int64_t from;

	sem_init(&told, 0, 0);
	told_of = operation;
	failures = 0;
	door_on_log(note_log);
	door_deny(dispatches, waits);
	from = ms_now();
	assert_int_equal(libiommu_ring_start(ring), 0);
	inject(&one);
	while (count--)
		sem_wait(&told);
	return ms_now() - from;
}

static void test_a_dispatch_that_fails_is_told_and_not_repeated_at_once(void **state)
{
	static const int waits[] = {10, 20, 40, 80, 160, 160};

	(void)state;
	/* Clocks may differ by a little. */
	assert_true(fail_for(7, "libiommu_ring_dispatch", true, false) >= 460);
	for (int i = 0; i < 6; i++)
		assert_int_equal(waited[1 + i], waits[i]);
	assert_true(ring_count(ring, LIBIOMMU_RING_ERRORS) >= 7);
	/* What it could not do before it does now. */
	door_deny(false, false);
	complete(next_group());
	sem_wait(&one.came);
	assert_int_equal(one.code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(libiommu_ring_stop(ring), 0);
	sem_destroy(&told);
}

static void test_after_a_success_the_waiting_begins_anew(void **state)
{
	(void)state;
	fail_for(4, "libiommu_ring_dispatch", true, false);
	door_deny(false, false);
	complete(next_group());
	sem_wait(&one.came);
	/* A dispatch that failed can have come to that, but not to this. */
	pass_one();
	sem_destroy(&told);
	sem_init(&told, 0, 0);
	failures = 0;
	door_deny(true, false);
	inject(&one);
	sem_wait(&told);
	sem_wait(&told);
	assert_int_equal(waited[1], 10);
	door_deny(false, false);
	assert_int_equal(libiommu_ring_stop(ring), 0);
	sem_destroy(&told);
}

static void test_a_wait_that_fails_stops_nothing(void **state)
{
	(void)state;
	assert_true(fail_for(5, "libiommu_ring_start", false, true) >= 38);
	/* Nobody says when there is something to do, and it is done. */
	complete(next_group());
	sem_wait(&one.came);
	assert_int_equal(one.code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(libiommu_ring_stop(ring), 0);
	sem_destroy(&told);
}

static void test_nothing_works_and_it_can_be_stopped(void **state)
{
	(void)state;
	/* Between three dispatches, 10 and 20 ms after them and 10 before each. */
	assert_true(fail_for(3, "libiommu_ring_dispatch", true, true) >= 48);
	assert_int_equal(libiommu_ring_stop(ring), 0);
	door_deny(false, false);
	sem_destroy(&told);
}

static void test_a_forked_child_has_no_thread(void **state)
{
	int status = -1;
	pid_t child;

	(void)state;
	assert_int_equal(libiommu_ring_start(ring), 0);
	child = fork();
	if (!child)
		_exit(libiommu_ring_start(ring) != -ECHILD || libiommu_ring_stop(ring) != -ECHILD ||
		      libiommu_ring_destroy(ring) != -ECHILD);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	pass_one();
	assert_int_equal(libiommu_ring_stop(ring), 0);
}

#define RING_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_faults_arrive_and_are_answered),
		RING_TEST(test_beside_loops_of_the_program),
		RING_TEST(test_what_the_thread_is_like),
		RING_TEST(test_deadlines_need_no_call),
		RING_TEST(test_the_end_of_a_reader_needs_no_call),
		RING_TEST(test_stop_and_start_again),
		RING_TEST(test_destroy_while_it_runs),
		RING_TEST(test_one_thread_and_no_more),
		RING_TEST(test_starts_that_fail_leave_nothing_behind),
		RING_TEST(test_a_callback_cannot_end_its_own_thread),
		RING_TEST(test_whoever_stops_it_waits_for_a_callback),
		RING_TEST(test_starts_and_stops_from_everywhere),
		RING_TEST(test_a_dispatch_that_fails_is_told_and_not_repeated_at_once),
		RING_TEST(test_after_a_success_the_waiting_begins_anew),
		RING_TEST(test_a_wait_that_fails_stops_nothing),
		RING_TEST(test_nothing_works_and_it_can_be_stopped),
		RING_TEST(test_a_forked_child_has_no_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

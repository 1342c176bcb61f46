/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Readers whose filler is killed, or closes its end of the socket, without a word in the shared
 * memory: nobody waits for it for ever.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring-door.h"

enum { OUT = 8, ROOM = 2 * OUT, GROUPS = 3 };

/* Mostly of the filler's process. */
static struct libiommu_ring *ring;
static struct fake fake;

/* What a reader does where there is nothing to take: 0 or more, or why it stops. */
typedef int (*wait_fn)(struct libiommu_reader *reader);

static int sleep_on(struct libiommu_reader *reader)
{
	return libiommu_reader_sleep(reader, -1);
}

static int arm_and_poll(struct libiommu_reader *reader)
{
	struct pollfd fd = {.fd = libiommu_reader_fd(reader), .events = POLLIN};
	const int result = libiommu_reader_arm(reader);

	if (result)
		return result;
	assert_int_equal(poll(&fd, 1, -1), 1);
	return libiommu_reader_disarm(reader);
}

/* One that has other things to do, and only looks. */
static int look(struct libiommu_reader *reader)
{
	poll(NULL, 0, 1);
	return libiommu_reader_sleep(reader, 0);
}

/* In a process of its own, whose nth call of the kernel from the join on is never made. */
static void run_filler(int socket, uint32_t flags, unsigned int nth)
{
	struct pollfd fd = {.events = POLLIN};

	ring = ring_make(ring_ctx(), 1024, OUT, 0);
	fd.fd = libiommu_ring_fd(ring);
	fake_init(&fake);
	if (li_filler_add(li_ring_filler(ring), &fake.source))
		_exit(1);
	door_die_nth(nth);
	if (libiommu_ring_join(ring, socket, LIBIOMMU_FD_OWN, flags))
		_exit(1);
	for (uint32_t i = 0; i < GROUPS; i++) {
		fake_raise(&fake, 1 + i % 3, 0);
		do {
			if (poll(&fd, 1, -1) != 1 || libiommu_ring_dispatch(ring))
				_exit(1);
		} while (!fake.groups[i].answers);
	}
	/* It goes without the farewell that a ring that is destroyed has. */
	_exit(0);
}

/* A filler that gives its reader some groups, never takes a completion, and waits to be killed. */
static void run_idle_filler(int socket, uint32_t flags, uint32_t groups)
{
	ring = ring_make(ring_ctx(), 1024, OUT, 0);
	fake_init(&fake);
	for (uint32_t i = 0; i < groups; i++)
		fake_raise(&fake, 1, 0);
	if (li_filler_add(li_ring_filler(ring), &fake.source) ||
	    libiommu_ring_join(ring, socket, LIBIOMMU_FD_OWN, flags) ||
	    (groups && libiommu_ring_dispatch(ring)))
		_exit(1);
	for (;;)
		pause();
}

/* The reader's end of the socket. */
static int start(void (*run)(int socket, uint32_t flags, uint32_t what), uint32_t flags,
                 uint32_t what, pid_t *child)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	*child = fork();
	if (!*child) {
		/* Also where a check fails, and nobody gets to kill it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		run(ends[1], flags, what);
	}
	assert_true(*child > 0);
	close(ends[1]);
	return ends[0];
}

static struct libiommu_reader *start_idle(uint32_t flags, uint32_t groups, pid_t *child)
{
	const int socket = start(run_idle_filler, flags, groups, child);
	struct libiommu_reader *reader;

	assert_int_equal(libiommu_reader_open(NULL, socket, LIBIOMMU_FD_OWN, &reader), 0);
	return reader;
}

/* Take and complete until the end is there. */
static int serve(struct libiommu_reader *reader, wait_fn wait)
{
	struct libiommu_completion done;
	const struct libiommu_record *records;
	size_t count;
	int result;

	do {
		result = libiommu_reader_next(reader, &records, &count);
		if (result == 0)
			result = wait(reader);
		else if (result > 0) {
			done = (struct libiommu_completion){.token = records->token,
			                                    .queue = records->queue};
			libiommu_reader_release(reader);
			assert_int_equal(libiommu_reader_complete(reader, &done, 1), 1);
		}
	} while (result >= 0);
	return result;
}

/* Whatever it does from now on, it is not left waiting. */
static void check_ended(struct libiommu_reader *reader)
{
	struct libiommu_completion done = {0};

	assert_int_equal(reader->memory.a->state, RING_OPEN);
	assert_int_equal(reader_none(reader), -EPIPE);
	assert_string_equal(libiommu_failure_operation(), "libiommu_reader_next");
	assert_int_equal(libiommu_reader_sleep(reader, -1), -EPIPE);
	assert_int_equal(libiommu_reader_arm(reader), -EPIPE);
	assert_int_equal(libiommu_reader_disarm(reader), -EPIPE);
	assert_int_equal(reader->memory.b->wait, 0);
	/* What is completed reaches nobody, and harms nobody. */
	assert_int_equal(libiommu_reader_release(reader), 0);
	assert_true(libiommu_reader_complete(reader, &done, 1) == 1 || reader->scarce);
}

/* True: the filler was killed; false: it came to its end. */
static bool survive(wait_fn wait, uint32_t flags, unsigned int nth)
{
	struct libiommu_reader *reader;
	pid_t child;
	const int socket = start(run_filler, flags, nth, &child);
	const int error = libiommu_reader_open(NULL, socket, LIBIOMMU_FD_OWN, &reader);
	int status = -1;

	if (!error) {
		assert_int_equal(serve(reader, wait), -EPIPE);
		check_ended(reader);
		libiommu_reader_free(reader);
	} else {
		assert_int_equal(error, -EPIPE);
		close(socket);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	else
		assert_int_equal(WTERMSIG(status), SIGKILL);
	return WIFSIGNALED(status);
}

static void survive_all(wait_fn wait)
{
	alloc_start();
	for (uint32_t flags = 0; flags <= LIBIOMMU_RING_TRUSTED; flags++) {
		unsigned int nth = 1;

		while (survive(wait, flags, nth))
			nth++;
		/* A join, and each group, take several calls. */
		assert_true(nth > 2 * GROUPS);
	}
	alloc_check();
}

static void test_killed_at_any_call_while_the_reader_sleeps(void **state)
{
	(void)state;
	survive_all(sleep_on);
}

static void test_killed_at_any_call_while_the_reader_polls(void **state)
{
	(void)state;
	survive_all(arm_and_poll);
}

static void test_killed_at_any_call_while_the_reader_is_awake(void **state)
{
	(void)state;
	survive_all(look);
}

struct killer {
	const struct libiommu_reader *reader;
	uint32_t bits; /* of the reader's wait word */
	pid_t child;
};

/* As soon as the reader lies down. */
static void *kill_filler(void *arg)
{
	const struct killer *const killer = arg;

	while (!(atomic_load(&killer->reader->memory.b->wait) & killer->bits))
		poll(NULL, 0, 1);
	kill(killer->child, SIGKILL);
	return NULL;
}

static void lie_down(struct libiommu_reader *reader, wait_fn wait, uint32_t bits, pid_t child)
{
	struct killer killer = {.reader = reader, .bits = bits, .child = child};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, kill_filler, &killer), 0);
	assert_int_equal(wait(reader), -EPIPE);
	pthread_join(thread, NULL);
	waitpid(child, NULL, 0);
	check_ended(reader);
	libiommu_reader_free(reader);
}

/* In each way, and of each kind; @prepare is called first, unless it is NULL. */
static void lie_down_all(void (*prepare)(struct libiommu_reader *reader), uint32_t bits)
{
	static const wait_fn waits[] = {sleep_on, arm_and_poll};

	for (uint32_t flags = 0; flags <= LIBIOMMU_RING_TRUSTED; flags++)
		for (size_t i = 0; i < 2; i++) {
			pid_t child;
			struct libiommu_reader *const reader = start_idle(flags, 0, &child);

			if (prepare)
				prepare(reader);
			lie_down(reader, waits[i], bits, child);
		}
}

static void test_killed_under_a_reader_that_lies_down(void **state)
{
	(void)state;
	lie_down_all(NULL, ~0U);
}

/* Nobody takes what is completed, so that there soon is no room for more. */
static void use_up_room(struct libiommu_reader *reader)
{
	struct libiommu_completion done[ROOM] = {{0}};
	const int room = (int)(ROOM - reader->made);

	assert_int_equal(libiommu_reader_complete(reader, done, ROOM), room);
	assert_int_equal(libiommu_reader_complete(reader, done, 1), -EAGAIN);
}

static void test_killed_under_a_reader_that_waits_for_room(void **state)
{
	(void)state;
	lie_down_all(use_up_room, RING_WAIT_SCARCE);
}

/* One that does not look at its socket takes what is there, and has no way to know more. */
static void test_killed_under_a_reader_that_is_awake(void **state)
{
	struct libiommu_completion done;
	struct libiommu_reader *reader;
	pid_t child;

	(void)state;
	reader = start_idle(0, 3, &child);
	assert_int_equal(libiommu_reader_sleep(reader, -1), 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(reader_take(reader, &done), i);
		assert_int_equal(libiommu_reader_complete(reader, &done, 1), 1);
	}
	assert_int_equal(libiommu_reader_release(reader), 0);
	assert_int_equal(reader_none(reader), 0);
	use_up_room(reader);
	assert_int_equal(reader_none(reader), 0);
	/* It begins to wait, and what it polls says so at once. */
	assert_int_equal(arm_and_poll(reader), -EPIPE);
	check_ended(reader);
	libiommu_reader_free(reader);
}

/* Of a ring that is alive otherwise: the memory still says that it is open. */
static void test_the_socket_is_closed(void **state)
{
	struct libiommu_ctx *const ctx = ring_ctx();
	struct libiommu_reader *reader;
	int ends[2];

	(void)state;
	ring = ring_make(ctx, 1024, OUT, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(libiommu_ring_join(ring, ends[0], LIBIOMMU_FD_BORROW, 0), 0);
	assert_int_equal(libiommu_reader_open(NULL, ends[1], LIBIOMMU_FD_OWN, &reader), 0);
	assert_int_equal(libiommu_reader_sleep(reader, 0), 0);
	/* Behind more messages than are taken in at a time. */
	for (int i = 0; i < 20; i++)
		assert_int_equal(send(ends[0], "", 1, 0), 1);
	assert_int_equal(shutdown(ends[0], SHUT_RDWR), 0);
	assert_int_equal(reader_none(reader), 0);
	assert_int_equal(libiommu_reader_sleep(reader, -1), 1);
	assert_int_equal(reader_none(reader), 0);
	assert_int_equal(libiommu_reader_sleep(reader, -1), -EPIPE);
	check_ended(reader);
	/* The other side finds out the same, and is ready for another reader. */
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 1);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	close(ends[0]);
	ring_ctx_close(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_at_any_call_while_the_reader_sleeps),
		cmocka_unit_test(test_killed_at_any_call_while_the_reader_polls),
		cmocka_unit_test(test_killed_at_any_call_while_the_reader_is_awake),
		cmocka_unit_test(test_killed_under_a_reader_that_lies_down),
		cmocka_unit_test(test_killed_under_a_reader_that_waits_for_room),
		cmocka_unit_test(test_killed_under_a_reader_that_is_awake),
		cmocka_unit_test(test_the_socket_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A reader in another process that hangs: it is stopped, and its deadlines pass in real time. No
 * clock is compared with another, so that it does not matter how busy the machine is; what must not
 * be late is done while the ring's clock stands.
 */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring-door.h"

#define DEADLINE (UINT64_C(50) * 1000 * 1000)

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct fake fake;
static pid_t child;

static void stop_clock(void)
{
	uint64_t now;

	assert_int_equal(li_sys_clock(li_sys_libc(), &now), 0);
	door_clock(now);
}

static void dispatch(void)
{
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
}

/* Until so many have been counted, however long that takes. */
static void dispatch_until(enum libiommu_ring_counter which, uint64_t value)
{
	struct pollfd fd = {.fd = libiommu_ring_fd(ring), .events = POLLIN};

	while (ring_count(ring, which) < value) {
		assert_int_equal(poll(&fd, 1, -1), 1);
		dispatch();
	}
}

/* The next group: 1; or what ends the ring, as no signal does. */
static int take(struct libiommu_reader *reader, struct libiommu_completion *done)
{
	const struct libiommu_record *records;
	size_t count;
	int result;

	do
		result = libiommu_reader_next(reader, &records, &count);
	while (!result && ((result = libiommu_reader_sleep(reader, -1)) >= 0 || result == -EINTR));
	if (result == 1)
		*done = (struct libiommu_completion){.token = records->token,
		                                     .queue = records->queue};
	return result;
}

/* Takes a group, hangs, and goes on as if nothing had happened. */
static int hang_with_a_group(struct libiommu_reader *reader)
{
	struct libiommu_completion done;

	if (take(reader, &done) != 1)
		return 1;
	libiommu_reader_release(reader);
	raise(SIGSTOP);
	if (libiommu_reader_complete(reader, &done, 1) != 1)
		return 2;
	return take(reader, &done) == -EPIPE ? 0 : 3;
}

/* Hangs wherever it is in its sleep. */
static int sleep_until_the_end(struct libiommu_reader *reader)
{
	struct libiommu_completion done;

	return take(reader, &done) == -EPIPE ? 0 : 1;
}

static void start(int (*run)(struct libiommu_reader *reader))
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	if (!child) {
		struct libiommu_reader *reader;

		/* Also where a check fails, and nobody wakes it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		_exit(libiommu_reader_open(NULL, ends[1], LIBIOMMU_FD_OWN, &reader) ? 9
		                                                                    : run(reader));
	}
	close(ends[1]);
	assert_int_equal(libiommu_ring_join(ring, ends[0], LIBIOMMU_FD_DUP, 0), 0);
	close(ends[0]);
	dispatch();
}

static void wait_until_stopped(void)
{
	int status;

	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
}

/* It learns that its time is over, and nobody listens to what it still says. */
static void check_end_of_child(void)
{
	int status = -1;

	kill(child, SIGCONT);
	assert_int_equal(waitpid(child, &status, 0), child);
	child = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* While the old one still hangs: it has memory of its own. */
static void check_new_reader(void)
{
	struct libiommu_completion done;
	struct libiommu_reader *reader;
	uint32_t number;

	stop_clock();
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	number = fake_raise(&fake, 1, 0);
	dispatch();
	assert_int_equal(reader_take(reader, &done), number);
	check_end_of_child();
	assert_int_equal(libiommu_reader_complete(reader, &done, 1), 1);
	dispatch();
	assert_int_equal(fake.groups[number].code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 1);
	libiommu_reader_free(reader);
}

static int setup(void **state)
{
	(void)state;
	ctx = ring_ctx();
	ring = ring_make(ctx, 1024, 64, DEADLINE);
	fake_init(&fake);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &fake.source), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	ring_check(ring);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	fake_check(&fake);
	fake_close(&fake);
	ring_ctx_close(ctx);
	return 0;
}

static void check_invalid(uint32_t number)
{
	assert_int_equal(fake.groups[number].answers, 1);
	assert_int_equal(fake.groups[number].code, LIBIOMMU_FAULT_INVALID);
}

static void test_with_a_group_in_hand(void **state)
{
	uint32_t taken, unseen[2];

	(void)state;
	stop_clock();
	start(hang_with_a_group);
	taken = fake_raise(&fake, 1, 0);
	dispatch();
	wait_until_stopped();
	door_clock(0);
	/* It was released: it dies alone. */
	dispatch_until(LIBIOMMU_RING_EXPIRED, 1);
	check_invalid(taken);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 0);
	for (int i = 0; i < 2; i++)
		unseen[i] = fake_raise(&fake, 1 + (uint32_t)i, 0);
	dispatch_until(LIBIOMMU_RING_CONDEMNED, 1);
	for (int i = 0; i < 2; i++)
		check_invalid(unseen[i]);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_EXPIRED), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_ABANDONED), 2);
	check_new_reader();
}

static void test_asleep(void **state)
{
	uint32_t unseen;

	(void)state;
	start(sleep_until_the_end);
	while (!atomic_load(&li_ring_filler(ring)->session->memory.b->wait))
		poll(NULL, 0, 1);
	kill(child, SIGSTOP);
	wait_until_stopped();
	unseen = fake_raise(&fake, 1, 0);
	dispatch_until(LIBIOMMU_RING_CONDEMNED, 1);
	check_invalid(unseen);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_ABANDONED), 1);
	check_new_reader();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_with_a_group_in_hand, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asleep, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

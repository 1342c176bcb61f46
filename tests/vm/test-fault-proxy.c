/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The owner and the handler of examples/fault-proxy, on page requests of the kernel's test driver.
 * A thread lets the device ask without a pause, and the handler is killed again and again, at
 * random moments of its life. At the end every group has had one answer, which the kernel took; the
 * ring's counters say whose; and the owner has not grown.
 *
 * usage: vm-fault-proxy [KILLS], 1000 unless said
 */
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "../../examples/fault-proxy/handler.h"
#include "../../examples/fault-proxy/owner.h"
#include "../random.h"
#include "mock.h"

/* At most so many unanswered at a time; kills before the owner is measured for the first time. */
enum { MOST = 64, BURST = 16, WARM = 30, ANSWERS = 32, LAST = 500, NICE = 5 };

static const struct window window = {0x10000000, 0x1000000};
static struct mock *mock;
static struct owner owner;
static atomic_ulong asked;
static atomic_bool paused, resting, done;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	if (owner.pid)
		kill(owner.pid, SIGKILL);
	exit(1);
}

static uint64_t answered(void)
{
	struct mock_answers answers;

	mock_get_answers(mock, &answers);
	return answers.taken[0] + answers.taken[1];
}

static void ask(uint64_t address)
{
	if (mock_fault(mock, owner.dev, 0, 1, LIBIOMMU_FAULT_READ, address))
		fail("the test driver raises no page request");
	atomic_fetch_add(&asked, 1);
}

/* In bursts, with pauses in which the handler falls asleep; one in eight outside of the window. */
static void *ask_on(void *arg)
{
	uint32_t random = 0x9e3779b9;

	/* There is one processor, and a device does not take from it what the others need. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	while (!atomic_load(&done)) {
		const uint32_t burst = next_random(&random) % BURST;

		for (uint32_t i = 0; i < burst && atomic_load(&asked) - answered() < MOST; i++) {
			const uint32_t offset = next_random(&random) % window.size;

			ask(window.start + offset + (offset % 8 ? 0 : window.size));
		}
		do {
			const struct timespec pause = {.tv_nsec = next_random(&random) % 2000000};

			atomic_store(&resting, atomic_load(&paused));
			nanosleep(&pause, NULL);
		} while (atomic_load(&paused) && !atomic_load(&done));
		atomic_store(&resting, false);
	}
	return arg;
}

static void step(int timeout)
{
	if (owner_step(&owner, timeout) != OWNER_GOES_ON)
		fail("the owner does not go on");
}

static uint64_t counter(enum libiommu_ring_counter which)
{
	uint64_t value;

	if (libiommu_ring_counter(owner.ring, which, &value))
		fail("no such counter");
	return value;
}

/* Nobody asks, and everything is answered: by a handler that is alive if need be. */
static void settle(void)
{
	atomic_store(&paused, true);
	while (!atomic_load(&resting) || answered() != atomic_load(&asked))
		step(1);
}

struct size {
	unsigned int fds;
	size_t heap;
	long pages;
};

static struct size measure(void)
{
	struct size size = {.heap = mallinfo2().uordblks};
	FILE *const file = fopen("/proc/self/statm", "re");
	DIR *const dir = opendir("/proc/self/fd");

	if (!file || fscanf(file, "%*d %ld", &size.pages) != 1 || !dir)
		fail("no /proc");
	while (readdir(dir))
		size.fds++;
	closedir(dir);
	fclose(file);
	return size;
}

/* How far the handlers had come when they were killed. */
static unsigned long before_first, with_work, without;

/*
 * Every other one at a random time from its start on, the rest at one from some answer on: however
 * fast the machine is at that moment, handlers that start are hit, and handlers that work.
 */
static void kill_one(uint32_t *random, uint64_t life)
{
	const unsigned long started = owner.started;
	const uint64_t success = counter(LIBIOMMU_RING_SUCCESS);
	const uint64_t abandoned = counter(LIBIOMMU_RING_ABANDONED);
	const uint32_t answers = next_random(random) % 2 ? 1 + next_random(random) % ANSWERS : 0;
	uint64_t end;

	while (counter(LIBIOMMU_RING_SUCCESS) - success < answers)
		step(1);
	end = now() + next_random(random) % (answers ? life / 8 : life);
	while (now() < end)
		step(1);
	/* Not yet waited for, whatever has become of it: the number is its own. */
	kill(owner.pid, SIGKILL);
	while (owner.started == started)
		step(-1);
	if (counter(LIBIOMMU_RING_SUCCESS) == success)
		before_first++;
	else if (counter(LIBIOMMU_RING_ABANDONED) != abandoned)
		with_work++;
	else
		without++;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *const one = a, *const other = b;

	return *one < *other ? -1 : *one > *other;
}

/* From a start to the first answer, as a rule: what a random life is long against. */
static uint64_t measure_start(void)
{
	uint64_t took[7];

	for (size_t i = 0; i < 7; i++) {
		const unsigned long started = owner.started;
		uint64_t success, begin;

		kill(owner.pid, SIGKILL);
		while (owner.started == started)
			step(-1);
		begin = now();
		success = counter(LIBIOMMU_RING_SUCCESS);
		while (counter(LIBIOMMU_RING_SUCCESS) == success)
			step(1);
		took[i] = now() - begin;
	}
	qsort(took, 7, sizeof(took[0]), compare);
	return took[3];
}

/* Whatever has been before, the handler that is there now answers, and nobody else. */
static void serve_last(void)
{
	const uint64_t success = counter(LIBIOMMU_RING_SUCCESS);

	for (uint64_t i = 0; i < LAST; i++) {
		ask(window.start + i * 4096);
		if (i % MOST == MOST - 1)
			settle();
	}
	settle();
	if (counter(LIBIOMMU_RING_SUCCESS) != success + LAST)
		fail("the last handler does not serve");
}

static int judge(unsigned long kills, const struct size *first, const struct size *last)
{
	struct mock_answers answers;
	size_t outstanding;
	uint64_t by_ring;
	int faults = 0;

	mock_get_answers(mock, &answers);
	by_ring = counter(LIBIOMMU_RING_SUCCESS) + counter(LIBIOMMU_RING_INVALID) +
	          counter(LIBIOMMU_RING_EXPIRED) + counter(LIBIOMMU_RING_ABANDONED);
	printf("%lu kills: %lu before its first answer, %lu with work in hand, %lu without\n",
	       kills, before_first, with_work, without);
	printf("%lu groups: %llu success, %llu invalid, %llu expired, %llu abandoned, "
	       "%llu refused, %llu too large; stale completions %llu\n",
	       atomic_load(&asked), (unsigned long long)counter(LIBIOMMU_RING_SUCCESS),
	       (unsigned long long)counter(LIBIOMMU_RING_INVALID),
	       (unsigned long long)counter(LIBIOMMU_RING_EXPIRED),
	       (unsigned long long)counter(LIBIOMMU_RING_ABANDONED),
	       (unsigned long long)counter(LIBIOMMU_RING_REFUSED),
	       (unsigned long long)counter(LIBIOMMU_RING_TOO_LARGE),
	       (unsigned long long)counter(LIBIOMMU_RING_STALE));
	printf("%u, %u descriptors; %zu, %zu bytes of heap; %ld, %ld pages resident\n", first->fds,
	       last->fds, first->heap, last->heap, first->pages, last->pages);
#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("not so: %s\n", #condition);                                        \
			faults++;                                                                  \
		}                                                                                  \
	} while (0)
	EXPECT(!libiommu_fault_queue_outstanding(owner.queue, &outstanding) && !outstanding);
	EXPECT(!counter(LIBIOMMU_RING_OUTSTANDING));
	EXPECT(answers.taken[0] + answers.taken[1] == atomic_load(&asked));
	EXPECT(!answers.refused[0] && !answers.refused[1]);
	EXPECT(answers.taken[LIBIOMMU_FAULT_SUCCESS] == counter(LIBIOMMU_RING_SUCCESS));
	EXPECT(counter(LIBIOMMU_RING_GROUPS) == by_ring);
	EXPECT(counter(LIBIOMMU_RING_GROUPS) + counter(LIBIOMMU_RING_REFUSED) +
	               counter(LIBIOMMU_RING_TOO_LARGE) ==
	       atomic_load(&asked));
	EXPECT(!counter(LIBIOMMU_RING_BAD_CODE));
	EXPECT(counter(LIBIOMMU_RING_CONDEMNED) >= kills);
	EXPECT(before_first && with_work && without && with_work + without >= kills / 4);
	EXPECT(last->fds == first->fds);
	/* Nothing that is left each time is smaller than this. */
	EXPECT(last->heap < first->heap + 16 * kills);
	EXPECT(last->pages < first->pages + 64);
	return faults;
}

int main(int argc, char **argv)
{
	const unsigned long kills = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	char name[] = "fault-proxy", option[] = "--handler";
	char *const handler[] = {name, option, NULL};
	uint32_t random = 0x2545f491;
	struct size first, last;
	uint64_t life, begin;
	pthread_t asker;
	int faults;

	if (argc > 1 && !strcmp(argv[1], option))
		return handler_run(STDIN_FILENO, &window);
	mock = mock_new();
	if (!mock)
		return 77;
	if (!owner_open(&owner, mock_door(mock), "mock", handler))
		return 1;
	if (pthread_create(&asker, NULL, ask_on, NULL))
		fail("no thread");
	life = 2 * measure_start();
	printf("the first answer comes %llu us after the start\n", (unsigned long long)life / 2000);
	for (unsigned long i = 0; i < WARM; i++)
		kill_one(&random, life);
	settle();
	first = measure();
	atomic_store(&paused, false);
	begin = now();
	for (unsigned long i = 0; i < kills; i++)
		kill_one(&random, life);
	settle();
	last = measure();
	printf("%llu ms\n", (unsigned long long)(now() - begin) / 1000000);
	serve_last();
	faults = judge(kills + WARM, &first, &last);
	atomic_store(&done, true);
	pthread_join(asker, NULL);
	owner_close(&owner);
	mock_free(mock);
	return faults ? 1 : 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the fault ring costs over a ring that somebody would write, and over bare eventfds: ratios
 * of times that were taken in turns in one run. It judges nothing, as any other program moves the
 * times; bench-ring-instructions does.
 */
#include "bench-ring.h"
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define ROUNDS  300 /* that count, at most */
#define SECONDS 10  /* for each comparison, at most */

/* The reader's thread does what is put here, and counts it as done. */
static struct {
	const struct pair *pair;
	const struct work *work;
	bool disturbed;
	atomic_uint given;
	atomic_uint begun;
	atomic_uint done;
} job;
static cpu_set_t cpus; /* all there are, before a thread was bound to one */

static void bind_to(unsigned int nth)
{
	cpu_set_t one;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &cpus) || nth--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

/* For a while without giving the processor away, in order to be there when the other one is. */
static void wait_until(atomic_uint *word, unsigned int value)
{
	for (unsigned int i = 1; atomic_load(word) != value; i++) {
		relax();
		if (i % 32768 == 0)
			sched_yield();
	}
}

/* How often the scheduler took this thread's processor away. */
static long preempted(void)
{
	struct rusage usage = {0};

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

static void *run_reader(void *arg)
{
	bind_to(1);
	for (unsigned int i = 1;; i++) {
		long before;

		wait_until(&job.given, i);
		if (!job.pair)
			return arg;
		before = preempted();
		atomic_store(&job.begun, i);
		job.pair->read(job.work);
		job.disturbed = preempted() != before;
		atomic_store(&job.done, i);
	}
}

/* The time of one round, 0 where something else had a processor meanwhile; NULL: the last one. */
static double run(const struct pair *pair, const struct work *work)
{
	static unsigned int number;
	long before;
	double start;

	job.pair = pair;
	job.work = work;
	atomic_store(&job.given, ++number);
	if (!pair)
		return 0;
	wait_until(&job.begun, number);
	before = preempted();
	start = bench_now();
	pair->fill(work);
	wait_until(&job.done, number);
	start = bench_now() - start;
	return preempted() != before || job.disturbed ? 0 : start;
}

struct figure {
	const char *what;
	const char *wanted;
	bool speed; /* the ratio is one of speeds; otherwise of times */
	const struct pair *one;
	const struct pair *other;
	struct work work;
};

/* Figures depend on how near the processors are, which a hypervisor changes at any time. */
static const struct work exchange = {.groups = 1000};

static void compare(const struct figure *figure)
{
	double ones[ROUNDS], others[ROUNDS], ratios[ROUNDS], exchanges[ROUNDS];
	const double end = bench_now() + SECONDS * 1e9, groups = figure->work.groups;
	size_t count = 0, tried = 0;

	while (count < ROUNDS && bench_now() < end) {
		const double one = run(figure->one, &figure->work);
		const double other = run(figure->other, &figure->work);
		const double line = run(&line_pair, &exchange);

		/* The first one is for the caches. */
		if (!tried++ || one <= 0 || other <= 0 || line <= 0)
			continue;
		exchanges[count] = line / exchange.groups;
		ones[count] = one / groups;
		others[count] = other / groups;
		ratios[count] = figure->speed ? other / one : one / other;
		count++;
	}
	if (!count) {
		printf("%s: nothing measured, as other programs had the processors\n",
		       figure->what);
		return;
	}
	printf("%s: %.2f, wanted %s (%.1f and %.1f ns each; a cache line there and back %.0f ns; "
	       "medians of %zu rounds of %zu)\n",
	       figure->what, bench_figure(ratios, count).median, figure->wanted,
	       bench_figure(ones, count).median, bench_figure(others, count).median,
	       bench_figure(exchanges, count).median, count, tried);
	fflush(stdout);
}

static const struct figure figures[] = {
	{"one way, 32 groups at a time, speed",
         "0.80",
         true,
         &library_pair,
         &bare_pair,
         {.batch = 32, .groups = 20000, .one_way = true}},
	{"one way, 1 group at a time, speed",
         "0.80",
         true,
         &library_pair,
         &bare_pair,
         {.batch = 1, .groups = 5000, .one_way = true, .ordered = true}},
	{"there and back, 32 groups at a time, speed",
         "0.80",
         true,
         &library_pair,
         &bare_pair,
         {.batch = 32, .groups = 20000}},
	{"there and back, 1 group at a time, speed",
         "0.80",
         true,
         &library_pair,
         &bare_pair,
         {.batch = 1, .groups = 5000, .ordered = true}},
	{"there and back, both asleep, time",
         "1.25",
         false,
         &library_asleep,
         &bare_asleep,
         {.batch = 1, .groups = 50}},
	{"there and back, both asleep, reader not trusted, time",
         "1.25",
         false,
         &library_asleep,
         &bare_asleep,
         {.batch = 1, .groups = 50, .untrusted = true}},
};

static const struct pair *counted;

void count_reader(const struct work *work);
void count_filler(const struct work *work);

__attribute__((noinline)) void count_reader(const struct work *work)
{
	counted->read_some(work);
}

__attribute__((noinline)) void count_filler(const struct work *work)
{
	counted->fill(work);
}

static const struct pair *pair_of(const char *name)
{
	return strcmp(name, "bare") ? &library_pair : &bare_pair;
}

/* Both sides in one thread, where callgrind counts the same on every run. */
static void count(const struct pair *pair, uint32_t batch, uint32_t groups)
{
	const struct work work = {
		.batch = batch,
		.groups = groups,
		.ordered = batch == 1,
		.turn = count_reader,
	};

	counted = pair;
	count_filler(&work);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	open_library();
	open_bare();
	if (argc == 4) {
		count(pair_of(argv[1]), (uint32_t)strtoul(argv[2], NULL, 10),
		      (uint32_t)strtoul(argv[3], NULL, 10));
		close_library();
		return 0;
	}
	sched_getaffinity(0, sizeof(cpus), &cpus);
	if (CPU_COUNT(&cpus) < 2) {
		printf("skipped: two threads need two processors\n");
		return 77;
	}
	if (pthread_create(&thread, NULL, run_reader, NULL))
		return 1;
	bind_to(0);
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		join_library(!figures[i].work.untrusted);
		compare(&figures[i]);
	}
	run(NULL, NULL);
	pthread_join(thread, NULL);
	close_library();
	return 0;
}

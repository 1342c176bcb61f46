/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Several threads in one address space: each finds what it has put there, and nothing is lost. */
#include "suite.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { THREADS = 4, ROUNDS = 100 };

struct worker {
	struct rig *rig;
	unsigned int number;
	int (*work)(struct worker *worker, unsigned int round);
	atomic_uint *ready; /* those that wait for the others */
	int error;
	unsigned int busy; /* another one was there first, and that was said */
	pthread_t thread;
};

static void *run(void *user)
{
	struct worker *const worker = user;

	atomic_fetch_add(worker->ready, 1);
	while (atomic_load(worker->ready) < THREADS)
		sched_yield();
	for (unsigned int i = 0; i < ROUNDS && !worker->error; i++)
		worker->error = worker->work(worker, i);
	return NULL;
}

/* All of them at once, each through all its rounds without an error; how many were too late. */
static unsigned int run_all(struct rig *rig, int (*const *works)(struct worker *, unsigned int))
{
	struct worker workers[THREADS];
	atomic_uint ready = 0;
	unsigned int busy = 0;

	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i] =
			(struct worker){.rig = rig, .number = i, .work = works[i], .ready = &ready};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned int i = 0; i < THREADS; i++) {
		if (workers[i].error)
			fail_msg("thread %u: %d", i, workers[i].error);
		busy += workers[i].busy;
	}
	return busy;
}

static void assert_empty(struct rig *rig)
{
	uint64_t mapped = 7, others;

	OK(libiommu_ioas_mapped(rig->ioas, &mapped, &others));
	assert_int_equal(mapped, 0);
	OK(libiommu_ioas_unmap_all(rig->ioas, &mapped));
	assert_int_equal(mapped, 0);
	RAW(0, world_check_pins(rig->world, rig->memory, LENGTH, 0));
}

static uint64_t place_of(const struct worker *worker)
{
	return worker->rig->base + (uint64_t)worker->number * HUGE_PAGE;
}

static int check_tables(const struct worker *worker, uint64_t iova, uint64_t length)
{
	const struct rig *const rig = worker->rig;
	int error = 0;

	for (size_t i = 0; i < RIG_TABLES && rig->tables[i] && !error; i++)
		error = world_check_map(rig->world, hwpt_id(rig->tables[i]), iova, rig->memory,
		                        length);
	return error;
}

/* The same memory at a range of the thread's own, in one piece and in two. */
static int map_my_range(struct worker *worker, unsigned int round)
{
	struct libiommu_ioas *const ioas = worker->rig->ioas;
	const uint64_t iova = place_of(worker);
	int error;

	error = libiommu_ioas_map_fixed(ioas, worker->rig->memory, LENGTH, VM_READ_WRITE, iova);
	if (!error && round % 2)
		error = libiommu_ioas_copy_fixed(ioas, ioas, iova, PAGE, VM_READ_WRITE,
		                                 iova + LENGTH);
	if (!error)
		error = check_tables(worker, iova, LENGTH);
	if (!error)
		error = libiommu_ioas_unmap_range(ioas, iova, 2 * LENGTH, NULL);
	return error;
}

static void distinct_ranges(struct rig *rig)
{
	int (*const works[THREADS])(struct worker *, unsigned int) = {map_my_range, map_my_range,
	                                                              map_my_range, map_my_range};

	run_all(rig, works);
	assert_empty(rig);
}

/* The kernel finds places that do not overlap, whoever asks. */
static int map_anywhere(struct worker *worker, unsigned int round)
{
	struct libiommu_ioas *const ioas = worker->rig->ioas;
	uint64_t iova[4] = {0};
	int error = 0;

	for (unsigned int i = 0; i < COUNT(iova) && !error; i++)
		error = libiommu_ioas_map(ioas, worker->rig->memory, (1 + round % PAGES) * PAGE,
		                          VM_READ_WRITE, &iova[i]);
	for (unsigned int i = 0; i < COUNT(iova) && !error; i++)
		error = check_tables(worker, iova[i], (1 + round % PAGES) * PAGE);
	for (unsigned int i = 0; i < COUNT(iova) && !error; i++)
		error = libiommu_ioas_unmap(ioas, iova[i], (1 + round % PAGES) * PAGE);
	return error;
}

static void found_ranges(struct rig *rig)
{
	int (*const works[THREADS])(struct worker *, unsigned int) = {map_anywhere, map_anywhere,
	                                                              map_anywhere, map_anywhere};

	run_all(rig, works);
	assert_empty(rig);
}

/* One has it, and the others are told: that it is there, is not, or is being worked on. */
static int map_one_place(struct worker *worker, unsigned int round)
{
	struct libiommu_ioas *const ioas = worker->rig->ioas;
	int error;

	(void)round;
	error = libiommu_ioas_map_fixed(ioas, worker->rig->memory, LENGTH, VM_READ_WRITE,
	                                worker->rig->base);
	if (error && error != -EEXIST)
		return error;
	worker->busy += error == -EEXIST;
	error = libiommu_ioas_unmap(ioas, worker->rig->base, LENGTH);
	worker->busy += error == -ENOENT || error == -EBUSY;
	return error == -ENOENT || error == -EBUSY ? 0 : error;
}

static void one_place(struct rig *rig)
{
	int (*const works[THREADS])(struct worker *, unsigned int) = {map_one_place, map_one_place,
	                                                              map_one_place, map_one_place};
	unsigned int busy;

	busy = run_all(rig, works);
	print_message("# %u of %u calls came too late\n", busy, 2 * THREADS * ROUNDS);
	libiommu_ioas_unmap(rig->ioas, rig->base, LENGTH);
	assert_empty(rig);
}

/* A page table of its own, which is filled with what the others map meanwhile. */
static int come_and_go(struct worker *worker, unsigned int round)
{
	struct rig *const rig = worker->rig;
	struct libiommu_hwpt *table;
	int error;

	(void)round;
	error = libiommu_hwpt_alloc(rig->dev, rig->ioas, NULL, &table);
	return error ? error : libiommu_hwpt_destroy(table);
}

static void tables_that_come_and_go(struct rig *rig)
{
	int (*const works[THREADS])(struct worker *, unsigned int) = {map_my_range, come_and_go,
	                                                              map_anywhere, map_my_range};
	/* What the kernel finds is elsewhere. */
	const struct libiommu_iova_range found = {rig->base + THREADS * HUGE_PAGE,
	                                          MOCK_APERTURE_LAST};

	OK(libiommu_ioas_allow(rig->ioas, &found, 1));
	run_all(rig, works);
	assert_empty(rig);
}

static const struct behaviour behaviours[] = {
	{PROVES("maps of distinct ranges do not meet", distinct_ranges), SHAPES},
	{PROVES("found ranges do not overlap", found_ranges), SHAPES},
	{PROVES("of those who want the same place one has it", one_place), SHAPES},
	{PROVES("page tables that come and go have what is mapped", tables_that_come_and_go),
         TABLE_SHAPES},
};

THEME(parallel, "threads");

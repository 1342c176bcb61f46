/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Finding the IOVA of an address among up to a million registrations of a page each: this library
 * against another one, with the same in both, in turns in one run.
 *
 * usage: bench-libvfn | bench-spdk                    ratios of times
 *        bench-libvfn | bench-spdk LOOKUPS NUMBER     for callgrind: the peer's lookups
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <libiommu.h>

#include "../../../lib/base/uapi/iommufd.h"
#include "../../must.h"
#include "../bench.h"
#include "../door.h"
#include "peer.h"

#define PAGE UINT64_C(4096)
/* As odd as addresses are: round ones share a line of the cache in each node. */
#define BASE    UINT64_C(0x7f3a5c600000)
#define LOOKUPS (UINT32_C(1) << 14) /* in a round */
#define ROUNDS  41
#define THREADS 2

static struct libiommu_dma_space *space;
static const struct libiommu_dma_table *table;

static int fake_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	static uint64_t next = 0x100000;

	(void)user, (void)fd;
	if (request == UAPI_IOC_IOAS_MAP) {
		((struct uapi_ioas_map *)arg)->iova = next;
		next += ((struct uapi_ioas_map *)arg)->length;
	}
	return 0;
}

static uint64_t find(void *address)
{
	uint64_t iova = 0, room;

	libiommu_dma_table_translate(table, address, PAGE, &iova, &room);
	return iova;
}

/* Every other page, so that each registration ends where nothing follows. */
static void *address_of(uint32_t number)
{
	return (void *)(uintptr_t)(BASE + number * 2 * PAGE);
}

static void add(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		uint64_t iova = 0;

		MUST(libiommu_dma_space_register(space, address_of(i), PAGE, LIBIOMMU_MAP_READ,
		                                 &iova));
		if (!peer.add(address_of(i), PAGE, iova) || peer.find(address_of(i)) != iova ||
		    find(address_of(i)) != iova) {
			printf("%s and the library do not agree\n", peer.name);
			exit(1);
		}
	}
}

struct task {
	uint64_t (*find)(void *address);
	uint32_t registrations;
	uint32_t seed;
	uint64_t sum;
};

/* A scattered order, each depending on what was found before, as requests depend on answers. */
static void *walk(void *user)
{
	struct task *const task = user;

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		uint64_t number, iova;

		task->seed = task->seed * 1664525 + 1013904223;
		number = (uint64_t)task->seed * task->registrations >> 32;
		iova = task->find(address_of((uint32_t)number));
		task->sum += iova;
		task->seed += (uint32_t)(iova & 1);
	}
	return NULL;
}

static uint64_t sum;

static double time_of(uint64_t (*which)(void *address), uint32_t registrations,
                      unsigned int threads)
{
	struct task tasks[THREADS];
	pthread_t ids[THREADS];
	const double start = bench_now();

	for (unsigned int i = 0; i < threads; i++)
		tasks[i] = (struct task){which, registrations, i + 1, 0};
	for (unsigned int i = 1; i < threads; i++)
		if (pthread_create(&ids[i], NULL, walk, &tasks[i]))
			exit(1);
	walk(&tasks[0]);
	for (unsigned int i = 1; i < threads; i++)
		pthread_join(ids[i], NULL);
	for (unsigned int i = 0; i < threads; i++)
		sum += tasks[i].sum;
	return bench_now() - start;
}

/* What counts is the ratio in a round, so that what else the machine does meets both. */
static int compare(uint32_t registrations, unsigned int threads)
{
	const bool judged = !peer.only || peer.only == registrations;
	double ratios[ROUNDS];
	struct bench_figure ratio;

	for (int i = 0; i < ROUNDS; i++) {
		/* By turns the first. */
		const double early = i & 1 ? time_of(find, registrations, threads) : 0;
		const double theirs = time_of(peer.find, registrations, threads);
		const double late = i & 1 ? 0 : time_of(find, registrations, threads);

		ratios[i] = (early + late) / theirs;
	}
	ratio = bench_figure(ratios, ROUNDS);
	printf("%" PRIu32 " registrations, %u thread%s: library/%s %.3f, 95 %% interval %.3f to "
	       "%.3f\n",
	       registrations, threads, threads > 1 ? "s" : "", peer.name, ratio.median, ratio.low,
	       ratio.high);
	if (!judged || ratio.low <= peer.limit)
		return 0;
	printf("the interval lies above %.2f\n", peer.limit);
	return 1;
}

static int measure(void)
{
	static const uint32_t counts[] = {1, 100, 10000, 100000, 1000000};
	uint32_t have = 0;
	int failed = 0;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (counts[i] > peer.most) {
			printf("%" PRIu32 " registrations: not measured, %s takes minutes\n",
			       counts[i], peer.name);
			break;
		}
		add(have, counts[i]);
		have = counts[i];
		for (unsigned int threads = 1; threads <= THREADS; threads++)
			failed |= compare(have, threads);
	}
	/* Not a result: the compiler must not find out that nobody looks. */
	return failed + (sum == 1);
}

int main(int argc, char **argv)
{
	struct libiommu_ioas *ioas;
	uint32_t lookups, registrations;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!peer.open())
		return 77;
	MUST(libiommu_ioas_alloc(bench_ctx(fake_ioctl), &ioas));
	MUST(libiommu_dma_space_new(ioas, NULL, &space));
	table = libiommu_dma_space_table(space);
	if (argc != 3)
		return measure();
	lookups = (uint32_t)strtoul(argv[1], NULL, 10);
	registrations = (uint32_t)strtoul(argv[2], NULL, 10);
	if (!registrations)
		return 2;
	add(0, registrations);
	for (uint32_t i = 0; i < lookups; i++)
		sum += peer.find(address_of(i % registrations));
	return sum == 1;
}

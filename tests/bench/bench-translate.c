/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What it costs to find the IOVA of an address among up to a million registrations: over a bare
 * table of two stages (2 MiB, then 4 KiB) with the same in it, and over a balanced tree under a
 * lock. And what small buffers cost, from an arena and one by one.
 *
 * usage: bench-translate
 *        bench-translate buffers
 *        bench-translate LOOKUPS REGISTRATIONS
 *
 * The third is for bench-translate-instructions.
 */
#include <inttypes.h>
#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libiommu.h>

#include "../../lib/base/uapi/iommufd.h"
#include "../must.h"
#include "bench.h"
#include "counting.h"
#include "door.h"

#define PAGE UINT64_C(4096)
/* As odd as addresses are: round ones share a line of the cache in each node. */
#define BASE    UINT64_C(0x7f3a5c600000)
#define MOST    (UINT32_C(1) << 20)
#define LOOKUPS (UINT32_C(1) << 16) /* in a round */
#define ROUNDS  41
#define THREADS 2
#define BUFFERS 100000

#define LIMIT_BARE 1.25 /* times; wanted is 1.1 */
#define LIMIT_TREE 10.0 /* times faster, at 10000 */

static uint64_t calls;

static int fake_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	static uint64_t next = 0x100000;
	struct uapi_ioas_map *const map = arg;

	(void)user, (void)fd;
	calls++;
	if (request == UAPI_IOC_IOAS_MAP && !(map->flags & UAPI_IOAS_MAP_FIXED_IOVA)) {
		map->iova = next;
		next += map->length;
	}
	if (request == UAPI_IOC_IOAS_IOVA_RANGES) {
		((struct uapi_ioas_iova_ranges *)arg)->num_iovas = 0;
		((struct uapi_ioas_iova_ranges *)arg)->out_iova_alignment = PAGE;
	}
	return 0;
}

static struct libiommu_dma_space *make_space(void)
{
	struct libiommu_dma_space *space;
	struct libiommu_ioas *ioas;

	MUST(libiommu_ioas_alloc(bench_ctx(fake_ioctl), &ioas));
	MUST(libiommu_dma_space_new(ioas, NULL, &space));
	return space;
}

/* Every other page, so that each registration ends where nothing follows. */
static void *address_of(uint32_t number)
{
	return (void *)(uintptr_t)(BASE + number * 2 * PAGE);
}

/* What one would write oneself: as few loads as can be, and nothing checked. */
struct bare {
	uint64_t **gib[1 << 18];
};

static struct bare *bare;

static void bare_add(uint64_t address, uint64_t iova)
{
	uint64_t ***const gib = &bare->gib[address >> 30];
	uint64_t **block;

	if (!*gib)
		*gib = calloc(512, sizeof(**gib));
	block = &(*gib)[address >> 21 & 511];
	if (!*block)
		*block = calloc(512, sizeof(**block));
	(*block)[address >> 12 & 511] = iova | 1;
}

/*
 * Not inlined, with its results in memory, and with as much of @size as is contiguous: the
 * library's is such a call, too.
 */
__attribute__((noinline)) static int bare_find(const struct bare *table, uint64_t address,
                                               uint64_t *iova, uint64_t *size)
{
	uint64_t *const *const gib = table->gib[address >> 30];
	uint64_t found = PAGE - (address & (PAGE - 1));
	const uint64_t *block;
	uint64_t entry;

	if (!gib)
		return -1;
	block = gib[address >> 21 & 511];
	if (!block)
		return -1;
	entry = block[address >> 12 & 511];
	if (!(entry & 1))
		return -1;
	/* Within a block, which is all that is needed here. */
	for (uint64_t i = (address >> 12 & 511) + 1; found < *size && i < 512; i++) {
		if (block[i] != entry + found)
			break;
		found += PAGE;
	}
	*iova = (entry & ~(PAGE - 1)) + (address & (PAGE - 1));
	if (found < *size)
		*size = found;
	return 0;
}

struct leaf {
	uint64_t address;
	uint64_t length;
	uint64_t iova;
};

static void *tree;
static pthread_mutex_t tree_lock = PTHREAD_MUTEX_INITIALIZER;

static int compare_leafs(const void *a, const void *b)
{
	const struct leaf *const one = a, *const other = b;

	if (one->address + one->length <= other->address)
		return -1;
	return one->address >= other->address + other->length;
}

static void tree_add(uint64_t address, uint64_t iova)
{
	struct leaf *const leaf = malloc(sizeof(*leaf));

	if (leaf) {
		*leaf = (struct leaf){address, PAGE, iova};
		tsearch(leaf, &tree, compare_leafs);
	}
}

static uint64_t tree_find(uint64_t address)
{
	const struct leaf wanted = {.address = address, .length = 1};
	struct leaf *const *found;
	uint64_t iova = 0;

	pthread_mutex_lock(&tree_lock);
	found = tfind(&wanted, &tree, compare_leafs);
	if (found)
		iova = (*found)->iova + (address - (*found)->address);
	pthread_mutex_unlock(&tree_lock);
	return iova;
}

static const struct libiommu_dma_table *table;

enum way { LIBRARY, BARE, TREE };

/* A scattered order, each depending on what was found before, as requests depend on answers. */
static uint64_t walk(enum way way, uint32_t registrations, uint32_t lookups, uint32_t seed)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < lookups; i++) {
		uint64_t iova = 0, room = PAGE;
		void *address;

		seed = seed * 1664525 + 1013904223;
		address = address_of((uint32_t)((uint64_t)seed * registrations >> 32));
		if (way == LIBRARY)
			libiommu_dma_table_translate(table, address, PAGE, &iova, &room);
		else if (way == BARE)
			bare_find(bare, (uintptr_t)address, &iova, &room);
		else
			iova = tree_find((uintptr_t)address);
		sum += iova;
		seed += (uint32_t)(iova & 1);
	}
	return sum;
}

struct task {
	enum way way;
	uint32_t registrations;
	uint32_t seed;
	uint64_t sum;
};

static void *run(void *user)
{
	struct task *const task = user;

	task->sum = walk(task->way, task->registrations, LOOKUPS, task->seed);
	return NULL;
}

static uint64_t sum;

/* Nanoseconds of a lookup, by the clock on the wall. */
static double time_way(enum way way, uint32_t registrations, unsigned int wanted)
{
	const unsigned int threads = wanted < THREADS ? wanted : THREADS;
	struct task tasks[THREADS];
	pthread_t ids[THREADS];
	const double start = bench_now();

	for (unsigned int i = 0; i < threads; i++)
		tasks[i] = (struct task){way, registrations, i + 1, 0};
	for (unsigned int i = 1; i < threads; i++)
		if (pthread_create(&ids[i], NULL, run, &tasks[i]))
			exit(1);
	run(&tasks[0]);
	for (unsigned int i = 1; i < threads; i++)
		pthread_join(ids[i], NULL);
	for (unsigned int i = 0; i < threads; i++)
		sum += tasks[i].sum;
	return (bench_now() - start) / LOOKUPS;
}

/* In turns, so that what else the machine does meets all; what counts is the ratio in a round. */
static int compare(uint32_t registrations, unsigned int threads)
{
	double ways[3][ROUNDS], bares[ROUNDS], trees[ROUNDS];
	struct bench_figure over_bare, under_tree;

	for (int i = 0; i < ROUNDS; i++) {
		for (int way = LIBRARY; way <= TREE; way++)
			ways[way][i] = time_way((enum way)way, registrations, threads);
		bares[i] = ways[LIBRARY][i] / ways[BARE][i];
		trees[i] = ways[TREE][i] / ways[LIBRARY][i];
	}
	over_bare = bench_figure(bares, ROUNDS);
	under_tree = bench_figure(trees, ROUNDS);
	printf("%7" PRIu32 " registrations, %u thread%s: %.1f ns, bare %.1f, tree %.1f: %.2f "
	       "times bare (%.2f to %.2f), %.1f times faster than the tree\n",
	       registrations, threads, threads > 1 ? "s" : "",
	       bench_figure(ways[LIBRARY], ROUNDS).median, bench_figure(ways[BARE], ROUNDS).median,
	       bench_figure(ways[TREE], ROUNDS).median, over_bare.median, over_bare.low,
	       over_bare.high, under_tree.median);
	return over_bare.low > LIMIT_BARE ||
	       (registrations == 10000 && under_tree.high < LIMIT_TREE);
}

static void add(struct libiommu_dma_space *space, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		uint64_t iova = 0;

		MUST(libiommu_dma_space_register(space, address_of(i), PAGE, LIBIOMMU_MAP_READ,
		                                 &iova));
		if (bare) {
			bare_add((uintptr_t)address_of(i), iova);
			tree_add((uintptr_t)address_of(i), iova);
		}
	}
}

static int measure(void)
{
	static const uint32_t counts[] = {1, 100, 10000, 100000, 1000000};
	struct libiommu_dma_space *const space = make_space();
	uint32_t have = 0;
	int failed = 0;

	table = libiommu_dma_space_table(space);
	bare = calloc(1, sizeof(*bare));
	if (!bare)
		return 1;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		add(space, have, counts[i]);
		have = counts[i];
		for (unsigned int threads = 1; threads <= THREADS; threads++)
			failed |= compare(have, threads);
	}
	/* Not a result: the compiler must not find out that nobody looks. */
	return failed + (sum == 1);
}

/* Calls of the kernel for so many buffers, taken and given back. */
static int count_buffers(void)
{
	static void *buffers[BUFFERS];
	struct libiommu_dma_space *const space = make_space();
	struct libiommu_dma_arena *arena;
	uint64_t single, iova;
	double start, each;

	calls = 0;
	start = bench_now();
	add(space, 0, BUFFERS);
	for (uint32_t i = 0; i < BUFFERS; i++)
		MUST(libiommu_dma_space_unregister(space, address_of(i), PAGE));
	each = (bench_now() - start) / BUFFERS;
	single = calls;
	calls = 0;
	start = bench_now();
	MUST(libiommu_dma_arena_new(space, BUFFERS * UINT64_C(2048), NULL, &arena));
	for (uint32_t i = 0; i < BUFFERS; i++)
		MUST(libiommu_dma_arena_alloc(arena, 2048, 64, &buffers[i], &iova));
	for (uint32_t i = 0; i < BUFFERS; i++)
		MUST(libiommu_dma_arena_give(arena, buffers[i]));
	MUST(libiommu_dma_arena_destroy(arena));
	printf("%d buffers of 2 KiB: %" PRIu64 " ioctls one by one, %" PRIu64 " with an arena; "
	       "without the kernel's part %.0f and %.0f ns each\n",
	       BUFFERS, single, calls, each, (bench_now() - start) / BUFFERS);
	return calls != 2 || single != 2 * BUFFERS;
}

/* One far from the other, in all of them. */
static uint32_t some(uint32_t lookup, uint32_t registrations)
{
	return (uint32_t)((uint64_t)(lookup * UINT32_C(2654435761)) * registrations >> 32);
}

/* Callgrind counts the instructions of the calls in these. */
static void count_translate(uint32_t registrations, uint32_t lookups)
{
	for (uint32_t i = 0; i < lookups; i++) {
		uint64_t iova = 0;

		libiommu_dma_table_translate(table, address_of(some(i, registrations)), PAGE, &iova,
		                             NULL);
		sum += iova;
	}
}

static void count_gather(uint32_t registrations, uint32_t lookups)
{
	for (uint32_t i = 0; i < lookups; i++) {
		const struct iovec buffer = {address_of(some(i, registrations)), PAGE};
		struct libiommu_dma_segment segment = {0, 0};

		libiommu_dma_table_gather(table, &buffer, 1, &segment, 1);
		sum += segment.iova;
	}
}

static void count_bare(uint32_t registrations, uint32_t lookups)
{
	for (uint32_t i = 0; i < lookups; i++) {
		uint64_t iova = 0, room = PAGE;

		bare_find(bare, (uintptr_t)address_of(some(i, registrations)), &iova, &room);
		sum += iova;
	}
}

int main(int argc, char **argv)
{
	uint32_t lookups, registrations;
	struct libiommu_dma_space *space;

	if (argc == 2 && !strcmp(argv[1], "buffers"))
		return count_buffers();
	if (argc != 3)
		return measure();
	lookups = (uint32_t)strtoul(argv[1], NULL, 10);
	registrations = (uint32_t)strtoul(argv[2], NULL, 10);
	bare = calloc(1, sizeof(*bare));
	if (!bare || !lookups || !registrations || registrations > MOST)
		return 1;
	space = make_space();
	table = libiommu_dma_space_table(space);
	add(space, 0, registrations);
	counting_begins();
	count_translate(registrations, lookups);
	counting_ends("translate");
	count_gather(registrations, lookups);
	counting_ends("gather");
	count_bare(registrations, lookups);
	counting_ends("bare");
	return sum == 1;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the emulated kernel costs: mapping and unmapping a page over a real system call, and mapping
 * a page as one of a million.
 *
 * usage: bench-emu
 *        bench-emu MAPPINGS
 *
 * The second is for bench-emu-instructions: so many mappings are made, and the last of them is
 * what callgrind counts.
 */
#include <inttypes.h>
#include <libiommu-emu.h>
#include <libiommu.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../must.h"
#include "bench.h"

#define PAGE   ((size_t)4096)
#define IOVA   (UINT64_C(1) << 32)
#define RW     (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)
#define CALLS  256 /* in a round */
#define ROUNDS 201
#define LIMIT  4.0
#define TRIES  20

static struct libiommu_emu *emu;
static struct libiommu_ctx *ctx;
static struct libiommu_ioas *bare, *attached;
static struct libiommu_device *dev;
static void *page;
static int pipe_fd;

static void make_ctx(void)
{
	struct libiommu_ctx_config *config;

	MUST(libiommu_emu_new(&emu));
	MUST(libiommu_ctx_config_new(&config));
	MUST(libiommu_ctx_config_set_sys(config, libiommu_emu_door(emu)));
	MUST(libiommu_ctx_new(config, &ctx));
	libiommu_ctx_config_free(config);
}

static void make_spaces(void)
{
	struct libiommu_emu_device_config *config;
	struct libiommu_emu_device *device;
	struct libiommu_emu_iommu *iommu;

	MUST(libiommu_emu_iommu_add_vtd(emu, 0, 0, &iommu));
	MUST(libiommu_emu_device_config_new(&config));
	MUST(libiommu_emu_device_config_set_iommu(config, iommu));
	MUST(libiommu_emu_device_add(emu, config, &device));
	libiommu_emu_device_config_free(config);
	MUST(libiommu_device_open_pci(ctx, libiommu_emu_device_address(device), &dev));
	MUST(libiommu_device_bind(dev, 1, NULL, 0));
	MUST(libiommu_ioas_alloc(ctx, &bare));
	MUST(libiommu_ioas_alloc(ctx, &attached));
	MUST(libiommu_device_attach_ioas(dev, attached));
}

static void pair(struct libiommu_ioas *ioas)
{
	MUST(libiommu_ioas_map_fixed(ioas, page, PAGE, RW, IOVA));
	MUST(libiommu_ioas_unmap(ioas, IOVA, PAGE));
}

static void pair_alone(void)
{
	pair(bare);
}

static void pair_attached(void)
{
	pair(attached);
}

/* The cheapest of all. */
static void call_getppid(void)
{
	(void)syscall(SYS_getppid);
}

/* What a driver would make instead: it finds a file, and has something to say. */
static void call_ioctl(void)
{
	int bytes;

	if (ioctl(pipe_fd, FIONREAD, &bytes))
		exit(1);
}

/* What the emulated kernel cannot do without where it pins: the memory must be there. */
static void call_populate(void)
{
	enum { POPULATE_WRITE = 23 };

	(void)madvise(page, PAGE, POPULATE_WRITE);
}

static void (*const calls[])(void) = {
	call_getppid, call_ioctl, call_populate, pair_alone, pair_attached,
};

enum { GETPPID, IOCTL, POPULATE, ALONE, ATTACHED, KINDS };

static double time_of(void (*call)(void))
{
	const double start = bench_now();

	for (int i = 0; i < CALLS; i++)
		call();
	return (bench_now() - start) / CALLS;
}

static struct bench_figure ratio(double (*times)[ROUNDS], int of, int to)
{
	double ratios[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		ratios[i] = times[of][i] / times[to][i];
	return bench_figure(ratios, ROUNDS);
}

static void tell(double (*times)[ROUNDS], const char *name, int of)
{
	const struct bench_figure to_ioctl = ratio(times, of, IOCTL);
	const struct bench_figure to_getppid = ratio(times, of, GETPPID);
	const struct bench_figure to_populate = ratio(times, of, POPULATE);

	printf("%s: %.2f times an ioctl, 95 %% interval %.2f to %.2f, wanted at most %.1f; "
	       "%.2f times getppid, %.2f times madvise\n",
	       name, to_ioctl.median, to_ioctl.low, to_ioctl.high, LIMIT, to_getppid.median,
	       to_populate.median);
}

/* In turns, so that what else the machine does meets all; what is told is the ratio in a round. */
static void measure(double (*times)[ROUNDS])
{
	for (int i = 0; i < ROUNDS; i++)
		for (int kind = 0; kind < KINDS; kind++)
			times[kind][i] = time_of(calls[kind]);
}

static double least(const double *times)
{
	double found = times[0];

	for (int i = 1; i < ROUNDS; i++)
		found = times[i] < found ? times[i] : found;
	return found;
}

/*
 * By the best round of each kind, in which the machine did little else. On one that has much to do
 * there may be none in a whole try: what is too slow is so in every try.
 */
static bool is_fast(double (*times)[ROUNDS], int of, const char *name, int attempt)
{
	const double best = least(times[of]) / least(times[IOCTL]);

	printf("try %d, %s: %.2f times an ioctl by the best rounds, at most %.1f%s\n", attempt,
	       name, best, LIMIT, best > LIMIT ? ": TOO SLOW" : "");
	return best <= LIMIT;
}

static bool compare(void)
{
	static double times[KINDS][ROUNDS];
	bool alone = false, with_table = false;

	for (int i = 1; i <= TRIES && !(alone && with_table); i++) {
		measure(times);
		alone = alone || is_fast(times, ALONE, "no page table", i);
		with_table = with_table || is_fast(times, ATTACHED, "one page table", i);
	}
	tell(times, "map+unmap, no page table", ALONE);
	tell(times, "map+unmap, one page table", ATTACHED);
	for (int kind = 0; kind < KINDS; kind++)
		printf("%s%.0f", kind ? ", " : "ns of getppid, ioctl, madvise, without, with: ",
		       bench_figure(times[kind], ROUNDS).median);
	printf("\n");
	return alone && with_table;
}

/* What callgrind counts. */
void count_mappings(struct libiommu_ioas *ioas, uint64_t first, uint64_t count);

__attribute__((noinline)) void count_mappings(struct libiommu_ioas *ioas, uint64_t first,
                                              uint64_t count)
{
	uint64_t iova;

	for (uint64_t i = 0; i < count; i++) {
		MUST(libiommu_ioas_map(ioas, page, PAGE, RW, &iova));
		MUST(libiommu_ioas_unmap(ioas, IOVA + (first + i) * 7919 % first * PAGE, PAGE));
		MUST(libiommu_ioas_map_fixed(ioas, page, PAGE, RW,
		                             IOVA + (first + i) * 7919 % first * PAGE));
	}
}

/* All that there are, and then some more and fewer among them. */
static void fill(struct libiommu_ioas *ioas, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		MUST(libiommu_ioas_map_fixed(ioas, page, PAGE, RW, IOVA + i * PAGE));
	count_mappings(ioas, count, 1000);
}

int main(int argc, char **argv)
{
	const uint64_t mappings = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
	int ends[2];

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (argc > 2 || page == MAP_FAILED || pipe(ends)) {
		fprintf(stderr, "usage: bench-emu [MAPPINGS]\n");
		return 2;
	}
	pipe_fd = ends[0];
	make_ctx();
	make_spaces();
	if (!mappings)
		return !compare();
	fill(attached, mappings);
	return 0;
}

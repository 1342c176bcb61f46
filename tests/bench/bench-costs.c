/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What maps, copies and page tables cost against each other, in one run on one kernel: why the
 * library's advice is what it is. Ratios are printed and none is judged. On the kernel's test
 * driver, whose page tables are the kernel's own work without hardware to wait for.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../must.h"
#include "../vm/mock-cmd.h"
#include "../vm/mock-format.h"
#include "../vm/mock.h"
#include "bench.h"

#define MIB       (UINT64_C(1) << 20)
#define LENGTH    (16 * MIB)
#define IOVA      (UINT64_C(1) << 28)
#define ELSEWHERE (UINT64_C(3) << 28)
#define PAGE      UINT64_C(4096)

enum { ROUNDS = 11, READ_WRITE = LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE };

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *bare, *full; /* without a page table, and with one */
static struct libiommu_hwpt *table;
static uint8_t *small, *large; /* memory of files, by their pages */
static int small_file = -1, large_file = -1;
static uint64_t bits[LENGTH / PAGE / 64];

/* One thing that is done, for so many ns; what it takes to do it again is no part of that. */
typedef double (*work)(void);

static double map_at(struct libiommu_ioas *ioas, void *memory, uint64_t iova)
{
	const double start = bench_now();
	double end;

	MUST(libiommu_ioas_map_fixed(ioas, memory, LENGTH, READ_WRITE, iova));
	end = bench_now();
	MUST(libiommu_ioas_unmap(ioas, iova, LENGTH));
	return end - start;
}

static double map_small(void)
{
	return map_at(full, small, IOVA);
}

static double map_large(void)
{
	return map_at(full, large, IOVA);
}

static double map_large_astray(void)
{
	return map_at(full, large, IOVA + PAGE);
}

static double map_file(int file)
{
	const double start = bench_now();
	double end;

	MUST(libiommu_ioas_map_file_fixed(full, file, 0, LENGTH, READ_WRITE, IOVA));
	end = bench_now();
	MUST(libiommu_ioas_unmap(full, IOVA, LENGTH));
	return end - start;
}

static double map_small_file(void)
{
	return map_file(small_file);
}

static double map_large_file(void)
{
	return map_file(large_file);
}

static double copy_to(struct libiommu_ioas *ioas)
{
	double start, end;

	MUST(libiommu_ioas_map_fixed(full, small, LENGTH, READ_WRITE, IOVA));
	start = bench_now();
	MUST(libiommu_ioas_copy_fixed(ioas, full, IOVA, LENGTH, READ_WRITE, ELSEWHERE));
	end = bench_now();
	MUST(libiommu_ioas_unmap(ioas, ELSEWHERE, LENGTH));
	MUST(libiommu_ioas_unmap(full, IOVA, LENGTH));
	return end - start;
}

static double copy_with_table(void)
{
	return copy_to(full);
}

static double copy_without_table(void)
{
	return copy_to(bare);
}

static double make_table(bool filled, unsigned int before)
{
	struct libiommu_hwpt *tables[2];
	struct libiommu_ioas *ioas;
	double start, end;

	MUST(libiommu_ioas_alloc(ctx, &ioas));
	if (filled)
		MUST(libiommu_ioas_map_fixed(ioas, small, LENGTH, READ_WRITE, IOVA));
	if (before)
		tables[1] = mock_hwpt_with(dev, ioas, 0, NULL);
	start = bench_now();
	tables[0] = mock_hwpt_with(dev, ioas, 0, NULL);
	end = bench_now();
	for (unsigned int i = 0; i <= before; i++)
		MUST(libiommu_hwpt_destroy(tables[i]));
	MUST(libiommu_ioas_destroy(ioas));
	return end - start;
}

static double make_table_empty(void)
{
	return make_table(false, 0);
}

static double make_table_filled(void)
{
	return make_table(true, 0);
}

static double make_second_table(void)
{
	return make_table(true, 1);
}

/* Across a border of two pieces of the library's. */
static double read_dirty(uint32_t flags)
{
	const uint64_t iova = (UINT64_C(1) << 30) - LENGTH / 2;
	double start, end;

	MUST(libiommu_ioas_map_fixed(full, small, LENGTH, READ_WRITE, iova));
	start = bench_now();
	MUST(libiommu_hwpt_get_dirty_bitmap(table, iova, LENGTH, PAGE, flags, bits,
	                                    sizeof(bits) / sizeof(bits[0]), NULL));
	end = bench_now();
	MUST(libiommu_ioas_unmap(full, iova, LENGTH));
	return end - start;
}

static double read_in_pieces(void)
{
	return read_dirty(0);
}

static double read_whole(void)
{
	return read_dirty(LIBIOMMU_DIRTY_WHOLE);
}

/* Many small maps, half of them each by two threads or all by one. */
struct share {
	uint64_t iova;
	unsigned int count;
};

static void *map_share(void *arg)
{
	const struct share *const share = arg;

	for (unsigned int i = 0; i < share->count; i++) {
		MUST(libiommu_ioas_map_fixed(full, small, 4 * PAGE, READ_WRITE, share->iova));
		MUST(libiommu_ioas_unmap(full, share->iova, 4 * PAGE));
	}
	return NULL;
}

static double map_by_two(void)
{
	struct share shares[2] = {{IOVA, 200}, {ELSEWHERE, 200}};
	const double start = bench_now();
	pthread_t thread;

	if (pthread_create(&thread, NULL, map_share, &shares[1]))
		abort();
	map_share(&shares[0]);
	pthread_join(thread, NULL);
	return bench_now() - start;
}

static double map_by_one(void)
{
	struct share share = {IOVA, 400};
	const double start = bench_now();

	map_share(&share);
	return bench_now() - start;
}

static void compare(const char *what, work one, work other)
{
	double ratios[ROUNDS];
	struct bench_figure figure;

	for (size_t i = 0; i < ROUNDS; i++) {
		const double time = one();

		ratios[i] = time / other();
	}
	figure = bench_figure(ratios, ROUNDS);
	printf("%s: %.4f times, 95 %% interval %.4f to %.4f\n", what, figure.median, figure.low,
	       figure.high);
}

/* NULL where there is none. */
static void *get_file(unsigned int flags, int *file)
{
	void *memory = MAP_FAILED;

	*file = memfd_create("file", MFD_CLOEXEC | flags);
	if (*file >= 0 && !ftruncate(*file, (off_t)LENGTH))
		memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
	if (memory == MAP_FAILED)
		return NULL;
	memset(memory, 1, LENGTH);
	return memory;
}

/* What there is no memory for is not measured. */
static void begin(void)
{
	FILE *const pages = fopen("/proc/sys/vm/nr_hugepages", "we");

	if (pages) {
		fprintf(pages, "%u\n", (unsigned int)(LENGTH / (2 * MIB)));
		fclose(pages);
	}
	small = get_file(0, &small_file);
	large = get_file(MFD_HUGETLB, &large_file);
	if (!small)
		abort();
	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, 1, false);
	MUST(libiommu_ioas_alloc(ctx, &bare));
	MUST(libiommu_ioas_alloc(ctx, &full));
	table = mock_hwpt_with(dev, full, LIBIOMMU_HWPT_DIRTY_TRACKING, NULL);
	MUST(libiommu_hwpt_set_dirty_tracking(table, true));
}

static void end(void)
{
	MUST(libiommu_hwpt_destroy(table));
	MUST(libiommu_device_destroy(dev));
	MUST(libiommu_ioas_destroy(full));
	MUST(libiommu_ioas_destroy(bare));
	MUST(libiommu_ctx_destroy(ctx));
}

int main(void)
{
	mock = mock_new();
	if (!mock)
		return 77;
	begin();
	printf("16 MiB each, on %ld processors\n", sysconf(_SC_NPROCESSORS_ONLN));
	if (large) {
		compare("mapping large pages against small ones", map_large, map_small);
		compare("large pages at an IOVA that is a page off, against one that fits",
		        map_large_astray, map_large);
	}
	compare("mapping a file of small pages against its memory", map_small_file, map_small);
	if (large)
		compare("mapping a file of large pages against its memory", map_large_file,
		        map_large);
	compare("copying against mapping", copy_with_table, map_small);
	compare("copying to where there is no page table, against where there is one",
	        copy_without_table, copy_with_table);
	compare("a page table of what is mapped, against one of nothing", make_table_filled,
	        make_table_empty);
	compare("a second page table of what is mapped, against the first", make_second_table,
	        make_table_filled);
	compare("dirty bits in two pieces against one", read_in_pieces, read_whole);
	compare("small maps by two threads against as many by one", map_by_two, map_by_one);
	end();
	mock_free(mock);
	return 0;
}

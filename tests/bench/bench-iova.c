/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Ranges of I/O virtual addresses, taken from a window that is in pieces and given back, for
 * callgrind to count: every other page is taken, so that there are as many free pages between, and
 * long free ranges behind (bench-iova-instructions).
 *
 * usage: bench-iova PIECES
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <libiommu.h>

#include "../must.h"
#include "counting.h"

#define PAGE  UINT64_C(4096)
#define MIB2  (UINT64_C(1) << 21)
#define GIB   (UINT64_C(1) << 30)
#define TIMES 1000

static struct libiommu_iova_window *window;
static uint64_t pieces;

/* Scattered, and the same in each run. */
static uint64_t any_piece(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005 + 1442695040888963407;
	return PAGE + (state >> 33) % pieces * 2 * PAGE;
}

static void take_and_give(uint64_t length, uint64_t alignment, uint64_t phase)
{
	for (int i = 0; i < TIMES; i++) {
		uint64_t iova;

		MUST(libiommu_iova_window_take(window, length, alignment, phase, &iova));
		MUST(libiommu_iova_window_give(window, iova, length));
	}
}

/* One function each, by whose names callgrind tells them apart. */
void count_page(void);
void count_buffer(void);
void count_2_MiB(void);
void count_1_GiB(void);
void count_place(void);
void count_none(void);

__attribute__((noinline)) void count_page(void)
{
	take_and_give(PAGE, PAGE, 0);
}

/* Longer than what is free between. */
__attribute__((noinline)) void count_buffer(void)
{
	take_and_give(16 * PAGE, PAGE, 0);
}

/* As a large page of memory is congruent. */
__attribute__((noinline)) void count_2_MiB(void)
{
	take_and_give(2 * MIB2, MIB2, 3 * PAGE);
}

__attribute__((noinline)) void count_1_GiB(void)
{
	take_and_give(GIB, GIB, 0);
}

/*
 * Of the free pages that are left, none begins where it would have to: four places are looked at,
 * however many pages there are.
 */
__attribute__((noinline)) void count_none(void)
{
	for (int i = 0; i < TIMES; i++) {
		uint64_t iova;

		if (libiommu_iova_window_take(window, PAGE, pieces * PAGE / 2, PAGE, &iova) !=
		    -ENOSPC)
			abort();
	}
}

/* Anywhere in the middle: given back, with what is free on both sides, and taken again. */
__attribute__((noinline)) void count_place(void)
{
	for (int i = 0; i < TIMES; i++) {
		const uint64_t iova = any_piece();

		MUST(libiommu_iova_window_give(window, iova, PAGE));
		MUST(libiommu_iova_window_take_at(window, iova, PAGE));
	}
}

int main(int argc, char **argv)
{
	const struct libiommu_iova_range all = {0, (UINT64_C(1) << 48) - 1};

	uint64_t behind;

	pieces = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
	behind = PAGE + pieces * 2 * PAGE;
	if (!pieces) {
		fprintf(stderr, "usage: bench-iova PIECES\n");
		return 2;
	}
	MUST(libiommu_iova_window_new(&all, 1, PAGE, &window));
	for (uint64_t i = 0; i < pieces; i++)
		MUST(libiommu_iova_window_take_at(window, PAGE + i * 2 * PAGE, PAGE));
	counting_begins();
	count_page();
	counting_ends("page");
	count_buffer();
	counting_ends("buffer");
	count_2_MiB();
	counting_ends("2 MiB");
	count_1_GiB();
	counting_ends("1 GiB");
	count_place();
	counting_ends("place");
	MUST(libiommu_iova_window_take_at(window, behind, all.last + 1 - behind));
	counting_begins();
	count_none();
	counting_ends("none");
	MUST(libiommu_iova_window_give(window, behind, all.last + 1 - behind));
	for (uint64_t i = 0; i < pieces; i++)
		MUST(libiommu_iova_window_give(window, PAGE + i * 2 * PAGE, PAGE));
	MUST(libiommu_iova_window_destroy(window));
	return 0;
}

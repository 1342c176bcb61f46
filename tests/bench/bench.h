/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The clock of the benchmarks, and what they say about many samples. */
#ifndef LIBIOMMU_BENCH_H
#define LIBIOMMU_BENCH_H

#include <stddef.h>

/* Nanoseconds since some moment. */
double bench_now(void);

struct bench_figure {
	double median;
	double low, high; /* the median's 95 % interval */
};

/* Sorts the samples, of which there is at least one. */
struct bench_figure bench_figure(double *samples, size_t count);

#endif

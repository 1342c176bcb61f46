/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

double bench_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The interval is from the order of the samples alone, whatever their distribution. */
struct bench_figure bench_figure(double *samples, size_t count)
{
	const size_t spread = (size_t)(0.98 * sqrt((double)count)) + 1;
	const size_t middle = count / 2;

	qsort(samples, count, sizeof(*samples), compare);
	return (struct bench_figure){
		.median = samples[middle],
		.low = samples[spread < middle ? middle - spread : 0],
		.high = samples[middle + spread < count ? middle + spread : count - 1],
	};
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Where callgrind begins to look, so that what is made ready takes it no time, and where one count
 * ends and another begins (tests/bench/counting).
 */
#ifndef LIBIOMMU_BENCH_COUNTING_H
#define LIBIOMMU_BENCH_COUNTING_H

#if HAVE_CALLGRIND
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_DUMP_STATS_AT(name) (void)(name)
#endif

static inline void counting_begins(void)
{
	CALLGRIND_START_INSTRUMENTATION;
}

static inline void counting_ends(const char *name)
{
	CALLGRIND_DUMP_STATS_AT(name);
}

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Limits as a test wants them: of locked memory, and of threads. The linker sends getrlimit() and
 * pthread_create() here.
 */
#ifndef LIBIOMMU_TESTS_LIMIT_H
#define LIBIOMMU_TESTS_LIMIT_H

#include <stdbool.h>
#include <sys/resource.h>

/* RLIM_INFINITY is none. */
void limit_set(rlim_t bytes);
/* getrlimit() fails. */
void limit_fail(void);
/* The real one. */
void limit_restore(void);

/* There can be no thread more, until told otherwise. */
void limit_threads(bool reached);

#endif

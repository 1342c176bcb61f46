/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The locked-memory limit as a test wants it: the linker sends getrlimit() here. */
#ifndef LIBIOMMU_TESTS_LIMIT_H
#define LIBIOMMU_TESTS_LIMIT_H

#include <sys/resource.h>

/* RLIM_INFINITY is none. */
void limit_set(rlim_t bytes);
/* getrlimit() fails. */
void limit_fail(void);
/* The real one. */
void limit_restore(void);

#endif

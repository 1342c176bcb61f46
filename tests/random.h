/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Numbers that are the same in each run. */
#ifndef LIBIOMMU_TESTS_RANDOM_H
#define LIBIOMMU_TESTS_RANDOM_H

#include <stdint.h>

/* The first state is any number but 0. */
static inline uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif

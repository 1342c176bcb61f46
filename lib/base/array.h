/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Arrays that several of grow together. */
#ifndef LIBIOMMU_BASE_ARRAY_H
#define LIBIOMMU_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/*
 * Makes room for @count elements; false without memory, and the array is as it was. Where it is one
 * of several, those that had grown before are just larger than they need to be.
 */
static inline bool array_grow(void **array, size_t count, size_t size)
{
	void *const grown = realloc(*array, count * size);

	if (grown)
		*array = grown;
	return grown;
}

#endif

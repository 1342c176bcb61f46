/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "heap.h"

#include <stdlib.h>
#include <string.h>

#define SMALL 1024

static _Thread_local unsigned int countdown;
static _Thread_local bool failed;

static bool fails(void)
{
	if (!countdown || --countdown)
		return false;
	failed = true;
	return true;
}

void *emu_alloc(size_t size)
{
	void *memory;

	if (fails())
		return NULL;
	/*
	 * What is small and was freed just now is there at once. calloc() does not look for it, and
	 * a compiler makes calloc() of malloc() and memset().
	 */
	if (size > SMALL)
		return calloc(1, size);
	memory = malloc(size);
	if (memory)
		explicit_bzero(memory, size);
	return memory;
}

void *emu_grow(void *memory, size_t size)
{
	return fails() ? NULL : realloc(memory, size);
}

void emu_release(void *memory)
{
	free(memory);
}

void emu_heap_fail(unsigned int nth)
{
	countdown = nth;
	failed = false;
}

bool emu_heap_stop(void)
{
	countdown = 0;
	return failed;
}

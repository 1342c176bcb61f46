/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "heap.h"

#include <stdlib.h>

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
	return fails() ? NULL : calloc(1, size);
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

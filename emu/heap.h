/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The emulated kernel's memory. Whatever it allocates comes from here, so that an allocation can
 * be made to fail as the kernel's own can.
 */
#ifndef EMU_HEAP_H
#define EMU_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed; NULL without memory, or when this one is to fail. */
void *emu_alloc(size_t size);
/* realloc() of what emu_alloc() gave; what is new is not zeroed. */
void *emu_grow(void *memory, size_t size);
void emu_release(void *memory);

/* The @nth allocation of this thread from now on fails, counted from 1; 0: none. */
void emu_heap_fail(unsigned int nth);
/* No longer; whether one has failed. */
bool emu_heap_stop(void);

#endif

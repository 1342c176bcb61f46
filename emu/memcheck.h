/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What valgrind cannot see for itself: that system calls of the machine's have written memory, and
 * that registers which are mapped may be used. Where its headers are not installed it is not told.
 */
#ifndef EMU_MEMCHECK_H
#define EMU_MEMCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __has_include
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

static inline void emu_memcheck_defined(uintptr_t address, size_t size)
{
#ifdef VALGRIND_MAKE_MEM_DEFINED
	VALGRIND_MAKE_MEM_DEFINED(address, size);
#else
	(void)address;
	(void)size;
#endif
}

/* Valgrind complains of whatever memory is asked for that is not there. */
static inline bool emu_memcheck_watches(void)
{
#ifdef RUNNING_ON_VALGRIND
	return RUNNING_ON_VALGRIND;
#else
	return false;
#endif
}

#endif

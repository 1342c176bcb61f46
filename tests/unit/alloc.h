/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Memory that runs out where a test wants it to. The linker sends malloc(), calloc(), realloc(),
 * strdup() and free() of the library and the tests through here.
 */
#ifndef LIBIOMMU_TESTS_ALLOC_H
#define LIBIOMMU_TESTS_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What is allocated and not freed, counted from alloc_start(); alloc_check() fails the test if that
 * is anything.
 */
void alloc_start(void);
void alloc_check(void);
long alloc_live(void);
/* The bytes of it, with what malloc() rounds up. */
size_t alloc_bytes(void);

/*
 * The @nth allocation from now fails, 1 being the next, until alloc_restore(), which says whether
 * it came to that.
 */
void alloc_fail_nth(unsigned int nth);
bool alloc_restore(void);

struct alloc_loop {
	unsigned int nth;
	bool done;
	unsigned int fds;
	unsigned int maps;
	long live;
};

/*
 * Runs the block again and again: in the n-th round the n-th allocation of the ALLOC_TRY() in it
 * fails, until a round needs no more than were granted. What the block does before and after the
 * ALLOC_TRY() is not disturbed. In each round that fails the result must be -ENOMEM, with nothing
 * left allocated, open or mapped, and steps of the script that it did not come to are dropped.
 * ALLOC_TRY() is the result.
 */
#define ALLOC_LOOP                                                                                 \
	for (struct alloc_loop alloc_loop = {0}; alloc_loop_next(&alloc_loop, __FILE__, __LINE__);)
#define ALLOC_TRY(call) ALLOC_TRY_OR(-ENOMEM, call)
/* A failed allocation may also make the result @other: what the kernel had said before, mostly. */
#define ALLOC_TRY_OR(other, call)                                                                  \
	(alloc_loop_begin(&alloc_loop),                                                            \
	 alloc_loop_end(&alloc_loop, (call), (other), #call, __FILE__, __LINE__))

bool alloc_loop_next(struct alloc_loop *loop, const char *file, int line);
void alloc_loop_begin(struct alloc_loop *loop);
int alloc_loop_end(struct alloc_loop *loop, int result, int other, const char *call,
                   const char *file, int line);

#endif

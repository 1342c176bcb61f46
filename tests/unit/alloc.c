/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "paths.h"
#include "script.h"

/* Enough for any call of the library; more is a loop that never ends. */
#define MAX_ROUNDS 100

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *old);

static atomic_long live;
static atomic_size_t bytes;
/* Allocations that are still granted; below 0 all are. */
static atomic_long granted = -1;
static atomic_bool failed;

static bool denied(void)
{
	if (atomic_load(&granted) < 0)
		return false;
	if (atomic_fetch_sub(&granted, 1) > 1)
		return false;
	/* Only one is denied, so that clean-up which allocates is tested as it happens. */
	atomic_store(&granted, -1);
	atomic_store(&failed, true);
	return true;
}

static void *counted(void *made)
{
	if (!made)
		return NULL;
	atomic_fetch_add(&live, 1);
	atomic_fetch_add(&bytes, malloc_usable_size(made));
	return made;
}

void *__wrap_malloc(size_t size)
{
	return denied() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return denied() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	size_t was;
	void *made;

	if (denied())
		return NULL;
	if (!old)
		return counted(__real_realloc(NULL, size));
	was = malloc_usable_size(old);
	made = __real_realloc(old, size);
	if (made)
		atomic_fetch_add(&bytes, malloc_usable_size(made) - was);
	return made;
}

char *__wrap_strdup(const char *text)
{
	const size_t size = strlen(text) + 1;
	char *const copy = __wrap_malloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}

void __wrap_free(void *old)
{
	if (old) {
		atomic_fetch_sub(&live, 1);
		atomic_fetch_sub(&bytes, malloc_usable_size(old));
	}
	__real_free(old);
}

void alloc_start(void)
{
	atomic_store(&granted, -1);
	atomic_store(&live, 0);
	atomic_store(&bytes, 0);
}

void alloc_check(void)
{
	if (alloc_live())
		fail_msg("%ld allocations are never freed", alloc_live());
}

long alloc_live(void)
{
	return atomic_load(&live);
}

size_t alloc_bytes(void)
{
	return atomic_load(&bytes);
}

void alloc_fail_nth(unsigned int nth)
{
	atomic_store(&failed, false);
	atomic_store(&granted, (long)nth);
}

bool alloc_restore(void)
{
	atomic_store(&granted, -1);
	return atomic_load(&failed);
}

bool alloc_loop_next(struct alloc_loop *loop, const char *file, int line)
{
	if (loop->done)
		return false;
	if (++loop->nth > MAX_ROUNDS) {
		print_error("ALLOC_LOOP does not end: is there an ALLOC_TRY() in it?\n");
		_fail(file, line);
	}
	return true;
}

void alloc_loop_begin(struct alloc_loop *loop)
{
	loop->live = alloc_live();
	loop->fds = script_open_fds() + paths_open_fds();
	loop->maps = ledger_maps();
	alloc_fail_nth(loop->nth);
}

int alloc_loop_end(struct alloc_loop *loop, int result, int other, const char *call,
                   const char *file, int line)
{
	const char *wrong = NULL;

	if (!alloc_restore()) {
		/*
		 * A call that allocates nothing has no place in such a loop: it would prove
		 * nothing.
		 */
		if (loop->nth == 1)
			wrong = "allocates nothing";
		loop->done = true;
	} else if (result != -ENOMEM && result != other) {
		wrong = "does not fail";
	} else if (alloc_live() != loop->live) {
		wrong = "leaks memory";
	} else if (script_open_fds() + paths_open_fds() != loop->fds) {
		wrong = "leaves a descriptor open, or closes one";
	} else if (ledger_maps() != loop->maps) {
		wrong = "leaves something mapped";
	} else {
		script_drop();
	}
	if (wrong) {
		print_error("%s, allocation %u failing: %s (result %d)\n", call, loop->nth, wrong,
		            result);
		_fail(file, line);
	}
	return result;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "limit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/*
 * Both names: which one getrlimit() becomes depends on the C library and on the width of its types.
 */
int __wrap_getrlimit(int resource, struct rlimit *limit);
int __wrap_getrlimit64(int resource, struct rlimit *limit);

static enum { REAL, CHOSEN, FAILING } mode;
static rlim_t chosen;

void limit_set(rlim_t bytes)
{
	mode = CHOSEN;
	chosen = bytes;
}

void limit_fail(void)
{
	mode = FAILING;
}

void limit_restore(void)
{
	mode = REAL;
}

int __wrap_getrlimit(int resource, struct rlimit *limit)
{
	if (mode == REAL)
		return prlimit(0, resource, NULL, limit);
	if (mode == FAILING) {
		errno = EFAULT;
		return -1;
	}
	limit->rlim_cur = chosen;
	limit->rlim_max = chosen;
	return 0;
}

int __wrap_getrlimit64(int resource, struct rlimit *limit)
{
	return __wrap_getrlimit(resource, limit);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *arg);

static atomic_bool threads_reached;

void limit_threads(bool reached)
{
	atomic_store(&threads_reached, reached);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *arg)
{
	return atomic_load(&threads_reached)
	               ? EAGAIN
	               : __real_pthread_create(thread, attributes, start, arg);
}

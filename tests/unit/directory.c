/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>

/*
 * Both names: which one readdir() becomes depends on the C library and on the width of its types,
 * and there need not be both.
 */
struct dirent *__real_readdir(DIR *dir) __attribute__((weak));
struct dirent *__real_readdir64(DIR *dir) __attribute__((weak));
struct dirent *__wrap_readdir(DIR *dir);
struct dirent *__wrap_readdir64(DIR *dir);

static unsigned int left;
static int failure;

void directory_fail(unsigned int entries, int error)
{
	left = entries;
	failure = error;
}

static struct dirent *next(DIR *dir, struct dirent *(*real)(DIR *))
{
	if (!failure || left--)
		return real(dir);
	errno = failure;
	return NULL;
}

struct dirent *__wrap_readdir(DIR *dir)
{
	return next(dir, __real_readdir);
}

struct dirent *__wrap_readdir64(DIR *dir)
{
	return next(dir, __real_readdir64);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Files that the program opens by their names. */
#include "preload.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../calls.h"
#include "../sysfs.h"

/* False: it is not the machine's. */
static bool open_path(const char *path, int flags, int *result)
{
	struct libiommu_emu *const emu = emu_preload_path(path);
	bool ours;

	if (!emu)
		return false;
	emu_preload_enter();
	ours = emu_preload_status(emu, path, flags, result) || emu_open(emu, path, flags, result);
	emu_preload_leave();
	if (ours)
		*result = (int)emu_preload_result(*result);
	return ours;
}

static int mode_of(int flags, va_list *args)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(*args, int) : 0;
}

PRELOAD int open(const char *path, int flags, ...)
{
	va_list args;
	int mode, fd;

	va_start(args, flags);
	mode = mode_of(flags, &args);
	va_end(args);
	return open_path(path, flags, &fd) ? fd : REAL(open)(path, flags, mode);
}

PRELOAD int openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	int mode, fd;

	va_start(args, flags);
	mode = mode_of(flags, &args);
	va_end(args);
	return open_path(path, flags, &fd) ? fd : REAL(openat)(dir, path, flags, mode);
}

/* What programs call that were compiled with checks. */
int __open_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);

PRELOAD int __open_2(const char *path, int flags)
{
	return open(path, flags, 0);
}

PRELOAD int __openat_2(int dir, const char *path, int flags)
{
	return openat(dir, path, flags, 0);
}

/* The C library opens by itself, past these. */
PRELOAD FILE *fopen(const char *path, const char *mode)
{
	const int flags = strchr(mode, '+') ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
	FILE *file;
	int fd;

	if (!open_path(path, flags | O_CLOEXEC, &fd))
		return REAL(fopen)(path, mode);
	if (fd < 0)
		return NULL;
	file = fdopen(fd, mode);
	if (!file)
		close(fd);
	return file;
}

static bool read_link(const char *path, char *buffer, size_t size, ssize_t *result)
{
	struct libiommu_emu *const emu = emu_preload_path(path);
	char target[PATH_MAX];
	int length;
	bool ours;

	if (!emu)
		return false;
	emu_preload_enter();
	ours = emu_readlink(emu, path, target, sizeof(target), &length);
	emu_preload_leave();
	if (!ours)
		return false;
	if (length > 0 && (size_t)length > size)
		length = (int)size;
	if (length > 0)
		memcpy(buffer, target, (size_t)length);
	*result = emu_preload_result(length);
	return true;
}

PRELOAD ssize_t readlink(const char *path, char *buffer, size_t size)
{
	ssize_t result;

	return read_link(path, buffer, size, &result) ? result : REAL(readlink)(path, buffer, size);
}

PRELOAD ssize_t readlinkat(int dir, const char *path, char *buffer, size_t size)
{
	ssize_t result;

	return read_link(path, buffer, size, &result) ? result
	                                              : REAL(readlinkat)(dir, path, buffer, size);
}

PRELOAD char *realpath(const char *path, char *resolved)
{
	struct libiommu_emu *const emu = emu_preload_path(path);
	char real[EMU_SYSFS_PATH];
	bool ours;

	if (!emu)
		return REAL(realpath)(path, resolved);
	emu_preload_enter();
	ours = emu_sysfs_real(emu, path, real);
	emu_preload_leave();
	if (!ours && strncmp(path, "/sys/", 5) != 0) {
		ours = !access(path, F_OK) && strlen(path) < sizeof(real);
		if (ours)
			strcpy(real, path);
	}
	if (!ours) {
		errno = ENOENT;
		return NULL;
	}
	return resolved ? strcpy(resolved, real) : strdup(real);
}

PRELOAD char *canonicalize_file_name(const char *path)
{
	return realpath(path, NULL);
}

ALSO(open, open64);
ALSO(openat, openat64);
ALSO(fopen, fopen64);
ALSO(__open_2, __open64_2);
ALSO(__openat_2, __openat64_2);

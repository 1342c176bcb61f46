/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* /proc/PID/status, with what the machine has pinned for the process and counts as locked. */
#include "preload.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libiommu-emu/inspect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_KIB 4

/* 0: it is none. */
static pid_t process_of(const char *path)
{
	char *end;
	long pid;

	if (!strcmp(path, "/proc/self/status"))
		return getpid();
	if (strncmp(path, "/proc/", 6) != 0)
		return 0;
	pid = strtol(path + 6, &end, 10);
	return end > path + 6 && !strcmp(end, "/status") ? (pid_t)pid : 0;
}

static void add(FILE *to, const char *line, const char *name, uint64_t pages)
{
	const uint64_t before = strtoull(line + strlen(name), NULL, 10);

	fprintf(to, "%s\t%8" PRIu64 " kB\n", name, before + pages * PAGE_KIB);
}

static void copy(FILE *from, FILE *to, uint64_t pinned, uint64_t locked)
{
	char line[4096];

	while (fgets(line, sizeof(line), from))
		if (!strncmp(line, "VmPin:", 6))
			add(to, line, "VmPin:", pinned);
		else if (!strncmp(line, "VmLck:", 6))
			add(to, line, "VmLck:", locked);
		else
			fputs(line, to);
}

/* A copy to read from its beginning; negative: there is none. */
static int copy_status(const char *path, int flags, uint64_t pinned, uint64_t locked)
{
	const int fd = memfd_create("libiommu-emu-status", flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
	FILE *const from = fopen(path, "re");
	FILE *const to = fd < 0 ? NULL : fdopen(dup(fd), "w");
	bool done = false;

	if (from && to)
		copy(from, to, pinned, locked);
	if (to)
		done = !fclose(to) && from && !lseek(fd, 0, SEEK_SET);
	if (from)
		fclose(from);
	if (!done && fd >= 0)
		close(fd);
	return done ? fd : -1;
}

bool emu_preload_status(struct libiommu_emu *emu, const char *path, int flags, int *fd)
{
	const pid_t pid = process_of(path);
	uint64_t pinned = 0, locked = 0;

	if (!pid || libiommu_emu_count_pinned(emu, pid, &pinned, &locked) || !(pinned || locked))
		return false;
	*fd = copy_status(path, flags, pinned, locked);
	return *fd >= 0;
}

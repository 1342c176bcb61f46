/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Directories of the machine. One that is open is told from the C library's by being known here. */
#include "preload.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../calls.h"
#include "../vfio-names.h"

#define NAMES_MOST 65536

struct dir {
	struct dir *next;
	size_t used, at;
	struct dirent entry;
	char names[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct dir *dirs;

/* NULL: the C library's. */
static struct dir *find(DIR *wanted)
{
	struct dir *dir;

	pthread_mutex_lock(&lock);
	for (dir = dirs; dir && (DIR *)dir != wanted; dir = dir->next)
		;
	pthread_mutex_unlock(&lock);
	return dir;
}

static ssize_t list(struct libiommu_emu *emu, const char *path, char *names, bool *ours)
{
	ssize_t used = 0;

	emu_preload_enter();
	*ours = emu_list(emu, path, names, NAMES_MOST, &used);
	emu_preload_leave();
	return used < NAMES_MOST ? used : NAMES_MOST;
}

PRELOAD DIR *opendir(const char *path)
{
	struct libiommu_emu *const emu = emu_preload_path(path);
	struct dir *dir;
	ssize_t used;
	bool ours;

	if (!emu)
		return REAL(opendir)(path);
	dir = calloc(1, sizeof(*dir) + NAMES_MOST);
	if (!dir)
		return NULL;
	used = list(emu, path, dir->names, &ours);
	if (!ours || used < 0) {
		free(dir);
		if (!ours)
			return REAL(opendir)(path);
		errno = (int)-used;
		return NULL;
	}
	dir->used = (size_t)used;
	pthread_mutex_lock(&lock);
	dir->next = dirs;
	dirs = dir;
	pthread_mutex_unlock(&lock);
	return (DIR *)dir;
}

PRELOAD struct dirent *readdir(DIR *stream)
{
	struct dir *const dir = find(stream);

	if (!dir)
		return REAL(readdir)(stream);
	if (dir->at >= dir->used)
		return NULL;
	strncpy(dir->entry.d_name, dir->names + dir->at, sizeof(dir->entry.d_name) - 1);
	dir->at += strlen(dir->names + dir->at) + 1;
	dir->entry.d_type = DT_UNKNOWN;
	dir->entry.d_ino = dir->at;
	dir->entry.d_off = (off_t)dir->at;
	dir->entry.d_reclen = sizeof(dir->entry);
	return &dir->entry;
}

PRELOAD int closedir(DIR *stream)
{
	struct dir *const dir = find(stream);

	if (!dir)
		return REAL(closedir)(stream);
	pthread_mutex_lock(&lock);
	for (struct dir **link = &dirs; *link; link = &(*link)->next)
		if (*link == dir) {
			*link = dir->next;
			break;
		}
	pthread_mutex_unlock(&lock);
	free(dir);
	return 0;
}

PRELOAD void rewinddir(DIR *stream)
{
	struct dir *const dir = find(stream);

	if (dir)
		dir->at = 0;
	else
		REAL(rewinddir)(stream);
}

PRELOAD int dirfd(DIR *stream)
{
	if (!find(stream))
		return REAL(dirfd)(stream);
	errno = ENOTSUP;
	return -1;
}

static int collect(DIR *stream, struct dirent ***names, int (*filter)(const struct dirent *))
{
	const struct dirent *entry;
	struct dirent **found = NULL;
	int count = 0;

	while ((entry = readdir(stream))) {
		struct dirent **grown;

		if (filter && !filter(entry))
			continue;
		grown = realloc(found, ((size_t)count + 1) * sizeof(struct dirent *));
		if (grown)
			found = grown;
		if (!grown || !(found[count] = malloc(sizeof(*entry)))) {
			while (count)
				free(found[--count]);
			free(found);
			return -1;
		}
		*found[count++] = *entry;
	}
	*names = found ? found : calloc(1, sizeof(struct dirent *));
	return count;
}

PRELOAD int scandir(const char *path, struct dirent ***names, int (*filter)(const struct dirent *),
                    int (*compare)(const struct dirent **, const struct dirent **))
{
	DIR *stream;
	int count;

	if (!emu_preload_path(path))
		return REAL(scandir)(path, names, filter, compare);
	stream = opendir(path);
	if (!stream)
		return -1;
	count = collect(stream, names, filter);
	closedir(stream);
	if (count > 1 && compare)
		qsort(*names, (size_t)count, sizeof(**names),
		      (int (*)(const void *, const void *))(void (*)(void))compare);
	return count;
}

ALSO(readdir, readdir64);
ALSO(scandir, scandir64);

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "paths.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "script.h"

#define MAX_PATHS 1024
#define MAX_OPEN  16
/* Above those that the ledger knows. */
#define FIRST_FD 2000

enum path_kind {
	PATH_NONE,
	PATH_TEXT,
	PATH_LINK,
	PATH_LIST,
	PATH_ERROR,
};

struct entry {
	enum path_kind kind;
	int error; /* of everything, or of a text's reading */
	char path[512];
	char content[2048];
};

static struct entry entries[MAX_PATHS];
static size_t count;

static struct {
	const struct entry *entry; /* NULL where free */
	size_t position;
} files[MAX_OPEN];

static struct entry *find(const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(entries[i].path, path))
			return &entries[i];
	return NULL;
}

static struct entry *put(const char *path, enum path_kind kind, const char *content, int error)
{
	struct entry *entry = find(path);

	if (!entry) {
		if (count == MAX_PATHS)
			fail_msg("more than %d paths", MAX_PATHS);
		entry = &entries[count++];
	}
	if (strlen(path) >= sizeof(entry->path) || strlen(content) >= sizeof(entry->content))
		fail_msg("too long for a made-up path: %s", path);
	entry->kind = kind;
	entry->error = error;
	strcpy(entry->path, path);
	strcpy(entry->content, content);
	return entry;
}

void path_text(const char *path, const char *text)
{
	put(path, PATH_TEXT, text, 0);
}

void path_link(const char *path, const char *target)
{
	put(path, PATH_LINK, target, 0);
}

void path_list(const char *path, const char *names)
{
	put(path, PATH_LIST, names, 0);
}

void path_error(const char *path, int error)
{
	put(path, PATH_ERROR, "", error);
}

void path_read_error(const char *path, int error)
{
	put(path, PATH_TEXT, "", error);
}

void path_remove(const char *path)
{
	put(path, PATH_ERROR, "", -ENOENT);
}

void paths_reset(void)
{
	count = 0;
	memset(files, 0, sizeof(files));
}

bool paths_know(const char *path)
{
	static const char *const trees[] = {"/sys", "/proc"};

	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
		const size_t length = strlen(trees[i]);

		if (!strncmp(path, trees[i], length) && (!path[length] || path[length] == '/'))
			return true;
	}
	return find(path);
}

/* The entry where it is of the kind, or what the kernel says instead. */
static int look(const char *path, enum path_kind kind, int otherwise, const struct entry **entry)
{
	*entry = find(path);
	if (!*entry)
		return -ENOENT;
	if ((*entry)->kind == PATH_ERROR)
		return (*entry)->error;
	return (*entry)->kind == kind ? 0 : otherwise;
}

int paths_open(const char *path)
{
	const struct entry *entry;
	const int error = look(path, PATH_TEXT, -EISDIR, &entry);

	if (error)
		return error;
	for (int i = 0; i < MAX_OPEN; i++) {
		if (files[i].entry)
			continue;
		files[i].entry = entry;
		files[i].position = 0;
		return FIRST_FD + i;
	}
	fail_msg("%d texts are open at once", MAX_OPEN);
	return -EMFILE;
}

bool paths_is_fd(int fd)
{
	return fd >= FIRST_FD && fd < FIRST_FD + MAX_OPEN;
}

int paths_close(int fd)
{
	if (!files[fd - FIRST_FD].entry)
		fail_msg("a text is closed twice");
	files[fd - FIRST_FD].entry = NULL;
	return 0;
}

ssize_t paths_read(int fd, void *buffer, size_t size)
{
	const struct entry *const entry = files[fd - FIRST_FD].entry;
	size_t *const position = &files[fd - FIRST_FD].position;
	size_t left;

	if (!entry)
		fail_msg("a text is read after its close");
	if (entry->error)
		return entry->error;
	left = strlen(entry->content) - *position;
	if (left > size)
		left = size;
	memcpy(buffer, entry->content + *position, left);
	*position += left;
	return (ssize_t)left;
}

int paths_readlink(const char *path, char *buffer, size_t size)
{
	const struct entry *entry;
	const int error = look(path, PATH_LINK, -EINVAL, &entry);
	size_t length;

	if (error)
		return error;
	length = strlen(entry->content);
	if (length >= size)
		return -ENAMETOOLONG;
	memcpy(buffer, entry->content, length + 1);
	return (int)length;
}

ssize_t paths_list(const char *path, char *buffer, size_t size)
{
	const struct entry *entry;
	const int error = look(path, PATH_LIST, -ENOTDIR, &entry);
	size_t used = 0;
	const char *name;

	if (error)
		return error;
	name = entry->content + strspn(entry->content, " ");
	while (*name) {
		const size_t length = strcspn(name, " ");

		if (used + length + 1 <= size) {
			memcpy(buffer + used, name, length);
			buffer[used + length] = '\0';
		}
		used += length + 1;
		name += length;
		name += strspn(name, " ");
	}
	return (ssize_t)used;
}

unsigned int paths_open_fds(void)
{
	unsigned int open = 0;

	for (int i = 0; i < MAX_OPEN; i++)
		open += files[i].entry != NULL;
	return open;
}

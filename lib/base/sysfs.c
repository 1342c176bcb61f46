/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_CAPACITY 1024
#define NUMBER_MAX     32

static ssize_t read_all(const struct libiommu_sys *sys, int fd, char *text, size_t size)
{
	size_t used = 0;

	while (used < size) {
		const ssize_t got = li_sys_read(sys, fd, text + used, size - used);

		if (got < 0)
			return got;
		if (got == 0)
			return (ssize_t)used;
		used += (size_t)got;
	}
	/* Full without having met the end: there may be more, and no room is left for the NUL. */
	return -ENAMETOOLONG;
}

int li_sysfs_read(const struct libiommu_sys *sys, const char *path, char *text, size_t size)
{
	const int fd = li_sys_open(sys, path, O_RDONLY);
	ssize_t length;

	if (fd < 0)
		return fd;
	length = read_all(sys, fd, text, size);
	li_sys_close(sys, fd);
	if (length < 0)
		return (int)length;
	if (length > 0 && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	return (int)length;
}

int li_sysfs_number(const struct libiommu_sys *sys, const char *path, uint64_t *number)
{
	char text[NUMBER_MAX];
	const int length = li_sysfs_read(sys, path, text, sizeof(text));
	const char *digits = text;
	int base = 10;
	uint64_t value;
	char *end;

	if (length == -ENAMETOOLONG)
		return -EINVAL;
	if (length < 0)
		return length;
	if (!strncmp(text, "0x", 2)) {
		digits += 2;
		base = 16;
	}
	/* strtoull() takes blanks, signs and a second prefix too. */
	if (!*digits || strspn(digits, "0123456789abcdefABCDEF") != strlen(digits))
		return -EINVAL;
	errno = 0;
	value = strtoull(digits, &end, base);
	if (errno || *end)
		return -EINVAL;
	*number = value;
	return 0;
}

int li_sysfs_link(const struct libiommu_sys *sys, const char *path, char *name, size_t size)
{
	char target[SYSFS_PATH_MAX];
	const int error = li_sys_readlink(sys, path, target, sizeof(target));
	const char *slash;
	const char *last;
	size_t length;

	if (error < 0)
		return error;
	slash = strrchr(target, '/');
	last = slash ? slash + 1 : target;
	length = strlen(last);
	if (length >= size)
		return -ENAMETOOLONG;
	memcpy(name, last, length + 1);
	return (int)length;
}

int li_sysfs_names(const struct libiommu_sys *sys, const char *path, char **names)
{
	size_t room = NAMES_CAPACITY;

	for (;;) {
		char *const made = malloc(room + 1);
		ssize_t used;

		if (!made)
			return -ENOMEM;
		used = li_sys_list(sys, path, made, room);
		if (used >= 0 && (size_t)used <= room) {
			made[used] = '\0';
			*names = made;
			return 0;
		}
		free(made);
		if (used < 0)
			return (int)used;
		/* The directory may grow before the next look. */
		room = (size_t)used + NAMES_CAPACITY;
	}
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_MOST 8192

struct search {
	const char *name;
	size_t length;
	struct emu_place found;
};

static bool is_it(void *user, const char *name, const struct emu_place *place)
{
	struct search *const search = user;

	if (strlen(name) != search->length || memcmp(name, search->name, search->length) != 0)
		return false;
	search->found = *place;
	return true;
}

static struct emu_place child(struct libiommu_emu *emu, const struct emu_place *dir,
                              const char *name, size_t length)
{
	struct search search = {.name = name, .length = length};

	emu_place_each(emu, dir, is_it, &search);
	return search.found;
}

/* True: the path is the machine's. What is not there is EMU_AT_NOTHING. */
static bool walk(struct libiommu_emu *emu, const char *path, struct emu_place *place)
{
	const char *rest;

	if (!emu_place_root(emu, path, place, &rest))
		return false;
	for (;;) {
		size_t length;

		rest += strspn(rest, "/");
		length = strcspn(rest, "/");
		if (!length)
			return true;
		*place = child(emu, place, rest, length);
		rest += length;
	}
}

/* A descriptor of what a file says; it is read as any other. */
static int make_file(const struct emu_place *place)
{
	char text[TEXT_MOST];
	const size_t length = emu_place_text(place, text, sizeof(text));
	const int fd = memfd_create("libiommu-emu-sysfs", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, text, length) == (ssize_t)length && !lseek(fd, 0, SEEK_SET))
		return fd;
	close(fd);
	return -ENOMEM;
}

bool emu_sysfs_open(struct libiommu_emu *emu, const char *path, int flags, int *result)
{
	struct emu_place place;

	if (!walk(emu, path, &place))
		return false;
	if (place.where == EMU_AT_NOTHING)
		*result = -ENOENT;
	else if (place.where != EMU_AT_FILE)
		*result = (flags & O_ACCMODE) == O_RDONLY ? -EOPNOTSUPP : -EISDIR;
	else if ((flags & O_ACCMODE) != O_RDONLY)
		*result = -EACCES;
	else
		*result = make_file(&place);
	return true;
}

/* From the directory that the link really is in. */
static int relative(struct libiommu_emu *emu, const char *path, const struct emu_place *place,
                    char *buffer, size_t size)
{
	char parent[EMU_SYSFS_PATH], real[EMU_SYSFS_PATH], target[EMU_SYSFS_PATH];
	const size_t length = (size_t)(strrchr(path, '/') - path);
	size_t used = 0;

	if (length >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, length);
	parent[length] = '\0';
	if (!emu_sysfs_real(emu, parent, real))
		return -ENOENT;
	emu_place_path(place, target);
	for (const char *at = real + sizeof("/sys") - 1; (at = strchr(at, '/')); at++)
		used += 3;
	if (used + strlen(target) - sizeof("/sys") + 1 >= size)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < used; i += 3)
		memcpy(buffer + i, "../", 3);
	strcpy(buffer + used, target + sizeof("/sys"));
	return (int)strlen(buffer);
}

bool emu_sysfs_readlink(struct libiommu_emu *emu, const char *path, char *buffer, size_t size,
                        int *result)
{
	struct emu_place place;

	if (!walk(emu, path, &place))
		return false;
	if (place.where == EMU_AT_NOTHING)
		*result = -ENOENT;
	else if (!place.link)
		*result = -EINVAL;
	else
		*result = relative(emu, path, &place, buffer, size);
	return true;
}

struct listing {
	char *buffer;
	size_t size, used;
};

static bool add_name(void *user, const char *name, const struct emu_place *place)
{
	struct listing *const listing = user;
	const size_t length = strlen(name) + 1;

	(void)place;
	if (listing->used + length <= listing->size)
		memcpy(listing->buffer + listing->used, name, length);
	listing->used += length;
	return false;
}

bool emu_sysfs_list(struct libiommu_emu *emu, const char *path, char *buffer, size_t size,
                    ssize_t *result)
{
	struct listing listing = {.buffer = buffer, .size = size};
	struct emu_place place;

	if (!walk(emu, path, &place))
		return false;
	*result = place.where == EMU_AT_NOTHING ? -ENOENT
	          : place.where == EMU_AT_FILE  ? -ENOTDIR
	                                        : 0;
	if (*result)
		return true;
	emu_place_each(emu, &place, add_name, &listing);
	*result = (ssize_t)listing.used;
	return true;
}

bool emu_sysfs_kind(struct libiommu_emu *emu, const char *path, bool follow,
                    enum emu_sysfs_kind *kind, int *result)
{
	struct emu_place place;

	if (!walk(emu, path, &place))
		return false;
	*result = place.where == EMU_AT_NOTHING ? -ENOENT : 0;
	*kind = place.link && !follow        ? EMU_SYSFS_LINK
	        : place.where == EMU_AT_FILE ? EMU_SYSFS_FILE
	                                     : EMU_SYSFS_DIR;
	return true;
}

/* Places that links lead to have a path of their own, others that of where they are, and a name. */
bool emu_sysfs_real(struct libiommu_emu *emu, const char *path, char real[EMU_SYSFS_PATH])
{
	char before[EMU_SYSFS_PATH];
	const char *rest;
	struct emu_place place;
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length >= EMU_SYSFS_PATH)
		return false;
	memcpy(before, path, length);
	before[length] = '\0';
	if (!walk(emu, before, &place) || place.where == EMU_AT_NOTHING)
		return false;
	if (emu_place_has_path(&place)) {
		emu_place_path(&place, real);
		return true;
	}
	if (emu_place_root(emu, before, &place, &rest) && !*rest) {
		memcpy(real, before, length + 1);
		return true;
	}
	rest = strrchr(before, '/');
	before[rest - before] = '\0';
	if (!emu_sysfs_real(emu, before, real) ||
	    strlen(real) + strlen(path + (rest - before)) >= EMU_SYSFS_PATH)
		return false;
	strncat(real, path + (rest - before), length - (size_t)(rest - before));
	return true;
}

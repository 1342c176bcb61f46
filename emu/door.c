/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "door.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libiommu-emu/calls.h>
#include <libiommu/sys.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"
#include "map-call.h"

static ssize_t list_host(const char *path, char *buffer, size_t size)
{
	DIR *const dir = opendir(path);
	const struct dirent *entry;
	size_t used = 0;
	int error;

	if (!dir)
		return -errno;
	/* The end of a directory and a failure both return NULL; only errno tells them apart. */
	while (errno = 0, (entry = readdir(dir))) {
		const size_t length = strlen(entry->d_name) + 1;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (used + length <= size)
			memcpy(buffer + used, entry->d_name, length);
		used += length;
	}
	error = errno;
	closedir(dir);
	return error ? -error : (ssize_t)used;
}

/* What the machine does not know is libc's. */
static int door_open(void *user, const char *path, int flags)
{
	int fd;

	if (emu_open(user, path, flags, &fd))
		return fd;
	fd = open(path, flags, 0);
	return fd < 0 ? -errno : fd;
}

static int door_readlink(void *user, const char *path, char *buffer, size_t size)
{
	ssize_t length;
	int result;

	if (emu_readlink(user, path, buffer, size, &result))
		return result;
	length = readlink(path, buffer, size);
	if (length < 0)
		return -errno;
	if ((size_t)length >= size)
		return -ENAMETOOLONG;
	buffer[length] = '\0';
	return (int)length;
}

static ssize_t door_list(void *user, const char *path, char *buffer, size_t size)
{
	ssize_t result;

	if (emu_list(user, path, buffer, size, &result))
		return result;
	return list_host(path, buffer, size);
}

static int door_close(void *user, int fd)
{
	return emu_close(user, fd);
}

static int door_dup(void *user, int fd)
{
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return -errno;
	emu_dup(user, fd, copy);
	return copy;
}

static int door_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	int result;

	if (emu_ioctl(user, fd, request, (uintptr_t)arg, &result))
		return result;
	result = ioctl(fd, request, arg);
	return result < 0 ? -errno : result;
}

static ssize_t door_read(void *user, int fd, void *buffer, size_t size)
{
	ssize_t result;

	if (emu_read(user, fd, (uintptr_t)buffer, size, &result))
		return result;
	result = read(fd, buffer, size);
	return result < 0 ? -errno : result;
}

static ssize_t door_write(void *user, int fd, const void *buffer, size_t size)
{
	ssize_t result;

	if (emu_write(user, fd, (uintptr_t)buffer, size, &result))
		return result;
	result = write(fd, buffer, size);
	return result < 0 ? -errno : result;
}

static ssize_t door_pread(void *user, int fd, void *buffer, size_t size, uint64_t offset)
{
	ssize_t result;

	if (emu_pread(user, fd, (uintptr_t)buffer, size, offset, &result))
		return result;
	result = pread(fd, buffer, size, (off_t)offset);
	return result < 0 ? -errno : result;
}

static ssize_t door_pwrite(void *user, int fd, const void *buffer, size_t size, uint64_t offset)
{
	ssize_t result;

	if (emu_pwrite(user, fd, (uintptr_t)buffer, size, offset, &result))
		return result;
	result = pwrite(fd, buffer, size, (off_t)offset);
	return result < 0 ? -errno : result;
}

static int door_mmap(void *user, void *address, size_t length, int prot, int flags, int fd,
                     uint64_t offset, void **result)
{
	return emu_map_call(user, address, length, prot, flags, fd, offset, result);
}

static int door_munmap(void *user, void *address, size_t length)
{
	return emu_munmap(user, (uintptr_t)address, length);
}

static int door_size(void *user, int fd, uint64_t *size)
{
	struct stat stat;

	if (emu_size(user, fd, size))
		return 0;
	if (fstat(fd, &stat))
		return -errno;
	*size = (uint64_t)stat.st_size;
	return 0;
}

int emu_door_new(struct libiommu_emu *emu, struct libiommu_sys **door)
{
	struct libiommu_sys *sys;
	const int error = libiommu_sys_new(&sys);

	if (error)
		return error;
	libiommu_sys_set_user(sys, emu);
	libiommu_sys_set_open(sys, door_open);
	libiommu_sys_set_readlink(sys, door_readlink);
	libiommu_sys_set_list(sys, door_list);
	libiommu_sys_set_close(sys, door_close);
	libiommu_sys_set_dup(sys, door_dup);
	libiommu_sys_set_ioctl(sys, door_ioctl);
	libiommu_sys_set_read(sys, door_read);
	libiommu_sys_set_write(sys, door_write);
	libiommu_sys_set_pread(sys, door_pread);
	libiommu_sys_set_pwrite(sys, door_pwrite);
	libiommu_sys_set_mmap(sys, door_mmap);
	libiommu_sys_set_munmap(sys, door_munmap);
	libiommu_sys_set_size(sys, door_size);
	*door = sys;
	return 0;
}

LIBIOMMU_API int libiommu_emu_open(struct libiommu_emu *emu, const char *path, int flags)
{
	return emu && path ? door_open(emu, path, flags) : -EINVAL;
}

LIBIOMMU_API int libiommu_emu_close(struct libiommu_emu *emu, int fd)
{
	return emu ? door_close(emu, fd) : -EINVAL;
}

LIBIOMMU_API int libiommu_emu_ioctl(struct libiommu_emu *emu, int fd, unsigned long request,
                                    void *arg)
{
	return emu ? door_ioctl(emu, fd, request, arg) : -EINVAL;
}

LIBIOMMU_API ssize_t libiommu_emu_read(struct libiommu_emu *emu, int fd, void *buffer, size_t size)
{
	return emu ? door_read(emu, fd, buffer, size) : -EINVAL;
}

LIBIOMMU_API ssize_t libiommu_emu_write(struct libiommu_emu *emu, int fd, const void *buffer,
                                        size_t size)
{
	return emu ? door_write(emu, fd, buffer, size) : -EINVAL;
}

LIBIOMMU_API ssize_t libiommu_emu_pread(struct libiommu_emu *emu, int fd, void *buffer, size_t size,
                                        uint64_t offset)
{
	return emu ? door_pread(emu, fd, buffer, size, offset) : -EINVAL;
}

LIBIOMMU_API ssize_t libiommu_emu_pwrite(struct libiommu_emu *emu, int fd, const void *buffer,
                                         size_t size, uint64_t offset)
{
	return emu ? door_pwrite(emu, fd, buffer, size, offset) : -EINVAL;
}

LIBIOMMU_API int libiommu_emu_mmap(struct libiommu_emu *emu, void *address, size_t length, int prot,
                                   int flags, int fd, uint64_t offset, void **result)
{
	return emu && result ? door_mmap(emu, address, length, prot, flags, fd, offset, result)
	                     : -EINVAL;
}

LIBIOMMU_API int libiommu_emu_munmap(struct libiommu_emu *emu, void *address, size_t length)
{
	return emu ? door_munmap(emu, address, length) : -EINVAL;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "sys-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys.h"

#define MAX_NODES 1024

_Static_assert(sizeof(off_t) == sizeof(uint64_t),
               "the kernel tells regions of a device apart by the high bits of an offset");

int li_libc_open(void *user, const char *path, int flags)
{
	const int fd = open(path, flags);

	(void)user;
	return fd < 0 ? -errno : fd;
}

int li_libc_close(void *user, int fd)
{
	(void)user;
	return close(fd) ? -errno : 0;
}

int li_libc_dup(void *user, int fd)
{
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	(void)user;
	return copy < 0 ? -errno : copy;
}

int li_libc_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	const int result = ioctl(fd, request, arg);

	(void)user;
	return result < 0 ? -errno : result;
}

ssize_t li_libc_read(void *user, int fd, void *buffer, size_t size)
{
	const ssize_t got = read(fd, buffer, size);

	(void)user;
	return got < 0 ? -errno : got;
}

ssize_t li_libc_pread(void *user, int fd, void *buffer, size_t size, uint64_t offset)
{
	const ssize_t got = pread(fd, buffer, size, (off_t)offset);

	(void)user;
	return got < 0 ? -errno : got;
}

ssize_t li_libc_pwrite(void *user, int fd, const void *buffer, size_t size, uint64_t offset)
{
	const ssize_t put = pwrite(fd, buffer, size, (off_t)offset);

	(void)user;
	return put < 0 ? -errno : put;
}

int li_libc_mmap(void *user, void *address, size_t length, int prot, int flags, int fd,
                 uint64_t offset, void **result)
{
	void *const mapped = mmap(address, length, prot, flags, fd, (off_t)offset);

	(void)user;
	if (mapped == MAP_FAILED)
		return -errno;
	*result = mapped;
	return 0;
}

int li_libc_munmap(void *user, void *address, size_t length)
{
	(void)user;
	return munmap(address, length) ? -errno : 0;
}

int li_libc_readlink(void *user, const char *path, char *buffer, size_t size)
{
	const ssize_t length = readlink(path, buffer, size);

	(void)user;
	if (length < 0)
		return -errno;
	if ((size_t)length >= size)
		return -ENAMETOOLONG;
	buffer[length] = '\0';
	return (int)length;
}

ssize_t li_libc_list(void *user, const char *path, char *buffer, size_t size)
{
	DIR *const dir = opendir(path);
	const struct dirent *entry;
	size_t used = 0;

	(void)user;
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
	const int error = errno;
	closedir(dir);
	return error ? -error : (ssize_t)used;
}

ssize_t li_libc_write(void *user, int fd, const void *buffer, size_t size)
{
	const ssize_t put = write(fd, buffer, size);

	(void)user;
	return put < 0 ? -errno : put;
}

int li_libc_poll(void *user, struct pollfd *fds, unsigned int count, int timeout)
{
	const int ready = poll(fds, count, timeout);

	(void)user;
	return ready < 0 ? -errno : ready;
}

int li_libc_memfd(void *user, const char *name, uint64_t size)
{
	const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error;

	(void)user;
	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, (off_t)size))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int li_libc_seal(void *user, int fd, int seals)
{
	int result = 0;

	(void)user;
	if (seals)
		result = fcntl(fd, F_ADD_SEALS, seals);
	if (!result)
		result = fcntl(fd, F_GET_SEALS);
	return result < 0 ? -errno : result;
}

int li_libc_getfl(void *user, int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	(void)user;
	return flags < 0 ? -errno : flags;
}

int li_libc_cloexec(void *user, int fd, bool on)
{
	(void)user;
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) ? -errno : 0;
}

int li_libc_size(void *user, int fd, uint64_t *size)
{
	struct stat info;

	(void)user;
	if (fstat(fd, &info))
		return -errno;
	*size = (uint64_t)info.st_size;
	return 0;
}

int li_libc_madvise(void *user, void *address, size_t length, int advice)
{
	(void)user;
	return madvise(address, length, advice) ? -errno : 0;
}

int li_libc_mprotect(void *user, void *address, size_t length, int prot)
{
	(void)user;
	return mprotect(address, length, prot) ? -errno : 0;
}

int li_libc_mbind(void *user, void *address, size_t length, int node)
{
	enum { BIND = 2, BITS = 8 * sizeof(unsigned long), WORDS = MAX_NODES / BITS };
	unsigned long mask[WORDS] = {0};

	(void)user;
	if (node < 0 || node >= MAX_NODES)
		return -EINVAL;
	mask[node / BITS] = 1UL << node % BITS;
	/* The kernel takes one off the count. */
	return syscall(SYS_mbind, address, length, BIND, mask, MAX_NODES + 1, 0) ? -errno : 0;
}

uint64_t li_sys_memlock_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

uint64_t li_sys_page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t li_sys_memory_size(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * li_sys_page_size();
}

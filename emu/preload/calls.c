/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The program's system calls on descriptors. */
#include "preload.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../calls.h"
#include "../map-call.h"

#define VFIO_MAJOR 511

PRELOAD int ioctl(int fd, unsigned long request, ...)
{
	struct libiommu_emu *const emu = emu_preload_machine();
	void *argument;
	bool ours = false;
	int result = 0;
	va_list args;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (emu) {
		emu_preload_enter();
		ours = emu_ioctl(emu, fd, request, (uintptr_t)argument, &result);
		emu_preload_leave();
	}
	return ours ? (int)emu_preload_result(result) : REAL(ioctl)(fd, request, argument);
}

PRELOAD int close(int fd)
{
	struct libiommu_emu *const emu = emu_preload_machine();
	int error;

	if (!emu)
		return REAL(close)(fd);
	emu_preload_enter();
	error = emu_close(emu, fd);
	emu_preload_leave();
	return (int)emu_preload_result(error);
}

PRELOAD ssize_t read(int fd, void *buffer, size_t size)
{
	struct libiommu_emu *const emu = emu_preload_machine();
	ssize_t result = 0;
	bool ours = false;

	if (emu) {
		emu_preload_enter();
		ours = emu_read(emu, fd, (uintptr_t)buffer, size, &result);
		emu_preload_leave();
	}
	return ours ? emu_preload_result(result) : REAL(read)(fd, buffer, size);
}

PRELOAD ssize_t write(int fd, const void *buffer, size_t size)
{
	struct libiommu_emu *const emu = emu_preload_machine();
	ssize_t result = 0;
	bool ours = false;

	if (emu) {
		emu_preload_enter();
		ours = emu_write(emu, fd, (uintptr_t)buffer, size, &result);
		emu_preload_leave();
	}
	return ours ? emu_preload_result(result) : REAL(write)(fd, buffer, size);
}

PRELOAD ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	struct libiommu_emu *const emu = emu_preload_machine();
	ssize_t result = 0;
	bool ours = false;

	if (emu) {
		emu_preload_enter();
		ours = emu_pread(emu, fd, (uintptr_t)buffer, size, (uint64_t)offset, &result);
		emu_preload_leave();
	}
	return ours ? emu_preload_result(result) : REAL(pread)(fd, buffer, size, offset);
}

PRELOAD ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
	struct libiommu_emu *const emu = emu_preload_machine();
	ssize_t result = 0;
	bool ours = false;

	if (emu) {
		emu_preload_enter();
		ours = emu_pwrite(emu, fd, (uintptr_t)buffer, size, (uint64_t)offset, &result);
		emu_preload_leave();
	}
	return ours ? emu_preload_result(result) : REAL(pwrite)(fd, buffer, size, offset);
}

PRELOAD void *mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset)
{
	/* Memory of nobody's is no concern of the machine's, unless it takes the place of some. */
	struct libiommu_emu *const emu =
		fd < 0 && !(flags & MAP_FIXED) ? NULL : emu_preload_machine();
	void *mapped = MAP_FAILED;
	int error;

	if (!emu)
		return REAL(mmap)(address, length, prot, flags, fd, offset);
	emu_preload_enter();
	error = emu_map_call(emu, address, length, prot, flags, fd, (uint64_t)offset, &mapped);
	emu_preload_leave();
	return emu_preload_result(error) ? MAP_FAILED : mapped;
}

PRELOAD int munmap(void *address, size_t length)
{
	struct libiommu_emu *const emu = emu_preload_machine();
	int error;

	if (!emu)
		return REAL(munmap)(address, length);
	emu_preload_enter();
	error = emu_munmap(emu, (uintptr_t)address, length);
	emu_preload_leave();
	return (int)emu_preload_result(error);
}

static int learn(int fd, int copy)
{
	struct libiommu_emu *const emu = copy < 0 ? NULL : emu_preload_machine();
	const int saved = errno;

	if (emu) {
		emu_preload_enter();
		emu_dup(emu, fd, copy);
		emu_preload_leave();
	}
	errno = saved;
	return copy;
}

PRELOAD int dup(int fd)
{
	return learn(fd, REAL(dup)(fd));
}

PRELOAD int dup2(int fd, int copy)
{
	return learn(fd, REAL(dup2)(fd, copy));
}

PRELOAD int dup3(int fd, int copy, int flags)
{
	return learn(fd, REAL(dup3)(fd, copy, flags));
}

PRELOAD int fcntl(int fd, int command, ...)
{
	void *argument;
	va_list args;
	int result;

	va_start(args, command);
	argument = va_arg(args, void *);
	va_end(args);
	result = REAL(fcntl)(fd, command, argument);
	return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? learn(fd, result) : result;
}

/* A device of characters, as in the kernel, and not the socket that it is. */
PRELOAD int fstat(int fd, struct stat *stat)
{
	struct libiommu_emu *const emu = emu_preload_machine();
	const int failed = REAL(fstat)(fd, stat);
	uint64_t size;

	if (failed || !emu || !S_ISSOCK(stat->st_mode))
		return failed;
	emu_preload_enter();
	if (emu_size(emu, fd, &size)) {
		stat->st_mode = S_IFCHR | 0600;
		stat->st_rdev = makedev(VFIO_MAJOR, 0);
		stat->st_size = (off_t)size;
	}
	emu_preload_leave();
	return 0;
}

/* What programs call that were compiled with checks, and older ones. */
ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t __pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t room);
int __fxstat(int version, int fd, struct stat *stat);

PRELOAD ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room)
{
	return read(fd, buffer, size < room ? size : room);
}

PRELOAD ssize_t __pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t room)
{
	return pread(fd, buffer, size < room ? size : room, offset);
}

PRELOAD int __fxstat(int version, int fd, struct stat *status)
{
	(void)version;
	return fstat(fd, status);
}

ALSO(pread, pread64);
ALSO(pwrite, pwrite64);
ALSO(mmap, mmap64);
ALSO(fcntl, fcntl64);
ALSO(fstat, fstat64);
ALSO(__pread_chk, __pread64_chk);
ALSO(__fxstat, __fxstat64);

/*
 * The system would read and write the machine's descriptors itself, past the machine: it is said to
 * forbid io_uring, as it does in sandboxes, and programs read and write themselves.
 */
PRELOAD long syscall(long number, ...)
{
	long words[6];
	va_list args;

	va_start(args, number);
	for (size_t i = 0; i < 6; i++)
		words[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_io_uring_setup && emu_preload_machine())
		return emu_preload_result(-EPERM);
	return REAL(syscall)(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

/* The kernel that the machine is. */
PRELOAD int uname(struct utsname *names)
{
	const int failed = REAL(uname)(names);

	if (!failed)
		strcpy(names->release, "7.3.0-libiommu-emu");
	return failed;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* libc has no functions for io_uring, and an old one not even the numbers of its system calls. */
#include "sys-uring.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __NR_io_uring_setup
#ifdef __alpha__
#define __NR_io_uring_setup 535
#else
#define __NR_io_uring_setup 425
#endif
#define __NR_io_uring_enter    (__NR_io_uring_setup + 1)
#define __NR_io_uring_register (__NR_io_uring_setup + 2)
#endif

int li_libc_nonblock(void *user, int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	(void)user;
	if (flags < 0)
		return -errno;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK) ? -errno : 0;
}

int li_libc_uring_setup(void *user, unsigned int entries, void *params)
{
	const long fd = syscall(__NR_io_uring_setup, entries, params);

	(void)user;
	return fd < 0 ? -errno : (int)fd;
}

int li_libc_uring_enter(void *user, int ring, unsigned int submit, unsigned int wait,
                        unsigned int flags, const void *arg, size_t size)
{
	const long taken = syscall(__NR_io_uring_enter, ring, submit, wait, flags, arg, size);

	(void)user;
	return taken < 0 ? -errno : (int)taken;
}

int li_libc_uring_register(void *user, int ring, unsigned int operation, void *arg,
                           unsigned int count)
{
	const long result = syscall(__NR_io_uring_register, ring, operation, arg, count);

	(void)user;
	return result < 0 ? -errno : (int)result;
}

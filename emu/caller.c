/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "caller.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"

#define EVENTFD "anon_inode:[eventfd]"

bool emu_caller_has(int fd)
{
	const int copy = emu_caller_fd(fd);

	if (copy < 0)
		return false;
	close(copy);
	return true;
}

int emu_caller_eventfd(int fd)
{
	const int copy = emu_caller_fd(fd);
	char path[40];
	char name[sizeof(EVENTFD)];

	if (copy < 0)
		return copy;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", copy);
	if (readlink(path, name, sizeof(name)) == sizeof(EVENTFD) - 1 &&
	    !memcmp(name, EVENTFD, sizeof(EVENTFD) - 1))
		return copy;
	close(copy);
	return -EINVAL;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * libvfn, as it is installed. Its table belongs to a VFIO container, so that the few calls it makes
 * of the kernel for that are answered here.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/vfio.h>

#include <vfn/iommu.h>

#include "peer.h"

#define CONTAINER "/dev/vfio/vfio"
#define NO_DEVICE "no-device"
#define FD        100000

static struct iommu_ctx *ctx;

/* In the place of libc's. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *arg;

	if (fd == FD)
		return request == VFIO_CHECK_EXTENSION;
	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

int open(const char *path, int flags, ...)
{
	va_list list;
	mode_t mode;

	if (!strcmp(path, CONTAINER))
		return FD;
	va_start(list, flags);
	mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
	va_end(list);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t readlink(const char *path, char *target, size_t size)
{
	if (strstr(path, NO_DEVICE))
		return snprintf(target, size, "groups/0");
	return syscall(SYS_readlinkat, AT_FDCWD, path, target, size);
}

static bool open_libvfn(void)
{
	setenv("VFN_IOMMU_FORCE_VFIO", "1", 1);
	ctx = iommu_get_context(NO_DEVICE);
	if (!ctx)
		printf("skipped: this libvfn makes no container\n");
	return ctx;
}

static bool add(void *address, uint64_t length, uint64_t iova)
{
	return !iommu_map_vaddr(ctx, address, length, &iova, IOMMU_MAP_FIXED_IOVA);
}

static uint64_t find(void *address)
{
	uint64_t iova = 0;

	iommu_translate_vaddr(ctx, address, &iova);
	return iova;
}

const struct peer peer = {"libvfn", 0.1, 10000, 100000, open_libvfn, add, find};

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "sys-hold.h"

#include <errno.h>

#include "uapi/iommufd.h"
#include "uapi/vfio.h"

static int held_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	(void)user;
	(void)fd;
	(void)request;
	(void)arg;
	return -ESHUTDOWN;
}

static ssize_t held_read(void *user, int fd, void *buffer, size_t size)
{
	(void)user;
	(void)fd;
	(void)buffer;
	(void)size;
	return -ESHUTDOWN;
}

static ssize_t held_write(void *user, int fd, const void *buffer, size_t size)
{
	(void)user;
	(void)fd;
	(void)buffer;
	(void)size;
	return -ESHUTDOWN;
}

static ssize_t held_pread(void *user, int fd, void *buffer, size_t size, uint64_t offset)
{
	(void)offset;
	return held_read(user, fd, buffer, size);
}

static ssize_t held_pwrite(void *user, int fd, const void *buffer, size_t size, uint64_t offset)
{
	(void)offset;
	return held_write(user, fd, buffer, size);
}

static int held_mmap(void *user, void *address, size_t length, int prot, int flags, int fd,
                     uint64_t offset, void **result)
{
	(void)address;
	(void)length;
	(void)prot;
	(void)flags;
	(void)offset;
	return held_ioctl(user, fd, 0, result);
}

static int held_uring_setup(void *user, unsigned int entries, void *params)
{
	return held_ioctl(user, -1, entries, params);
}

void li_sys_hold(struct libiommu_sys *sys)
{
	libiommu_sys_set_ioctl(sys, held_ioctl);
	libiommu_sys_set_read(sys, held_read);
	libiommu_sys_set_write(sys, held_write);
	libiommu_sys_set_pread(sys, held_pread);
	libiommu_sys_set_pwrite(sys, held_pwrite);
	libiommu_sys_set_mmap(sys, held_mmap);
	libiommu_sys_set_uring_setup(sys, held_uring_setup);
}

/* What a handle asks for when it is destroyed it is told to have had. */
static int given_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	if (request == UAPI_IOC_DESTROY || request == UAPI_IOC_VFIO_DEVICE_DETACH_IOMMUFD_PT)
		return 0;
	return held_ioctl(user, fd, request, arg);
}

static int kept_close(void *user, int fd)
{
	(void)user;
	(void)fd;
	return 0;
}

void li_sys_give_away(struct libiommu_sys *sys, bool keep_fds)
{
	li_sys_hold(sys);
	libiommu_sys_set_ioctl(sys, given_ioctl);
	if (keep_fds)
		libiommu_sys_set_close(sys, kept_close);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fake-type1.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../random.h"
#include "script.h"

enum { CONTAINERS = 64, FIRST_CONTAINER = 1000, FIRST_GROUP = 2000, FIRST_DEVICE = 3000 };

static struct {
	pthread_mutex_t lock;
	unsigned int one_in;
	uint32_t random;
	struct {
		bool open, iommu;
		int groups;
		uint32_t mapped; /* pages, and ... */
		uint32_t starts; /* ... those that a mapping begins with */
	} containers[CONTAINERS];
	struct {
		bool open, device;
		int container; /* -1 */
	} groups[FAKE_GROUPS];
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool fails(void)
{
	return fake.one_in && !(next_random(&fake.random) % fake.one_in);
}

static int fake_open(void *user, const char *path, int flags)
{
	int result = -ENOENT;
	int group;

	(void)user;
	(void)flags;
	pthread_mutex_lock(&fake.lock);
	if (fails()) {
		result = -EMFILE;
	} else if (!strcmp(path, "/dev/vfio/vfio")) {
		for (int i = 0; i < CONTAINERS && result < 0; i++) {
			if (fake.containers[i].open || fake.containers[i].groups)
				continue;
			memset(&fake.containers[i], 0, sizeof(fake.containers[i]));
			fake.containers[i].open = true;
			result = FIRST_CONTAINER + i;
		}
	} else if (sscanf(path, "/dev/vfio/%d", &group) == 1) {
		result = fake.groups[group].open ? -EBUSY : FIRST_GROUP + group;
		fake.groups[group].open = true;
	}
	pthread_mutex_unlock(&fake.lock);
	return result;
}

static void leave(int group)
{
	const int c = fake.groups[group].container;

	fake.groups[group].container = -1;
	if (--fake.containers[c].groups)
		return;
	fake.containers[c].iommu = false;
	fake.containers[c].mapped = fake.containers[c].starts = 0;
}

static int fake_close(void *user, int fd)
{
	(void)user;
	pthread_mutex_lock(&fake.lock);
	if (fd >= FIRST_DEVICE) {
		assert_true(fake.groups[fd - FIRST_DEVICE].device);
		fake.groups[fd - FIRST_DEVICE].device = false;
	} else if (fd >= FIRST_GROUP) {
		/* The kernel would wait for the device: the library closes it first. */
		assert_true(fake.groups[fd - FIRST_GROUP].open);
		assert_false(fake.groups[fd - FIRST_GROUP].device);
		fake.groups[fd - FIRST_GROUP].open = false;
		if (fake.groups[fd - FIRST_GROUP].container >= 0)
			leave(fd - FIRST_GROUP);
	} else {
		assert_true(fake.containers[fd - FIRST_CONTAINER].open);
		fake.containers[fd - FIRST_CONTAINER].open = false;
	}
	pthread_mutex_unlock(&fake.lock);
	return 0;
}

static int group_ioctl(int group, unsigned long request, void *arg)
{
	struct uapi_vfio_group_status *status = arg;
	int c;

	switch (request) {
	case UAPI_IOC_VFIO_GROUP_GET_STATUS:
		status->flags = UAPI_VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	case UAPI_IOC_VFIO_GROUP_SET_CONTAINER:
		c = *(int32_t *)arg - FIRST_CONTAINER;
		if (fake.groups[group].container >= 0 || !fake.containers[c].open)
			return -EINVAL;
		if (fails())
			return -EIO;
		fake.groups[group].container = c;
		fake.containers[c].groups++;
		return 0;
	case UAPI_IOC_VFIO_GROUP_UNSET_CONTAINER:
		if (fake.groups[group].container < 0)
			return -EINVAL;
		if (fake.groups[group].device)
			return -EBUSY;
		leave(group);
		return 0;
	case UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD:
		c = fake.groups[group].container;
		if (c < 0 || !fake.containers[c].iommu || fake.groups[group].device)
			return -EINVAL;
		if (fails())
			return -ENOMEM;
		fake.groups[group].device = true;
		return FIRST_DEVICE + group;
	}
	return -ENOTTY;
}

static int container_ioctl(int c, unsigned long request, void *arg)
{
	struct uapi_vfio_iommu_type1_dma_unmap *const unmap = arg;
	struct uapi_vfio_iommu_type1_dma_map *const map = arg;
	uint32_t pages, last;

	switch (request) {
	case UAPI_IOC_VFIO_GET_API_VERSION:
		return 0;
	case UAPI_IOC_VFIO_CHECK_EXTENSION:
		return (uintptr_t)arg == UAPI_VFIO_TYPE1v2_IOMMU;
	case UAPI_IOC_VFIO_SET_IOMMU:
		if (!fake.containers[c].groups || fake.containers[c].iommu)
			return -EINVAL;
		if (fails())
			return -EPERM;
		fake.containers[c].iommu = true;
		return 0;
	}
	if (!fake.containers[c].iommu)
		return -EINVAL;
	/* Nothing in a kernel keeps it from unmapping what is mapped. */
	if (request != UAPI_IOC_VFIO_IOMMU_UNMAP_DMA && fails())
		return -EIO;
	switch (request) {
	case UAPI_IOC_VFIO_IOMMU_GET_INFO:
		((struct uapi_vfio_iommu_type1_info *)arg)->flags = UAPI_VFIO_IOMMU_INFO_PGSIZES;
		((struct uapi_vfio_iommu_type1_info *)arg)->iova_pgsizes = 4096;
		return 0;
	case UAPI_IOC_VFIO_IOMMU_MAP_DMA:
		pages = (uint32_t)(((UINT64_C(1) << map->size / 4096) - 1)
		                   << (map->iova / 4096 - 1));
		if (fake.containers[c].mapped & pages)
			return -EEXIST;
		fake.containers[c].mapped |= pages;
		fake.containers[c].starts |= 1U << (map->iova / 4096 - 1);
		return 0;
	case UAPI_IOC_VFIO_IOMMU_UNMAP_DMA:
		pages = (uint32_t)(((UINT64_C(1) << unmap->size / 4096) - 1)
		                   << (unmap->iova / 4096 - 1));
		last = (uint32_t)((unmap->iova + unmap->size) / 4096 - 1);
		/* It cuts none: none goes on from before the range, or beyond it. */
		if (fake.containers[c].mapped & pages & -pages & ~fake.containers[c].starts)
			return -EINVAL;
		if (last < FAKE_PAGES && fake.containers[c].mapped & 1U << last &&
		    !(fake.containers[c].starts & 1U << last))
			return -EINVAL;
		fake.containers[c].mapped &= ~pages;
		fake.containers[c].starts &= ~pages;
		return 0;
	}
	return -ENOTTY;
}

static int fake_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	int result;

	(void)user;
	pthread_mutex_lock(&fake.lock);
	assert_in_range(fd, FIRST_CONTAINER, FIRST_DEVICE - 1);
	result = fd >= FIRST_GROUP ? group_ioctl(fd - FIRST_GROUP, request, arg)
	                           : container_ioctl(fd - FIRST_CONTAINER, request, arg);
	pthread_mutex_unlock(&fake.lock);
	return result;
}

/* There is nothing in sysfs. */
static int fake_readlink(void *user, const char *path, char *buffer, size_t size)
{
	(void)user;
	(void)path;
	(void)buffer;
	(void)size;
	return -ENOENT;
}

struct libiommu_sys *fake_type1_new(void)
{
	struct libiommu_sys *sys;

	memset(fake.containers, 0, sizeof(fake.containers));
	for (int i = 0; i < FAKE_GROUPS; i++) {
		fake.groups[i].open = fake.groups[i].device = false;
		fake.groups[i].container = -1;
	}
	fake.one_in = 0;
	assert_int_equal(libiommu_sys_new(&sys), 0);
	libiommu_sys_set_open(sys, fake_open);
	libiommu_sys_set_close(sys, fake_close);
	libiommu_sys_set_ioctl(sys, fake_ioctl);
	libiommu_sys_set_readlink(sys, fake_readlink);
	return sys;
}

void fake_type1_end(void)
{
	for (int i = 0; i < FAKE_GROUPS; i++)
		assert_false(fake.groups[i].open);
	assert_int_equal(fake_type1_containers(), 0);
}

void fake_type1_fail(unsigned int one_in, uint32_t seed)
{
	fake.one_in = one_in;
	fake.random = seed;
}

bool fake_type1_is_open(int group)
{
	return fake.groups[group].device;
}

int fake_type1_container(int group)
{
	const int c = fake.groups[group].container;

	return c >= 0 && fake.containers[c].iommu ? c : -1;
}

uint32_t fake_type1_mapped(int container)
{
	return fake.containers[container].mapped;
}

unsigned int fake_type1_containers(void)
{
	unsigned int count = 0;

	for (int i = 0; i < CONTAINERS; i++)
		count += fake.containers[i].open;
	return count;
}

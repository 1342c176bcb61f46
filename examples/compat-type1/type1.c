/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Nothing here knows of libiommu, or of iommufd: the ioctls are those of <linux/vfio.h>, and the
 * container is a descriptor that somebody has opened.
 */
#include "type1.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { COMMAND_REGISTER = 4, BUS_MASTER = 4 };
enum { SOURCE = 0x80, TARGET = 0x88, COUNT = 0x90, COMMAND = 0x98 };
enum { START = 1, TO_HOST = 2, OWN_MEMORY = 0x40000, PAGE = 4096 };

static bool complain(const char *what)
{
	fprintf(stderr, "compat-type1: %s: %s\n", what, strerror(errno));
	return false;
}

/* Whether the container is one, and of which kind it can be. */
static bool check_container(int container)
{
	if (ioctl(container, VFIO_GET_API_VERSION) != VFIO_API_VERSION)
		return complain("not a container");
	if (ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1)
		return complain("no type 1 IOMMU, version 2");
	return true;
}

static bool check_iommu(int container)
{
	struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};

	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return complain("VFIO_SET_IOMMU");
	if (ioctl(container, VFIO_IOMMU_GET_INFO, &info))
		return complain("VFIO_IOMMU_GET_INFO");
	if (!(info.flags & VFIO_IOMMU_INFO_PGSIZES) || !(info.iova_pgsizes & PAGE)) {
		errno = EOPNOTSUPP;
		return complain("no pages of 4 KiB");
	}
	return true;
}

static bool open_group(int container, const char *path, int *group)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};

	*group = open(path, O_RDWR | O_CLOEXEC);
	if (*group < 0)
		return complain(path);
	if (ioctl(*group, VFIO_GROUP_GET_STATUS, &status))
		return complain("VFIO_GROUP_GET_STATUS");
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		errno = EPERM;
		return complain("a device of the group has a host driver");
	}
	if (ioctl(*group, VFIO_GROUP_SET_CONTAINER, &container))
		return complain("VFIO_GROUP_SET_CONTAINER");
	return true;
}

static bool enable_dma(int fd)
{
	struct vfio_region_info config = {.argsz = sizeof(config),
	                                  .index = VFIO_PCI_CONFIG_REGION_INDEX};
	uint16_t command;

	if (ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &config))
		return complain("VFIO_DEVICE_GET_REGION_INFO");
	if (pread(fd, &command, 2, (off_t)config.offset + COMMAND_REGISTER) != 2)
		return complain("config space");
	command |= BUS_MASTER;
	if (pwrite(fd, &command, 2, (off_t)config.offset + COMMAND_REGISTER) != 2)
		return complain("config space");
	return true;
}

static bool map_registers(struct type1_device *dev)
{
	struct vfio_region_info bar = {.argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX};
	void *mapped;

	if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &bar))
		return complain("VFIO_DEVICE_GET_REGION_INFO");
	mapped = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
	              (off_t)bar.offset);
	if (mapped == MAP_FAILED)
		return complain("the device's registers");
	dev->regs = mapped;
	dev->regs_size = bar.size;
	return true;
}

bool type1_open(int container, const char *group, const char *address, struct type1_device *dev)
{
	*dev = (struct type1_device){.group = -1, .fd = -1};
	if (check_container(container) && open_group(container, group, &dev->group) &&
	    check_iommu(container)) {
		dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, address);
		if (dev->fd < 0)
			complain("VFIO_GROUP_GET_DEVICE_FD");
		else if (enable_dma(dev->fd) && map_registers(dev))
			return true;
	}
	type1_close(dev);
	return false;
}

void type1_close(struct type1_device *dev)
{
	if (dev->regs)
		munmap((void *)(uintptr_t)dev->regs, dev->regs_size);
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->group >= 0)
		close(dev->group);
	*dev = (struct type1_device){.group = -1, .fd = -1};
}

bool type1_map(int container, void *memory, size_t size, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};

	return !ioctl(container, VFIO_IOMMU_MAP_DMA, &map) || complain("VFIO_IOMMU_MAP_DMA");
}

bool type1_unmap(int container, size_t size, uint64_t iova)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = size};

	if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		return complain("VFIO_IOMMU_UNMAP_DMA");
	errno = ENOENT;
	return unmap.size == size || complain("not all was mapped");
}

static bool run(volatile uint32_t *regs, uint64_t from, uint64_t to, uint32_t command)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	regs[SOURCE / 4] = (uint32_t)from;
	regs[TARGET / 4] = (uint32_t)to;
	regs[COUNT / 4] = PAGE;
	atomic_thread_fence(memory_order_seq_cst); /* what is to be copied, before the command */
	regs[COMMAND / 4] = command;
	for (int i = 0; regs[COMMAND / 4] & START; i++) {
		if (i == 2000) {
			errno = ETIMEDOUT;
			return complain("the device does not finish");
		}
		nanosleep(&pause, NULL);
	}
	return true;
}

bool type1_copy(const struct type1_device *dev, uint64_t from, uint64_t to)
{
	return run(dev->regs, from, OWN_MEMORY, START) &&
	       run(dev->regs, OWN_MEMORY, to, START | TO_HOST);
}

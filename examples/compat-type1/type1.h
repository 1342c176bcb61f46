/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A driver for the edu device as it was written for VFIO's containers, before there was iommufd. */
#ifndef TYPE1_H
#define TYPE1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct type1_device {
	int group;
	int fd;
	volatile uint32_t *regs;
	size_t regs_size;
};

/* All of them say on standard error what is wrong, and return false. */

/* Opens the device through its group, "/dev/vfio/7", in the container. */
bool type1_open(int container, const char *group, const char *address, struct type1_device *dev);
void type1_close(struct type1_device *dev);

bool type1_map(int container, void *memory, size_t size, uint64_t iova);
bool type1_unmap(int container, size_t size, uint64_t iova);

/* Has the device copy a page, by way of its own memory. */
bool type1_copy(const struct type1_device *dev, uint64_t from, uint64_t to);

#endif

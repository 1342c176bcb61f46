/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What sysfs says of one device: the same look serves the list of devices and the explanation of
 * a failed open or bind.
 */
#ifndef LIBIOMMU_OBJECT_DISCOVER_H
#define LIBIOMMU_OBJECT_DISCOVER_H

#include <stdbool.h>

#include <libiommu/discover.h>

#include "../base/sysfs.h"

struct discover_facts {
	char driver[SYSFS_NAME_MAX]; /* "" for none */
	char iommu[SYSFS_NAME_MAX];  /* "" for none or unknown */
	char node[SYSFS_NAME_MAX];   /* "/dev/vfio/devices/..." or "" */
	int group;                   /* -1 for none */
	bool vfio;                   /* a VFIO driver has it */
	bool unsafe;                 /* the kernel made the group up: there is no IOMMU */
	bool legacy;                 /* without a node, in a system without iommufd */
	uint32_t vendor;
	uint32_t device;
	uint32_t class_code;
	enum libiommu_obstacle obstacle;
	char advice[224]; /* the obstacle in words, "" for none */
};

/*
 * Look at the device with this directory, "/sys/bus/pci/devices/0000:00:03.0" or that of any
 * other bus. What sysfs does not say stays empty. Returns 0, -ENODEV where there is no such
 * directory, -ENOMEM or -errno.
 */
int li_discover_examine(const struct libiommu_sys *sys, const char *dir,
                        struct discover_facts *facts);

/*
 * Whether the IOMMU group of the device with this directory has others, save bridges, which have no
 * DMA of their own. False also where sysfs does not say.
 */
bool li_discover_shares_group(const struct libiommu_sys *sys, const char *dir);

#endif

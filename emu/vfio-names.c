/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vfio-names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "vfio.h"

#define NODES  "/dev/vfio/devices/"
#define GROUPS "/dev/vfio/"

/* Without an IOMMU a name says so, lest somebody counts on one. */
static const char *prefix(const struct emu_group *group)
{
	return group->iommu ? "" : "noiommu-";
}

void emu_vfio_name(const struct emu_dev *dev, char name[EMU_VFIO_NAME])
{
	snprintf(name, EMU_VFIO_NAME, "%svfio%u", prefix(dev->group), dev->node);
}

static int open_node(struct libiommu_emu *emu, const char *wanted)
{
	for (struct emu_dev *dev = emu->devs; dev; dev = dev->next) {
		char name[EMU_VFIO_NAME];

		emu_vfio_name(dev, name);
		if (!strcmp(name, wanted))
			return dev->host || dev->removed ? -ENOENT : emu_vfio_open_node(emu, dev);
	}
	return -ENOENT;
}

static int open_group(struct libiommu_emu *emu, const char *wanted)
{
	for (struct emu_group *group = emu->groups; group; group = group->next) {
		char name[EMU_VFIO_NAME];

		snprintf(name, sizeof(name), "%s%u", prefix(group), group->number);
		if (!strcmp(name, wanted))
			return emu_vfio_open_group(emu, group);
	}
	return -ENOENT;
}

bool emu_vfio_open(struct libiommu_emu *emu, const char *path, int *result)
{
	if (strncmp(path, GROUPS, sizeof(GROUPS) - 1) != 0)
		return false;
	if (!strncmp(path, NODES, sizeof(NODES) - 1))
		*result = open_node(emu, path + sizeof(NODES) - 1);
	else
		*result = open_group(emu, path + sizeof(GROUPS) - 1);
	return true;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vfio-names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "machine.h"
#include "vfio.h"

#define NODES     "/dev/vfio/devices/"
#define GROUPS    "/dev/vfio/"
#define CONTAINER "vfio"

/* Without an IOMMU a name says so, lest somebody counts on one. */
static const char *prefix(const struct emu_group *group)
{
	return group->iommu ? "" : "noiommu-";
}

void emu_vfio_name(const struct emu_dev *dev, char name[EMU_VFIO_NAME])
{
	snprintf(name, EMU_VFIO_NAME, "%svfio%u", prefix(dev->group), dev->node);
}

static struct emu_dev *find_dev(struct libiommu_emu *emu, const char *wanted)
{
	for (struct emu_dev *dev = emu->devs; dev; dev = dev->next) {
		char name[EMU_VFIO_NAME];

		emu_vfio_name(dev, name);
		if (!strcmp(name, wanted))
			return dev->host || dev->removed ? NULL : dev;
	}
	return NULL;
}

static void name_group(const struct emu_group *group, char name[EMU_VFIO_NAME])
{
	snprintf(name, EMU_VFIO_NAME, "%s%u", prefix(group), group->number);
}

void emu_vfio_node(const struct emu_dev *dev, char path[EMU_FILE_NAME])
{
	char name[EMU_VFIO_NAME];

	emu_vfio_name(dev, name);
	snprintf(path, EMU_FILE_NAME, NODES "%s", name);
}

void emu_vfio_group_path(const struct emu_group *group, char path[EMU_FILE_NAME])
{
	snprintf(path, EMU_FILE_NAME, GROUPS "%s%u", prefix(group), group->number);
}

static struct emu_group *find_group(struct libiommu_emu *emu, const char *wanted)
{
	for (struct emu_group *group = emu->groups; group; group = group->next) {
		char name[EMU_VFIO_NAME];

		name_group(group, name);
		if (!strcmp(name, wanted))
			return group;
	}
	return NULL;
}

bool emu_vfio_open(struct libiommu_emu *emu, const char *path, int *result)
{
	struct emu_group *group;
	struct emu_dev *dev;

	if (strncmp(path, GROUPS, sizeof(GROUPS) - 1) != 0)
		return false;
	*result = -ENOENT;
	if (!strncmp(path, NODES, sizeof(NODES) - 1)) {
		dev = find_dev(emu, path + sizeof(NODES) - 1);
		if (dev)
			*result = emu_vfio_open_node(emu, dev);
	} else {
		group = find_group(emu, path + sizeof(GROUPS) - 1);
		if (group)
			*result = emu_vfio_open_group(emu, group);
	}
	return true;
}

/* "/dev/vfio" and "/dev/vfio/devices", with or without a slash at their ends. */
static bool is_dir(const char *path, const char *dir)
{
	const size_t length = strlen(dir) - 1;

	return !strncmp(path, dir, length) && (!path[length] || !strcmp(path + length, "/"));
}

bool emu_vfio_kind(struct libiommu_emu *emu, const char *path, mode_t *mode, int *error)
{
	const bool dir = is_dir(path, GROUPS) || is_dir(path, NODES);

	if (!dir && strncmp(path, GROUPS, sizeof(GROUPS) - 1) != 0)
		return false;
	*mode = dir ? S_IFDIR | 0755 : S_IFCHR | 0600;
	if (dir || !strcmp(path, GROUPS CONTAINER))
		*error = 0;
	else if (!strncmp(path, NODES, sizeof(NODES) - 1))
		*error = find_dev(emu, path + sizeof(NODES) - 1) ? 0 : -ENOENT;
	else
		*error = find_group(emu, path + sizeof(GROUPS) - 1) ? 0 : -ENOENT;
	return true;
}

static void add(const char *name, char *buffer, size_t size, ssize_t *used)
{
	const size_t length = strlen(name) + 1;

	if ((size_t)*used + length <= size)
		memcpy(buffer + *used, name, length);
	*used += (ssize_t)length;
}

bool emu_vfio_list(struct libiommu_emu *emu, const char *path, char *buffer, size_t size,
                   ssize_t *result)
{
	char name[EMU_VFIO_NAME];

	if (!is_dir(path, GROUPS) && !is_dir(path, NODES))
		return false;
	*result = 0;
	if (is_dir(path, NODES)) {
		for (const struct emu_dev *dev = emu->devs; dev; dev = dev->next) {
			emu_vfio_name(dev, name);
			if (!dev->host && !dev->removed)
				add(name, buffer, size, result);
		}
		return true;
	}
	add("devices", buffer, size, result);
	add(CONTAINER, buffer, size, result);
	for (const struct emu_group *group = emu->groups; group; group = group->next) {
		name_group(group, name);
		add(name, buffer, size, result);
	}
	return true;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fake-pci.h"

#include <stdio.h>

#include "paths.h"

#define PATH_MAX_HERE 256

static void text(const char *address, const char *attribute, const char *value)
{
	char path[PATH_MAX_HERE];
	char content[64];

	if (!value)
		return;
	snprintf(path, sizeof(path), FAKE_DIR "/%s/%s", address, attribute);
	snprintf(content, sizeof(content), "%s\n", value);
	path_text(path, content);
}

static void link_to(const char *address, const char *link, const char *dir, const char *name)
{
	char path[PATH_MAX_HERE];
	char target[PATH_MAX_HERE];

	if (!name)
		return;
	snprintf(path, sizeof(path), FAKE_DIR "/%s/%s", address, link);
	snprintf(target, sizeof(target), "../../../%s/%s", dir, name);
	path_link(path, target);
}

void fake_pci(const struct fake_pci *device)
{
	char path[PATH_MAX_HERE];

	link_to(device->address, "subsystem", "bus", "pci");
	text(device->address, "vendor", device->vendor);
	text(device->address, "device", device->device);
	text(device->address, "class", device->class_code);
	link_to(device->address, "driver", "bus/pci/drivers", device->driver);
	link_to(device->address, "iommu", "virtual/iommu", device->iommu);
	link_to(device->address, "iommu_group", "kernel/iommu_groups", device->group);
	if (!device->vfio)
		return;
	snprintf(path, sizeof(path), FAKE_DIR "/%s/vfio-dev", device->address);
	path_list(path, device->vfio);
	if (device->no_node)
		return;
	snprintf(path, sizeof(path), FAKE_DIR "/%s/vfio-dev/%s/dev", device->address, device->vfio);
	path_text(path, "511:0\n");
}

void fake_bus(const char *addresses)
{
	path_list(FAKE_DIR, addresses);
}

void fake_group(const char *group, const char *addresses)
{
	char path[PATH_MAX_HERE];

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%s/devices", group);
	path_list(path, addresses);
}

void fake_member_driver(const char *group, const char *address, const char *driver)
{
	char path[PATH_MAX_HERE];
	char target[PATH_MAX_HERE];

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%s/devices/%s/driver", group,
	         address);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	path_link(path, target);
}

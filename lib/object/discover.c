/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "discover.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS  "/sys/kernel/iommu_groups"
#define IOMMUS  "/sys/class/iommu"
#define MISC    "/sys/class/misc"
#define DRIVERS "/sys/bus/pci/drivers_probe"

#define CLASS_BRIDGE       0x06
#define CLASS_BRIDGE_OTHER 0x0680

/* What is known of a device beyond the facts that the caller wants. */
struct look {
	const struct libiommu_sys *sys;
	const char *dir;
	struct discover_facts *facts;
	char bus[SYSFS_NAME_MAX];
};

__attribute__((format(printf, 2, 3))) static int join(char path[SYSFS_PATH_MAX], const char *format,
                                                      ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(path, SYSFS_PATH_MAX, format, args);
	va_end(args);
	return length < SYSFS_PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Not there, or gone since: devices come and go while they are looked at. */
static bool missing(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ENODEV;
}

/* The name that a link of a device points to; "" where there is no such link. */
static int read_link(const struct libiommu_sys *sys, const char *dir, const char *link, char *name,
                     size_t size)
{
	char path[SYSFS_PATH_MAX];
	int length = join(path, "%s/%s", dir, link);

	if (!length)
		length = li_sysfs_link(sys, path, name, size);
	if (length >= 0)
		return 0;
	name[0] = '\0';
	return missing(length) ? 0 : length;
}

/* A number that a device has; 0 where it has none. */
static int read_number(const struct look *look, const char *attribute, uint32_t *number)
{
	char path[SYSFS_PATH_MAX];
	uint64_t value = 0;
	int error = join(path, "%s/%s", look->dir, attribute);

	if (!error)
		error = li_sysfs_number(look->sys, path, &value);
	if (error && !missing(error) && error != -EINVAL)
		return error;
	*number = error ? 0 : (uint32_t)value;
	return 0;
}

/* The names in a directory; none where there is no such directory. */
static int read_names(const struct libiommu_sys *sys, const char *path, char **names)
{
	const int error = li_sysfs_names(sys, path, names);

	if (!missing(error))
		return error;
	*names = calloc(1, 1);
	return *names ? 0 : -ENOMEM;
}

static int find_group(struct look *look)
{
	char name[SYSFS_NAME_MAX];
	const int error = read_link(look->sys, look->dir, "iommu_group", name, sizeof(name));
	char *end;
	long number;

	look->facts->group = -1;
	if (error || !name[0])
		return error;
	number = strtol(name, &end, 10);
	if (!*end && number >= 0 && number <= INT32_MAX)
		look->facts->group = (int)number;
	return 0;
}

/*
 * A VFIO driver shows by what it made below the device, since its name can be anything. The kernel
 * makes that entry with or without a node; with one it has a "dev" attribute
 * (drivers/vfio/device_cdev.c).
 */
static int find_node(struct look *look)
{
	char path[SYSFS_PATH_MAX];
	char number[SYSFS_NAME_MAX];
	char *names;
	int error = join(path, "%s/vfio-dev", look->dir);

	if (!error)
		error = read_names(look->sys, path, &names);
	if (error)
		return error;
	/* Kernels before 6.1 make no such entry. */
	look->facts->vfio = names[0] || strstr(look->facts->driver, "vfio");
	if (names[0] && strlen(names) < SYSFS_NAME_MAX - sizeof("/dev/vfio/devices/")) {
		error = join(path, "%s/vfio-dev/%s/dev", look->dir, names);
		if (!error)
			error = li_sysfs_read(look->sys, path, number, sizeof(number));
		if (error >= 0)
			snprintf(look->facts->node, sizeof(look->facts->node),
			         "/dev/vfio/devices/%s", names);
	}
	free(names);
	return error >= 0 || missing(error) ? 0 : error;
}

/*
 * Drivers that leave DMA alone, so that the kernel lets them share a group with VFIO's: the ones
 * that say driver_managed_dma.
 */
static bool shares(const char *driver)
{
	static const char *const sharing[] = {"pcieport", "pci-stub", "fsl-pci"};

	if (!driver[0] || strstr(driver, "vfio"))
		return true;
	for (size_t i = 0; i < sizeof(sharing) / sizeof(sharing[0]); i++)
		if (!strcmp(driver, sharing[i]))
			return true;
	return false;
}

/* Whether a member of the group has a driver that forbids VFIO the group: 1 and its name, or 0. */
static int find_sibling(const struct look *look, char *sibling, char *driver)
{
	char path[SYSFS_PATH_MAX];
	char *names;
	char *below;
	int error = join(path, GROUPS "/%d/devices", look->facts->group);
	int found = 0;

	if (!error)
		error = read_names(look->sys, path, &names);
	if (error)
		return error;
	for (const char *name = names; *name && !error && !found; name += strlen(name) + 1) {
		error = join(path, GROUPS "/%d/devices/%s", look->facts->group, name);
		if (!error)
			error = read_link(look->sys, path, "driver", driver, SYSFS_NAME_MAX);
		if (error || shares(driver))
			continue;
		error = join(path, GROUPS "/%d/devices/%s/vfio-dev", look->facts->group, name);
		if (!error)
			error = read_names(look->sys, path, &below);
		if (error)
			continue;
		found = !below[0];
		free(below);
		snprintf(sibling, SYSFS_NAME_MAX, "%s", name);
	}
	free(names);
	return error ? error : found;
}

static bool is_bridge(uint32_t class_code)
{
	/* "Other bridge" is where vendors put fabrics that are driven like any device. */
	return class_code >> 16 == CLASS_BRIDGE && class_code >> 8 != CLASS_BRIDGE_OTHER;
}

__attribute__((format(printf, 3, 4))) static int obstruct(const struct look *look,
                                                          enum libiommu_obstacle obstacle,
                                                          const char *format, ...)
{
	va_list args;

	look->facts->obstacle = obstacle;
	va_start(args, format);
	vsnprintf(look->facts->advice, sizeof(look->facts->advice), format, args);
	va_end(args);
	return 0;
}

static int no_iommu(const struct look *look)
{
	char *names;
	const int error = read_names(look->sys, IOMMUS, &names);

	if (error)
		return error;
	if (names[0])
		obstruct(look, LIBIOMMU_OBSTACLE_NO_IOMMU,
		         "no IOMMU of this machine covers it (" IOMMUS " has %s%s)", names,
		         names[strlen(names) + 1] ? " and others" : "");
	else
		obstruct(look, LIBIOMMU_OBSTACLE_NO_IOMMU,
		         "no IOMMU is active: switch it on in the firmware (VT-d, AMD-Vi, SMMU) "
		         "and, on Intel, boot with intel_iommu=on; a virtual machine needs a "
		         "virtual one");
	free(names);
	return 0;
}

static int not_pci(const struct look *look)
{
	const char *const driver = look->facts->driver;

	if (driver[0])
		return obstruct(look, LIBIOMMU_OBSTACLE_HOST_DRIVER,
		                "driver %s has it: give it to a VFIO driver of its bus, %s", driver,
		                look->bus);
	return obstruct(look, LIBIOMMU_OBSTACLE_NO_DRIVER,
	                "no driver has it: give it to a VFIO driver of its bus, %s", look->bus);
}

/* The kernel names the groups that it makes up for devices without an IOMMU. */
static int find_unsafe(const struct look *look)
{
	char path[SYSFS_PATH_MAX];
	char name[SYSFS_NAME_MAX];
	int error = join(path, GROUPS "/%d/name", look->facts->group);

	if (!error)
		error = li_sysfs_read(look->sys, path, name, sizeof(name));
	if (error < 0 && !missing(error))
		return error;
	look->facts->unsafe = error >= 0 && !strcmp(name, "vfio-noiommu");
	return 0;
}

/* Whether containers are there, and iommufd is not. */
static int find_legacy(const struct look *look)
{
	char names[2][SYSFS_NAME_MAX];
	int error = 0;

	for (size_t i = 0; i < 2 && !error; i++)
		error = read_link(look->sys, i ? MISC "/vfio" : MISC "/iommu", "subsystem",
		                  names[i], sizeof(names[i]));
	look->facts->legacy = !error && !names[0][0] && names[1][0];
	return error;
}

static int no_node(const struct look *look)
{
	const struct discover_facts *const facts = look->facts;
	int error;

	error = find_legacy(look);
	if (error || facts->legacy)
		return error;
	if (facts->unsafe)
		return obstruct(
			look, LIBIOMMU_OBSTACLE_NO_NODE,
			"%s has it but there is no IOMMU and no device node (from Linux 7.3 "
			"on, with CONFIG_IOMMUFD_NOIOMMU): open it by its group, "
			"/dev/vfio/noiommu-%d",
			facts->driver, facts->group);
	return obstruct(look, LIBIOMMU_OBSTACLE_NO_NODE,
	                "%s has it but made no device node (a kernel before 6.6 or without "
	                "CONFIG_VFIO_DEVICE_CDEV): open it by its group, /dev/vfio/%d",
	                facts->driver, facts->group);
}

static int find_obstacle(const struct look *look)
{
	const struct discover_facts *const facts = look->facts;
	const bool pci = !strcmp(look->bus, "pci");
	char sibling[SYSFS_NAME_MAX];
	char driver[SYSFS_NAME_MAX];
	int found = 0;

	if (!facts->vfio && is_bridge(facts->class_code))
		return obstruct(look, LIBIOMMU_OBSTACLE_BRIDGE,
		                "it is a bridge (class 0x%06x): leave it to the host",
		                facts->class_code);
	if (facts->group < 0 && !facts->node[0])
		return no_iommu(look);
	if (!facts->vfio && !pci)
		return not_pci(look);
	if (!facts->vfio && facts->driver[0])
		return obstruct(
			look, LIBIOMMU_OBSTACLE_HOST_DRIVER,
			"driver %s has it: write vfio-pci to %s/driver_override, unbind it, "
			"and write its address to " DRIVERS,
			facts->driver, look->dir);
	if (!facts->vfio)
		return obstruct(look, LIBIOMMU_OBSTACLE_NO_DRIVER,
		                "no driver has it: load vfio-pci, write vfio-pci to "
		                "%s/driver_override, and write its address to " DRIVERS,
		                look->dir);
	if (facts->group >= 0) {
		found = find_unsafe(look);
		if (!found)
			found = find_sibling(look, sibling, driver);
	}
	if (found < 0)
		return found;
	if (found)
		return obstruct(look, LIBIOMMU_OBSTACLE_GROUP_SIBLING,
		                "%s of the same group (%d) has driver %s: unbind it, or give it to "
		                "vfio-pci or pci-stub",
		                sibling, facts->group, driver);
	return facts->node[0] ? 0 : no_node(look);
}

/* On other buses these names stand for other things: a mediated device may have a directory. */
static int find_ids(const struct look *look)
{
	int error;

	if (strcmp(look->bus, "pci") != 0)
		return 0;
	error = read_number(look, "vendor", &look->facts->vendor);
	if (!error)
		error = read_number(look, "device", &look->facts->device);
	if (!error)
		error = read_number(look, "class", &look->facts->class_code);
	return error;
}

int li_discover_examine(const struct libiommu_sys *sys, const char *dir,
                        struct discover_facts *facts)
{
	struct discover_facts seen = {.obstacle = LIBIOMMU_OBSTACLE_NONE};
	struct look look = {.sys = sys, .dir = dir, .facts = &seen};
	int error;

	/* Every device has a bus, so that what has none is no device. */
	error = read_link(sys, dir, "subsystem", look.bus, sizeof(look.bus));
	if (!error && !look.bus[0])
		error = -ENODEV;
	if (!error)
		error = find_ids(&look);
	if (!error)
		error = read_link(sys, dir, "driver", seen.driver, sizeof(seen.driver));
	if (!error)
		error = read_link(sys, dir, "iommu", seen.iommu, sizeof(seen.iommu));
	if (!error)
		error = find_group(&look);
	if (!error)
		error = find_node(&look);
	if (!error)
		error = find_obstacle(&look);
	if (!error)
		*facts = seen;
	return error;
}

bool li_discover_shares_group(const struct libiommu_sys *sys, const char *dir)
{
	struct discover_facts facts = {0};
	struct look look = {.sys = sys, .dir = dir, .facts = &facts};
	unsigned int members = 0;
	char path[SYSFS_PATH_MAX];
	char *names;

	if (find_group(&look) || facts.group < 0)
		return false;
	if (join(path, GROUPS "/%d/devices", facts.group) || read_names(sys, path, &names))
		return false;
	look.dir = path;
	for (const char *name = names; *name; name += strlen(name) + 1) {
		uint32_t class_code = 0;

		if (!join(path, GROUPS "/%d/devices/%s", facts.group, name))
			read_number(&look, "class", &class_code);
		members += !is_bridge(class_code);
	}
	free(names);
	return members > 1;
}

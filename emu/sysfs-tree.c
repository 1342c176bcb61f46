/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What there is in the machine's part of sysfs, and where. */
#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "pci.h"
#include "sysfs.h"
#include "vfio-names.h"

#define HOST_DRIVER "emu-host"
#define VFIO_DRIVER "vfio-pci"
#define BUSES       "/sys/devices/pci"

static const struct {
	const char *path;
	enum emu_where where;
} roots[] = {
	{"/sys/bus/pci", EMU_AT_PCI},
	{"/sys/kernel/iommu_groups", EMU_AT_GROUPS},
	{"/sys/class/iommu", EMU_AT_IOMMUS},
	{"/sys/devices/virtual/iommu", EMU_AT_IOMMUS},
	{"/sys/class/vfio-dev", EMU_AT_VFIO_DEVS},
};

static const char *const dev_files[] = {
	"vendor",          "device", "subsystem_vendor", "subsystem_device", "class",
	"revision",        "irq",    "numa_node",        "resource",         "config",
	"driver_override", "uevent", "modalias",
};

/* A walk through a directory that ends when somebody has what was looked for. */
struct walk {
	emu_visit_fn visit;
	void *user;
	bool over;
};

static void tell(struct walk *walk, const char *name, struct emu_place place)
{
	if (!walk->over)
		walk->over = walk->visit(walk->user, name, &place);
}

static void tell_file(struct walk *walk, const struct emu_place *dir, const char *name)
{
	struct emu_place file = *dir;

	file.where = EMU_AT_FILE;
	file.link = false;
	file.name = name;
	tell(walk, name, file);
}

static const char *driver_of(const struct emu_dev *dev)
{
	return dev->host ? HOST_DRIVER : VFIO_DRIVER;
}

/* Devices that are still there, or those of them that a driver or a group has. */
static void tell_devices(struct walk *walk, struct libiommu_emu *emu, const struct emu_place *dir)
{
	for (const struct emu_dev *dev = emu->devs; dev && !walk->over; dev = dev->next) {
		if (dev->removed || (dir->group && dev->group != dir->group) ||
		    (dir->iommu && dev->group->iommu != dir->iommu) ||
		    (dir->name && strcmp(dir->name, driver_of(dev)) != 0))
			continue;
		tell(walk, dev->address,
		     (struct emu_place){.where = EMU_AT_DEV, .link = true, .dev = dev});
	}
}

static void tell_groups(struct walk *walk, struct libiommu_emu *emu)
{
	for (const struct emu_group *group = emu->groups; group; group = group->next) {
		char name[16];

		snprintf(name, sizeof(name), "%u", group->number);
		tell(walk, name, (struct emu_place){.where = EMU_AT_GROUP, .group = group});
	}
}

static void tell_iommus(struct walk *walk, struct libiommu_emu *emu)
{
	for (const struct emu_iommu *iommu = emu->iommus; iommu; iommu = iommu->next)
		tell(walk, iommu->name,
		     (struct emu_place){.where = EMU_AT_IOMMU, .link = true, .iommu = iommu});
}

static void tell_vfio_devs(struct walk *walk, struct libiommu_emu *emu)
{
	for (const struct emu_dev *dev = emu->devs; dev; dev = dev->next) {
		char name[EMU_VFIO_NAME];

		emu_vfio_name(dev, name);
		if (!dev->host && !dev->removed)
			tell(walk, name,
			     (struct emu_place){
				     .where = EMU_AT_VFIO_DEV, .link = true, .dev = dev});
	}
}

static void tell_dev(struct walk *walk, const struct emu_place *dir)
{
	const struct emu_dev *const dev = dir->dev;

	for (size_t i = 0; i < sizeof(dev_files) / sizeof(dev_files[0]); i++)
		tell_file(walk, dir, dev_files[i]);
	tell(walk, "subsystem", (struct emu_place){.where = EMU_AT_PCI, .link = true});
	tell(walk, "driver",
	     (struct emu_place){.where = EMU_AT_DRIVER, .link = true, .name = driver_of(dev)});
	tell(walk, "iommu_group",
	     (struct emu_place){.where = EMU_AT_GROUP, .link = true, .group = dev->group});
	if (dev->group->iommu)
		tell(walk, "iommu",
		     (struct emu_place){
			     .where = EMU_AT_IOMMU, .link = true, .iommu = dev->group->iommu});
	if (!dev->host)
		tell(walk, "vfio-dev", (struct emu_place){.where = EMU_AT_DEV_VFIO, .dev = dev});
}

static void tell_dev_vfio(struct walk *walk, const struct emu_dev *dev)
{
	char name[EMU_VFIO_NAME];

	emu_vfio_name(dev, name);
	tell(walk, name, (struct emu_place){.where = EMU_AT_VFIO_DEV, .dev = dev});
}

static void tell_group(struct walk *walk, const struct emu_place *dir)
{
	tell(walk, "devices",
	     (struct emu_place){.where = EMU_AT_GROUP_DEVICES, .group = dir->group});
	tell_file(walk, dir, "type");
	tell_file(walk, dir, "reserved_regions");
	if (!dir->group->iommu)
		tell_file(walk, dir, "name");
}

void emu_place_each(struct libiommu_emu *emu, const struct emu_place *dir, emu_visit_fn visit,
                    void *user)
{
	struct walk walk = {.visit = visit, .user = user};

	switch (dir->where) {
	case EMU_AT_PCI:
		tell(&walk, "devices", (struct emu_place){.where = EMU_AT_PCI_DEVICES});
		tell(&walk, "drivers", (struct emu_place){.where = EMU_AT_DRIVERS});
		tell_file(&walk, dir, "drivers_probe");
		break;
	case EMU_AT_PCI_DEVICES:
	case EMU_AT_DRIVER:
	case EMU_AT_GROUP_DEVICES:
	case EMU_AT_IOMMU_DEVICES:
		tell_devices(&walk, emu, dir);
		break;
	case EMU_AT_DRIVERS:
		tell(&walk, VFIO_DRIVER,
		     (struct emu_place){.where = EMU_AT_DRIVER, .name = VFIO_DRIVER});
		tell(&walk, HOST_DRIVER,
		     (struct emu_place){.where = EMU_AT_DRIVER, .name = HOST_DRIVER});
		break;
	case EMU_AT_GROUPS:
		tell_groups(&walk, emu);
		break;
	case EMU_AT_GROUP:
		tell_group(&walk, dir);
		break;
	case EMU_AT_IOMMUS:
		tell_iommus(&walk, emu);
		break;
	case EMU_AT_IOMMU:
		tell(&walk, "devices",
		     (struct emu_place){.where = EMU_AT_IOMMU_DEVICES, .iommu = dir->iommu});
		break;
	case EMU_AT_VFIO_DEVS:
		tell_vfio_devs(&walk, emu);
		break;
	case EMU_AT_DEV:
		tell_dev(&walk, dir);
		break;
	case EMU_AT_DEV_VFIO:
		tell_dev_vfio(&walk, dir->dev);
		break;
	case EMU_AT_VFIO_DEV:
		tell_file(&walk, dir, "dev");
		tell(&walk, "device",
		     (struct emu_place){.where = EMU_AT_DEV, .link = true, .dev = dir->dev});
		break;
	default:
		break;
	}
}

/* The device itself, by the bus that it is on. */
static bool find_real(struct libiommu_emu *emu, const char *path, struct emu_place *place,
                      const char **rest)
{
	const struct emu_dev *dev = emu->devs;
	char real[EMU_SYSFS_PATH];

	for (; dev; dev = dev->next) {
		*place = (struct emu_place){.where = EMU_AT_DEV, .dev = dev};
		emu_place_path(place, real);
		*rest = path + strlen(real);
		if (!dev->removed && !strncmp(path, real, strlen(real)) &&
		    (**rest == '/' || !**rest))
			return true;
	}
	*place = (struct emu_place){.where = EMU_AT_NOTHING};
	return true;
}

bool emu_place_root(struct libiommu_emu *emu, const char *path, struct emu_place *place,
                    const char **rest)
{
	if (!strncmp(path, BUSES, sizeof(BUSES) - 1))
		return find_real(emu, path, place, rest);
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		*rest = path + strlen(roots[i].path);
		if (strncmp(path, roots[i].path, strlen(roots[i].path)) != 0 ||
		    (**rest != '/' && **rest))
			continue;
		*place = (struct emu_place){.where = roots[i].where};
		return true;
	}
	return false;
}

bool emu_place_has_path(const struct emu_place *place)
{
	return place->where == EMU_AT_PCI || place->where == EMU_AT_DRIVER ||
	       place->where == EMU_AT_GROUP || place->where == EMU_AT_IOMMU ||
	       place->where == EMU_AT_VFIO_DEV || place->where == EMU_AT_DEV;
}

void emu_place_path(const struct emu_place *place, char path[EMU_SYSFS_PATH])
{
	char name[EMU_VFIO_NAME];

	switch (place->where) {
	case EMU_AT_PCI:
		snprintf(path, EMU_SYSFS_PATH, "/sys/bus/pci");
		break;
	case EMU_AT_DRIVER:
		snprintf(path, EMU_SYSFS_PATH, "/sys/bus/pci/drivers/%s", place->name);
		break;
	case EMU_AT_GROUP:
		snprintf(path, EMU_SYSFS_PATH, "/sys/kernel/iommu_groups/%u", place->group->number);
		break;
	case EMU_AT_IOMMU:
		snprintf(path, EMU_SYSFS_PATH, "/sys/devices/virtual/iommu/%s", place->iommu->name);
		break;
	case EMU_AT_VFIO_DEV:
		emu_vfio_name(place->dev, name);
		snprintf(path, EMU_SYSFS_PATH, BUSES "%.7s/%s/vfio-dev/%s", place->dev->address,
		         place->dev->address, name);
		break;
	default: /* of a device; no other place has links to it */
		snprintf(path, EMU_SYSFS_PATH, BUSES "%.7s/%s", place->dev->address,
		         place->dev->address);
		break;
	}
}

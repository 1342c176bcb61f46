/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Made-up PCI devices in the made-up sysfs. */
#ifndef LIBIOMMU_TESTS_FAKE_PCI_H
#define LIBIOMMU_TESTS_FAKE_PCI_H

struct fake_pci {
	const char *address;
	const char *vendor; /* "0x8086"; NULL leaves the attribute out, as below */
	const char *device;
	const char *class_code; /* "0x010802" */
	const char *driver;
	const char *iommu;
	const char *group; /* "5"; what is in the group is fake_group()'s */
	const char *vfio;  /* the name below vfio-dev */
	int no_node;       /* without the node that belongs to it */
};

#define FAKE_DIR "/sys/bus/pci/devices"

void fake_pci(const struct fake_pci *device);
/* Addresses separated by blanks, of devices that have been made. */
void fake_bus(const char *addresses);
/* The devices of a group; the drivers of its members, as of now, are found through it. */
void fake_group(const char *group, const char *addresses);
/* Gives or changes the driver of a member. */
void fake_member_driver(const char *group, const char *address, const char *driver);

#endif

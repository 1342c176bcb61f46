/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include <stdio.h>
#include <stdlib.h>

#include "device.h"

const struct libiommu_sys *device_door(void)
{
	return NULL;
}

int device_begin(struct libiommu_device *dev, const struct libiommu_hwpt *hwpt,
                 const struct pager *pager)
{
	char text[512];

	(void)hwpt;
	(void)pager;
	/* The kernel gives devices out that may not master the bus. */
	if (!libiommu_pci_set_bus_master(dev, true))
		return EXIT_SUCCESS;
	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "fault-loop: the device is not started: %s\n", text);
	return EXIT_FAILURE;
}

bool device_goes_on(void)
{
	return true;
}

int device_end(void)
{
	return EXIT_SUCCESS;
}

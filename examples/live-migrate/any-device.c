/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include <stdio.h>

#include "device.h"

static struct libiommu_device *device;

const struct libiommu_sys *device_door(void)
{
	return NULL;
}

/* The kernel gives devices out that may not master the bus. */
static bool let_it(bool work)
{
	char text[512];

	if (!libiommu_pci_set_bus_master(device, work))
		return true;
	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "live-migrate: the device is not %s: %s\n", work ? "started" : "stopped",
	        text);
	return false;
}

bool device_begin(struct libiommu_device *dev, struct libiommu_hwpt *hwpt, uint8_t *memory,
                  uint64_t iova, uint64_t size)
{
	(void)hwpt;
	(void)memory;
	(void)iova;
	(void)size;
	device = dev;
	return let_it(true);
}

void device_work(void)
{
	/* It does so without being told. */
}

bool device_stop(void)
{
	return let_it(false);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include <stdlib.h>

#include "device.h"

const struct libiommu_sys *device_door(void)
{
	return NULL;
}

int device_begin(struct libiommu_device *dev, const struct libiommu_hwpt *hwpt,
                 const struct pager *pager)
{
	(void)dev;
	(void)hwpt;
	(void)pager;
	return EXIT_SUCCESS;
}

bool device_goes_on(void)
{
	return true;
}

int device_end(void)
{
	return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the device does meanwhile. A driver's own part goes here: any-device.c knows nothing of the
 * device and leaves it alone; tests/vm/paged-device.c is the one of the kernel's test driver, and
 * looks whether what was promised to it is true.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "pager.h"

/* The way to the kernel; NULL is libc. */
const struct libiommu_sys *device_door(void);

/* It is attached: from here on it may ask for pages. 0 or an exit status. */
int device_begin(struct libiommu_device *dev, const struct libiommu_hwpt *hwpt,
                 const struct pager *pager);

/* After each round of answers, and once before: whether it has more to do. */
bool device_goes_on(void);

/* An exit status: EXIT_SUCCESS if it has got what it was promised. */
int device_end(void);

#endif

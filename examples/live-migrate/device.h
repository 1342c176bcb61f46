/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the device does meanwhile. any-device.c is for one that works by itself, and is stopped by
 * not being allowed to reach memory; tests/vm/dirty-device.c is the test driver's.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <libiommu.h>

/* The way to the kernel; NULL is libc. */
const struct libiommu_sys *device_door(void);

/* It is attached, and may write @size bytes at @iova, which are these. False: it said why. */
bool device_begin(struct libiommu_device *dev, struct libiommu_hwpt *hwpt, uint8_t *memory,
                  uint64_t iova, uint64_t size);

/* While a round of pages is on its way. */
void device_work(void);

/* From here on it writes nothing. */
bool device_stop(void);

#endif

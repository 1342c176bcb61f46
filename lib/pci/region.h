/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A PCI device's BARs, ROM and config space as the kernel offers them: regions of the device's
 * descriptor.
 */
#ifndef LIBIOMMU_PCI_REGION_H
#define LIBIOMMU_PCI_REGION_H

#include "../object/device.h"

/* Record it under the name of the public function; the device is left. */
int li_refusal_record(const struct refusal *refusal, struct libiommu_device *dev,
                      const char *operation);

/* Between li_device_enter() and li_device_leave(); -ENODEV where the device is no PCI one. */
int li_region_find(struct libiommu_device *dev, uint32_t index, struct region *region,
                   struct refusal *refusal);
/* All of it or an error. */
int li_region_read(struct libiommu_device *dev, const struct region *region, uint64_t offset,
                   void *buffer, size_t length, struct refusal *refusal);
int li_region_write(struct libiommu_device *dev, const struct region *region, uint64_t offset,
                    const void *buffer, size_t length, struct refusal *refusal);
/* The range is not empty and inside the region. */
int li_region_check(const struct region *region, uint64_t offset, uint64_t length,
                    struct refusal *refusal);

/* One read or write from the public function's arguments on. */
struct region_access {
	uint32_t index;
	uint64_t offset;
	size_t length;
	void *to;         /* a read, or ... */
	const void *from; /* ... a write */
};
int li_region_access(struct libiommu_device *dev, const char *operation,
                     const struct region_access *access);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Which parts of a region can be mapped. */
#ifndef LIBIOMMU_PCI_AREA_H
#define LIBIOMMU_PCI_AREA_H

#include "../base/uapi/vfio.h"
#include "region.h"

struct area_list {
	size_t count;
	struct uapi_vfio_region_sparse_mmap_area whole; /* the only one, or ... */
	void *info;                                     /* ... the kernel's description, ... */
	size_t size;                                    /* ... its size, and ... */
	size_t first;                                   /* ... where in it they begin */
};

/*
 * Between li_device_enter() and li_device_leave(), for what li_region_find() found; freed also
 * after a failure.
 */
int li_area_list_find(struct libiommu_device *dev, const struct region *region,
                      struct area_list *list, struct refusal *refusal);
void li_area_list_free(struct area_list *list);

/* @index: below the count. */
struct uapi_vfio_region_sparse_mmap_area li_area_list_get(const struct area_list *list,
                                                          size_t index);

#endif

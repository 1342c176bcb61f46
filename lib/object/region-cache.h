/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A device's registers, as regions of its descriptor. Where they are does not change while it is
 * open, so that reads and writes need not ask each time.
 */
#ifndef LIBIOMMU_OBJECT_REGION_CACHE_H
#define LIBIOMMU_OBJECT_REGION_CACHE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct region {
	uint32_t index;
	uint32_t flags;     /* UAPI_VFIO_REGION_INFO_FLAG_... */
	uint32_t info_size; /* what a description with all its capabilities takes */
	uint64_t size;      /* 0 where the device has no such region */
	uint64_t offset;    /* in the descriptor */
};

/* The fixed ones of a PCI device: BARs, ROM, config space, VGA. */
#define REGION_CACHE_SIZE 9

struct region_cache {
	pthread_mutex_t lock;
	uint32_t known; /* a bit for each */
	struct region regions[REGION_CACHE_SIZE];
};

void li_region_cache_init(struct region_cache *cache);
void li_region_cache_free(struct region_cache *cache);

/* Whether the region, below REGION_CACHE_SIZE, has been put there; *@region is it then. */
bool li_region_cache_get(struct region_cache *cache, uint32_t index, struct region *region);
void li_region_cache_put(struct region_cache *cache, const struct region *region);

#endif

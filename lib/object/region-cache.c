/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "region-cache.h"

void li_region_cache_init(struct region_cache *cache)
{
	pthread_mutex_init(&cache->lock, NULL);
	cache->known = 0;
}

void li_region_cache_free(struct region_cache *cache)
{
	pthread_mutex_destroy(&cache->lock);
}

bool li_region_cache_get(struct region_cache *cache, uint32_t index, struct region *region)
{
	bool known;

	pthread_mutex_lock(&cache->lock);
	known = cache->known & UINT32_C(1) << index;
	if (known)
		*region = cache->regions[index];
	pthread_mutex_unlock(&cache->lock);
	return known;
}

void li_region_cache_put(struct region_cache *cache, const struct region *region)
{
	pthread_mutex_lock(&cache->lock);
	cache->regions[region->index] = *region;
	cache->known |= UINT32_C(1) << region->index;
	pthread_mutex_unlock(&cache->lock);
}

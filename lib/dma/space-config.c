/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "space.h"

struct libiommu_dma_space_config {
	struct dma_choices choices;
};

struct dma_choices li_dma_choices(const struct libiommu_dma_space_config *config)
{
	return config ? config->choices : (struct dma_choices){.policy = LIBIOMMU_DMA_KERNEL};
}

int libiommu_dma_space_config_new(struct libiommu_dma_space_config **config)
{
	struct libiommu_dma_space_config *made;

	if (!config)
		return FAIL_NULL(NULL);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(NULL);
	*config = made;
	return 0;
}

void libiommu_dma_space_config_free(struct libiommu_dma_space_config *config)
{
	if (config)
		free(config->choices.allowed);
	free(config);
}

int libiommu_dma_space_config_set_policy(struct libiommu_dma_space_config *config,
                                         enum libiommu_dma_policy policy)
{
	if (!config)
		return FAIL_NULL(NULL);
	if ((unsigned int)policy > LIBIOMMU_DMA_WINDOW)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "unknown policy", .id = 0);
	config->choices.policy = policy;
	return 0;
}

int libiommu_dma_space_config_set_split(struct libiommu_dma_space_config *config, uint64_t granule)
{
	if (!config)
		return FAIL_NULL(NULL);
	if (granule && (granule < TABLE_PAGE || !is_power_of_two(granule)))
		return FAIL_LIBRARY(NULL, __func__, -EINVAL,
		                    "neither 0 nor a power of two from 4096 on", .amount = granule,
		                    .unit = "bytes");
	config->choices.split = granule;
	return 0;
}

int libiommu_dma_space_config_set_allowed(struct libiommu_dma_space_config *config,
                                          const struct libiommu_iova_range *ranges, size_t count)
{
	struct libiommu_iova_range *copy = NULL;

	if (!config || (count && !ranges))
		return FAIL_NULL(NULL);
	for (size_t i = 0; i < count; i++)
		if (ranges[i].last < ranges[i].start ||
		    (i && ranges[i].start <= ranges[i - 1].last))
			return FAIL_LIBRARY(NULL, __func__, -EINVAL,
			                    "the ranges overlap or are not in order",
			                    .start = ranges[i].start);
	if (count) {
		copy = calloc(count, sizeof(*copy));
		if (!copy)
			return FAIL_MEMORY(NULL);
		memcpy(copy, ranges, count * sizeof(*copy));
	}
	free(config->choices.allowed);
	config->choices.allowed = copy;
	config->choices.allowed_count = count;
	return 0;
}

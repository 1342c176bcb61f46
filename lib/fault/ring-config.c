/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ring-config.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/bits.h"
#include "../object/ctx.h"

struct libiommu_ring_config {
	struct filler_choices choices;
};

static const struct filler_choices defaults = {
	.capacity = 4096,
	.max_outstanding = 1024,
	.deadline = 0,
};

struct filler_choices li_ring_choices(const struct libiommu_ring_config *config)
{
	return config ? config->choices : defaults;
}

int libiommu_ring_config_new(struct libiommu_ring_config **config)
{
	struct libiommu_ring_config *made;

	if (!config)
		return FAIL_NULL(NULL);
	made = malloc(sizeof(*made));
	if (!made)
		return FAIL_MEMORY(NULL);
	made->choices = defaults;
	*config = made;
	return 0;
}

void libiommu_ring_config_free(struct libiommu_ring_config *config)
{
	free(config);
}

int libiommu_ring_config_set_records(struct libiommu_ring_config *config, uint32_t records)
{
	if (!config)
		return FAIL_NULL(NULL);
	if (!is_power_of_two(records) || records < RING_MIN || records > RING_MAX)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "no power of two from 2^10 to 2^24",
		                    .amount = records, .unit = "records");
	config->choices.capacity = records;
	return 0;
}

int libiommu_ring_config_set_outstanding(struct libiommu_ring_config *config, uint32_t groups)
{
	if (!config)
		return FAIL_NULL(NULL);
	if (!is_power_of_two(groups) || groups > RING_MAX_OUT)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "no power of two up to 2^20",
		                    .amount = groups, .unit = "groups");
	config->choices.max_outstanding = groups;
	return 0;
}

int libiommu_ring_config_set_deadline(struct libiommu_ring_config *config, uint64_t ns)
{
	if (!config)
		return FAIL_NULL(NULL);
	/* Added to the time of day's clock; centuries are as good as never. */
	if (ns > INT64_MAX)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "longer than 2^63 ns", .amount = ns,
		                    .unit = "ns");
	config->choices.deadline = ns;
	return 0;
}

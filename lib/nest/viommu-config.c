/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "viommu-config.h"

#include <errno.h>
#include <stdlib.h>

#include "../object/config-data.h"
#include "../object/ctx.h"

int libiommu_viommu_config_new(struct libiommu_viommu_config **config)
{
	struct libiommu_viommu_config *made;

	if (!config)
		return FAIL_NULL(NULL);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(NULL);
	*config = made;
	return 0;
}

void libiommu_viommu_config_free(struct libiommu_viommu_config *config)
{
	if (!config)
		return;
	free(config->data);
	free(config);
}

int libiommu_viommu_config_set_data(struct libiommu_viommu_config *config, const void *data,
                                    size_t length)
{
	if (!config || (!data && length))
		return FAIL_NULL(NULL);
	if (length > 65536)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "too much data", .amount = length,
		                    .unit = "bytes");
	if (!li_config_data_set(&config->data, data, length))
		return FAIL_MEMORY(NULL);
	config->length = length;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "hwpt-config.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/uapi/iommufd.h"
#include "config-data.h"
#include "ctx.h"

_Static_assert(LIBIOMMU_HWPT_NEST_PARENT == UAPI_HWPT_ALLOC_NEST_PARENT &&
                       LIBIOMMU_HWPT_DIRTY_TRACKING == UAPI_HWPT_ALLOC_DIRTY_TRACKING &&
                       LIBIOMMU_HWPT_PASID == UAPI_HWPT_ALLOC_PASID &&
                       LIBIOMMU_VTD_S1_SRE == UAPI_VTD_S1_SRE &&
                       LIBIOMMU_VTD_S1_EAFE == UAPI_VTD_S1_EAFE &&
                       LIBIOMMU_VTD_S1_WPE == UAPI_VTD_S1_WPE,
               "flags are passed on as they are");

int libiommu_hwpt_config_new(struct libiommu_hwpt_config **config)
{
	struct libiommu_hwpt_config *made;

	if (!config)
		return FAIL_NULL(NULL);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(NULL);
	*config = made;
	return 0;
}

void libiommu_hwpt_config_free(struct libiommu_hwpt_config *config)
{
	if (!config)
		return;
	free(config->data);
	free(config);
}

int libiommu_hwpt_config_set_flags(struct libiommu_hwpt_config *config, uint32_t flags)
{
	const uint32_t known =
		LIBIOMMU_HWPT_NEST_PARENT | LIBIOMMU_HWPT_DIRTY_TRACKING | LIBIOMMU_HWPT_PASID;

	if (!config)
		return FAIL_NULL(NULL);
	if (flags & ~known)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "unknown flag", .amount = flags,
		                    .unit = "are the flags");
	config->flags = flags;
	return 0;
}

static int set(struct libiommu_hwpt_config *config, const char *operation, uint32_t type,
               const void *data, size_t length)
{
	if (!li_config_data_set(&config->data, data, length))
		return FAIL_MEMORY_IN(NULL, operation);
	config->data_type = type;
	config->data_length = (uint32_t)length;
	return 0;
}

int libiommu_hwpt_config_set_data(struct libiommu_hwpt_config *config, uint32_t type,
                                  const void *data, size_t length)
{
	if (!config || (!data && length))
		return FAIL_NULL(NULL);
	if (length > UINT32_MAX)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "too much data", .amount = length,
		                    .unit = "bytes");
	return set(config, __func__, type, data, length);
}

int libiommu_hwpt_config_set_fault_queue(struct libiommu_hwpt_config *config,
                                         struct libiommu_fault_queue *queue)
{
	if (!config)
		return FAIL_NULL(NULL);
	config->queue = queue;
	return 0;
}

int libiommu_hwpt_config_set_vtd_s1(struct libiommu_hwpt_config *config, uint64_t address,
                                    uint32_t width, uint64_t flags)
{
	const uint64_t known = LIBIOMMU_VTD_S1_SRE | LIBIOMMU_VTD_S1_EAFE | LIBIOMMU_VTD_S1_WPE;
	struct uapi_hwpt_vtd_s1 data = {.pgtbl_addr = address, .addr_width = width};

	if (!config)
		return FAIL_NULL(NULL);
	if (flags & ~known)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "unknown flag", .amount = flags,
		                    .unit = "are the flags");
	data.flags = flags;
	return set(config, __func__, UAPI_HWPT_DATA_VTD_S1, &data, sizeof(data));
}

int libiommu_hwpt_config_set_smmuv3(struct libiommu_hwpt_config *config, uint64_t ste0,
                                    uint64_t ste1)
{
	const struct uapi_hwpt_arm_smmuv3 data = {.ste = {htole64(ste0), htole64(ste1)}};

	if (!config)
		return FAIL_NULL(NULL);
	return set(config, __func__, UAPI_HWPT_DATA_ARM_SMMUV3, &data, sizeof(data));
}

int libiommu_hwpt_config_set_amd_guest(struct libiommu_hwpt_config *config, const uint64_t *dte)
{
	struct uapi_hwpt_amd_guest data;

	if (!config || !dte)
		return FAIL_NULL(NULL);
	memcpy(data.dte, dte, sizeof(data.dte));
	return set(config, __func__, UAPI_HWPT_DATA_AMD_GUEST, &data, sizeof(data));
}

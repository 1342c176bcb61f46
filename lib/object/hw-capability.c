/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The portable answers. The kernel's own word comes first; where it has none, registers can rule
 * something out for sure, but the kernel's driver and the device have a say in whether it works.
 */
#include <errno.h>

#include "ctx.h"
#include "hw-info.h"

#define AMD_EFR_GUEST_IO          (UINT64_C(1) << 48)
#define AMD_EFR2_GUEST_TABLE_ROOT (UINT64_C(1) << 3)

#define SMMUV3_STALL_NEVER 1

/* The field's value, or 0 where there is none. */
static uint64_t value_of(const struct libiommu_hw_info *info, enum libiommu_hw_field field)
{
	uint64_t value = 0;

	return li_hw_info_field(info, field, &value) ? 0 : value;
}

/* Whether the registers that answers are taken from are there at all. */
static bool has_registers(const struct libiommu_hw_info *info)
{
	uint64_t value;

	switch (info->type) {
	case UAPI_HW_INFO_TYPE_INTEL_VTD:
		return !li_hw_info_field(info, LIBIOMMU_VTD_ECAP_REG, &value);
	case UAPI_HW_INFO_TYPE_ARM_SMMUV3:
		return !li_hw_info_field(info, LIBIOMMU_SMMUV3_IDR5, &value);
	case UAPI_HW_INFO_TYPE_AMD:
		return !li_hw_info_field(info, LIBIOMMU_AMD_EFR2, &value);
	}
	return false;
}

static uint64_t address_width(const struct libiommu_hw_info *info)
{
	uint64_t levels;

	switch (info->type) {
	case UAPI_HW_INFO_TYPE_INTEL_VTD:
		return value_of(info, LIBIOMMU_VTD_MAX_GUEST_ADDRESS_WIDTH);
	case UAPI_HW_INFO_TYPE_ARM_SMMUV3:
		/* The kernel's driver prefers stage 1 for an address space. */
		return value_of(info, value_of(info, LIBIOMMU_SMMUV3_STAGE1)
		                              ? LIBIOMMU_SMMUV3_VIRTUAL_ADDRESS_WIDTH
		                              : LIBIOMMU_SMMUV3_OUTPUT_ADDRESS_WIDTH);
	case UAPI_HW_INFO_TYPE_AMD:
		levels = value_of(info, LIBIOMMU_AMD_HOST_LEVELS);
		/* Newer hardware can be without the host's format of tables. */
		if (!levels)
			levels = value_of(info, LIBIOMMU_AMD_GUEST_LEVELS);
		/* A level is 9 bits, above a page of 12; six would be more than there are. */
		return !levels ? 0 : levels < 6 ? 12 + 9 * levels : 64;
	}
	return 0;
}

static enum libiommu_answer pasid(const struct libiommu_hw_info *info)
{
	if (info->reports >= HW_REPORTS_PASID)
		return info->pasid_width ? LIBIOMMU_YES : LIBIOMMU_NO;
	if (!has_registers(info))
		return LIBIOMMU_UNKNOWN;
	switch (info->type) {
	case UAPI_HW_INFO_TYPE_INTEL_VTD:
		return value_of(info, LIBIOMMU_VTD_PASID) ? LIBIOMMU_UNKNOWN : LIBIOMMU_NO;
	case UAPI_HW_INFO_TYPE_ARM_SMMUV3:
		return value_of(info, LIBIOMMU_SMMUV3_SSID_WIDTH) ? LIBIOMMU_UNKNOWN : LIBIOMMU_NO;
	case UAPI_HW_INFO_TYPE_AMD:
		return value_of(info, LIBIOMMU_AMD_GUEST_TRANSLATION) ? LIBIOMMU_UNKNOWN
		                                                      : LIBIOMMU_NO;
	}
	return LIBIOMMU_UNKNOWN;
}

static enum libiommu_answer reported(const struct libiommu_hw_info *info, uint64_t capability)
{
	if (info->reports < HW_REPORTS_CAPABILITIES)
		return LIBIOMMU_UNKNOWN;
	return info->capabilities & capability ? LIBIOMMU_YES : LIBIOMMU_NO;
}

static enum libiommu_answer pasid_reported(const struct libiommu_hw_info *info, uint64_t capability)
{
	const enum libiommu_answer answer = pasid(info);

	return answer == LIBIOMMU_YES ? reported(info, capability) : answer;
}

static enum libiommu_answer nesting(const struct libiommu_hw_info *info)
{
	bool both = false;

	switch (info->type) {
	case UAPI_HW_INFO_TYPE_INTEL_VTD:
		both = value_of(info, LIBIOMMU_VTD_SCALABLE_MODE) &&
		       value_of(info, LIBIOMMU_VTD_NESTED_TRANSLATION);
		break;
	case UAPI_HW_INFO_TYPE_ARM_SMMUV3:
		both = value_of(info, LIBIOMMU_SMMUV3_STAGE1) &&
		       value_of(info, LIBIOMMU_SMMUV3_STAGE2);
		break;
	case UAPI_HW_INFO_TYPE_AMD:
		/* What the kernel's driver asks for before it allows a nesting parent. */
		both = value_of(info, LIBIOMMU_AMD_GUEST_TRANSLATION) &&
		       (value_of(info, LIBIOMMU_AMD_EFR) & AMD_EFR_GUEST_IO) &&
		       (value_of(info, LIBIOMMU_AMD_EFR2) & AMD_EFR2_GUEST_TABLE_ROOT);
		break;
	}
	return both ? LIBIOMMU_YES : LIBIOMMU_NO;
}

static enum libiommu_answer page_requests(const struct libiommu_hw_info *info)
{
	bool possible = false;

	switch (info->type) {
	case UAPI_HW_INFO_TYPE_INTEL_VTD:
		possible = value_of(info, LIBIOMMU_VTD_PAGE_REQUESTS);
		break;
	case UAPI_HW_INFO_TYPE_ARM_SMMUV3:
		possible = value_of(info, LIBIOMMU_SMMUV3_PRI) ||
		           value_of(info, LIBIOMMU_SMMUV3_STALL_MODEL) != SMMUV3_STALL_NEVER;
		break;
	case UAPI_HW_INFO_TYPE_AMD:
		possible = value_of(info, LIBIOMMU_AMD_PAGE_REQUESTS);
		break;
	}
	return possible ? LIBIOMMU_UNKNOWN : LIBIOMMU_NO;
}

/* That the kernel does not deny it says nothing: before 7.1 it never did. */
static enum libiommu_answer ats(const struct libiommu_hw_info *info)
{
	if (info->capabilities & UAPI_HW_CAP_PCI_ATS_NOT_SUPPORTED)
		return LIBIOMMU_NO;
	if (!has_registers(info))
		return LIBIOMMU_UNKNOWN;
	if (info->type == UAPI_HW_INFO_TYPE_INTEL_VTD)
		return value_of(info, LIBIOMMU_VTD_DEVICE_TLB) ? LIBIOMMU_UNKNOWN : LIBIOMMU_NO;
	if (info->type == UAPI_HW_INFO_TYPE_ARM_SMMUV3)
		return value_of(info, LIBIOMMU_SMMUV3_ATS) ? LIBIOMMU_UNKNOWN : LIBIOMMU_NO;
	/* AMD says it in a register that the kernel does not pass on. */
	return LIBIOMMU_UNKNOWN;
}

static enum libiommu_answer not_reported(const struct libiommu_hw_info *info)
{
	return info->reports == HW_REPORTS_CONTAINER ? LIBIOMMU_NO : LIBIOMMU_UNKNOWN;
}

int libiommu_hw_info_capability(const struct libiommu_hw_info *info,
                                enum libiommu_capability capability, uint64_t *value)
{
	enum libiommu_answer answer = LIBIOMMU_UNKNOWN;
	uint64_t width = 0;

	if (!info)
		return FAIL_NULL(NULL);
	switch (capability) {
	case LIBIOMMU_CAPABILITY_ADDRESS_WIDTH:
		width = has_registers(info) ? address_width(info) : 0;
		answer = width ? LIBIOMMU_YES : LIBIOMMU_UNKNOWN;
		break;
	case LIBIOMMU_CAPABILITY_PASID:
		width = info->pasid_width;
		answer = pasid(info);
		break;
	case LIBIOMMU_CAPABILITY_DIRTY_TRACKING:
		answer = reported(info, UAPI_HW_CAP_DIRTY_TRACKING);
		break;
	case LIBIOMMU_CAPABILITY_NESTING:
		answer = has_registers(info) ? nesting(info) : not_reported(info);
		break;
	case LIBIOMMU_CAPABILITY_PAGE_REQUESTS:
		answer = has_registers(info) ? page_requests(info) : not_reported(info);
		break;
	case LIBIOMMU_CAPABILITY_ATS:
		answer = ats(info);
		break;
	case LIBIOMMU_CAPABILITY_PASID_EXECUTE:
		answer = pasid_reported(info, UAPI_HW_CAP_PCI_PASID_EXEC);
		break;
	case LIBIOMMU_CAPABILITY_PASID_PRIVILEGED:
		answer = pasid_reported(info, UAPI_HW_CAP_PCI_PASID_PRIV);
		break;
	default:
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "unknown capability", .id = 0);
	}
	if (value)
		*value = width;
	return answer;
}

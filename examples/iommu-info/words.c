/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "info.h"

const struct capability info_capabilities[] = {
	{LIBIOMMU_CAPABILITY_ADDRESS_WIDTH, "address_width", "address width", true},
	{LIBIOMMU_CAPABILITY_PASID, "pasid", "PASIDs", true},
	{LIBIOMMU_CAPABILITY_PASID_EXECUTE, "pasid_execute", "PASID execute", false},
	{LIBIOMMU_CAPABILITY_PASID_PRIVILEGED, "pasid_privileged", "PASID privileged", false},
	{LIBIOMMU_CAPABILITY_DIRTY_TRACKING, "dirty_tracking", "dirty tracking", false},
	{LIBIOMMU_CAPABILITY_NESTING, "nesting", "nesting (hardware)", false},
	{LIBIOMMU_CAPABILITY_PAGE_REQUESTS, "page_requests", "page requests", false},
	{LIBIOMMU_CAPABILITY_ATS, "ats", "ATS", false},
};
const size_t info_capability_count = sizeof(info_capabilities) / sizeof(info_capabilities[0]);

const char *info_presence(int feature)
{
	return feature < 0 ? "unknown" : feature ? "present" : "absent";
}

const char *info_answer(int answer)
{
	return answer == LIBIOMMU_YES ? "yes" : answer == LIBIOMMU_NO ? "no" : "unknown";
}

const char *info_obstacle(int obstacle)
{
	switch (obstacle) {
	case LIBIOMMU_OBSTACLE_NONE:
		return NULL;
	case LIBIOMMU_OBSTACLE_BRIDGE:
		return "bridge";
	case LIBIOMMU_OBSTACLE_NO_IOMMU:
		return "no-iommu";
	case LIBIOMMU_OBSTACLE_HOST_DRIVER:
		return "host-driver";
	case LIBIOMMU_OBSTACLE_NO_DRIVER:
		return "no-driver";
	case LIBIOMMU_OBSTACLE_GROUP_SIBLING:
		return "group-sibling";
	case LIBIOMMU_OBSTACLE_NO_NODE:
		return "no-node";
	}
	return "unknown";
}

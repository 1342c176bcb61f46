/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_HW_INFO_H
#define LIBIOMMU_OBJECT_HW_INFO_H

#include <libiommu/hw-info.h>

#include "../base/uapi/hwpt.h"

/* How much of the answer's fixed part the kernel fills in; what it does not is 0. */
enum hw_reports {
	HW_REPORTS_TYPE,         /* 6.6 */
	HW_REPORTS_CAPABILITIES, /* 6.7: capabilities too */
	HW_REPORTS_PASID,        /* 6.15: the width of PASIDs too */
	HW_REPORTS_CONTAINER,    /* nothing, and nothing of this can be done in a container */
};

struct libiommu_hw_info {
	uint32_t type;
	void *data; /* NULL for none */
	size_t length;
	enum hw_reports reports;
	uint64_t capabilities; /* UAPI_HW_CAP_* */
	uint8_t pasid_width;
	/* An SMMUv3 may have this extension, which the kernel reports apart; 0 bytes where not. */
	struct uapi_hw_info_tegra241_cmdqv cmdqv;
	size_t cmdqv_length;
};

/* As libiommu_hw_info_field(), for pointers that are not NULL; a failure is not recorded. */
int li_hw_info_field(const struct libiommu_hw_info *info, enum libiommu_hw_field field,
                     uint64_t *value);

#endif

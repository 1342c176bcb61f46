/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* From requests to as few entries for VT-d as say the same. */
#ifndef LIBIOMMU_NEST_VTD_MERGE_H
#define LIBIOMMU_NEST_VTD_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/uapi/iommufd.h"

struct libiommu_hwpt;

#define VTD_PAGE_SHIFT 12
#define VTD_LAST_PAGE  (UINT64_MAX >> VTD_PAGE_SHIFT)

struct vtd_request {
	struct libiommu_hwpt *hwpt;
	uint64_t first; /* pages */
	uint64_t last;
	uint64_t cookie;
	uint32_t hwpt_id;
	uint32_t order; /* in which it was collected */
	uint32_t entry; /* the one that it has become a part of */
	bool leaf;
};

/* By page table; of one those that are not leaves come first, each kind by its first page. */
void li_vtd_sort(struct vtd_request *requests, size_t count);
void li_vtd_sort_by_order(struct vtd_request *requests, size_t count);

/*
 * Those of one page table, sorted, become entries, of which there are not more than requests;
 * returns how many.
 */
size_t li_vtd_merge(struct vtd_request *requests, size_t count,
                    struct uapi_hwpt_vtd_s1_invalidate *entries);

#endif

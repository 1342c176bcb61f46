/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "noiommu.h"

#include <errno.h>

#include "heap.h"
#include "paging.h"

/* Every power of two but 512 GiB, as AMD's tables have them. */
#define GRANULE 12
#define LEVELS  6
#define PAGES   (((UINT64_C(1) << 52) - 1) & ~((UINT64_C(1) << GRANULE) - 1) & ~(UINT64_C(1) << 39))

static int noiommu_paging(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t flags,
                          const struct emu_user_data *data, struct emu_domain **domain)
{
	struct emu_paging *paging;
	int error;

	(void)dev;
	if (flags || data)
		return -EOPNOTSUPP;
	paging = emu_alloc(sizeof(*paging));
	if (!paging)
		return -ENOMEM;
	error = emu_paging_init(paging, iommu, GRANULE, LEVELS, PAGES);
	if (error)
		emu_release(paging);
	else
		*domain = &paging->domain;
	return error;
}

static const struct emu_iommu_ops noiommu_ops = {.paging = noiommu_paging};

struct emu_iommu *emu_noiommu(void)
{
	static struct emu_iommu noiommu = {.ops = &noiommu_ops};

	return &noiommu;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The IOMMU of Intel's platforms, in scalable mode: Intel VT-d specification, revision 4. */
#include <errno.h>
#include <libiommu-emu/iommu.h>

#include "../lib/base/uapi/iommufd.h"
#include "dev.h"
#include "heap.h"
#include "iommu.h"
#include "machine.h"
#include "paging.h"
#include "vtd-nested.h"

/* Capability register: 4 levels of 48 bits in second-stage tables, all sizes of pages in both. */
#define CAP_ALWAYS         UINT64_C(0x0100000c002f0400)
#define CAP_FIRST_5_LEVELS (UINT64_C(1) << 60)
/*
 * Extended capability register: queued invalidation, device TLBs, snooping, nesting, page requests,
 * scalable mode with tables of both stages.
 */
#define ECAP_ALWAYS       UINT64_C(0x0000c80024000086)
#define ECAP_EXTENDED     (UINT64_C(1) << 34)
#define ECAP_PASID_SHIFT  35
#define ECAP_PASID        (UINT64_C(1) << 40)
#define ECAP_SECOND_DIRTY (UINT64_C(1) << 45)

#define PAGES     ((UINT64_C(1) << 12) | (UINT64_C(1) << 21) | (UINT64_C(1) << 30))
#define GRANULE   12
#define LEVELS    4
#define MSI_FIRST UINT64_C(0xfee00000)
#define MSI_LAST  UINT64_C(0xfeefffff)

struct vtd {
	struct emu_iommu iommu;
	struct uapi_hw_info_vtd info;
};

struct second_stage {
	struct emu_paging paging;
	bool nest_parent;
};

static int vtd_hw_info(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t *type,
                       const void **data, size_t *length)
{
	(void)dev;
	if (*type != UAPI_HW_INFO_TYPE_DEFAULT && *type != UAPI_HW_INFO_TYPE_INTEL_VTD)
		return -EOPNOTSUPP;
	*type = UAPI_HW_INFO_TYPE_INTEL_VTD;
	*data = &((struct vtd *)iommu)->info;
	*length = sizeof(struct uapi_hw_info_vtd);
	return 0;
}

static int vtd_paging(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t flags,
                      const struct emu_user_data *data, struct emu_domain **domain)
{
	const uint32_t known = UAPI_HWPT_ALLOC_NEST_PARENT | UAPI_HWPT_ALLOC_DIRTY_TRACKING |
	                       UAPI_HWPT_ALLOC_PASID;
	struct second_stage *made;
	int error;

	(void)dev;
	if (data || (flags & ~known) || ((flags & UAPI_HWPT_ALLOC_DIRTY_TRACKING) && !iommu->dirty))
		return -EOPNOTSUPP;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	error = emu_paging_init(&made->paging, iommu, GRANULE, LEVELS, PAGES);
	if (error) {
		emu_release(made);
		return error;
	}
	made->nest_parent = flags & UAPI_HWPT_ALLOC_NEST_PARENT;
	made->paging.domain.dirty_supported = flags & UAPI_HWPT_ALLOC_DIRTY_TRACKING;
	*domain = &made->paging.domain;
	return 0;
}

static int vtd_nested(struct emu_iommu *iommu, struct emu_domain *parent, uint32_t flags,
                      const struct emu_user_data *data, struct emu_domain **domain)
{
	if (parent->ops != &emu_paging_ops || !((struct second_stage *)parent)->nest_parent)
		return -EINVAL;
	return emu_vtd_nested(iommu, parent, flags, data, domain);
}

/* Whoever gets or loses a page table has nothing cached of it. */
static int vtd_attach(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t pasid,
                      struct emu_domain *domain, struct emu_domain *old)
{
	const struct vtd *const vtd = (struct vtd *)iommu;
	int error = 0;

	(void)pasid;
	if (domain && domain->iommu->ops != iommu->ops)
		return -EINVAL;
	if (domain && domain->dirty_supported && (!iommu->dirty || dev->no_dirty))
		return -EINVAL;
	if (domain && emu_vtd_is_nested(domain))
		error = emu_vtd_nested_check(domain, vtd->info.cap_reg, vtd->info.ecap_reg);
	if (!error && domain && domain->faults && !dev->page_requests)
		error = -ENODEV;
	if (error)
		return error;
	if (domain && emu_vtd_is_nested(domain))
		emu_vtd_nested_forget(domain);
	if (old && emu_vtd_is_nested(old))
		emu_vtd_nested_forget(old);
	return 0;
}

static bool vtd_reserved(struct emu_iommu *iommu, struct emu_dev *dev, size_t i,
                         struct emu_reserved *range)
{
	(void)iommu;
	(void)dev;
	*range = (struct emu_reserved){.start = MSI_FIRST, .last = MSI_LAST};
	return i == 0;
}

static void vtd_free(struct emu_iommu *iommu)
{
	emu_release(iommu);
}

static const struct emu_iommu_ops vtd_ops = {
	.hw_info = vtd_hw_info,
	.paging = vtd_paging,
	.nested = vtd_nested,
	.attach = vtd_attach,
	.reserved = vtd_reserved,
	.free = vtd_free,
};

static int new_iommu(uint32_t flags, uint32_t pasid_bits, struct emu_iommu **iommu)
{
	struct vtd *const vtd = emu_alloc(sizeof(*vtd));

	if (!vtd)
		return -ENOMEM;
	vtd->iommu.ops = &vtd_ops;
	vtd->iommu.dirty = !(flags & LIBIOMMU_EMU_VTD_NO_DIRTY);
	vtd->iommu.ats = true;
	vtd->iommu.pasid_bits = pasid_bits;
	vtd->info.cap_reg = CAP_ALWAYS;
	vtd->info.ecap_reg = ECAP_ALWAYS;
	if (vtd->iommu.dirty)
		vtd->info.ecap_reg |= ECAP_SECOND_DIRTY;
	if (flags & LIBIOMMU_EMU_VTD_5_LEVELS)
		vtd->info.cap_reg |= CAP_FIRST_5_LEVELS;
	if (flags & LIBIOMMU_EMU_VTD_EXTENDED_ACCESSED)
		vtd->info.ecap_reg |= ECAP_EXTENDED;
	if (pasid_bits)
		vtd->info.ecap_reg |= ECAP_PASID | (uint64_t)(pasid_bits - 1) << ECAP_PASID_SHIFT;
	*iommu = &vtd->iommu;
	return 0;
}

LIBIOMMU_API int libiommu_emu_iommu_add_vtd(struct libiommu_emu *emu, uint32_t flags,
                                            uint32_t pasid_bits, struct libiommu_emu_iommu **iommu)
{
	struct emu_iommu *made;
	int error;

	if (!emu || !iommu || pasid_bits > EMU_PASID_BITS_MAX ||
	    (flags & ~(LIBIOMMU_EMU_VTD_NO_DIRTY | LIBIOMMU_EMU_VTD_5_LEVELS |
	               LIBIOMMU_EMU_VTD_EXTENDED_ACCESSED)))
		return -EINVAL;
	emu_lock(emu);
	error = new_iommu(flags, pasid_bits, &made);
	if (!error)
		emu_iommu_add(emu, made);
	emu_unlock(emu);
	if (!error)
		*iommu = (struct libiommu_emu_iommu *)made;
	return error;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vtd-nested.h"

#include <errno.h>
#include <stddef.h>

#include "../lib/base/uapi/iommufd.h"
#include "heap.h"
#include "vtd-cache.h"

#define CAP_5_LEVELS (UINT64_C(1) << 60)
#define ECAP_SRS     (UINT64_C(1) << 31) /* supervisor requests */
#define ECAP_EAFS    (UINT64_C(1) << 34) /* the extended accessed flag */

struct nested {
	struct emu_domain domain;
	struct uapi_hwpt_vtd_s1 config;
	struct emu_vtd_cache cache;
};

/* The guest's memory is what its second stage shows. */
struct reach {
	struct emu_guest guest;
	struct emu_domain *parent;
};

static int reach_phys(const struct emu_guest *guest, uint64_t at, unsigned int access,
                      emu_phys *phys)
{
	struct emu_domain *const parent = ((const struct reach *)guest)->parent;
	uint64_t length = sizeof(uint64_t);

	if (parent->ops->translate(parent, at, access, phys, &length) || length < sizeof(uint64_t))
		return -EIO;
	return 0;
}

static int reach_get(const struct emu_guest *guest, uint64_t at, uint64_t *value)
{
	struct libiommu_emu *const emu = ((const struct reach *)guest)->parent->iommu->emu;
	emu_phys phys;

	if (reach_phys(guest, at, EMU_READ, &phys) ||
	    emu_phys_read(emu, phys, value, sizeof(*value)))
		return -EIO;
	return 0;
}

static int reach_set(const struct emu_guest *guest, uint64_t at, uint32_t bits)
{
	struct libiommu_emu *const emu = ((const struct reach *)guest)->parent->iommu->emu;
	emu_phys phys;

	if (reach_phys(guest, at, EMU_READ | EMU_WRITE, &phys) ||
	    emu_phys_set_bits(emu, phys, bits))
		return -EIO;
	return 0;
}

static int walk(const struct nested *nested, uint64_t iova, bool write, struct emu_vtd_page *page)
{
	const struct reach reach = {{reach_get, reach_set}, nested->domain.parent};
	const struct emu_vtd_table table = {
		.root = nested->config.pgtbl_addr,
		.levels = nested->config.addr_width == 57 ? 5 : 4,
		.extended = nested->config.flags & UAPI_VTD_S1_EAFE,
	};

	return emu_vtd_walk(&table, &reach.guest, iova, write, page);
}

/* A page that was only read is looked up again to be written, since that marks it. */
static int nested_translate(struct emu_domain *domain, uint64_t iova, unsigned int access,
                            emu_phys *phys, uint64_t *length)
{
	struct nested *const nested = (struct nested *)domain;
	const bool write = access & EMU_WRITE;
	const struct emu_vtd_page *known = emu_vtd_cache_find(&nested->cache, iova);
	struct emu_vtd_page page;
	uint64_t rest;

	if (known && (known->writable || !write)) {
		page = *known;
	} else {
		const int error = walk(nested, iova, write, &page);

		if (error)
			return error == -ENOENT || error == -EACCES ? -EFAULT : -EIO;
		emu_vtd_cache_keep(&nested->cache, &page);
	}
	rest = page.size - (iova - page.iova);
	if (*length > rest)
		*length = rest;
	return domain->parent->ops->translate(domain->parent, page.gpa + (iova - page.iova), access,
	                                      phys, length);
}

static int forget(void *user, const void *of)
{
	struct nested *const nested = user;
	const struct uapi_hwpt_vtd_s1_invalidate *const entry = of;
	uint64_t last = UINT64_MAX;

	if ((entry->flags & ~(uint32_t)UAPI_VTD_INV_FLAGS_LEAF) || entry->reserved)
		return -EOPNOTSUPP;
	if (entry->addr % 4096 || (entry->npages == UINT64_MAX && entry->addr))
		return -EINVAL;
	if (!entry->npages)
		return 0;
	if (entry->npages - 1 < (UINT64_MAX - entry->addr) / 4096)
		last = entry->addr + entry->npages * 4096 - 1;
	emu_vtd_cache_forget(&nested->cache, entry->addr, last);
	return 0;
}

static int nested_invalidate(struct emu_domain *domain, struct emu_user_array *array)
{
	return emu_user_array_each(
		array, UAPI_HWPT_INVALIDATE_DATA_VTD_S1, sizeof(struct uapi_hwpt_vtd_s1_invalidate),
		offsetof(struct uapi_hwpt_vtd_s1_invalidate, reserved) + 4, forget, domain);
}

static void nested_free(struct emu_domain *domain)
{
	emu_release(domain);
}

static const struct emu_domain_ops nested_ops = {
	.translate = nested_translate,
	.invalidate = nested_invalidate,
	.free = nested_free,
};

void emu_vtd_nested_forget(struct emu_domain *domain)
{
	emu_vtd_cache_forget(&((struct nested *)domain)->cache, 0, UINT64_MAX);
}

bool emu_vtd_is_nested(const struct emu_domain *domain)
{
	return domain->ops == &nested_ops;
}

int emu_vtd_nested(struct emu_iommu *iommu, struct emu_domain *parent, uint32_t flags,
                   const struct emu_user_data *data, struct emu_domain **domain)
{
	struct uapi_hwpt_vtd_s1 config;
	struct nested *nested;
	int error;

	if ((flags & ~(uint32_t)UAPI_HWPT_ALLOC_PASID) || data->type != UAPI_HWPT_DATA_VTD_S1)
		return -EOPNOTSUPP;
	error = emu_user_data_get(data, UAPI_HWPT_DATA_VTD_S1, &config, sizeof(config),
	                          offsetof(struct uapi_hwpt_vtd_s1, reserved) + 4);
	if (error)
		return error;
	nested = emu_alloc(sizeof(*nested));
	if (!nested)
		return -ENOMEM;
	nested->domain.ops = &nested_ops;
	nested->domain.iommu = iommu;
	nested->domain.parent = parent;
	nested->config = config;
	*domain = &nested->domain;
	return 0;
}

int emu_vtd_nested_check(const struct emu_domain *domain, uint64_t cap, uint64_t ecap)
{
	const struct uapi_hwpt_vtd_s1 *const config = &((const struct nested *)domain)->config;

	if (((config->flags & UAPI_VTD_S1_SRE) && !(ecap & ECAP_SRS)) ||
	    ((config->flags & UAPI_VTD_S1_EAFE) && !(ecap & ECAP_EAFS)))
		return -EINVAL;
	if (config->addr_width != 48 && !(config->addr_width == 57 && (cap & CAP_5_LEVELS)))
		return -EINVAL;
	return 0;
}

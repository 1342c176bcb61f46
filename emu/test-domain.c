/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page tables of the test driver: those that the kernel fills, and a guest's, which only cache. */
#include <errno.h>
#include <stddef.h>

#include "../lib/base/uapi/iommufd.h"
#include "dev.h"
#include "heap.h"
#include "paging.h"
#include "test-iommu.h"

/* Three levels from 2 KiB on, in 38 bits. */
#define GRANULE    11
#define LEVELS     3
#define ALL_PAGES  (((UINT64_C(1) << 37) - 1) & ~((UINT64_C(1) << GRANULE) - 1))
#define HUGE_PAGES ((UINT64_C(1) << 20) | (UINT64_C(1) << 12))

struct nested {
	struct emu_domain domain;
	uint32_t cached[EMU_TEST_CACHES];
};

static int get_data(const struct emu_user_data *data, struct emu_test_hwpt_data *to)
{
	return emu_user_data_get(data, EMU_TEST_HWPT_DATA, to, sizeof(*to),
	                         offsetof(struct emu_test_hwpt_data, value) + sizeof(to->value));
}

int emu_test_paging(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t flags,
                    const struct emu_user_data *data, struct emu_domain **domain)
{
	const uint32_t known = UAPI_HWPT_ALLOC_DIRTY_TRACKING | UAPI_HWPT_ALLOC_NEST_PARENT |
	                       UAPI_HWPT_ALLOC_PASID;
	const bool dirty = flags & UAPI_HWPT_ALLOC_DIRTY_TRACKING;
	struct emu_test_hwpt_data mine = {0};
	struct emu_paging *paging;
	int error = 0;

	if ((flags & ~known) || (dirty && dev->no_dirty) ||
	    (data && data->type != EMU_TEST_HWPT_DATA && data->type != UAPI_HWPT_DATA_NONE))
		return -EOPNOTSUPP;
	if (data)
		error = get_data(data, &mine);
	if (error)
		return error;
	if (mine.table > EMU_TEST_HUGE)
		return -EOPNOTSUPP;
	paging = emu_alloc(sizeof(*paging));
	if (!paging)
		return -ENOMEM;
	error = emu_paging_init(paging, iommu, GRANULE, LEVELS,
	                        mine.table == EMU_TEST_HUGE ? HUGE_PAGES : ALL_PAGES);
	if (error) {
		emu_release(paging);
		return error;
	}
	if (mine.table != EMU_TEST_HUGE) {
		paging->domain.first = EMU_TEST_APERTURE;
		paging->domain.last = EMU_TEST_APERTURE_LAST;
	}
	paging->domain.dirty_supported = dirty;
	*domain = &paging->domain;
	return 0;
}

int emu_test_write(struct emu_domain *domain, uint64_t iova)
{
	if (domain->ops != &emu_paging_ops || !emu_test_is(domain->iommu) || !domain->tracking)
		return -EINVAL;
	emu_table_set_dirty(&((struct emu_paging *)domain)->table, iova, true);
	return 0;
}

/* The guest's own table does not move anything: what is below it is what devices reach. */
static int nested_translate(struct emu_domain *domain, uint64_t iova, unsigned int access,
                            emu_phys *phys, uint64_t *length)
{
	return domain->parent->ops->translate(domain->parent, iova, access, phys, length);
}

static int invalidate_entry(void *user, const void *of)
{
	struct nested *const nested = user;
	const struct emu_test_hwpt_entry *const entry = of;

	if (entry->flags & ~EMU_TEST_ALL)
		return -EOPNOTSUPP;
	if (entry->index >= EMU_TEST_CACHES)
		return -EINVAL;
	for (uint32_t i = 0; i < EMU_TEST_CACHES; i++)
		if (i == entry->index || entry->flags & EMU_TEST_ALL)
			nested->cached[i] = 0;
	return 0;
}

static int nested_invalidate(struct emu_domain *domain, struct emu_user_array *array)
{
	const size_t size = sizeof(struct emu_test_hwpt_entry);

	return emu_user_array_each(array, EMU_TEST_INVALIDATE, size, size, invalidate_entry,
	                           domain);
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

int emu_test_nested(struct emu_domain *parent, struct emu_viommu *viommu, uint32_t flags,
                    const struct emu_user_data *data, struct emu_domain **domain)
{
	struct emu_test_hwpt_data mine;
	struct nested *nested;
	int error;

	if ((flags & ~(uint32_t)UAPI_HWPT_ALLOC_PASID) || data->type != EMU_TEST_HWPT_DATA)
		return -EOPNOTSUPP;
	error = get_data(data, &mine);
	if (error)
		return error;
	nested = emu_alloc(sizeof(*nested));
	if (!nested)
		return -ENOMEM;
	nested->domain.ops = &nested_ops;
	nested->domain.iommu = parent->iommu;
	nested->domain.parent = parent;
	nested->domain.viommu = viommu;
	for (size_t i = 0; i < EMU_TEST_CACHES; i++)
		nested->cached[i] = mine.value;
	*domain = &nested->domain;
	return 0;
}

const uint32_t *emu_test_cached(const struct emu_domain *domain)
{
	return domain->ops == &nested_ops ? ((const struct nested *)domain)->cached : NULL;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "paging.h"

#include <errno.h>

#include "heap.h"

static struct emu_table *table_of(struct emu_domain *domain)
{
	return &((struct emu_paging *)domain)->table;
}

static int paging_map(struct emu_domain *domain, uint64_t iova, emu_phys phys, uint64_t length,
                      unsigned int access)
{
	return emu_table_map(table_of(domain), iova, phys, length, access);
}

static uint64_t paging_unmap(struct emu_domain *domain, uint64_t iova, uint64_t length)
{
	return emu_table_unmap(table_of(domain), iova, length);
}

static emu_phys paging_phys(struct emu_domain *domain, uint64_t iova)
{
	struct emu_page page;

	if (!emu_table_find(table_of(domain), iova, &page))
		return EMU_PHYS_NONE;
	return page.phys + (iova - page.iova);
}

static int paging_translate(struct emu_domain *domain, uint64_t iova, unsigned int access,
                            emu_phys *phys, uint64_t *length)
{
	struct emu_page page;
	uint64_t rest;

	if (!emu_table_find(table_of(domain), iova, &page) || (access & ~page.access))
		return -EFAULT;
	if ((access & EMU_WRITE) && !page.dirty)
		emu_table_set_dirty(table_of(domain), iova, true);
	rest = page.size - (iova - page.iova);
	if (*length > rest)
		*length = rest;
	*phys = page.phys + (iova - page.iova);
	return 0;
}

static int paging_set_dirty(struct emu_domain *domain, bool on)
{
	struct emu_table *const table = table_of(domain);
	const uint64_t end = emu_table_last(table);
	struct emu_page page;

	for (uint64_t at = 0; on && emu_table_next(table, at, end, &page);) {
		if (page.dirty)
			emu_table_set_dirty(table, page.iova, false);
		if (page.iova + (page.size - 1) == end)
			break;
		at = page.iova + page.size;
	}
	return 0;
}

static int paging_read_dirty(struct emu_domain *domain, uint64_t iova, uint64_t length, bool clear,
                             emu_dirty_fn fn, void *user)
{
	struct emu_table *const table = table_of(domain);
	const uint64_t end = iova + (length - 1);
	struct emu_page page;
	int error = 0;

	for (uint64_t at = iova; !error && emu_table_find(table, at, &page);) {
		if (page.dirty) {
			error = fn(user, page.iova, page.size);
			if (clear)
				emu_table_set_dirty(table, page.iova, false);
		}
		if (end - page.iova < page.size)
			break;
		at = page.iova + page.size;
	}
	return error;
}

static void paging_free(struct emu_domain *domain)
{
	emu_table_end(table_of(domain));
	emu_release(domain);
}

const struct emu_domain_ops emu_paging_ops = {
	.map = paging_map,
	.unmap = paging_unmap,
	.phys = paging_phys,
	.translate = paging_translate,
	.set_dirty = paging_set_dirty,
	.read_dirty = paging_read_dirty,
	.free = paging_free,
};

int emu_paging_init(struct emu_paging *paging, struct emu_iommu *iommu, unsigned int granule,
                    unsigned int levels, uint64_t sizes)
{
	const int error = emu_table_init(&paging->table, granule, levels, sizes);

	if (error)
		return error;
	paging->domain.ops = &emu_paging_ops;
	paging->domain.iommu = iommu;
	paging->domain.page_sizes = sizes;
	paging->domain.last = emu_table_last(&paging->table);
	return 0;
}

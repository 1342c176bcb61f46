/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a device exports: it is where it is, as long as it may be used. */
#include <errno.h>

#include "area.h"
#include "dmabuf.h"
#include "heap.h"
#include "source.h"

struct dmabuf_pages {
	struct emu_pages pages;
	struct emu_importer importer;
};

static int look(struct emu_pages *pages, uint64_t first, uint64_t last)
{
	(void)pages;
	(void)first;
	(void)last;
	return 0;
}

static void free_pages(struct emu_pages *pages)
{
	struct dmabuf_pages *const dmabuf = (struct dmabuf_pages *)pages;

	emu_dmabuf_let_go(&dmabuf->importer);
	emu_release(dmabuf);
}

static const struct emu_source source = {
	.is_device = true,
	.look = look,
	.free = free_pages,
};

/* Domains lose it; it does not come back to these mappings. */
static void revoked(struct emu_importer *importer)
{
	struct emu_pages *const pages = &EMU_OF(struct dmabuf_pages, importer, importer)->pages;
	struct emu_range *range = emu_ranges_first(&pages->mapped);

	for (; range && !pages->revoked; range = emu_ranges_next(range))
		emu_area_unmap_domains(EMU_OF(struct emu_area, index, range));
	pages->revoked = true;
}

int emu_source_dmabuf(struct libiommu_emu *emu, const struct emu_task *task,
                      struct emu_dmabuf *dmabuf, uint64_t start, uint64_t length, bool writable,
                      struct emu_pages **pages)
{
	struct dmabuf_pages *made;
	int error;

	if (dmabuf->length <= start + length - 1 || length / EMU_PAGE >= UINT32_MAX)
		return -EINVAL;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->importer.revoked = revoked;
	error = emu_dmabuf_import(dmabuf, &made->importer);
	if (error) {
		emu_release(made);
		return error;
	}
	/* The length is one, and so this does not fail. */
	emu_pages_begin(&made->pages, &source, emu, task, start, length, writable);
	made->pages.phys = dmabuf->phys + made->pages.start;
	*pages = &made->pages;
	return 0;
}

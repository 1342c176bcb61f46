/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "dmabuf.h"

#include <errno.h>

static void drop(struct emu_dmabuf *dmabuf)
{
	if (!--dmabuf->holders)
		dmabuf->free(dmabuf);
}

static uint64_t dmabuf_size(struct emu_file *file)
{
	return ((struct emu_dmabuf *)file)->length;
}

static void dmabuf_release(struct emu_file *file)
{
	drop((struct emu_dmabuf *)file);
}

static const struct emu_file_ops dmabuf_ops = {
	.name = "/dmabuf:",
	.size = dmabuf_size,
	.release = dmabuf_release,
};

int emu_dmabuf_open(struct libiommu_emu *emu, struct emu_dmabuf *dmabuf)
{
	dmabuf->holders = 1;
	dmabuf->revoked = false;
	dmabuf->importers = NULL;
	return emu_file_open(emu, &dmabuf->file, &dmabuf_ops);
}

struct emu_dmabuf *emu_dmabuf_of(struct libiommu_emu *emu, int fd)
{
	struct emu_file *const file = emu_file_find(emu, fd, false);

	return file && file->ops == &dmabuf_ops ? (struct emu_dmabuf *)file : NULL;
}

int emu_dmabuf_import(struct emu_dmabuf *dmabuf, struct emu_importer *importer)
{
	if (dmabuf->revoked)
		return -ENODEV;
	if (dmabuf->phys == EMU_PHYS_NONE)
		return -EOPNOTSUPP;
	importer->dmabuf = dmabuf;
	importer->next = dmabuf->importers;
	importer->link = &dmabuf->importers;
	if (importer->next)
		importer->next->link = &importer->next;
	dmabuf->importers = importer;
	dmabuf->holders++;
	return 0;
}

void emu_dmabuf_let_go(struct emu_importer *importer)
{
	*importer->link = importer->next;
	if (importer->next)
		importer->next->link = importer->link;
	drop(importer->dmabuf);
}

void emu_dmabuf_revoke(struct emu_dmabuf *dmabuf, bool revoked)
{
	dmabuf->revoked = revoked;
	/* Also where it comes back: what was imported before is stale. */
	for (struct emu_importer *i = dmabuf->importers; i; i = i->next)
		i->revoked(i);
}

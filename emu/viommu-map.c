/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "viommu-map.h"

#include <errno.h>
#include <sys/mman.h>

#include "heap.h"

/* The first page is nobody's, so that no offset is 0; then the lowest place that is free. */
int emu_viommu_publish(struct emu_viommu *viommu, int fd, uint64_t fd_offset, uint64_t length,
                       uint64_t *offset)
{
	struct emu_published **link = &viommu->object.ctx->published;
	struct emu_published *made;
	uint64_t free = EMU_PAGE;

	if (!length || length % EMU_PAGE)
		return -EINVAL;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	for (; *link && (*link)->offset - free < length; link = &(*link)->next)
		free = (*link)->offset + (*link)->length;
	made->viommu = viommu;
	made->offset = free;
	made->length = length;
	made->fd = fd;
	made->fd_offset = fd_offset;
	made->next = *link;
	*link = made;
	*offset = free;
	return 0;
}

void emu_viommu_unpublish(struct emu_viommu *viommu)
{
	struct emu_published **link = &viommu->object.ctx->published;

	while (*link) {
		struct emu_published *const published = *link;

		if (published->viommu != viommu) {
			link = &published->next;
			continue;
		}
		*link = published->next;
		emu_release(published);
	}
}

static void hold(void *user)
{
	struct emu_viommu *const viommu = user;

	emu_object_use(&viommu->object);
	emu_ctx_hold(viommu->object.ctx);
}

static void let_go(void *user)
{
	struct emu_viommu *const viommu = user;

	emu_object_unuse(&viommu->object);
	emu_ctx_let_go(viommu->object.ctx);
}

/* All of it or nothing; length is what mmap() makes of it. */
int emu_viommu_mmap(struct emu_ctx *ctx, size_t length, int prot, int flags, uint64_t offset,
                    struct emu_backing *backing)
{
	const uint64_t whole = (length + EMU_PAGE - 1) / EMU_PAGE * EMU_PAGE;
	const struct emu_published *published = ctx->published;

	if (!length || offset % EMU_PAGE || (flags & MAP_TYPE) == MAP_PRIVATE)
		return -EINVAL;
	if (prot & PROT_EXEC)
		return -EPERM;
	while (published && published->offset != offset)
		published = published->next;
	if (!published || published->length != whole)
		return -ENXIO;
	backing->fd = published->fd;
	backing->offset = published->fd_offset;
	backing->hold.take = hold;
	backing->hold.let_go = let_go;
	backing->hold.user = published->viommu;
	return 0;
}

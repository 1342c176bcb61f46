/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* dma-bufs whose memory is in a window of physical addresses. */
#include "export.h"

#include <errno.h>
#include <libiommu-emu/export.h>
#include <string.h>

#include "heap.h"
#include "machine.h"

#define LONGEST (512 * EMU_PAGE)

struct export
{
	struct emu_dmabuf dmabuf;
	struct emu_window window;
	uint8_t *memory;
};

static int export_access(struct emu_window *window, uint64_t offset, void *to, const void *from,
                         size_t size)
{
	const struct export *const export =
		(const struct export *)((const char *)window - offsetof(struct export, window));

	/* The window may be longer than what is in it. */
	if (offset >= export->dmabuf.length || size > export->dmabuf.length - offset)
		return -EFAULT;
	if (to)
		memcpy(to, export->memory + offset, size);
	else
		memcpy(export->memory + offset, from, size);
	return 0;
}

static void export_free(struct emu_dmabuf *dmabuf)
{
	struct export *const export = (struct export *)dmabuf;

	emu_window_remove(dmabuf->file.emu, &export->window);
	emu_release(export->memory);
	emu_release(export);
}

bool emu_is_export(const struct emu_dmabuf *dmabuf)
{
	return dmabuf->free == export_free;
}

/* Its descriptor, or -errno and nothing is left. */
static int open_export(struct libiommu_emu *emu, struct export *export, uint64_t length)
{
	int fd;

	export->window.access = export_access;
	fd = emu_window_add(emu, &export->window, length);
	if (fd)
		return -ENOMEM;
	export->dmabuf.phys = export->window.range.start;
	export->dmabuf.length = length;
	export->dmabuf.free = export_free;
	fd = emu_dmabuf_open(emu, &export->dmabuf);
	if (fd < 0)
		emu_window_remove(emu, &export->window);
	return fd;
}

LIBIOMMU_API int libiommu_emu_export(struct libiommu_emu *emu, uint64_t length)
{
	struct export *export;
	int fd = -ENOMEM;

	if (!emu || !length || length > LONGEST)
		return -EINVAL;
	length = (length + EMU_PAGE - 1) & ~(EMU_PAGE - 1);
	export = emu_alloc(sizeof(*export));
	if (!export)
		return -ENOMEM;
	export->memory = emu_alloc(length);
	emu_lock(emu);
	if (export->memory)
		fd = open_export(emu, export, length);
	emu_unlock(emu);
	if (fd < 0) {
		emu_release(export->memory);
		emu_release(export);
	}
	return fd;
}

LIBIOMMU_API int libiommu_emu_export_revoke(struct libiommu_emu *emu, int fd, bool revoked)
{
	struct emu_dmabuf *dmabuf;

	if (!emu)
		return -EINVAL;
	emu_lock(emu);
	dmabuf = emu_dmabuf_of(emu, fd);
	if (dmabuf)
		emu_dmabuf_revoke(dmabuf, revoked);
	emu_unlock(emu);
	return dmabuf ? 0 : -EINVAL;
}

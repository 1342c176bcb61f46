/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Files of memory: the machine has them mapped as long as a device can see them. */
#include <errno.h>
#include <sys/sysmacros.h>

#include "dmabuf.h"
#include "heap.h"
#include "memfile.h"
#include "source.h"

struct file_pages {
	struct emu_pages pages;
	struct emu_memfile *file;
};

static struct file_pages *file_of(struct emu_pages *pages)
{
	return (struct file_pages *)pages;
}

static int look(struct emu_pages *pages, uint64_t first, uint64_t last)
{
	struct emu_memfile *const file = file_of(pages)->file;
	const uint64_t length = (last - first + 1) * EMU_PAGE;
	const uint64_t start = pages->start + first * EMU_PAGE;
	uintptr_t address;
	int error;

	if (!pages->pinned) {
		error = emu_memfile_view(file, start, length, &address);
		if (error)
			return error;
		pages->phys = address - first * EMU_PAGE;
	}
	return emu_memfile_populate(file, (uintptr_t)pages->phys + first * EMU_PAGE, start, length);
}

static void free_pages(struct emu_pages *pages)
{
	emu_memfile_let_go(file_of(pages)->file);
	emu_release(pages);
}

static const struct emu_source source = {
	.is_file = true,
	.look = look,
	.free = free_pages,
};

static int source_file(struct libiommu_emu *emu, const struct emu_task *task, int fd,
                       uint64_t start, uint64_t length, bool writable, struct emu_pages **pages)
{
	struct file_pages *made;
	struct emu_memfile *file;
	int error = emu_memfile_open(emu, fd, &file);

	if (error)
		return error;
	made = emu_alloc(sizeof(*made));
	error = made ? emu_pages_begin(&made->pages, &source, emu, task, start, length, writable)
	             : -ENOMEM;
	if (error) {
		emu_memfile_let_go(file);
		emu_release(made);
		return error;
	}
	made->file = file;
	made->pages.home = (struct emu_home){
		.device_major = major(file->device),
		.device_minor = minor(file->device),
		.inode = file->inode,
		.offset = made->pages.start,
	};
	*pages = &made->pages;
	return 0;
}

int emu_source_fd(struct libiommu_emu *emu, const struct emu_task *task, int fd, uint64_t start,
                  uint64_t length, bool writable, struct emu_pages **pages)
{
	struct emu_dmabuf *const dmabuf = emu_dmabuf_of(emu, fd);

	return dmabuf ? emu_source_dmabuf(emu, task, dmabuf, start, length, writable, pages)
	              : source_file(emu, task, fd, start, length, writable, pages);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Where pages come from: the memory of a process, a file, or what a device exports. */
#ifndef EMU_SOURCE_H
#define EMU_SOURCE_H

#include "pages.h"

struct emu_dmabuf;

struct emu_source {
	bool is_file;
	bool is_device; /* nothing is pinned, and no processor reads it */
	/*
	 * These, which nobody has pinned, are there and allow what they are mapped for: 0 or
	 * -errno. Where none at all is pinned it says where they are: pages->phys.
	 */
	int (*look)(struct emu_pages *pages, uint64_t first, uint64_t last);
	/* Nobody has them any more. Frees them. */
	void (*free)(struct emu_pages *pages);
};

/*
 * @address, or @start, may be anywhere in the first page: 0 or -errno. What a process maps belongs
 * to it: its memory, and who is charged.
 */
int emu_source_process(struct libiommu_emu *emu, const struct emu_task *task, uint64_t address,
                       uint64_t length, bool writable, struct emu_pages **pages);
/* Of the caller's descriptor, which may be a file of memory or a dma-buf. */
int emu_source_fd(struct libiommu_emu *emu, const struct emu_task *task, int fd, uint64_t start,
                  uint64_t length, bool writable, struct emu_pages **pages);
int emu_source_dmabuf(struct libiommu_emu *emu, const struct emu_task *task,
                      struct emu_dmabuf *dmabuf, uint64_t start, uint64_t length, bool writable,
                      struct emu_pages **pages);

/* For sources: the memory of the pages is the caller's. -EINVAL: that is no length. */
int emu_pages_begin(struct emu_pages *pages, const struct emu_source *source,
                    struct libiommu_emu *emu, const struct emu_task *task, uint64_t start,
                    uint64_t length, bool writable);

#endif

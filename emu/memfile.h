/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Files of memory (memfd, shared memory, hugetlbfs) that are mapped for devices: opened once,
 * whoever maps what of them, and mapped into this process when a part is wanted for the first time.
 */
#ifndef EMU_MEMFILE_H
#define EMU_MEMFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct emu_memfile_view;
struct libiommu_emu;

struct emu_memfile {
	struct libiommu_emu *emu;
	struct emu_memfile *next, **link; /* of the machine */
	dev_t device;
	ino_t inode;
	int fd;
	unsigned int users;
	struct emu_memfile_view *views; /* where it is mapped; the largest first */
};

/* Of the caller's descriptor: 0; -EBADF, -ENOMEM. Nobody looks whether it is memory. */
int emu_memfile_open(struct libiommu_emu *emu, int fd, struct emu_memfile **file);
void emu_memfile_let_go(struct emu_memfile *file);

/* Where the part is: 0; -EINVAL: it is no memory, or too short; -ENOMEM. */
int emu_memfile_view(struct emu_memfile *file, uint64_t start, uint64_t length, uintptr_t *address);
/* The pages are there now: 0; -EINVAL: it has become too short; -ENOMEM. */
int emu_memfile_populate(struct emu_memfile *file, uintptr_t address, uint64_t start,
                         uint64_t length);

#endif

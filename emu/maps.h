/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a process has mapped, as /proc shows it: by that two addresses are known to be one page. */
#ifndef EMU_MAPS_H
#define EMU_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a page is that more than one can have: of a file, or of memory that is shared. */
struct emu_home {
	uint32_t device_major, device_minor;
	uint64_t inode; /* 0: it is of no file */
	uint64_t offset;
};

struct emu_vma {
	uint64_t start, last;
	bool read, write, shared;
	struct emu_home home; /* of the first page */
};

/* Until it returns true. */
typedef bool (*emu_vma_fn)(void *user, const struct emu_vma *vma);

/* In order; @pid 0: of this process. Whether one was what @fn wanted; false also without /proc. */
bool emu_maps_search(pid_t pid, emu_vma_fn fn, void *user);
/* The one that has the address. */
bool emu_maps_find(pid_t pid, uint64_t address, struct emu_vma *vma);
/* Where this process has it, for as many bytes; 0: nowhere. */
uintptr_t emu_maps_locate(const struct emu_home *home, uint64_t length);
/* Both are of one file. */
bool emu_home_is_same(const struct emu_home *home, const struct emu_home *other);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Children of this process. The machine is its parent's; a child has a copy of it that knows which
 * descriptors are the machine's, and asks the parent for everything else.
 */
#ifndef EMU_CHILD_H
#define EMU_CHILD_H

#include <stdbool.h>

#include "calls.h"

/* Whether this process is a child, of a parent that serves its children. */
bool emu_is_child(const struct libiommu_emu *emu);

/* In a child. As those of calls.h. */
bool emu_child_open(struct libiommu_emu *emu, const char *path, int flags, int *result);
int emu_child_close(struct libiommu_emu *emu, int fd);
void emu_child_dup(struct libiommu_emu *emu, int fd, int copy);
bool emu_child_call(struct libiommu_emu *emu, const struct emu_request *request, ssize_t *result);
/* What a process has pinned and locked, in pages: 0 or -EIO. */
int emu_child_count(struct libiommu_emu *emu, pid_t pid, uint64_t *pinned, uint64_t *locked);

#endif

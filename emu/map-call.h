/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* mmap(2), of whatever the descriptor is. */
#ifndef EMU_MAP_CALL_H
#define EMU_MAP_CALL_H

#include <stddef.h>
#include <stdint.h>

struct libiommu_emu;

int emu_map_call(struct libiommu_emu *emu, void *address, size_t length, int prot, int flags,
                 int fd, uint64_t offset, void **result);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A call whose command cannot be written, so that its answer is lost. */
#ifndef LOST_CALL_H
#define LOST_CALL_H

#include <stddef.h>

struct libiommu_emu;

int lost_ioctl(struct libiommu_emu *emu, int fd, unsigned long request, const void *cmd,
               size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What VFIO calls devices and groups, and what is opened by those names. */
#ifndef EMU_VFIO_NAMES_H
#define EMU_VFIO_NAMES_H

#include <stdbool.h>

struct emu_dev;
struct libiommu_emu;

#define EMU_VFIO_NAME 24

/* Of its node. */
void emu_vfio_name(const struct emu_dev *dev, char name[EMU_VFIO_NAME]);
/* True: the path is below /dev/vfio, and *@result a new descriptor or -errno. */
bool emu_vfio_open(struct libiommu_emu *emu, const char *path, int *result);

#endif

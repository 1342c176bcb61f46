/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What VFIO calls devices and groups, and what is opened by those names. */
#ifndef EMU_VFIO_NAMES_H
#define EMU_VFIO_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "file.h"

struct emu_dev;
struct emu_group;
struct libiommu_emu;

#define EMU_VFIO_NAME 24

/* Of its node. */
void emu_vfio_name(const struct emu_dev *dev, char name[EMU_VFIO_NAME]);
/* Where they are opened. */
void emu_vfio_node(const struct emu_dev *dev, char path[EMU_FILE_NAME]);
void emu_vfio_group_path(const struct emu_group *group, char path[EMU_FILE_NAME]);
/* True: the path is below /dev/vfio, and *@result a new descriptor or -errno. */
bool emu_vfio_open(struct libiommu_emu *emu, const char *path, int *result);
/* True: the path is below /dev/vfio, or that; then its kind, or -ENOENT. */
bool emu_vfio_kind(struct libiommu_emu *emu, const char *path, mode_t *mode, int *error);
bool emu_vfio_list(struct libiommu_emu *emu, const char *path, char *buffer, size_t size,
                   ssize_t *result);

#endif

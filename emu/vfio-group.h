/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Groups as files: /dev/vfio/N, and the devices that are opened through them. */
#ifndef EMU_VFIO_GROUP_H
#define EMU_VFIO_GROUP_H

#include "vfio.h"

/* An open group; there is one file at most, which devices opened through it outlive. */
struct emu_vfio_group {
	struct emu_file file;
	struct emu_group *group; /* while the file is open */
	struct emu_ctx *ctx;     /* that is its container; NULL: none */
	unsigned int holders;    /* the file, and open devices */
};

/* Starts to use a device, as the first or as one more: 0 or -errno. */
int emu_vfio_group_start(struct emu_vfio_group *group, struct emu_dev *dev, struct emu_vfio **vfio);
void emu_vfio_group_get(struct emu_vfio_group *group);
void emu_vfio_group_put(struct emu_vfio_group *group);

#endif

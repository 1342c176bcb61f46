/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef EMU_VFIO_DMABUF_H
#define EMU_VFIO_DMABUF_H

#include "vfio.h"

/* A new descriptor for parts of a BAR, as the feature's data says, or -errno. */
int emu_vfio_export(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg);
/* They can be reached as far as the device decodes them; with @again they were not, meanwhile. */
void emu_vfio_dmabufs_show(struct emu_vfio *vfio, bool again);
/* The device is closed. */
void emu_vfio_dmabufs_end(struct emu_vfio *vfio);

#endif

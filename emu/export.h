/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* dma-bufs of nobody's memory, among others. */
#ifndef EMU_EXPORT_H
#define EMU_EXPORT_H

#include "dmabuf.h"

bool emu_is_export(const struct emu_dmabuf *dmabuf);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Drivers in the kernel, as the machine itself makes them: the rest is libiommu-emu/driver.h. */
#ifndef EMU_DRIVER_H
#define EMU_DRIVER_H

#include "ctx.h"

struct libiommu_emu_driver;

/* 0, or -errno as libiommu_emu_driver_new(). */
int emu_driver_new(struct emu_ctx *ctx, uint32_t ioas_id, bool pins,
                   struct libiommu_emu_driver **driver);

#endif

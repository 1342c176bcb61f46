/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A ready-made device behind an IOMMU, bound and attached by the library, and memory for it. */
#ifndef DMA_RIG_H
#define DMA_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libiommu-emu.h>
#include <libiommu.h>

/* Inside what the test driver's IOMMU translates. */
#define DMA_IOVA   UINT64_C(0x2000000)
#define DMA_LENGTH (UINT64_C(4) << 20)

struct dma_rig {
	struct libiommu_emu *emu;
	struct libiommu_emu_iommu *iommu;
	struct libiommu_emu_device_config *config;
	struct libiommu_emu_device *device;
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_device *dev;
	struct libiommu_bar_map *map;
	volatile uint32_t *regs;
	uint8_t *memory; /* mapped at DMA_IOVA */
};

/* Before the device is added; @flags as its description has them. */
void dma_begin(struct dma_rig *rig, uint32_t flags);
/* Once @device is there: everything up to the right to do DMA. */
void dma_open(struct dma_rig *rig);
void dma_end(struct dma_rig *rig);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "dma-rig.h"

#include <string.h>
#include <sys/mman.h>

void dma_begin(struct dma_rig *rig, uint32_t flags)
{
	memset(rig, 0, sizeof(*rig));
	assert_int_equal(libiommu_emu_new(&rig->emu), 0);
	assert_int_equal(libiommu_emu_iommu_add_test(rig->emu, &rig->iommu), 0);
	assert_int_equal(libiommu_emu_device_config_new(&rig->config), 0);
	assert_int_equal(libiommu_emu_device_config_set_iommu(rig->config, rig->iommu), 0);
	assert_int_equal(libiommu_emu_device_config_set_address(rig->config, "0000:01:00.0"), 0);
	assert_int_equal(libiommu_emu_device_config_set_flags(rig->config, flags), 0);
}

void dma_open(struct dma_rig *rig)
{
	const uint32_t both = LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE;
	struct libiommu_ctx_config *config;

	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, libiommu_emu_door(rig->emu)), 0);
	assert_int_equal(libiommu_ctx_new(config, &rig->ctx), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_device_open_pci(rig->ctx, "01:00.0", &rig->dev), 0);
	assert_int_equal(libiommu_device_bind(rig->dev, 7, NULL, 0), 0);
	assert_int_equal(libiommu_ioas_alloc(rig->ctx, &rig->ioas), 0);
	assert_int_equal(libiommu_device_attach_ioas(rig->dev, rig->ioas), 0);
	rig->memory =
		mmap(NULL, DMA_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(rig->memory != MAP_FAILED);
	assert_int_equal(
		libiommu_ioas_map_fixed(rig->ioas, rig->memory, DMA_LENGTH, both, DMA_IOVA), 0);
	assert_int_equal(libiommu_pci_set_bus_master(rig->dev, true), 0);
	if (libiommu_pci_bar_map(rig->dev, 0, 0, 0, LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE,
	                         &rig->map)) {
		print_message("skipped: no instructions of this processor are known\n");
		skip();
	}
	rig->regs = libiommu_bar_map_address(rig->map);
}

void dma_end(struct dma_rig *rig)
{
	assert_int_equal(libiommu_bar_map_destroy(rig->map), 0);
	assert_int_equal(libiommu_device_destroy(rig->dev), 0);
	assert_int_equal(libiommu_ioas_destroy(rig->ioas), 0);
	assert_int_equal(libiommu_ctx_destroy(rig->ctx), 0);
	if (rig->memory)
		munmap(rig->memory, DMA_LENGTH);
	libiommu_emu_device_config_free(rig->config);
	assert_int_equal(libiommu_emu_destroy(rig->emu), 0);
}

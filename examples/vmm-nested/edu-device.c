/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* QEMU's edu: it can read and write a page, and has neither PASIDs nor page requests. */
#include <stdio.h>

#include "../../tests/vm/edu.h"
#include "device.h"

static struct libiommu_bar_map *bar;

static bool complain(void)
{
	fprintf(stderr, "vmm-nested: the device does not finish\n");
	return false;
}

static volatile uint32_t *registers(void)
{
	return libiommu_bar_map_address(bar);
}

int device_open(struct libiommu_ctx *ctx, const char *name, struct libiommu_device **dev)
{
	return libiommu_device_open_pci(ctx, name, dev);
}

bool device_begin(struct vmm *vmm, uint64_t page)
{
	const uint32_t access = LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE;

	if (libiommu_pci_set_bus_master(vmm->dev, true) ||
	    libiommu_pci_bar_map(vmm->dev, 0, 0, 0, access, &bar))
		return vmm_complain();
	return edu_load(registers(), page, EDU_SIZE) || complain();
}

void device_end(void)
{
	libiommu_bar_map_destroy(bar);
	bar = NULL;
}

bool device_write(struct vmm *vmm, uint32_t ssid, uint64_t iova)
{
	(void)vmm;
	return !ssid && (edu_store(registers(), iova, EDU_SIZE) || complain());
}

bool device_offend(struct vmm *vmm, uint64_t iova)
{
	(void)vmm;
	return edu_store(registers(), iova, sizeof(uint32_t)) || complain();
}

bool device_ask(struct vmm *vmm, uint32_t ssid, uint32_t group, uint64_t iova)
{
	(void)vmm;
	(void)ssid;
	(void)group;
	(void)iova;
	return false;
}

void device_get_answers(uint64_t *yes, uint64_t *no)
{
	*yes = 0;
	*no = 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A program that is no part of the project, in C and in C++, on the emulated kernel: a device
 * writes into the page that is mapped for it.
 */
#include <libiommu-emu.h>
#include <libiommu.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, IOVA = 0x100000 };

static int failed(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-libiommu_failure_error()));
	return 1;
}

int main(void)
{
	struct libiommu_emu *emu = NULL;
	struct libiommu_emu_iommu *iommu = NULL;
	struct libiommu_emu_device_config *wanted = NULL;
	struct libiommu_emu_device *edu = NULL;
	struct libiommu_ctx_config *config = NULL;
	struct libiommu_ctx *ctx = NULL;
	struct libiommu_ioas *ioas = NULL;
	struct libiommu_device *dev = NULL;
	char *const page = (char *)aligned_alloc(PAGE, PAGE);

	if (!page || libiommu_emu_new(&emu) || libiommu_emu_iommu_add_vtd(emu, 0, 0, &iommu) ||
	    libiommu_emu_device_config_new(&wanted) ||
	    libiommu_emu_device_config_set_iommu(wanted, iommu) ||
	    libiommu_emu_edu_add(emu, wanted, &edu))
		return failed("cannot make a machine");
	libiommu_emu_device_config_free(wanted);
	if (libiommu_ctx_config_new(&config) ||
	    libiommu_ctx_config_set_sys(config, libiommu_emu_door(emu)) ||
	    libiommu_ctx_new(config, &ctx))
		return failed("cannot open it");
	libiommu_ctx_config_free(config);
	if (libiommu_device_open_pci(ctx, libiommu_emu_device_address(edu), &dev) ||
	    libiommu_device_bind(dev, 1, NULL, 0) || libiommu_ioas_alloc(ctx, &ioas) ||
	    libiommu_device_attach_ioas(dev, ioas) ||
	    libiommu_ioas_map_fixed(ioas, page, PAGE, LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE, IOVA))
		return failed("cannot map");
	memset(page, 0, PAGE);
	if (libiommu_emu_device_write(edu, 0, IOVA, "DMA", 4, NULL) || strcmp(page, "DMA") != 0)
		return failed("the device does not reach the page");
	libiommu_device_destroy(dev);
	libiommu_ioas_destroy(ioas);
	libiommu_ctx_destroy(ctx);
	if (libiommu_emu_destroy(emu))
		return failed("the machine does not end");
	free(page);
	printf("libiommu-emu %s\n", libiommu_version());
	return 0;
}

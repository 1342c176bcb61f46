/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef WORLD_EMULATED_H
#define WORLD_EMULATED_H

#include <libiommu-emu.h>

#include "world.h"

enum { WORLD_DRIVERS = 64 };

struct world {
	struct libiommu_emu *emu;
	struct libiommu_emu_iommu *iommu;
	int fd; /* of the context that was made last, whose owner is the library */
	unsigned int devices;
	struct libiommu_emu_driver *drivers[WORLD_DRIVERS];
};

#endif

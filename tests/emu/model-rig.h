/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A machine with one device, whose registers are bytes that keep what is written. */
#ifndef MODEL_RIG_H
#define MODEL_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libiommu-emu.h>

#include "../../emu/pci.h"
#include "../../lib/base/uapi/vfio.h"

#define MODEL_SIZE 16384
#define MODEL_NODE "/dev/vfio/devices/vfio0"

struct model {
	struct emu_pci pci;
	uint8_t registers[MODEL_SIZE];
	unsigned int reads, writes, resets;
	unsigned int widest; /* access so far */
};

struct model_rig {
	struct libiommu_emu *emu;
	struct libiommu_emu_device *device;
	struct model *model;
	int iommufd, fd; /* bound */
};

/* Makes the model before it is added; NULL: as it is. */
int model_setup(struct model_rig *rig, void (*furnish)(struct model *model));
void model_teardown(struct model_rig *rig);

/* Skips the test where registers that are mapped cannot be used. */
void model_need_traps(void);

int model_bind(struct model_rig *rig, int fd);
ssize_t model_pread(struct model_rig *rig, unsigned int region, uint64_t offset, void *to,
                    size_t size);
ssize_t model_pwrite(struct model_rig *rig, unsigned int region, uint64_t offset, const void *from,
                     size_t size);
uint32_t model_config(struct model_rig *rig, unsigned int at, size_t size);
void model_set_config(struct model_rig *rig, unsigned int at, size_t size, uint32_t value);
/* NULL where it cannot be mapped, with errno. */
void *model_map(struct model_rig *rig, unsigned int bar, int prot, uint64_t offset, size_t length);

#endif

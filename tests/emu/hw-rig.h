/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A machine with the test driver's IOMMU, a few devices behind it, and a context. */
#ifndef HW_RIG_H
#define HW_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <libiommu-emu.h>

#include "../../emu/dev.h"
#include "../../emu/device.h"
#include "../../emu/heap.h"
#include "../../emu/hwpt.h"
#include "../../emu/ioas.h"
#include "../../emu/test-iommu.h"
#include "../../lib/base/uapi/iommufd.h"

enum hw_dev {
	HW_PLAIN,    /* in a group of its own */
	HW_PASIDS,   /* 20 bits */
	HW_NO_DIRTY, /* its IOMMU cannot track for it */
	HW_ONE,      /* two of a group, */
	HW_TWO,      /* of which this one has PASIDs, and 16 KiB from 64 MiB on is reserved */
	HW_NOIOMMU,
	HW_DEVS
};

#define HW_IOVA     UINT64_C(0x2000000)
#define HW_RESERVED UINT64_C(0x4000000)

struct hw_rig {
	struct libiommu_emu *emu;
	struct emu_iommu *iommu;
	struct emu_dev *devs[HW_DEVS];
	struct emu_device *bound[HW_DEVS];
	int fd;
	struct emu_ctx *ctx;
	uint32_t ioas; /* id 1 */
	char *memory;  /* 16 pages */
};

struct hw_rig *hw_new(void);
/* Unbinds what is bound, and closes the context if it is open. */
void hw_free(struct hw_rig *rig);

int hw_ioctl(struct hw_rig *rig, unsigned long request, void *cmd);
/* The same with a command that cannot be written, so that the answer is lost. */
int hw_ioctl_lost(struct hw_rig *rig, unsigned long request, const void *cmd, size_t size);
int hw_destroy(struct hw_rig *rig, uint32_t id);
/* The number of a new one. */
uint32_t hw_ioas(struct hw_rig *rig);
struct emu_device *hw_bind(struct hw_rig *rig, enum hw_dev dev);
void hw_unbind(struct hw_rig *rig, enum hw_dev dev);
/* Its id, or -errno. */
int hw_table(struct hw_rig *rig, enum hw_dev dev, uint32_t pt_id, uint32_t flags);
int hw_table_with(struct hw_rig *rig, enum hw_dev dev, uint32_t pt_id, uint32_t flags,
                  uint32_t type, const void *data, uint32_t length);
/* A nested one; its cached values are 7. */
int hw_nested(struct hw_rig *rig, enum hw_dev dev, uint32_t pt_id, uint32_t flags);
/* 0 or -errno; of an IOAS the page table's number is forgotten. */
int hw_attach(struct hw_rig *rig, enum hw_dev dev, uint32_t pt_id);
int hw_attach_pasid(struct hw_rig *rig, enum hw_dev dev, uint32_t pasid, uint32_t pt_id);
/* What the device has there; 0: nothing. */
uint32_t hw_at(struct hw_rig *rig, enum hw_dev dev, uint32_t pasid);
/* Users of an object; -1: there is none. */
int hw_users(struct hw_rig *rig, uint32_t id);
/* All of the rig's memory at HW_IOVA: 0 or -errno. */
int hw_map(struct hw_rig *rig, uint32_t ioas, uint64_t iova);

#endif

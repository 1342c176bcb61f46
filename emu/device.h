/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Devices as a context has them, once they are bound; and what they are attached to. */
#ifndef EMU_DEVICE_H
#define EMU_DEVICE_H

#include "ctx.h"
#include "dev.h"

/* An object of type EMU_DEVICE. It holds the context. */
struct emu_device {
	struct emu_object object;
	struct emu_dev *dev;
	struct emu_vdevice *vdevice; /* the guest's name for it; may be NULL */
};

/* As VFIO's BIND, after its own checks: 0 or -errno. */
int emu_device_bind(struct emu_ctx *ctx, struct emu_dev *dev, struct emu_device **device);
/* Detaches what is left. */
void emu_device_unbind(struct emu_device *device);
/* *@pt_id is an IOAS or a page table; out: the page table. A second one replaces the first. */
int emu_device_attach(struct emu_device *device, uint32_t pasid, uint32_t *pt_id);
void emu_device_detach(struct emu_device *device, uint32_t pasid);

int emu_get_hw_info(struct emu_call *call);

#endif

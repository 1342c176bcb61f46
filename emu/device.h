/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Devices as a context has them, once they are bound; and what they are attached to. */
#ifndef EMU_DEVICE_H
#define EMU_DEVICE_H

#include "ctx.h"
#include "dev.h"

/* An object of type EMU_DEVICE, which always has a user. It holds the context, or is inner. */
struct emu_device {
	struct emu_object object;
	struct emu_dev *dev;
	struct emu_vdevice *vdevice; /* the guest's name for it; may be NULL */
	bool attached;               /* by VFIO, without a PASID */
	struct emu_sparse pasids;    /* by VFIO: not NULL where it has attached one */
};

/* As VFIO's BIND, after its own checks: 0 or -errno. */
int emu_device_bind(struct emu_ctx *ctx, struct emu_dev *dev, struct emu_device **device);
/* Detaches what VFIO has attached; what else is attached must be detached. */
void emu_device_unbind(struct emu_device *device);

/*
 * As VFIO's ATTACH: *@pt_id is an IOAS or a page table; out: the page table. A second one replaces
 * the first. @pasid NULL is without a PASID, which is not the same as the PASID 0 to VFIO.
 */
int emu_device_attach(struct emu_device *device, const uint32_t *pasid, uint32_t *pt_id);
void emu_device_detach(struct emu_device *device, const uint32_t *pasid);

/*
 * The same for a driver that keeps no account of what it has attached, PASID 0 being none: a second
 * page table is -EBUSY or -EINVAL, and there must be a first one to replace, -EINVAL.
 */
int emu_device_join(struct emu_device *device, uint32_t pasid, uint32_t *pt_id);
int emu_device_replace(struct emu_device *device, uint32_t pasid, uint32_t *pt_id);
/* Nothing where it has not joined. */
void emu_device_leave(struct emu_device *device, uint32_t pasid);

int emu_get_hw_info(struct emu_call *call);

#endif

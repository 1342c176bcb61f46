/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page tables as objects. */
#ifndef EMU_HWPT_H
#define EMU_HWPT_H

#include "ctx.h"
#include "iommu.h"

struct emu_fault_queue;
struct emu_ioas;
struct emu_device;

/* EMU_HWPT_PAGING or EMU_HWPT_NESTED. */
struct emu_hwpt {
	struct emu_object object;
	struct emu_domain *domain;
	struct emu_fault_queue *queue; /* may be NULL */
	struct emu_ioas *ioas;         /* of one that the kernel fills */
	struct emu_hwpt *parent;       /* of a nested one */
	struct emu_viommu *viommu;     /* of a nested one, may be NULL */
	struct emu_hwpt *next;         /* made by the kernel itself for an IOAS */
	bool automatic;
	bool nest_parent;
	bool pasid; /* PASIDs can have it, and RIDs whose device has PASIDs attached */
};

/* For devices attached to an IOAS, or for the ioctl: an object with no user. */
int emu_hwpt_new(struct emu_ctx *ctx, struct emu_ioas *ioas, struct emu_device *device,
                 uint32_t flags, bool immediate, const struct emu_user_data *data,
                 struct emu_hwpt **hwpt);
struct emu_hwpt *emu_hwpt_of(struct emu_object *object);

int emu_hwpt_alloc(struct emu_call *call);
int emu_hwpt_set_dirty_tracking(struct emu_call *call);
int emu_hwpt_get_dirty_bitmap(struct emu_call *call);
int emu_hwpt_invalidate(struct emu_call *call);

#endif

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
	bool automatic;                /* ends with its last user */
	bool filled;                   /* it has what the address space has */
	bool nest_parent;
	bool pasid; /* PASIDs can have it, and RIDs whose device has PASIDs attached */
};

/* For devices attached to an IOAS, or for the ioctl: an object with no user but the device. */
int emu_hwpt_new(struct emu_ioas *ioas, struct emu_device *device, uint32_t flags, bool immediate,
                 uint32_t pasid, const struct emu_user_data *data, struct emu_hwpt **hwpt);
struct emu_hwpt *emu_hwpt_of(struct emu_object *object);
/* Whose addresses it has; of a nested one, its parent's. */
struct emu_ioas *emu_hwpt_ioas(const struct emu_hwpt *hwpt);
/* A user less. */
void emu_hwpt_put(struct emu_hwpt *hwpt);

/* The device joins those of its group that have the page table: 0 or -errno. */
int emu_hwpt_attach(struct emu_hwpt *hwpt, struct emu_device *device, uint32_t pasid);
/* What it had, which has a user less when the caller has put it; NULL: nothing. */
struct emu_hwpt *emu_hwpt_detach(struct emu_device *device, uint32_t pasid);
/* For all of its group; *@old is what it had, to be put; NULL: the same. */
int emu_hwpt_replace(struct emu_hwpt *hwpt, struct emu_device *device, uint32_t pasid,
                     struct emu_hwpt **old);

int emu_hwpt_alloc(struct emu_call *call);
int emu_hwpt_set_dirty_tracking(struct emu_call *call);
int emu_hwpt_get_dirty_bitmap(struct emu_call *call);
int emu_hwpt_invalidate(struct emu_call *call);

#endif

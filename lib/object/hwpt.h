/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_HWPT_H
#define LIBIOMMU_OBJECT_HWPT_H

#include <pthread.h>

#include <libiommu/hwpt.h>

#include "ctx.h"

/* What a page table is made on: an address space, a parent to nest on, a vIOMMU. */
struct hwpt_base {
	struct libiommu_ctx *ctx;
	uint32_t id;
	void *on;
	void (*count)(void *on, int change); /* page tables on it: 1 more, or -1 */
};

struct hwpt_base li_hwpt_base_ioas(struct libiommu_ioas *ioas);
struct hwpt_base li_hwpt_base_parent(struct libiommu_hwpt *parent);

/* libiommu_hwpt_alloc() and its like; @dev is not NULL. */
int li_hwpt_alloc(struct libiommu_device *dev, const char *operation, const struct hwpt_base *base,
                  const struct libiommu_hwpt_config *config, struct libiommu_hwpt **hwpt);

struct libiommu_ctx *li_hwpt_ctx(const struct libiommu_hwpt *hwpt);
uint32_t li_hwpt_id(const struct libiommu_hwpt *hwpt);
/* Whether destroying the handle destroys it. */
bool li_hwpt_is_own(const struct libiommu_hwpt *hwpt);
/* What it was made on, NULL where that is not known, and of which type its data is. */
const void *li_hwpt_origin(const struct libiommu_hwpt *hwpt, uint32_t *data_type);
/* That becomes known of one that was adopted. @base may be NULL. */
void li_hwpt_set_origin(struct libiommu_hwpt *hwpt, const struct hwpt_base *base,
                        uint32_t data_type);
/* Where page requests go; NULL for nowhere. */
struct libiommu_fault_queue *li_hwpt_fault_queue(const struct libiommu_hwpt *hwpt);
/* Where they go, for a slot (slot.h); NULL: what is attached is an address space. */
uint32_t li_hwpt_slot_queue(const struct libiommu_hwpt *hwpt);
/* Whether it is nested, as far as is known. */
bool li_hwpt_may_be_nested(const struct libiommu_hwpt *hwpt);
/* Whether its data is of this type, as far as is known: one that was adopted may be of any. */
bool li_hwpt_may_be(const struct libiommu_hwpt *hwpt, uint32_t data_type);
/* The PASID table of a device that it is attached to is the guest's, with the guest's numbers. */
bool li_hwpt_guest_owns_pasids(const struct libiommu_hwpt *hwpt);
/* The address space that it was made from; NULL for none, or where adopted. */
struct libiommu_ioas *li_hwpt_ioas(const struct libiommu_hwpt *hwpt);
/* The kernel's id of that; 0 for none. */
uint32_t li_hwpt_ioas_id(const struct libiommu_hwpt *hwpt);

/* Whether writes are tracked, which the kernel does not tell. Readers hold the lock shared. */
/* The first three are in images that are handed over; the last is a container's, made without. */
enum tracking { TRACKING_UNKNOWN, TRACKING_OFF, TRACKING_ON, TRACKING_NEVER };
struct hwpt_dirty {
	pthread_rwlock_t lock;
	enum tracking tracking;
};
struct hwpt_dirty *li_hwpt_dirty(struct libiommu_hwpt *hwpt);
/* It goes; what a container records for it would stay. */
void li_hwpt_stop_tracking(struct libiommu_hwpt *hwpt);

/* Something that must go before the page table: an attachment, a child. */
void li_hwpt_pin(struct libiommu_hwpt *hwpt);
void li_hwpt_unpin(struct libiommu_hwpt *hwpt);

#endif

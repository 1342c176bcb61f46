/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A device's PASIDs. What is attached at each is in the slots of the device's name (registry.h). */
#ifndef LIBIOMMU_OBJECT_PASID_H
#define LIBIOMMU_OBJECT_PASID_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <libiommu/pasid.h>

struct slot;

/* Part of the device. */
struct device_pasids {
	/* Set once. NULL: each PASID is its vPASID, and there is no need of a space. */
	_Atomic(struct libiommu_pasid_space *) space;
	bool is_used;   /* something has been attached: too late to join a space */
	uint32_t limit; /* PASIDs are below it; 0: not asked yet */
	uint32_t attached;
	uint32_t moved; /* of those, how many are not their vPASID */
};

void li_pasid_init(struct device_pasids *pasids);

/* Alone on the device. Returns false where it is in a space, its own or this. */
bool li_pasid_set_space(struct libiommu_device *dev, struct libiommu_pasid_space *space);
/* Whether all its PASIDs are their vPASIDs. */
bool li_pasid_is_identity(struct libiommu_device *dev);

struct taken_pasid {
	uint32_t vpasid;
	uint32_t pasid;
	struct libiommu_pasid_space *space; /* made for it, the device's once it is attached */
};

/*
 * A PASID for the vPASID, which has none; alone on the device, and the limit is known. Returns 0,
 * or what li_pasid_space_take() does, with nothing changed.
 */
int li_pasid_take(struct libiommu_device *dev, uint32_t vpasid, bool identity,
                  struct taken_pasid *taken);
/* What li_pasid_take() took is attached; or it is not, and nothing is left of it. */
void li_pasid_keep(struct libiommu_device *dev, const struct taken_pasid *taken);
void li_pasid_give_back(struct libiommu_device *dev, const struct taken_pasid *taken);
/* It is not in use any more. */
void li_pasid_put(struct libiommu_device *dev, uint32_t vpasid);
/* The next one after @pasid that has something attached; 0 if none has. Alone on the device. */
uint32_t li_pasid_next(struct libiommu_device *dev, uint32_t pasid);

/*
 * When the device is let go: forgets all that is attached, which closing the descriptor detaches;
 * with @ask, where it stays open, the kernel is asked for each.
 */
void li_pasid_detach_all(struct libiommu_device *dev, bool ask);

/*
 * The slot where the device has the vPASID attached, and its PASID; NULL where there is none. Waits
 * for nobody.
 */
struct slot *li_pasid_slot(const struct libiommu_device *dev, uint32_t vpasid, uint32_t *pasid);

#endif

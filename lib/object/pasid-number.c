/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Which PASID a device's vPASID gets. Each is its own, and nothing else is known of it than what is
 * attached there, until one comes that cannot be: then the device needs a space.
 */
#include "pasid.h"

#include <errno.h>

#include "device.h"
#include "pasid-space.h"
#include "registry.h"

void li_pasid_init(struct device_pasids *pasids)
{
	*pasids = (struct device_pasids){.limit = 0};
}

bool li_pasid_set_space(struct libiommu_device *dev, struct libiommu_pasid_space *space)
{
	struct device_pasids *const pasids = li_device_pasids(dev);

	if (pasids->is_used || atomic_load_explicit(&pasids->space, memory_order_relaxed))
		return false;
	atomic_store_explicit(&pasids->space, space, memory_order_release);
	return true;
}

bool li_pasid_is_identity(struct libiommu_device *dev)
{
	return !li_device_pasids(dev)->moved;
}

uint32_t li_pasid_next(struct libiommu_device *dev, uint32_t pasid)
{
	const struct device_pasids *const pasids = li_device_pasids(dev);
	const struct name *const name = li_device_name(dev);
	uint32_t vpasid;

	while (pasids->attached && ++pasid < pasids->limit) {
		const struct slot *const slot = table_find(&name->pasids, pasid);

		if (!slot)
			pasid |= TABLE_LEAF - 1; /* on to the next leaf */
		else if (slot_vpasid(slot, &vpasid))
			return pasid;
	}
	return 0;
}

/* With the PASIDs that the device has already. */
static struct libiommu_pasid_space *make_space(struct libiommu_device *dev)
{
	const struct device_pasids *const pasids = li_device_pasids(dev);
	struct libiommu_pasid_space *const space = li_pasid_space_private(li_device_ctx(dev));
	uint32_t taken;

	for (uint32_t pasid = 0; space && (pasid = li_pasid_next(dev, pasid));) {
		if (li_pasid_space_take(space, pasid, pasids->limit, true, &taken)) {
			li_pasid_space_leave(space);
			return NULL;
		}
	}
	return space;
}

int li_pasid_take(struct libiommu_device *dev, uint32_t vpasid, bool identity,
                  struct taken_pasid *taken)
{
	const struct device_pasids *const pasids = li_device_pasids(dev);
	struct libiommu_pasid_space *space =
		atomic_load_explicit(&pasids->space, memory_order_relaxed);
	int error;

	*taken = (struct taken_pasid){.vpasid = vpasid, .pasid = vpasid};
	if (!space && vpasid < pasids->limit)
		return 0;
	if (!space && identity)
		return -ERANGE;
	if (!space) {
		space = taken->space = make_space(dev);
		if (!space)
			return -ENOMEM;
	}
	error = li_pasid_space_take(space, vpasid, pasids->limit, identity, &taken->pasid);
	if (error)
		li_pasid_space_leave(taken->space);
	return error;
}

void li_pasid_keep(struct libiommu_device *dev, const struct taken_pasid *taken)
{
	if (taken->space)
		atomic_store_explicit(&li_device_pasids(dev)->space, taken->space,
		                      memory_order_release);
}

void li_pasid_give_back(struct libiommu_device *dev, const struct taken_pasid *taken)
{
	if (taken->space)
		li_pasid_space_leave(taken->space);
	else
		li_pasid_put(dev, taken->vpasid);
}

void li_pasid_put(struct libiommu_device *dev, uint32_t vpasid)
{
	struct libiommu_pasid_space *const space =
		atomic_load_explicit(&li_device_pasids(dev)->space, memory_order_relaxed);

	if (space)
		li_pasid_space_put(space, vpasid);
}

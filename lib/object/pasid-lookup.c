/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>

#include "device.h"
#include "pasid-space.h"
#include "pasid.h"
#include "registry.h"

static int nothing(const struct libiommu_device *dev, const char *operation, uint32_t number,
                   const char *unit)
{
	return FAIL_LIBRARY(li_device_ctx(dev), operation, -ENOENT, "nothing is attached there",
	                    .id = li_device_id(dev), .amount = number, .unit = unit);
}

struct slot *li_pasid_slot(const struct libiommu_device *dev, uint32_t vpasid, uint32_t *pasid)
{
	const struct libiommu_pasid_space *const space = li_device_pasid_space(dev);
	const struct name *const name = li_device_name(dev);
	const uint32_t found = space ? li_pasid_space_find(space, vpasid) : vpasid;
	struct slot *const slot = name && found ? table_find(&name->pasids, found) : NULL;
	uint32_t there;

	/* In a shared space the vPASID may be another device's. */
	if (!slot || !slot_vpasid(slot, &there) || there != vpasid || !li_device_has_name(dev))
		return NULL;
	*pasid = found;
	return slot;
}

int libiommu_pasid_find(const struct libiommu_device *dev, uint32_t vpasid, uint32_t *pasid)
{
	if (!dev || !pasid)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	return li_pasid_slot(dev, vpasid, pasid) ? 0
	                                         : nothing(dev, __func__, vpasid, "is the vPASID");
}

int libiommu_pasid_find_vpasid(const struct libiommu_device *dev, uint32_t pasid, uint32_t *vpasid)
{
	const struct name *name;
	const struct slot *slot;
	uint32_t found;

	if (!dev || !vpasid)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	name = li_device_name(dev);
	slot = name ? table_find(&name->pasids, pasid) : NULL;
	if (!slot || !slot_vpasid(slot, &found) || !li_device_has_name(dev))
		return nothing(dev, __func__, pasid, "is the PASID");
	*vpasid = found;
	return 0;
}

int libiommu_pasid_find_hwpt(const struct libiommu_device *dev, uint32_t pasid,
                             struct libiommu_hwpt **hwpt, uint64_t *tag)
{
	const struct name *name;
	const struct slot *slot;
	struct slot_value value;

	if (!dev || !hwpt || !tag)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	name = li_device_name(dev);
	slot = name ? table_find(&name->pasids, pasid) : NULL;
	if (!slot || !slot_read(slot, &value) || !li_device_has_name(dev))
		return nothing(dev, __func__, pasid, "is the PASID");
	*hwpt = value.hwpt;
	*tag = value.tag;
	return 0;
}

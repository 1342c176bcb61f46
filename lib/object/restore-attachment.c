/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>

#include "device.h"
#include "fault-queue.h"
#include "hwpt.h"
#include "pasid-space.h"
#include "registry.h"
#include "restore.h"

int li_restore_attachment(struct libiommu_device *dev, const struct attachment *attachment,
                          const struct attachment_facts *facts)
{
	struct libiommu_fault_queue *const queue = li_hwpt_fault_queue(attachment->hwpt);
	struct name *const name = li_device_name(dev);
	int error;

	error = li_fault_queue_change_begin(NULL, queue);
	if (error)
		return error;
	li_slot_continue(&name->own, facts->generation);
	li_device_set_attachment(dev, attachment);
	name->told = facts->told;
	name->ended = facts->ended;
	li_fault_queue_change_end(NULL, queue, true);
	return 0;
}

static int fill(struct slot *slot, const struct pasid_facts *facts)
{
	struct libiommu_fault_queue *const queue = li_hwpt_fault_queue(facts->hwpt);
	const struct slot_value value = {
		.hwpt = facts->hwpt,
		.queue = li_hwpt_slot_queue(facts->hwpt),
		.tag = facts->tag,
		.vpasid = facts->vpasid,
	};
	int error;

	error = li_fault_queue_change_begin(NULL, queue);
	if (error)
		return error;
	li_hwpt_pin(facts->hwpt);
	li_slot_continue(slot, facts->generation);
	li_slot_set(slot, &value);
	li_fault_queue_change_end(NULL, queue, true);
	return 0;
}

int li_restore_pasid(struct libiommu_device *dev, const struct pasid_facts *facts)
{
	struct device_pasids *const pasids = li_device_pasids(dev);
	struct libiommu_pasid_space *const space = atomic_load(&pasids->space);
	struct slot *slot;
	uint32_t vpasid;
	int error;

	if (!facts->pasid || facts->pasid >= pasids->limit || !facts->vpasid ||
	    facts->vpasid >= TABLE_KEYS)
		return -EINVAL;
	slot = li_table_make(&li_device_name(dev)->pasids, facts->pasid);
	if (!slot)
		return -ENOMEM;
	if (slot_vpasid(slot, &vpasid))
		return -EINVAL;
	if (space)
		error = li_pasid_space_take_exactly(space, facts->vpasid, facts->pasid);
	else
		error = facts->pasid == facts->vpasid ? 0 : -EINVAL;
	if (error)
		return error == -ENOMEM ? error : -EINVAL;
	error = fill(slot, facts);
	if (error) {
		li_pasid_put(dev, facts->vpasid);
		return error;
	}
	pasids->attached++;
	pasids->moved += facts->pasid != facts->vpasid;
	return 0;
}

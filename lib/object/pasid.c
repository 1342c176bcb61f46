/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "pasid.h"

#include <errno.h>

#include "../base/uapi/iommufd.h"
#include "../base/uapi/vfio.h"
#include "device.h"
#include "fault-queue.h"
#include "hwpt.h"
#include "registry.h"

/* What came of a call, recorded when no lock is held: the kernel's doing if @call says what. */
struct outcome {
	int error;
	enum failure_call call;
};

static const char *words_for(int error)
{
	switch (error) {
	case -ENOMEM:
		return "no memory";
	case -ENOBUFS:
		return FAULT_CHANGE_UNTOLD;
	case -EEXIST:
		return "something is attached at this vPASID: replace instead";
	case -EOPNOTSUPP:
		return "the device, its IOMMU or the kernel has no PASIDs";
	case -ERANGE:
		return "the PASID that it has to be is one that the device cannot carry";
	case -EADDRINUSE:
		return "the PASID has to be the same as the vPASID, and one of them is in use with "
		       "another";
	case -ENOSPC:
		return "no PASID that the device can carry is free";
	}
	return "nothing is attached at this vPASID";
}

static int tell(const struct libiommu_device *dev, const char *operation, uint32_t vpasid,
                uint32_t hwpt_id, struct outcome outcome)
{
	struct libiommu_ctx *const ctx = li_device_ctx(dev);

	if (!outcome.error)
		return 0;
	if (outcome.call == CALL_NONE)
		return FAIL_LIBRARY(ctx, operation, outcome.error, words_for(outcome.error),
		                    .id = li_device_id(dev), .other = hwpt_id, .amount = vpasid,
		                    .unit = "is the vPASID");
	return FAIL_KERNEL(ctx, operation, outcome.error, outcome.call, .id = li_device_id(dev),
	                   .other = hwpt_id, .amount = vpasid, .unit = "is the vPASID");
}

/* The kernel attaches to a PASID that the device does not have, says 0, and does nothing. */
static struct outcome find_limit(struct libiommu_device *dev)
{
	struct device_pasids *const pasids = li_device_pasids(dev);
	struct uapi_hw_info cmd = {.size = sizeof(cmd), .dev_id = li_device_id(dev)};
	int error;

	if (pasids->limit)
		return (struct outcome){0};
	error = backend_ioctl(li_ctx_backend(li_device_ctx(dev)), UAPI_IOC_GET_HW_INFO, &cmd);
	if (error)
		return (struct outcome){error, CALL_HW_INFO};
	if (!cmd.out_max_pasid_log2)
		return (struct outcome){-EOPNOTSUPP, CALL_NONE};
	pasids->limit =
		cmd.out_max_pasid_log2 < 20 ? UINT32_C(1) << cmd.out_max_pasid_log2 : TABLE_KEYS;
	return (struct outcome){0};
}

static struct outcome kernel_attach(struct libiommu_device *dev, uint32_t pasid,
                                    const struct libiommu_hwpt *hwpt)
{
	struct uapi_vfio_device_attach_iommufd_pt cmd = {
		.argsz = sizeof(cmd),
		.flags = UAPI_VFIO_DEVICE_ATTACH_PASID,
		.pt_id = li_hwpt_id(hwpt),
		.pasid = pasid,
	};

	return (struct outcome){
		li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd),
		CALL_PASID_ATTACH,
	};
}

static int kernel_detach(struct libiommu_device *dev, uint32_t pasid)
{
	struct uapi_vfio_device_detach_iommufd_pt cmd = {
		.argsz = sizeof(cmd),
		.flags = UAPI_VFIO_DEVICE_DETACH_PASID,
		.pasid = pasid,
	};

	return li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
}

/*
 * Whether faults of a PASID without an attachment come to the queue, through the device's own page
 * table: then those that wait there would be taken for the faults of what is about to be attached.
 * From another queue they are told apart when they are read.
 */
static bool shares_queue(const struct libiommu_device *dev,
                         const struct libiommu_fault_queue *queue)
{
	const struct libiommu_hwpt *const own = li_device_attachment(dev)->hwpt;

	return queue && li_hwpt_fault_queue(own) == queue && li_hwpt_may_be_nested(own);
}

/*
 * Attaches or replaces as one step for those who read and answer faults. The kernel does nothing
 * where the page table is the same: its groups stay outstanding, and are not purged.
 */
static struct outcome change(struct libiommu_device *dev, struct slot *slot, uint32_t pasid,
                             uint32_t vpasid, struct libiommu_hwpt *hwpt, uint64_t tag)
{
	struct libiommu_fault_queue *const to = li_hwpt_fault_queue(hwpt);
	const struct fault_notice notice = li_fault_notice(li_device_name(dev), slot);
	const struct slot_value value = {
		.vpasid = vpasid,
		.hwpt = hwpt,
		.queue = li_hwpt_slot_queue(hwpt),
		.tag = tag,
	};
	struct slot_value old = {0};
	const bool replaces = slot_read(slot, &old);
	struct libiommu_fault_queue *const from = replaces ? li_hwpt_fault_queue(old.hwpt) : NULL;
	struct outcome outcome = {0};

	if (replaces && old.hwpt == hwpt) {
		li_fault_queue_lock(to, NULL);
		li_slot_set(slot, &value);
		li_fault_queue_unlock(to, NULL);
		return outcome;
	}
	outcome.error = li_fault_queue_change_begin(from, to);
	if (!outcome.error && !replaces && shares_queue(dev, to))
		outcome.error = li_fault_queue_change_settle(to);
	outcome.call = fault_change_call(outcome.error);
	if (outcome.error)
		return outcome;
	outcome = kernel_attach(dev, pasid, hwpt);
	if (!outcome.error) {
		li_fault_queue_purge(from, slot, &notice);
		li_hwpt_pin(hwpt);
		li_slot_set(slot, &value);
	}
	li_fault_queue_change_end(from, to, !outcome.error);
	if (!outcome.error && replaces)
		li_hwpt_unpin(old.hwpt);
	return outcome;
}

/* Finds or makes one for the PASID; NULL without memory. */
static struct slot *slot_for(struct name *name, uint32_t pasid)
{
	struct slot *const slot = li_table_make(&name->pasids, pasid);

	if (slot && !slot_generation(slot))
		li_slot_continue(slot, name->ended + 1);
	return slot;
}

/* Alone on the device. */
static struct outcome attach(struct libiommu_device *dev, uint32_t vpasid,
                             struct libiommu_hwpt *hwpt, uint64_t tag, uint32_t *pasid)
{
	const struct libiommu_hwpt *const own = li_device_attachment(dev)->hwpt;
	struct device_pasids *const pasids = li_device_pasids(dev);
	struct outcome outcome;
	struct taken_pasid taken;
	struct slot *slot;
	uint32_t chosen;

	if (li_pasid_slot(dev, vpasid, &chosen))
		return (struct outcome){-EEXIST, CALL_NONE};
	outcome = find_limit(dev);
	if (outcome.error)
		return outcome;
	outcome.error = li_pasid_take(dev, vpasid, own && li_hwpt_guest_owns_pasids(own), &taken);
	if (outcome.error)
		return outcome;
	chosen = taken.pasid;
	slot = slot_for(li_device_name(dev), chosen);
	if (slot)
		outcome = change(dev, slot, chosen, vpasid, hwpt, tag);
	else
		outcome.error = -ENOMEM;
	if (outcome.error) {
		li_pasid_give_back(dev, &taken);
		return outcome;
	}
	li_pasid_keep(dev, &taken);
	pasids->is_used = true;
	pasids->attached++;
	pasids->moved += chosen != vpasid;
	*pasid = chosen;
	return outcome;
}

int libiommu_pasid_attach(struct libiommu_device *dev, uint32_t vpasid, struct libiommu_hwpt *hwpt,
                          uint64_t tag, uint32_t *pasid)
{
	struct outcome outcome;
	int error;

	if (!dev || !hwpt || !pasid)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	if (li_hwpt_ctx(hwpt) != li_device_ctx(dev))
		return FAIL_LIBRARY(li_device_ctx(dev), __func__, -EINVAL,
		                    "the device and the page table are of different contexts",
		                    .id = li_device_id(dev), .other = li_hwpt_id(hwpt));
	if (!vpasid || vpasid >= TABLE_KEYS)
		return FAIL_LIBRARY(li_device_ctx(dev), __func__, -EINVAL,
		                    "a vPASID is 1 to 2^20 - 1", .id = li_device_id(dev),
		                    .amount = vpasid, .unit = "is the vPASID");
	error = li_device_enter_alone(dev, __func__, DEVICE_NODE);
	if (error)
		return error;
	outcome = attach(dev, vpasid, hwpt, tag, pasid);
	li_device_leave(dev);
	return tell(dev, __func__, vpasid, li_hwpt_id(hwpt), outcome);
}

static struct outcome replace(struct libiommu_device *dev, uint32_t vpasid,
                              struct libiommu_hwpt *hwpt, uint64_t tag)
{
	struct slot *slot;
	uint32_t pasid;

	slot = li_pasid_slot(dev, vpasid, &pasid);
	if (!slot)
		return (struct outcome){-ENOENT, CALL_NONE};
	return change(dev, slot, pasid, vpasid, hwpt, tag);
}

int libiommu_pasid_replace(struct libiommu_device *dev, uint32_t vpasid, struct libiommu_hwpt *hwpt,
                           uint64_t tag)
{
	struct outcome outcome;
	int error;

	if (!dev || !hwpt)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	if (li_hwpt_ctx(hwpt) != li_device_ctx(dev))
		return FAIL_LIBRARY(li_device_ctx(dev), __func__, -EINVAL,
		                    "the device and the page table are of different contexts",
		                    .id = li_device_id(dev), .other = li_hwpt_id(hwpt));
	error = li_device_enter_alone(dev, __func__, DEVICE_NODE);
	if (error)
		return error;
	outcome = replace(dev, vpasid, hwpt, tag);
	li_device_leave(dev);
	return tell(dev, __func__, vpasid, li_hwpt_id(hwpt), outcome);
}

static void clear(struct name *name, struct slot *slot)
{
	li_slot_clear(slot);
	if (name->ended < slot_generation(slot))
		name->ended = slot_generation(slot);
}

/*
 * Detaches as one step for those who read and answer faults. The kernel is not asked where the
 * device is @leaving, its descriptor is closed anyway (not @ask) and nobody reads any faults; and
 * then what it says does not matter.
 */
static struct outcome end(struct libiommu_device *dev, struct slot *slot, uint32_t pasid, bool ask,
                          bool leaving)
{
	struct device_pasids *const pasids = li_device_pasids(dev);
	const struct fault_notice notice = li_fault_notice(li_device_name(dev), slot);
	struct libiommu_fault_queue *queue;
	struct slot_value old;
	int error = 0;

	if (!slot_read(slot, &old))
		return (struct outcome){0};
	queue = li_hwpt_fault_queue(old.hwpt);
	if (leaving)
		li_fault_queue_leave_begin(queue);
	else
		error = li_fault_queue_change_begin(queue, NULL);
	if (error)
		return (struct outcome){error, fault_change_call(error)};
	if (ask || queue)
		error = kernel_detach(dev, pasid);
	if (!error || leaving) {
		clear(li_device_name(dev), slot);
		li_fault_queue_purge(queue, slot, &notice);
	}
	li_fault_queue_change_end(queue, NULL, !error || leaving);
	if (error && !leaving)
		return (struct outcome){error, CALL_PASID_DETACH};
	li_hwpt_unpin(old.hwpt);
	li_pasid_put(dev, old.vpasid);
	pasids->attached--;
	pasids->moved -= pasid != old.vpasid;
	return (struct outcome){0};
}

int libiommu_pasid_detach(struct libiommu_device *dev, uint32_t vpasid)
{
	struct outcome outcome = {-ENOENT, CALL_NONE};
	struct slot *slot;
	uint32_t pasid;
	int error;

	error = li_device_enter_alone(dev, __func__, DEVICE_NODE);
	if (error)
		return error;
	slot = li_pasid_slot(dev, vpasid, &pasid);
	if (slot)
		outcome = end(dev, slot, pasid, true, false);
	li_device_leave(dev);
	return tell(dev, __func__, vpasid, 0, outcome);
}

void li_pasid_detach_all(struct libiommu_device *dev, bool ask)
{
	struct name *const name = li_device_name(dev);
	uint32_t pasid = 0;

	while ((pasid = li_pasid_next(dev, pasid)))
		end(dev, table_find(&name->pasids, pasid), pasid, ask, true);
}

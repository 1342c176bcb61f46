/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "device.h"

#include <errno.h>
#include <limits.h>

#include "fault.h"
#include "heap.h"
#include "hwpt.h"
#include "ioas.h"
#include "viommu.h"

static void device_destroy(struct emu_object *object)
{
	emu_release(object);
}

static const struct emu_object_ops device_ops = {
	.type = EMU_DEVICE,
	.destroy = device_destroy,
};

/* One context has all of a group that somebody has. */
static int claim(struct emu_ctx *ctx, struct emu_group *group)
{
	if (!group->iommu)
		return 0;
	if (group->iommu->unsafe_interrupts || (group->owner && group->owner != ctx))
		return -EPERM;
	for (const struct emu_dev *dev = group->first; dev; dev = dev->sibling)
		if (dev->host)
			return -EPERM;
	group->owner = ctx;
	group->owned++;
	return 0;
}

int emu_device_bind(struct emu_ctx *ctx, struct emu_dev *dev, struct emu_device **device)
{
	struct emu_device *const made = emu_alloc(sizeof(*made));
	int error;

	if (!made || emu_object_add(ctx, &made->object, &device_ops)) {
		emu_release(made);
		return -ENOMEM;
	}
	made->dev = dev;
	error = claim(ctx, dev->group);
	if (error) {
		emu_object_drop(&made->object);
		emu_release(made);
		return error;
	}
	emu_object_use(&made->object);
	if (!dev->inner)
		emu_ctx_hold(ctx);
	*device = made;
	return 0;
}

/* Others of its group may still have what it has brought, which is called by its name. */
static void rename_attached(struct emu_device *device)
{
	struct emu_attached *attached;
	uint32_t pasid = 0;

	while ((attached = emu_sparse_next(&device->dev->group->attached, &pasid))) {
		if (attached->device == device && attached->count) {
			attached->device = attached->members[0];
			if (attached->hwpt->queue)
				emu_fault_flush(attached->hwpt->queue, device, pasid);
		}
		if (!++pasid)
			return;
	}
}

void emu_device_unbind(struct emu_device *device)
{
	struct emu_group *const group = device->dev->group;
	struct emu_ctx *const ctx = device->object.ctx;
	const bool holds = !device->dev->inner;
	uint32_t pasid = 0;

	while (emu_sparse_next(&device->pasids, &pasid))
		emu_device_detach(device, &pasid);
	emu_device_detach(device, NULL);
	rename_attached(device);
	emu_vdevice_bury(device);
	if (group->iommu && !--group->owned)
		group->owner = NULL;
	emu_object_unuse(&device->object);
	emu_object_remove(&device->object, false);
	if (holds)
		emu_ctx_let_go(ctx);
}

/* What becomes of a device, and what it had, if that is to be put. */
typedef int (*change_fn)(struct emu_hwpt *hwpt, struct emu_device *device, uint32_t pasid,
                         struct emu_hwpt **old);

static int join(struct emu_hwpt *hwpt, struct emu_device *device, uint32_t pasid,
                struct emu_hwpt **old)
{
	*old = NULL;
	return emu_hwpt_attach(hwpt, device, pasid);
}

/* A page table that was made so for another device, or a new one. */
static int change_to_ioas(struct emu_device *device, uint32_t pasid, struct emu_ioas *ioas,
                          change_fn change, struct emu_hwpt **hwpt, struct emu_hwpt **old)
{
	const bool attaches = change == join;
	int error;

	for (*hwpt = *emu_ioas_hwpts(ioas); *hwpt; *hwpt = (*hwpt)->next) {
		if (!(*hwpt)->automatic)
			continue;
		error = change(*hwpt, device, pasid, old);
		if (error != -EINVAL)
			return error;
	}
	error = emu_hwpt_new(ioas, device, 0, attaches, pasid, NULL, hwpt);
	if (error)
		return error;
	error = attaches ? 0 : change(*hwpt, device, pasid, old);
	if (error)
		emu_object_remove(&(*hwpt)->object, false);
	else
		(*hwpt)->automatic = true;
	return error;
}

static int change_to(struct emu_device *device, uint32_t pasid, uint32_t *pt_id, change_fn change)
{
	struct emu_object *const object = emu_object_find(device->object.ctx, *pt_id, EMU_ANY);
	struct emu_hwpt *hwpt, *old = NULL;
	int error;

	if (!object)
		return -ENOENT;
	switch (object->ops->type) {
	case EMU_HWPT_PAGING:
	case EMU_HWPT_NESTED:
		hwpt = emu_hwpt_of(object);
		error = change(hwpt, device, pasid, &old);
		break;
	case EMU_IOAS:
		error = change_to_ioas(device, pasid, emu_ioas_of(object), change, &hwpt, &old);
		break;
	default:
		return -EINVAL;
	}
	if (error)
		return error;
	*pt_id = hwpt->object.id;
	if (old)
		emu_hwpt_put(old);
	return 0;
}

int emu_device_join(struct emu_device *device, uint32_t pasid, uint32_t *pt_id)
{
	const int error = change_to(device, pasid, pt_id, join);

	if (!error)
		emu_object_use(&device->object);
	return error;
}

int emu_device_replace(struct emu_device *device, uint32_t pasid, uint32_t *pt_id)
{
	return change_to(device, pasid, pt_id, emu_hwpt_replace);
}

void emu_device_leave(struct emu_device *device, uint32_t pasid)
{
	struct emu_hwpt *const hwpt = emu_hwpt_detach(device, pasid);

	if (!hwpt)
		return;
	emu_hwpt_put(hwpt);
	emu_object_unuse(&device->object);
}

/* Numbers that VFIO can keep are those of an int. */
static int attach_pasid(struct emu_device *device, uint32_t pasid, uint32_t *pt_id)
{
	int error;

	if (pasid > INT_MAX)
		return -ENOSPC;
	if (emu_sparse_get(&device->pasids, pasid))
		return emu_device_replace(device, pasid, pt_id);
	if (emu_sparse_set(&device->pasids, pasid, device))
		return -ENOMEM;
	error = emu_device_join(device, pasid, pt_id);
	if (error)
		emu_sparse_set(&device->pasids, pasid, NULL);
	return error;
}

int emu_device_attach(struct emu_device *device, const uint32_t *pasid, uint32_t *pt_id)
{
	int error;

	if (pasid)
		return attach_pasid(device, *pasid, pt_id);
	error = device->attached ? emu_device_replace(device, 0, pt_id)
	                         : emu_device_join(device, 0, pt_id);
	if (!error)
		device->attached = true;
	return error;
}

void emu_device_detach(struct emu_device *device, const uint32_t *pasid)
{
	if (pasid ? !emu_sparse_get(&device->pasids, *pasid) : !device->attached)
		return;
	emu_device_leave(device, pasid ? *pasid : 0);
	if (pasid)
		emu_sparse_set(&device->pasids, *pasid, NULL);
	else
		device->attached = false;
}

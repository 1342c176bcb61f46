/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "hwpt.h"

#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "device.h"
#include "fault.h"
#include "heap.h"
#include "ioas.h"
#include "noiommu.h"
#include "viommu.h"

struct emu_hwpt *emu_hwpt_of(struct emu_object *object)
{
	return (struct emu_hwpt *)object;
}

struct emu_ioas *emu_hwpt_ioas(const struct emu_hwpt *hwpt)
{
	return hwpt->parent ? hwpt->parent->ioas : hwpt->ioas;
}

void emu_hwpt_put(struct emu_hwpt *hwpt)
{
	emu_object_unuse(&hwpt->object);
	if (hwpt->automatic)
		emu_object_remove(&hwpt->object, false);
}

static struct emu_iommu *iommu_of(const struct emu_device *device)
{
	struct emu_iommu *const iommu = device->dev->group->iommu;

	return iommu ? iommu : emu_noiommu();
}

static void end(struct emu_hwpt *hwpt)
{
	if (hwpt->domain)
		hwpt->domain->ops->free(hwpt->domain);
	if (hwpt->queue)
		emu_object_unuse(emu_fault_queue_object(hwpt->queue));
	emu_release(hwpt);
}

static void paging_destroy(struct emu_object *object)
{
	struct emu_hwpt *const hwpt = emu_hwpt_of(object);
	struct emu_ioas *const ioas = hwpt->ioas;

	if (hwpt->filled) {
		struct emu_hwpt **link = emu_ioas_hwpts(ioas);

		while (*link != hwpt)
			link = &(*link)->next;
		*link = hwpt->next;
		emu_ioas_remove_domain(ioas, hwpt->domain);
	}
	end(hwpt);
	emu_object_unuse(emu_ioas_object(ioas));
}

static void nested_destroy(struct emu_object *object)
{
	struct emu_hwpt *const hwpt = emu_hwpt_of(object);
	struct emu_object *const below =
		hwpt->viommu ? &hwpt->viommu->object : &hwpt->parent->object;

	end(hwpt);
	emu_object_unuse(below);
}

static const struct emu_object_ops paging_ops = {
	.type = EMU_HWPT_PAGING,
	.destroy = paging_destroy,
};

static const struct emu_object_ops nested_ops = {
	.type = EMU_HWPT_NESTED,
	.destroy = nested_destroy,
};

static int check_flags(const struct emu_device *device, uint32_t flags)
{
	const uint32_t known = UAPI_HWPT_ALLOC_NEST_PARENT | UAPI_HWPT_ALLOC_DIRTY_TRACKING |
	                       UAPI_HWPT_FAULT_ID_VALID | UAPI_HWPT_ALLOC_PASID;
	const uint32_t excluded = UAPI_HWPT_FAULT_ID_VALID | UAPI_HWPT_ALLOC_NEST_PARENT;

	if (flags & ~known || (flags & excluded) == excluded)
		return -EOPNOTSUPP;
	if (flags & UAPI_HWPT_ALLOC_DIRTY_TRACKING &&
	    (!iommu_of(device)->dirty || device->dev->no_dirty))
		return -EOPNOTSUPP;
	return 0;
}

/* A user less, and what the device had is as it was. */
static void undo_attach(struct emu_hwpt *hwpt, struct emu_device *device, uint32_t pasid)
{
	emu_hwpt_detach(device, pasid);
	emu_object_unuse(&hwpt->object);
}

/* It has what the address space has, and the device if that is to have it at once. */
static int fill(struct emu_hwpt *hwpt, struct emu_device *device, bool immediate, uint32_t pasid)
{
	struct emu_hwpt **link = emu_ioas_hwpts(hwpt->ioas);
	int error = immediate ? emu_hwpt_attach(hwpt, device, pasid) : 0;

	if (error)
		return error;
	error = emu_ioas_add_domain(hwpt->ioas, hwpt->domain);
	if (error) {
		if (immediate)
			undo_attach(hwpt, device, pasid);
		return error;
	}
	while (*link)
		link = &(*link)->next;
	*link = hwpt;
	hwpt->filled = true;
	return 0;
}

int emu_hwpt_new(struct emu_ioas *ioas, struct emu_device *device, uint32_t flags, bool immediate,
                 uint32_t pasid, const struct emu_user_data *data, struct emu_hwpt **hwpt)
{
	struct emu_iommu *const iommu = iommu_of(device);
	struct emu_hwpt *made;
	int error = check_flags(device, flags);

	if (error)
		return error;
	made = emu_alloc(sizeof(*made));
	if (!made || emu_object_add(device->object.ctx, &made->object, &paging_ops)) {
		emu_release(made);
		return -ENOMEM;
	}
	made->pasid = flags & UAPI_HWPT_ALLOC_PASID;
	made->nest_parent = flags & UAPI_HWPT_ALLOC_NEST_PARENT;
	made->ioas = ioas;
	emu_object_use(emu_ioas_object(ioas));
	error = iommu->ops->paging(iommu, device->dev, flags & ~UAPI_HWPT_FAULT_ID_VALID, data,
	                           &made->domain);
	if (!error)
		error = fill(made, device, immediate, pasid);
	if (error) {
		emu_object_remove(&made->object, false);
		return error;
	}
	*hwpt = made;
	return 0;
}

/* Over a parent, or through a vIOMMU. */
static int new_nested(struct emu_device *device, struct emu_hwpt *parent, struct emu_viommu *viommu,
                      uint32_t flags, const struct emu_user_data *data, struct emu_hwpt **hwpt)
{
	const uint32_t left = flags & ~UAPI_HWPT_FAULT_ID_VALID;
	struct emu_iommu *const iommu = iommu_of(device);
	struct emu_hwpt *const made = emu_alloc(sizeof(*made));
	int error;

	if (!made || emu_object_add(device->object.ctx, &made->object, &nested_ops)) {
		emu_release(made);
		return -ENOMEM;
	}
	made->pasid = flags & UAPI_HWPT_ALLOC_PASID;
	made->parent = parent;
	made->viommu = viommu;
	emu_object_use(viommu ? &viommu->object : &parent->object);
	error = viommu ? viommu->ops->nested(viommu, left, data, &made->domain)
	               : iommu->ops->nested(iommu, parent->domain, left, data, &made->domain);
	if (error)
		emu_object_remove(&made->object, false);
	else
		*hwpt = made;
	return error;
}

static bool can_nest(bool supported, uint32_t flags, const struct emu_user_data *data)
{
	return supported && data->length &&
	       !(flags & ~(UAPI_HWPT_FAULT_ID_VALID | UAPI_HWPT_ALLOC_PASID));
}

static int new_over(struct emu_device *device, struct emu_hwpt *parent, uint32_t flags,
                    const struct emu_user_data *data, struct emu_hwpt **hwpt)
{
	const struct emu_iommu_ops *const ops = iommu_of(device)->ops;

	if (!can_nest(ops->nested, flags, data))
		return -EOPNOTSUPP;
	if (parent->automatic || !parent->nest_parent || parent->domain->iommu->ops != ops)
		return -EINVAL;
	return new_nested(device, parent, NULL, flags, data, hwpt);
}

static int new_through(struct emu_device *device, struct emu_viommu *viommu, uint32_t flags,
                       const struct emu_user_data *data, struct emu_hwpt **hwpt)
{
	if (viommu->iommu != device->dev->group->iommu)
		return -EINVAL;
	if (!can_nest(viommu->ops->nested, flags, data))
		return -EOPNOTSUPP;
	return new_nested(device, viommu->parent, viommu, flags, data, hwpt);
}

static int make(const struct emu_call *call, struct emu_device *device, struct emu_hwpt **hwpt)
{
	const struct uapi_hwpt_alloc *const cmd = call->cmd;
	const struct emu_user_data data = {
		.task = call->task,
		.type = cmd->data_type,
		.length = cmd->data_len,
		.address = (uintptr_t)cmd->data_uptr,
	};
	struct emu_object *const object = emu_object_find(call->ctx, cmd->pt_id, EMU_ANY);

	switch (object ? object->ops->type : EMU_ANY) {
	case EMU_IOAS:
		return emu_hwpt_new(emu_ioas_of(object), device, cmd->flags, false, 0,
		                    data.length ? &data : NULL, hwpt);
	case EMU_HWPT_PAGING:
		return new_over(device, emu_hwpt_of(object), cmd->flags, &data, hwpt);
	case EMU_VIOMMU:
		return new_through(device, emu_viommu_of(object), cmd->flags, &data, hwpt);
	default:
		return -EINVAL;
	}
}

static int set_queue(const struct emu_call *call, struct emu_hwpt *hwpt)
{
	const struct uapi_hwpt_alloc *const cmd = call->cmd;
	struct emu_object *object;

	if (!(cmd->flags & UAPI_HWPT_FAULT_ID_VALID))
		return 0;
	object = emu_object_find(call->ctx, cmd->fault_id, EMU_FAULT_QUEUE);
	if (!object)
		return -ENOENT;
	hwpt->queue = emu_fault_queue_of(object);
	hwpt->domain->faults = true;
	emu_object_use(object);
	return 0;
}

int emu_hwpt_alloc(struct emu_call *call)
{
	struct uapi_hwpt_alloc *const cmd = call->cmd;
	struct emu_object *object;
	struct emu_hwpt *hwpt;
	int error;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	if ((cmd->data_type == UAPI_HWPT_DATA_NONE) != !cmd->data_len)
		return -EINVAL;
	object = emu_object_find(call->ctx, cmd->dev_id, EMU_DEVICE);
	if (!object)
		return -ENOENT;
	error = make(call, (struct emu_device *)object, &hwpt);
	if (error)
		return error;
	error = set_queue(call, hwpt);
	if (!error) {
		cmd->out_hwpt_id = hwpt->object.id;
		error = emu_call_respond(call);
	}
	if (error)
		emu_object_remove(&hwpt->object, false);
	return error;
}

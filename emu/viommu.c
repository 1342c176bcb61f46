/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "viommu.h"

#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "device.h"
#include "heap.h"
#include "viommu-map.h"

struct emu_viommu *emu_viommu_of(struct emu_object *object)
{
	return (struct emu_viommu *)object;
}

struct emu_viommu *emu_viommu_get(struct emu_ctx *ctx, uint32_t id)
{
	return emu_viommu_of(emu_object_find(ctx, id, EMU_VIOMMU));
}

struct emu_vdevice *emu_viommu_find(struct emu_viommu *viommu, uint64_t virt_id)
{
	struct emu_vdevice *vdevice = viommu->first;

	while (vdevice && vdevice->virt_id != virt_id)
		vdevice = vdevice->next;
	return vdevice;
}

int emu_viommu_virt_id(struct emu_viommu *viommu, const struct emu_dev *dev, uint64_t *virt_id)
{
	for (const struct emu_vdevice *v = viommu->first; v; v = v->next)
		if (v->device->dev == dev) {
			*virt_id = v->virt_id;
			return 0;
		}
	return -ENOENT;
}

/* Its driver has made nothing where it has left no ops. */
static void viommu_destroy(struct emu_object *object)
{
	struct emu_viommu *const viommu = emu_viommu_of(object);

	if (viommu->ops && viommu->ops->end)
		viommu->ops->end(viommu);
	emu_viommu_unpublish(viommu);
	emu_object_unuse(&viommu->parent->object);
	emu_release(viommu);
}

static const struct emu_object_ops viommu_ops = {
	.type = EMU_VIOMMU,
	.destroy = viommu_destroy,
};

static int start(struct emu_call *call, struct emu_viommu *viommu)
{
	struct uapi_viommu_alloc *const cmd = call->cmd;
	struct emu_iommu *const iommu = viommu->iommu;
	const struct emu_user_data data = {
		.task = call->task,
		.type = cmd->type,
		.length = cmd->data_len,
		.address = (uintptr_t)cmd->data_uptr,
	};
	const int error = iommu->ops->viommu(iommu, viommu, cmd->type, viommu->parent->domain,
	                                     data.length ? &data : NULL);

	if (error)
		return error;
	cmd->out_viommu_id = viommu->object.id;
	return emu_call_respond(call);
}

static int make(struct emu_call *call, struct emu_iommu *iommu, struct emu_hwpt *parent)
{
	const struct uapi_viommu_alloc *const cmd = call->cmd;
	struct emu_viommu *const viommu = emu_alloc(sizeof(*viommu));
	int error;

	if (!viommu || emu_object_add(call->ctx, &viommu->object, &viommu_ops)) {
		emu_release(viommu);
		return -ENOMEM;
	}
	viommu->type = cmd->type;
	viommu->iommu = iommu;
	viommu->parent = parent;
	emu_object_use(&parent->object);
	error = start(call, viommu);
	if (error)
		emu_object_remove(&viommu->object, false);
	return error;
}

int emu_viommu_alloc(struct emu_call *call)
{
	const struct uapi_viommu_alloc *const cmd = call->cmd;
	struct emu_device *device;
	struct emu_iommu *iommu;
	struct emu_hwpt *parent;

	if (cmd->flags || cmd->type == UAPI_VIOMMU_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	device = (struct emu_device *)emu_object_find(call->ctx, cmd->dev_id, EMU_DEVICE);
	if (!device)
		return -ENOENT;
	iommu = device->dev->group->iommu;
	if (!iommu || !iommu->ops->supports_viommu ||
	    !iommu->ops->supports_viommu(iommu, device->dev, cmd->type))
		return -EOPNOTSUPP;
	parent = (struct emu_hwpt *)emu_object_find(call->ctx, cmd->hwpt_id, EMU_HWPT_PAGING);
	if (!parent)
		return -ENOENT;
	return parent->nest_parent ? make(call, iommu, parent) : -EINVAL;
}

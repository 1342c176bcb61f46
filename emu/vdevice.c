/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What devices are called by a guest. */
#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "device.h"
#include "heap.h"
#include "viommu.h"

static struct emu_vdevice *vdevice_of(struct emu_object *object)
{
	return (struct emu_vdevice *)object;
}

static void unlink_vdevice(const struct emu_vdevice *vdevice)
{
	struct emu_vdevice **link = &vdevice->viommu->first;

	while (*link && *link != vdevice)
		link = &(*link)->next;
	if (*link)
		*link = vdevice->next;
}

static void vdevice_destroy(struct emu_object *object)
{
	struct emu_vdevice *const vdevice = vdevice_of(object);

	unlink_vdevice(vdevice);
	vdevice->device->vdevice = NULL;
	emu_object_unuse(&vdevice->viommu->object);
	emu_release(vdevice);
}

static const struct emu_object_ops vdevice_ops = {
	.type = EMU_VDEVICE,
	.destroy = vdevice_destroy,
};

void emu_vdevice_bury(struct emu_device *device)
{
	if (device->vdevice)
		emu_object_remove(&device->vdevice->object, true);
}

/* Nobody finds it before the driver has it. */
static int start(struct emu_call *call, struct emu_vdevice *vdevice)
{
	struct uapi_vdevice_alloc *const cmd = call->cmd;
	struct emu_viommu *const viommu = vdevice->viommu;
	int error;

	if (emu_viommu_find(viommu, vdevice->virt_id))
		return -EEXIST;
	error = viommu->ops->vdevice ? viommu->ops->vdevice(viommu, vdevice) : 0;
	if (error)
		return error;
	vdevice->next = viommu->first;
	viommu->first = vdevice;
	cmd->out_vdevice_id = vdevice->object.id;
	return emu_call_respond(call);
}

static int make(struct emu_call *call, struct emu_viommu *viommu, struct emu_device *device)
{
	const struct uapi_vdevice_alloc *const cmd = call->cmd;
	struct emu_vdevice *const vdevice = emu_alloc(sizeof(*vdevice));
	int error;

	if (!vdevice || emu_object_add(call->ctx, &vdevice->object, &vdevice_ops)) {
		emu_release(vdevice);
		return -ENOMEM;
	}
	vdevice->viommu = viommu;
	emu_object_use(&viommu->object);
	vdevice->device = device;
	device->vdevice = vdevice;
	vdevice->virt_id = cmd->virt_id;
	error = start(call, vdevice);
	if (error)
		emu_object_remove(&vdevice->object, false);
	return error;
}

int emu_vdevice_alloc(struct emu_call *call)
{
	const struct uapi_vdevice_alloc *const cmd = call->cmd;
	struct emu_viommu *const viommu = emu_viommu_get(call->ctx, cmd->viommu_id);
	struct emu_device *const device =
		(struct emu_device *)emu_object_find(call->ctx, cmd->dev_id, EMU_DEVICE);

	if (!viommu || !device)
		return -ENOENT;
	if (viommu->iommu != device->dev->group->iommu)
		return -EINVAL;
	return device->vdevice ? -EEXIST : make(call, viommu, device);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vdevice.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../base/uapi/iommufd.h"
#include "../object/device.h"
#include "viommu.h"

struct libiommu_vdevice {
	struct device_child child; /* first */
	struct vdevice_entry entry;
	struct libiommu_viommu *viommu;
	_Atomic uint32_t id; /* 0: the device was revoked */
};

static int ask_to_destroy(const struct libiommu_vdevice *vdev)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = atomic_load(&vdev->id)};

	return backend_ioctl(li_ctx_backend(li_viommu_ctx(vdev->viommu)), UAPI_IOC_DESTROY, &cmd);
}

/* Where the kernel refuses, closing the device's descriptor ends what is of any use in it. */
static void end(struct device_child *child)
{
	struct libiommu_vdevice *const vdev = (struct libiommu_vdevice *)child;

	ask_to_destroy(vdev);
	atomic_store(&vdev->id, 0);
	li_vdevice_table_remove(li_viommu_vdevices(vdev->viommu), &vdev->entry);
}

static struct libiommu_vdevice *new_handle(struct libiommu_viommu *viommu,
                                           struct libiommu_device *dev, uint64_t virt_id)
{
	struct libiommu_vdevice *const vdev = calloc(1, sizeof(*vdev));

	if (!vdev)
		return NULL;
	vdev->child.end = end;
	vdev->viommu = viommu;
	vdev->entry.dev = dev;
	vdev->entry.keys[VDEVICE_VIRT_ID] = virt_id;
	return vdev;
}

/* The kernel has it: alone on the device. */
static void come_up(struct libiommu_vdevice *vdev, uint32_t id)
{
	struct libiommu_device *const dev = vdev->entry.dev;

	atomic_init(&vdev->id, id);
	libiommu_device_label(dev, &vdev->entry.keys[VDEVICE_LABEL]);
	li_vdevice_table_add(li_viommu_vdevices(vdev->viommu), &vdev->entry);
	li_device_set_child(dev, &vdev->child);
	li_viommu_pin(vdev->viommu);
	li_ctx_count(li_viommu_ctx(vdev->viommu), LIBIOMMU_OBJECT_VDEVICE, 1);
}

/* Alone on the device. What is wrong is recorded later, by tell(). */
static int alloc(struct libiommu_vdevice *vdev, struct uapi_vdevice_alloc *cmd, bool *asked)
{
	struct libiommu_viommu *const viommu = vdev->viommu;
	struct libiommu_device *const dev = vdev->entry.dev;
	int error;

	*asked = false;
	if (li_device_child(dev))
		return -EEXIST;
	*asked = true;
	error = backend_ioctl(li_ctx_backend(li_viommu_ctx(viommu)), UAPI_IOC_VDEVICE_ALLOC, cmd);
	if (!error)
		come_up(vdev, cmd->out_vdevice_id);
	return error;
}

static int tell(struct libiommu_ctx *ctx, const char *operation, int error, bool asked,
                const struct uapi_vdevice_alloc *cmd)
{
	if (!asked)
		return FAIL_LIBRARY(ctx, operation, error, "the device has a virtual device",
		                    .id = cmd->dev_id, .other = cmd->viommu_id);
	return FAIL_KERNEL(ctx, operation, error, CALL_VDEVICE, .id = cmd->dev_id,
	                   .other = cmd->viommu_id, .amount = cmd->virt_id,
	                   .unit = "is the virtual id");
}

int libiommu_vdevice_alloc(struct libiommu_viommu *viommu, struct libiommu_device *dev,
                           uint64_t virt_id, struct libiommu_vdevice **vdev)
{
	struct uapi_vdevice_alloc cmd = {.size = sizeof(cmd), .virt_id = virt_id};
	struct libiommu_vdevice *made;
	struct libiommu_ctx *ctx;
	bool asked;
	int error;

	if (!viommu || !dev || !vdev)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	ctx = li_viommu_ctx(viommu);
	cmd.viommu_id = li_viommu_id(viommu);
	if (li_device_ctx(dev) != ctx)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL,
		                    "the device and the vIOMMU are of different contexts",
		                    .id = li_device_id(dev), .other = cmd.viommu_id);
	made = new_handle(viommu, dev, virt_id);
	if (!made)
		return FAIL_MEMORY(ctx);
	error = li_device_enter_alone(dev, __func__, DEVICE_NODE);
	if (error) {
		free(made);
		return error;
	}
	cmd.dev_id = li_device_id(dev);
	error = alloc(made, &cmd, &asked);
	li_device_leave(dev);
	if (error) {
		free(made);
		return tell(ctx, __func__, error, asked, &cmd);
	}
	*vdev = made;
	return 0;
}

int li_vdevice_restore(struct libiommu_viommu *viommu, struct libiommu_device *dev,
                       uint64_t virt_id, uint32_t id, struct libiommu_vdevice **vdev)
{
	struct libiommu_vdevice *made;

	if (li_device_child(dev))
		return -EEXIST;
	made = new_handle(viommu, dev, virt_id);
	if (!made)
		return -ENOMEM;
	come_up(made, id);
	*vdev = made;
	return 0;
}

struct libiommu_viommu *li_vdevice_viommu(const struct libiommu_vdevice *vdev)
{
	return vdev->viommu;
}

struct libiommu_device *li_vdevice_device(const struct libiommu_vdevice *vdev, uint64_t *virt_id)
{
	*virt_id = vdev->entry.keys[VDEVICE_VIRT_ID];
	return vdev->entry.dev;
}

int libiommu_vdevice_destroy(struct libiommu_vdevice *vdev)
{
	struct libiommu_device *dev;
	struct libiommu_ctx *ctx;
	uint32_t id;
	int error = 0;

	if (!vdev)
		return 0;
	dev = vdev->entry.dev;
	ctx = li_viommu_ctx(vdev->viommu);
	li_device_hold(dev);
	id = atomic_load(&vdev->id);
	if (id)
		error = ask_to_destroy(vdev);
	if (!error) {
		if (id)
			li_vdevice_table_remove(li_viommu_vdevices(vdev->viommu), &vdev->entry);
		li_device_set_child(dev, NULL);
	}
	li_device_leave(dev);
	if (error)
		return FAIL_KERNEL(ctx, __func__, error, CALL_DESTROY, .id = id);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_VDEVICE, -1);
	li_viommu_unpin(vdev->viommu);
	free(vdev);
	return 0;
}

int libiommu_vdevice_id(const struct libiommu_vdevice *vdev, uint32_t *id)
{
	uint32_t found;

	if (!vdev || !id)
		return FAIL_NULL(vdev ? li_viommu_ctx(vdev->viommu) : NULL);
	found = atomic_load(&vdev->id);
	if (!found)
		return FAIL_LIBRARY(li_viommu_ctx(vdev->viommu), __func__, -ENODEV,
		                    "the device was revoked", .id = li_viommu_id(vdev->viommu));
	*id = found;
	return 0;
}

int libiommu_vdevice_find_label(struct libiommu_viommu *viommu, uint64_t virt_id, uint64_t *label)
{
	uint64_t found;

	if (!viommu || !label)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	if (!li_vdevice_table_find(li_viommu_vdevices(viommu), VDEVICE_VIRT_ID, virt_id, &found))
		return FAIL_LIBRARY(li_viommu_ctx(viommu), __func__, -ENOENT,
		                    "no device has this number", .id = li_viommu_id(viommu),
		                    .amount = virt_id, .unit = "is the virtual id");
	*label = found;
	return 0;
}

int libiommu_vdevice_find_virt_id(struct libiommu_viommu *viommu, uint64_t label, uint64_t *virt_id)
{
	uint64_t found;
	size_t count;

	if (!viommu || !virt_id)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	count = li_vdevice_table_find(li_viommu_vdevices(viommu), VDEVICE_LABEL, label, &found);
	if (count != 1)
		return FAIL_LIBRARY(li_viommu_ctx(viommu), __func__, count ? -ENOTUNIQ : -ENOENT,
		                    count ? "several devices on the vIOMMU have this label"
		                          : "no device on the vIOMMU has this label",
		                    .id = li_viommu_id(viommu), .amount = label,
		                    .unit = "is the label");
	*virt_id = found;
	return 0;
}

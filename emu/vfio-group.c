/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vfio-group.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "caller.h"
#include "compat.h"
#include "heap.h"
#include "ioas.h"
#include "machine.h"
#include "vfio-names.h"

#define NAME_MOST 4096

void emu_vfio_group_get(struct emu_vfio_group *group)
{
	group->holders++;
}

void emu_vfio_group_put(struct emu_vfio_group *group)
{
	if (!--group->holders)
		emu_release(group);
}

static void unset(struct emu_vfio_group *group)
{
	if (group->ctx)
		emu_ctx_let_go(group->ctx);
	group->ctx = NULL;
}

/* Which VFIO has: the driver of another has a device for itself. */
static bool has_member(const struct emu_group *group)
{
	for (const struct emu_dev *dev = group->first; dev; dev = dev->sibling)
		if (!dev->host && !dev->removed)
			return true;
	return false;
}

static int get_status(struct emu_vfio_group *group, const struct emu_task *task, uintptr_t arg)
{
	struct uapi_vfio_group_status status;

	if (emu_get(task, &status, arg, sizeof(status)))
		return -EFAULT;
	if (status.argsz < sizeof(status))
		return -EINVAL;
	if (!has_member(group->group))
		return -ENODEV;
	status.flags = 0;
	if (group->ctx)
		status.flags = UAPI_VFIO_GROUP_FLAGS_CONTAINER_SET | UAPI_VFIO_GROUP_FLAGS_VIABLE;
	else if (!group->group->owner)
		status.flags = UAPI_VFIO_GROUP_FLAGS_VIABLE;
	return emu_put(task, arg, &status, sizeof(status));
}

static int set_container(struct emu_vfio_group *group, const struct emu_task *task, uintptr_t arg)
{
	struct emu_ctx *ctx;
	int32_t fd;
	int error;

	if (emu_get(task, &fd, arg, sizeof(fd)))
		return -EFAULT;
	if (!emu_caller_has(fd))
		return -EBADF;
	if (group->ctx)
		return -EINVAL;
	if (!has_member(group->group))
		return -ENODEV;
	ctx = emu_ctx_of(group->file.emu, fd);
	if (!ctx)
		return -EBADFD;
	/* A context translates for its groups, or for none. */
	error = group->group->iommu ? emu_compat_create(ctx) : emu_compat_set_noiommu(ctx);
	if (error)
		return error;
	emu_ctx_hold(ctx);
	group->ctx = ctx;
	return 0;
}

/* Blanks and what follows the name are for virtual functions: these have no tokens. */
static int match(const struct emu_dev *dev, const char *name)
{
	const size_t length = strlen(dev->address);

	if (strncmp(name, dev->address, length) != 0)
		return 0;
	name += length;
	if (*name && *name != ' ')
		return 0;
	while (*name == ' ')
		name++;
	return *name ? -EINVAL : 1;
}

static int get_name(const struct emu_task *task, uintptr_t arg, char *name)
{
	for (size_t i = 0; i < NAME_MOST; i++) {
		if (emu_get(task, &name[i], arg + i, 1))
			return -EFAULT;
		if (!name[i])
			return 0;
	}
	return -EINVAL;
}

static int get_device_fd(struct emu_vfio_group *group, const struct emu_task *task, uintptr_t arg)
{
	char name[NAME_MOST];
	int error = get_name(task, arg, name);

	if (error)
		return error;
	for (struct emu_dev *dev = group->group->first; dev; dev = dev->sibling) {
		error = dev->host || dev->removed ? 0 : match(dev, name);
		if (error < 0)
			return error;
		if (error)
			return emu_vfio_open_member(group, dev);
	}
	return -ENODEV;
}

int emu_vfio_group_start(struct emu_vfio_group *group, struct emu_dev *dev, struct emu_vfio **vfio)
{
	const bool first = !dev->vfio;
	uint32_t ioas_id;
	int error;

	if (!group->ctx)
		return -EINVAL;
	/* What counts on being translated does not work without an IOMMU. */
	if (first && !dev->group->iommu && (geteuid() || group->ctx->vfio_ioas))
		return -EPERM;
	error = emu_vfio_start(dev, group->ctx, false, vfio);
	if (error || !first || !dev->group->iommu)
		return error;
	if (group->ctx->vfio_ioas) {
		ioas_id = emu_ioas_object(group->ctx->vfio_ioas)->id;
		error = emu_device_attach((*vfio)->device, NULL, &ioas_id);
	} else {
		error = -ENODEV;
	}
	if (error) {
		emu_vfio_stop(*vfio);
		*vfio = NULL;
	}
	return error;
}

static int group_ioctl(struct emu_file *base, const struct emu_task *task, unsigned long request,
                       uintptr_t arg)
{
	struct emu_vfio_group *const group = (struct emu_vfio_group *)base;

	switch (request) {
	case UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD:
		return get_device_fd(group, task, arg);
	case UAPI_IOC_VFIO_GROUP_GET_STATUS:
		return get_status(group, task, arg);
	case UAPI_IOC_VFIO_GROUP_SET_CONTAINER:
		return set_container(group, task, arg);
	case UAPI_IOC_VFIO_GROUP_UNSET_CONTAINER:
		if (!group->ctx)
			return -EINVAL;
		unset(group);
		return 0;
	default:
		return -ENOTTY;
	}
}

static void group_release(struct emu_file *base)
{
	struct emu_vfio_group *const group = (struct emu_vfio_group *)base;

	unset(group);
	group->group->opened = NULL;
	emu_group_put(base->emu, group->group);
	emu_vfio_group_put(group);
}

static const struct emu_file_ops group_ops = {
	.ioctl = group_ioctl,
	.release = group_release,
};

int emu_vfio_open_group(struct libiommu_emu *emu, struct emu_group *group)
{
	struct emu_vfio_group *made;
	int fd;

	if (!has_member(group))
		return -ENODEV;
	if (!group->iommu && geteuid())
		return -EPERM;
	if (group->nodes || group->opened)
		return -EBUSY;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->group = group;
	made->holders = 1;
	emu_vfio_group_path(group, made->file.name);
	fd = emu_file_open(emu, &made->file, &group_ops);
	if (fd < 0)
		emu_release(made);
	else
		group->opened = made;
	return fd;
}

struct emu_vfio_group *emu_vfio_group_of(struct libiommu_emu *emu, int fd)
{
	struct emu_file *const file = emu_file_find(emu, fd, false);

	return file && file->ops == &group_ops ? (struct emu_vfio_group *)file : NULL;
}

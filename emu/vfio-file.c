/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The descriptor of a device. */
#include <errno.h>
#include <unistd.h>

#include "heap.h"
#include "machine.h"
#include "vfio-group.h"
#include "vfio-names.h"

static int device_ioctl(struct emu_file *base, const struct emu_task *task, unsigned long request,
                        uintptr_t arg)
{
	struct emu_vfio_file *const file = (struct emu_vfio_file *)base;
	struct emu_vfio *const vfio = file->vfio;

	if (request == UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD)
		return emu_vfio_bind(file, task, arg);
	if (!vfio)
		return -EINVAL;
	emu_vfio_wake(vfio);
	/* Some numbers are of the group's commands too. */
	if (vfio->by_node && request == UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT)
		return emu_vfio_attach(vfio, task, arg);
	if (vfio->by_node && request == UAPI_IOC_VFIO_DEVICE_DETACH_IOMMUFD_PT)
		return emu_vfio_detach(vfio, task, arg);
	switch (request) {
	case UAPI_IOC_VFIO_DEVICE_GET_INFO:
		return emu_vfio_get_info(vfio, task, arg);
	case UAPI_IOC_VFIO_DEVICE_GET_REGION_INFO:
		return emu_vfio_get_region_info(vfio, task, arg);
	case UAPI_IOC_VFIO_DEVICE_GET_IRQ_INFO:
		return emu_vfio_get_irq_info(vfio, task, arg);
	case UAPI_IOC_VFIO_DEVICE_SET_IRQS:
		return emu_vfio_set_irqs(vfio, task, arg);
	case UAPI_IOC_VFIO_DEVICE_RESET:
		return emu_vfio_reset(vfio);
	case UAPI_IOC_VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
		return emu_vfio_hot_reset_info(vfio, task, arg);
	case UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET:
		return emu_vfio_hot_reset(vfio, task, arg);
	case UAPI_IOC_VFIO_DEVICE_FEATURE:
		return emu_vfio_feature(vfio, task, arg);
	default:
		return -ENOTTY;
	}
}

static ssize_t device_pread(struct emu_file *base, const struct emu_task *task, uintptr_t buffer,
                            size_t size, uint64_t offset)
{
	struct emu_vfio *const vfio = ((struct emu_vfio_file *)base)->vfio;

	return vfio ? emu_vfio_region_read(vfio, task, buffer, size, offset) : -EINVAL;
}

static ssize_t device_pwrite(struct emu_file *base, const struct emu_task *task, uintptr_t buffer,
                             size_t size, uint64_t offset)
{
	struct emu_vfio *const vfio = ((struct emu_vfio_file *)base)->vfio;

	return vfio ? emu_vfio_region_write(vfio, task, buffer, size, offset) : -EINVAL;
}

static ssize_t device_read(struct emu_file *base, const struct emu_task *task, uintptr_t buffer,
                           size_t size)
{
	struct emu_vfio_file *const file = (struct emu_vfio_file *)base;
	const ssize_t done = device_pread(base, task, buffer, size, file->position);

	if (done > 0)
		file->position += (size_t)done;
	return done;
}

static ssize_t device_write(struct emu_file *base, const struct emu_task *task, uintptr_t buffer,
                            size_t size)
{
	struct emu_vfio_file *const file = (struct emu_vfio_file *)base;
	const ssize_t done = device_pwrite(base, task, buffer, size, file->position);

	if (done > 0)
		file->position += (size_t)done;
	return done;
}

static void hold(void *user)
{
	((struct emu_vfio_file *)user)->holders++;
}

static void let_go(void *user)
{
	struct emu_vfio_file *const file = user;
	struct emu_dev *const dev = file->dev;

	if (--file->holders)
		return;
	if (file->vfio)
		emu_vfio_stop(file->vfio);
	if (file->group)
		emu_vfio_group_put(file->group);
	emu_release(file);
	emu_dev_unuse(dev);
}

static int device_mmap(struct emu_file *base, size_t length, int prot, int flags, uint64_t offset,
                       struct emu_backing *backing)
{
	struct emu_vfio_file *const file = (struct emu_vfio_file *)base;

	backing->hold = (struct emu_hold){
		.take = hold, .let_go = let_go, .user = file, .offset = offset, .prot = prot};
	return file->vfio ? emu_vfio_region_mmap(file->vfio, length, flags, offset, backing)
	                  : -EINVAL;
}

struct emu_vfio_file *emu_vfio_file_of(const struct emu_hold *holds)
{
	return holds->take == hold ? holds->user : NULL;
}

static void device_release(struct emu_file *base)
{
	let_go(base);
}

static const struct emu_file_ops device_ops = {
	.name = "anon_inode:[vfio-device]",
	.ioctl = device_ioctl,
	.read = device_read,
	.write = device_write,
	.pread = device_pread,
	.pwrite = device_pwrite,
	.mmap = device_mmap,
	.release = device_release,
};

static struct emu_vfio_file *new_file(struct emu_dev *dev)
{
	struct emu_vfio_file *const file = emu_alloc(sizeof(*file));

	if (!file)
		return NULL;
	file->dev = dev;
	file->holders = 1;
	emu_dev_use(dev);
	return file;
}

/* Without an IOMMU nothing stops a device, so that not everybody may have one. */
static bool is_allowed(const struct emu_dev *dev)
{
	return dev->group->iommu || !geteuid();
}

int emu_vfio_open_node(struct libiommu_emu *emu, struct emu_dev *dev)
{
	struct emu_vfio_file *file;
	int fd;

	if (dev->removed)
		return -ENODEV;
	if (!is_allowed(dev))
		return -EPERM;
	file = new_file(dev);
	if (!file)
		return -ENOMEM;
	emu_vfio_node(dev, file->file.name);
	fd = emu_file_open(emu, &file->file, &device_ops);
	if (fd < 0)
		let_go(file);
	return fd;
}

int emu_vfio_open_member(struct emu_vfio_group *group, struct emu_dev *dev)
{
	struct emu_vfio_file *file = new_file(dev);
	int fd;

	if (!file)
		return -ENOMEM;
	fd = emu_vfio_group_start(group, dev, &file->vfio);
	if (!fd) {
		emu_vfio_group_get(group);
		file->group = group;
		fd = emu_file_open(dev->emu, &file->file, &device_ops);
	}
	if (fd < 0)
		let_go(file);
	return fd;
}

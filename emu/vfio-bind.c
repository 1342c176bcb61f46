/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* How a program gets a device: by its node, and bound to a context. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "heap.h"
#include "machine.h"
#include "caller.h"
#include "vfio-dmabuf.h"

static void set_master(struct emu_pci *pci, bool on)
{
	const uint32_t command = emu_pci_get(pci, EMU_PCI_COMMAND, 2);

	emu_pci_set(pci, EMU_PCI_COMMAND, 2,
	            on ? command | EMU_PCI_COMMAND_MASTER : command & ~EMU_PCI_COMMAND_MASTER);
}

/* The host enables what the device has, and finds out whether it can reset it. */
static void enable(struct emu_vfio *vfio)
{
	struct emu_pci *const pci = vfio->pci;
	uint32_t command;

	set_master(pci, false);
	command = emu_pci_get(pci, EMU_PCI_COMMAND, 2);
	for (unsigned int i = 0; i < EMU_PCI_BARS; i++)
		if (pci->bars[i].size)
			command |= pci->bars[i].flags & EMU_BAR_IO ? EMU_PCI_COMMAND_IO
			                                           : EMU_PCI_COMMAND_MEMORY;
	emu_pci_set(pci, EMU_PCI_COMMAND, 2, command & ~EMU_PCI_COMMAND_NO_INTX);
	vfio->resets = emu_vfio_can_reset(vfio->dev);
	if (vfio->resets)
		emu_pci_reset(pci);
	memcpy(vfio->before, pci->config, sizeof(vfio->before));
	emu_vfio_config_init(&vfio->config, pci);
	emu_vfio_irqs_init(&vfio->irqs);
}

/* Its registers are again as they were found, and its DMA has stopped. */
static void disable(struct emu_vfio *vfio)
{
	struct emu_pci *const pci = vfio->pci;

	set_master(pci, false);
	emu_vfio_dmabufs_end(vfio);
	emu_vfio_irqs_end(vfio);
	if (vfio->wake >= 0)
		close(vfio->wake);
	memcpy(pci->config, vfio->before, sizeof(vfio->before));
	if (vfio->resets)
		emu_pci_reset(pci);
	set_master(pci, false);
}

int emu_vfio_start(struct emu_dev *dev, struct emu_ctx *ctx, bool by_node, struct emu_vfio **vfio)
{
	const bool bind = by_node || dev->group->iommu;
	struct emu_vfio *made;
	int error;

	if (dev->vfio && by_node)
		return -EINVAL;
	if (dev->vfio) {
		dev->vfio->files++;
		*vfio = dev->vfio;
		return 0;
	}
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	error = bind ? emu_device_bind(ctx, dev, &made->device) : 0;
	if (error) {
		emu_release(made);
		return error;
	}
	made->dev = dev;
	made->pci = emu_pci_of(dev);
	made->ctx = ctx;
	made->files = 1;
	made->wake = -1;
	made->by_node = by_node;
	emu_ctx_hold(ctx);
	enable(made);
	dev->vfio = made;
	if (by_node)
		dev->group->nodes++;
	*vfio = made;
	return 0;
}

void emu_vfio_stop(struct emu_vfio *vfio)
{
	struct emu_dev *const dev = vfio->dev;

	if (--vfio->files)
		return;
	disable(vfio);
	if (vfio->device)
		emu_device_unbind(vfio->device);
	if (vfio->by_node)
		dev->group->nodes--;
	dev->vfio = NULL;
	if (!vfio->resets)
		emu_vfio_reset_set(dev);
	emu_ctx_let_go(vfio->ctx);
	emu_release(vfio);
}

/* The token of a virtual function, which these functions are not. */
static int check_token(const struct uapi_vfio_device_bind_iommufd *bind,
                       const struct emu_task *task)
{
	uint8_t token[16];

	if (!(bind->flags & UAPI_VFIO_DEVICE_BIND_FLAG_TOKEN))
		return 0;
	if (emu_get(task, token, (uintptr_t)bind->token_uuid_ptr, sizeof(token)))
		return -EFAULT;
	return -EINVAL;
}

static int find_ctx(struct libiommu_emu *emu, int fd, struct emu_ctx **ctx)
{
	*ctx = emu_ctx_of(emu, fd);
	if (*ctx)
		return 0;
	return emu_caller_has(fd) ? -EBADFD : -EBADF;
}

static int get_bind(struct uapi_vfio_device_bind_iommufd *bind, const struct emu_task *task,
                    uintptr_t arg)
{
	const uint32_t least = offsetof(struct uapi_vfio_device_bind_iommufd, token_uuid_ptr);
	uint32_t size;
	int error;

	if (emu_get(task, &size, arg, sizeof(size)))
		return -EFAULT;
	if (size < least)
		return -EINVAL;
	error = emu_get_struct(task, bind, sizeof(*bind), arg, size);
	if (error)
		return error;
	if (bind->iommufd < 0 || bind->flags & ~UAPI_VFIO_DEVICE_BIND_FLAG_TOKEN)
		return -EINVAL;
	return 0;
}

int emu_vfio_bind(struct emu_vfio_file *file, const struct emu_task *task, uintptr_t arg)
{
	struct uapi_vfio_device_bind_iommufd bind;
	struct emu_vfio *vfio;
	struct emu_ctx *ctx;
	int error = get_bind(&bind, task, arg);

	if (error)
		return error;
	if (file->group)
		return -EINVAL;
	if (file->dev->group->opened)
		return -EBUSY;
	if (file->vfio)
		return -EINVAL;
	error = check_token(&bind, task);
	if (!error)
		error = find_ctx(file->dev->emu, bind.iommufd, &ctx);
	if (!error)
		error = emu_vfio_start(file->dev, ctx, true, &vfio);
	if (error)
		return error;
	bind.out_devid = vfio->device->object.id;
	if (emu_put(task, arg + offsetof(struct uapi_vfio_device_bind_iommufd, out_devid),
	            &bind.out_devid, sizeof(bind.out_devid))) {
		emu_vfio_stop(vfio);
		return -EFAULT;
	}
	file->vfio = vfio;
	return 0;
}

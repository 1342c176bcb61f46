/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Resets, of a function and of all functions that a bus has. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "heap.h"
#include "machine.h"
#include "caller.h"
#include "vfio-dmabuf.h"
#include "vfio-group.h"

struct address {
	unsigned int domain, bus, slot, function;
};

static struct address address_of(const struct emu_dev *dev)
{
	struct address address = {0};

	sscanf(dev->address, "%x:%x:%x.%x", &address.domain, &address.bus, &address.slot,
	       &address.function);
	return address;
}

/* The next device, of all or after @dev, that is on one bus with @with. */
static struct emu_dev *next_on_bus(const struct emu_dev *with, const struct emu_dev *dev)
{
	const struct address wanted = address_of(with);
	struct emu_dev *found = dev ? dev->next : with->emu->devs;

	for (; found; found = found->next) {
		const struct address address = address_of(found);

		if (!found->removed && address.domain == wanted.domain && address.bus == wanted.bus)
			break;
	}
	return found;
}

/* The first bus has no port above it that could be reset. */
static bool has_port(const struct emu_dev *dev)
{
	return address_of(dev).bus;
}

static bool is_alone(const struct emu_dev *dev)
{
	const struct emu_dev *const first = next_on_bus(dev, NULL);

	return first && !next_on_bus(dev, first);
}

bool emu_vfio_can_reset(const struct emu_dev *dev)
{
	const struct emu_pci *const pci = emu_pci_of(dev);

	/* The host has tried, and waited for the end. */
	if (dev->hangs)
		return false;
	if (pci->express &&
	    emu_pci_get(pci, pci->express + EMU_EXP_DEVICE_CAPABILITIES, 4) & EMU_EXP_FLR)
		return true;
	if (pci->pm && !(emu_pci_get(pci, pci->pm + EMU_PM_CONTROL, 2) & EMU_PM_NO_SOFT_RESET))
		return true;
	return has_port(dev) && is_alone(dev);
}

static void wake(struct emu_pci *pci)
{
	if (pci->pm)
		emu_pci_config_write(pci, pci->pm + EMU_PM_CONTROL, 2,
		                     emu_pci_get(pci, pci->pm + EMU_PM_CONTROL, 2) & ~EMU_PM_STATE);
}

int emu_vfio_reset(struct emu_vfio *vfio)
{
	if (!vfio->resets)
		return -EINVAL;
	if (vfio->dev->hangs)
		return -ENOTTY;
	wake(vfio->pci);
	emu_pci_reset(vfio->pci);
	emu_vfio_dmabufs_show(vfio, true);
	emu_vfio_region_show(vfio);
	return 0;
}

/* The host waits for each of them to answer. */
static int reset_bus(const struct emu_dev *with)
{
	int error = 0;

	for (struct emu_dev *dev = next_on_bus(with, NULL); dev; dev = next_on_bus(with, dev)) {
		error = dev->hangs ? -ENOTTY : error;
		wake(emu_pci_of(dev));
		emu_pci_reset(emu_pci_of(dev));
		if (!dev->vfio)
			continue;
		emu_vfio_dmabufs_show(dev->vfio, true);
		emu_vfio_region_show(dev->vfio);
	}
	return error;
}

/* Nobody else has any of them, and VFIO has them all. */
void emu_vfio_reset_set(struct emu_dev *with)
{
	if (!has_port(with) || with->removed)
		return;
	for (struct emu_dev *dev = next_on_bus(with, NULL); dev; dev = next_on_bus(with, dev))
		if (dev->vfio || dev->host)
			return;
	reset_bus(with);
}

/* What the caller of a context knows a device by. */
static int32_t id_of(const struct emu_dev *dev, const struct emu_ctx *ctx)
{
	if (dev->host)
		return UAPI_VFIO_PCI_DEVID_NOT_OWNED;
	if (dev->vfio && dev->vfio->device && dev->vfio->ctx == ctx)
		return (int32_t)dev->vfio->device->object.id;
	return dev->group->owner == ctx ? UAPI_VFIO_PCI_DEVID_OWNED : UAPI_VFIO_PCI_DEVID_NOT_OWNED;
}

static void describe(const struct emu_vfio *vfio, const struct emu_dev *dev,
                     struct uapi_vfio_pci_dependent_device *entry, uint32_t *flags)
{
	const struct address address = address_of(dev);

	entry->segment = (uint16_t)address.domain;
	entry->bus = (uint8_t)address.bus;
	entry->devfn = (uint8_t)(address.slot << 3 | address.function);
	if (!vfio->by_node) {
		entry->group_id = dev->group->number;
		return;
	}
	entry->devid = (uint32_t)id_of(dev, vfio->ctx);
	if ((int32_t)entry->devid == UAPI_VFIO_PCI_DEVID_NOT_OWNED)
		*flags &= ~UAPI_VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
}

static uint32_t count_bus(const struct emu_dev *with)
{
	uint32_t count = 0;

	for (struct emu_dev *dev = next_on_bus(with, NULL); dev; dev = next_on_bus(with, dev))
		count++;
	return count;
}

int emu_vfio_hot_reset_info(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg)
{
	const struct emu_dev *const with = vfio->dev;
	struct uapi_vfio_pci_hot_reset_info info;
	struct uapi_vfio_pci_dependent_device entry = {0};
	uint32_t count;
	uint32_t i = 0;

	if (emu_get(task, &info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info))
		return -EINVAL;
	if (!has_port(with))
		return -ENODEV;
	count = count_bus(with);
	info.flags = 0;
	info.count = count;
	if (count > (info.argsz - sizeof(info)) / sizeof(entry))
		return emu_put(task, arg, &info, sizeof(info)) ? -EFAULT : -ENOSPC;
	if (vfio->by_node)
		info.flags = UAPI_VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
		             UAPI_VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	for (struct emu_dev *dev = next_on_bus(with, NULL); dev; dev = next_on_bus(with, dev)) {
		describe(vfio, dev, &entry, &info.flags);
		if (emu_put(task, arg + sizeof(info) + i++ * sizeof(entry), &entry, sizeof(entry)))
			return -EFAULT;
	}
	return emu_put(task, arg, &info, sizeof(info));
}

/* All of them are the context's, or of these groups. */
static bool owns_all(const struct emu_vfio *vfio, struct emu_vfio_group *const *groups,
                     uint32_t count)
{
	const struct emu_dev *const with = vfio->dev;

	for (struct emu_dev *dev = next_on_bus(with, NULL); dev; dev = next_on_bus(with, dev)) {
		bool owned = !groups && id_of(dev, vfio->ctx) != UAPI_VFIO_PCI_DEVID_NOT_OWNED;

		if (dev->host)
			return false;
		for (uint32_t i = 0; i < count && !owned; i++)
			owned = groups[i]->group == dev->group;
		if (!owned)
			return false;
	}
	return true;
}

static int find_groups(const struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg,
                       struct emu_vfio_group **groups, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		int32_t fd;

		if (emu_get(task, &fd, arg + i * sizeof(fd), sizeof(fd)))
			return -EFAULT;
		if (!emu_caller_has(fd))
			return -EBADF;
		groups[i] = emu_vfio_group_of(vfio->dev->emu, fd);
		if (!groups[i])
			return -EINVAL;
	}
	return 0;
}

int emu_vfio_hot_reset(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg)
{
	struct uapi_vfio_pci_hot_reset reset;
	struct emu_vfio_group **groups = NULL;
	int error = 0;

	if (emu_get(task, &reset, arg, sizeof(reset)))
		return -EFAULT;
	if (reset.argsz < sizeof(reset) || reset.flags || !!reset.count == vfio->by_node)
		return -EINVAL;
	if (!has_port(vfio->dev))
		return -ENODEV;
	if (reset.count > count_bus(vfio->dev))
		return -EINVAL;
	if (reset.count) {
		groups = emu_alloc(reset.count * sizeof(struct emu_vfio_group *));
		if (!groups)
			return -ENOMEM;
		error = find_groups(vfio, task, arg + sizeof(reset), groups, reset.count);
	}
	if (!error && !owns_all(vfio, groups, reset.count))
		error = -EINVAL;
	emu_release(groups);
	return error ? error : reset_bus(vfio->dev);
}

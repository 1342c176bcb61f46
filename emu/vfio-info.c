/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a device has: its regions and its interrupts. */
#include <errno.h>

#include "vfio.h"

int emu_vfio_get_info(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg)
{
	const size_t least = offsetof(struct uapi_vfio_device_info, cap_offset);
	struct uapi_vfio_device_info info = {0};

	if (emu_get(task, &info, arg, least))
		return -EFAULT;
	if (info.argsz < least)
		return -EINVAL;
	info.flags = UAPI_VFIO_DEVICE_FLAGS_PCI | (vfio->resets ? UAPI_VFIO_DEVICE_FLAGS_RESET : 0);
	info.num_regions = UAPI_VFIO_PCI_NUM_REGIONS;
	info.num_irqs = UAPI_VFIO_PCI_NUM_IRQS;
	return emu_put(task, arg, &info, info.argsz < sizeof(info) ? info.argsz : sizeof(info));
}

/* The vectors of MSI-X are in the BAR, and can be mapped with it. */
static bool has_table(const struct emu_pci *pci, uint32_t bar)
{
	return pci->msix && (emu_pci_get(pci, pci->msix + EMU_MSIX_TABLE, 4) & EMU_MSIX_BAR) == bar;
}

static int fill_region(const struct emu_vfio *vfio, struct uapi_vfio_region_info *info)
{
	const uint32_t both = UAPI_VFIO_REGION_INFO_FLAG_READ | UAPI_VFIO_REGION_INFO_FLAG_WRITE;
	const struct emu_pci *const pci = vfio->pci;

	info->flags = 0;
	info->size = 0;
	info->cap_offset = 0;
	if (info->index == UAPI_VFIO_PCI_CONFIG_REGION_INDEX) {
		info->size = pci->config_size;
		info->flags = both;
	} else if (info->index == UAPI_VFIO_PCI_ROM_REGION_INDEX) {
		if (emu_vfio_has_rom(pci)) {
			info->size = pci->rom_size;
			info->flags = UAPI_VFIO_REGION_INFO_FLAG_READ;
		}
	} else if (info->index < UAPI_VFIO_PCI_ROM_REGION_INDEX) {
		info->size = pci->bars[info->index].size;
		if (info->size)
			info->flags = both;
		if (emu_vfio_can_map(pci, info->index))
			info->flags |= UAPI_VFIO_REGION_INFO_FLAG_MMAP;
	} else {
		return -EINVAL;
	}
	info->offset = (uint64_t)info->index << EMU_VFIO_SHIFT;
	return 0;
}

int emu_vfio_get_region_info(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg)
{
	const struct uapi_vfio_info_cap_header mappable = {
		.id = UAPI_VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
		.version = 1,
	};
	struct uapi_vfio_region_info info;
	int error;

	if (emu_get(task, &info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info))
		return -EINVAL;
	error = fill_region(vfio, &info);
	if (error)
		return error;
	if (info.flags & UAPI_VFIO_REGION_INFO_FLAG_MMAP && has_table(vfio->pci, info.index)) {
		info.flags |= UAPI_VFIO_REGION_INFO_FLAG_CAPS;
		if (info.argsz < sizeof(info) + sizeof(mappable)) {
			info.argsz = sizeof(info) + sizeof(mappable);
		} else {
			if (emu_put(task, arg + sizeof(info), &mappable, sizeof(mappable)))
				return -EFAULT;
			info.cap_offset = sizeof(info);
		}
	}
	return emu_put(task, arg, &info, sizeof(info));
}

int emu_vfio_get_irq_info(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg)
{
	struct uapi_vfio_irq_info info;

	if (emu_get(task, &info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info) || info.index >= UAPI_VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.flags = UAPI_VFIO_IRQ_INFO_EVENTFD;
	info.count = emu_vfio_irq_count(vfio, info.index);
	if (info.index == UAPI_VFIO_PCI_INTX_IRQ_INDEX)
		info.flags |= UAPI_VFIO_IRQ_INFO_MASKABLE | UAPI_VFIO_IRQ_INFO_AUTOMASKED;
	else if (info.index != UAPI_VFIO_PCI_MSIX_IRQ_INDEX)
		info.flags |= UAPI_VFIO_IRQ_INFO_NORESIZE;
	return emu_put(task, arg, &info, sizeof(info));
}

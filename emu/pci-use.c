/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a model of the user's does with its device. */
#include <errno.h>
#include <fcntl.h>

#include "machine.h"
#include "pci.h"

/* With the machine locked; NULL, with nothing locked: it has gone. */
static struct emu_pci *lock(struct libiommu_emu_device *device)
{
	struct emu_dev *const dev = (struct emu_dev *)device;

	emu_lock(dev->emu);
	if (!dev->removed)
		return emu_pci_of(dev);
	emu_unlock(dev->emu);
	return NULL;
}

static void unlock(const struct emu_pci *pci)
{
	emu_unlock(pci->dev->emu);
}

LIBIOMMU_API int libiommu_emu_pci_raise(struct libiommu_emu_device *device, uint32_t vector)
{
	struct emu_pci *pci;
	int heard;

	if (!device)
		return -EINVAL;
	pci = lock(device);
	if (!pci)
		return -ENODEV;
	heard = emu_pci_raise(pci, vector);
	unlock(pci);
	return heard;
}

LIBIOMMU_API int libiommu_emu_pci_set_pin(struct libiommu_emu_device *device, bool asserted)
{
	struct emu_pci *pci;

	if (!device)
		return -EINVAL;
	pci = lock(device);
	if (!pci)
		return -ENODEV;
	emu_pci_set_pin(pci, asserted);
	unlock(pci);
	return 0;
}

static bool is_place(const struct emu_pci *pci, uint32_t at, uint32_t size)
{
	return (size == 1 || size == 2 || size == 4) && at % size == 0 && at < pci->config_size;
}

static int access_config(struct libiommu_emu_device *device, uint32_t at, uint32_t size, bool write,
                         uint32_t *value)
{
	struct emu_pci *const pci = lock(device);
	int error = 0;

	if (!pci)
		return -ENODEV;
	if (!is_place(pci, at, size))
		error = -EINVAL;
	else if (write)
		emu_pci_set(pci, at, size, *value);
	else
		*value = emu_pci_config_read(pci, at, size);
	unlock(pci);
	return error;
}

LIBIOMMU_API int libiommu_emu_pci_get(struct libiommu_emu_device *device, uint32_t at,
                                      uint32_t size, uint32_t *value)
{
	return device && value ? access_config(device, at, size, false, value) : -EINVAL;
}

LIBIOMMU_API int libiommu_emu_pci_set(struct libiommu_emu_device *device, uint32_t at,
                                      uint32_t size, uint32_t value)
{
	return device ? access_config(device, at, size, true, &value) : -EINVAL;
}

LIBIOMMU_API int libiommu_emu_pci_memory(struct libiommu_emu_device *device, uint32_t bar)
{
	struct emu_pci *pci;
	int fd = -EINVAL;

	if (!device || bar >= EMU_PCI_BARS)
		return -EINVAL;
	pci = lock(device);
	if (!pci)
		return -ENODEV;
	if (pci->bars[bar].memory >= 0) {
		fd = fcntl(pci->bars[bar].memory, F_DUPFD_CLOEXEC, 0);
		fd = fd < 0 ? -errno : fd;
	}
	unlock(pci);
	return fd;
}

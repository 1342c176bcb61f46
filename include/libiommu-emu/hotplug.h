/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_hotplug What happens to devices
 * @brief The host wants a device back, finds an error, or the device is pulled out.
 * @{
 */
#ifndef LIBIOMMU_EMU_HOTPLUG_H
#define LIBIOMMU_EMU_HOTPLUG_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu_device;

/**
 * @brief The host asks the program that has a device to let it go.
 *
 * The program's eventfd for it (VFIO_PCI_REQ_IRQ_INDEX) is signalled.
 *
 * @param device  The device.
 * @return 1, or 0 where no program wants to be told.
 * @retval -EINVAL  @p device is NULL.
 * @retval -ENODEV  The device has gone.
 * @threads Shared.
 * @syscalls poll, write.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_request(struct libiommu_emu_device *device);

/**
 * @brief The host has found an error of a device that it could not correct.
 *
 * The program's eventfd for it (VFIO_PCI_ERR_IRQ_INDEX) is signalled.
 *
 * @param device  The device.
 * @return 1, or 0 where no program wants to be told.
 * @retval -EINVAL  @p device is NULL.
 * @retval -ENODEV  The device has gone.
 * @threads Shared.
 * @syscalls poll, write.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_error(struct libiommu_emu_device *device);

/**
 * @brief A device stops answering, without being gone, or answers again.
 *
 * Meanwhile its registers and its configuration space read as all ones and what is written to them
 * is lost, a reset does not end, which the kernel waits a minute for and the machine does not
 * (-ENOTTY), and a program that opens it cannot reset it. What the test has it do itself it does:
 * DMA, interrupts and page requests.
 *
 * @param device  The device.
 * @param hangs   Whether it stops or goes on.
 * @return 0.
 * @retval -EINVAL  @p device is NULL.
 * @retval -ENODEV  The device has gone.
 * @threads Shared.
 * @syscalls mprotect.
 * @since 0.1
 * @follows drivers/pci/pci.c (pci_dev_wait).
 */
LIBIOMMU_API int libiommu_emu_device_hang(struct libiommu_emu_device *device, bool hangs);

/**
 * @brief Pull a device out, whoever has it.
 *
 * Its registers read as all ones from now on, its DMA fails, and its transfers that wait end. A
 * program that has it is asked to let it go, as libiommu_emu_device_request() does; until it does
 * the device's address is taken. The functions of this library know @p device until the machine
 * ends, and fail.
 *
 * @param device  The device.
 * @return 0.
 * @retval -EINVAL  @p device is NULL.
 * @retval -ENODEV  The device has gone already.
 * @threads Shared.
 * @syscalls mprotect, poll, write.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_remove(struct libiommu_emu_device *device);

LIBIOMMU_END_DECLS

/** @} */
#endif

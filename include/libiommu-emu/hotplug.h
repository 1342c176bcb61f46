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

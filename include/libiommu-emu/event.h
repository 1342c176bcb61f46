/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_event Virtual events
 * @brief What an IOMMU tells a guest of the guest's devices.
 * @{
 */
#ifndef LIBIOMMU_EMU_EVENT_H
#define LIBIOMMU_EMU_EVENT_H

#include <libiommu-emu/device.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief What the guest calls a device: the number of its vDEVICE.
 *
 * @param device        The device.
 * @param[out] virt_id  The number.
 * @return 0.
 * @retval -EINVAL  @p device or @p virt_id is NULL.
 * @retval -ENODEV  The device was removed.
 * @retval -ENOENT  The device has no page table of a vIOMMU, or no number there.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_event_virt_id(struct libiommu_emu_device *device, uint64_t *virt_id);

/**
 * @brief Report an event to the guest that has a device.
 *
 * @param device  The device, which is attached to a page table of a vIOMMU.
 * @param type    The type of the queue (libiommu_veventq_alloc()).
 * @param data    The event, in the format of its type.
 * @param length  Its length in bytes, at least 1.
 * @return 0, also where the queue was full, so that the event is lost and counted as such.
 * @retval -EINVAL      @p device or @p data is NULL, or @p length is 0.
 * @retval -ENODEV      The device was removed.
 * @retval -ENOENT      The device has no page table of a vIOMMU.
 * @retval -EOPNOTSUPP  The vIOMMU has no queue of the type: the event goes nowhere.
 * @retval -ENOMEM      No memory: the event is lost, and counted as such.
 * @threads Shared.
 * @syscalls sendto.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_event_report(struct libiommu_emu_device *device, uint32_t type,
                                           const void *data, size_t length);

LIBIOMMU_END_DECLS

/** @} */
#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_test_iommu Behind the test driver's IOMMU
 * @brief What the kernel's own tests do to the hardware of its test driver, which is no hardware.
 *
 * For IOMMUs of libiommu_emu_iommu_add_test() and their devices only.
 * @{
 */
#ifndef LIBIOMMU_EMU_TEST_IOMMU_H
#define LIBIOMMU_EMU_TEST_IOMMU_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu;
struct libiommu_emu_device;

/**
 * @brief Pages of a page table are written, without a device.
 *
 * @param emu        The machine.
 * @param iommufd    A descriptor of the context.
 * @param hwpt_id    The page table, which tracks what is written. Where it has no page nothing is.
 * @param iova       Where; a multiple of @p page_size.
 * @param length     Bytes, a multiple of it.
 * @param page_size  What a bit stands for.
 * @param bitmap     A bit for each, in the order of the bytes; those that are set are written, at
 *                   their first address.
 * @return 0.
 * @retval -EINVAL  An argument is NULL, 0 or not a multiple; or the page table does not track, or
 *                  is another IOMMU's.
 * @retval -EBADF   @p iommufd is no context of the machine's.
 * @retval -ENOENT  There is no such page table.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_test_write(struct libiommu_emu *emu, int iommufd, uint32_t hwpt_id,
                                         uint64_t iova, uint64_t length, uint64_t page_size,
                                         const void *bitmap);

/**
 * @brief What a nested page table has cached.
 *
 * @param emu         The machine.
 * @param iommufd     A descriptor of the context.
 * @param hwpt_id     The nested page table.
 * @param index       0 to 3.
 * @param[out] value  What is cached there; 0 after an invalidation.
 * @return 0.
 * @retval -EINVAL  An argument is NULL or too large, or the page table is another IOMMU's.
 * @retval -EBADF   @p iommufd is no context of the machine's.
 * @retval -ENOENT  There is no such nested page table.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_test_cached(struct libiommu_emu *emu, int iommufd, uint32_t hwpt_id,
                                          uint32_t index, uint32_t *value);

/**
 * @brief What a device has cached.
 *
 * @param device      The device.
 * @param index       0 to 3.
 * @param[out] value  What is cached there; 0 after an invalidation.
 * @return 0.
 * @retval -EINVAL  An argument is NULL or too large, or the device is behind another IOMMU.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_test_device_cached(struct libiommu_emu_device *device, uint32_t index,
                                                 uint32_t *value);

/**
 * @brief An event about a device is reported to its guest.
 *
 * @param device  The device.
 * @return 0, also where the queue is full and the event is lost.
 * @retval -EINVAL      @p device is NULL, or behind another IOMMU.
 * @retval -ENOENT      It is not attached to a page table of a vIOMMU where it has a number.
 * @retval -EOPNOTSUPP  The vIOMMU has no queue of events.
 * @retval -ENOMEM      No memory.
 * @threads Shared.
 * @syscalls sendto.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_test_event(struct libiommu_emu_device *device);

LIBIOMMU_END_DECLS

/** @} */
#endif

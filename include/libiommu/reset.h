/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup reset Reset
 * @brief Reset one function, or everything on its bus or slot.
 * @{
 */
#ifndef LIBIOMMU_RESET_H
#define LIBIOMMU_RESET_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief Reset a device alone. Its registers start anew; its attachment, its interrupts and its
 * config space, bus mastering included, are as before.
 *
 * @param dev  The device, bound.
 * @return 0.
 * @retval -EINVAL  @p dev is NULL or not bound, or it has no way to be reset alone.
 * @retval -ENODEV  The device was revoked.
 * @retval -ENOTTY  It has no way to be reset alone.
 * @retval -EAGAIN  The kernel is busy with the device at this moment.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_RESET).
 * @kernel 3.6
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_RESET.
 */
LIBIOMMU_API int libiommu_reset_function(struct libiommu_device *dev);

/**
 * @brief Reset everything that shares the device's bus or slot. For each device it is as
 * libiommu_reset_function().
 *
 * @param dev  The device, a PCI one, bound, not opened by its group.
 * @return 0.
 * @retval -EINVAL      @p dev is NULL or not bound, or an affected device is not bound to this
 *                      context (libiommu_reset_list_new() tells which).
 * @retval -ENODEV      The device was revoked, or has neither bus nor slot reset.
 * @retval -EBUSY       An affected device is in use at this moment.
 * @retval -EAGAIN      The kernel is busy with an affected device at this moment.
 * @retval -EOPNOTSUPP  The device was opened by its group.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_PCI_HOT_RESET).
 * @kernel 6.6
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_PCI_HOT_RESET.
 */
LIBIOMMU_API int libiommu_reset_hot(struct libiommu_device *dev);

/**
 * @brief Which devices libiommu_reset_hot() would reset.
 *
 * @param dev        The device, a PCI one, bound, not opened by its group.
 * @param[out] list  The devices, itself among them; freed with libiommu_reset_list_free().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL or the device is not bound.
 * @retval -ENODEV      The device was revoked, or has neither bus nor slot reset.
 * @retval -EOPNOTSUPP  The device was opened by its group.
 * @retval -ENOMEM      No memory.
 * @retval -EAGAIN      The list grew each time it was asked for, eight times in a row.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_GET_PCI_HOT_RESET_INFO).
 * @kernel 6.6
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO.
 */
LIBIOMMU_API int libiommu_reset_list_new(struct libiommu_device *dev,
                                         struct libiommu_reset_list **list);

/**
 * @brief Free a list.
 *
 * @param list  The list; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_reset_list_free(struct libiommu_reset_list *list);

/**
 * @brief How many devices are affected.
 *
 * @param list  The list.
 * @return The count; 0 when @p list is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API size_t libiommu_reset_list_count(const struct libiommu_reset_list *list);

/**
 * @brief Whether the reset is allowed: every affected device is bound to this context, or in a
 * group that is.
 *
 * @param list  The list.
 * @return 1 if it is, 0 if not.
 * @retval -EINVAL  @p list is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 * @follows VFIO uAPI, VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED.
 */
LIBIOMMU_API int libiommu_reset_list_allowed(const struct libiommu_reset_list *list);

/**
 * @brief An affected device's address.
 *
 * @param list           The list.
 * @param index          From 0.
 * @param[out] segment   PCI domain.
 * @param[out] bus       Bus.
 * @param[out] devfn     Device (bits 7 to 3) and function (bits 2 to 0).
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p index not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_reset_list_address(const struct libiommu_reset_list *list, size_t index,
                                             uint16_t *segment, uint8_t *bus, uint8_t *devfn);

/**
 * @brief An affected device's id in the context.
 *
 * @param list     The list.
 * @param index    From 0.
 * @param[out] id  The kernel's id, for libiommu_device_by_id(). 0 where the device is not bound,
 *                 but a device of its group is, so that it does not forbid the reset.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p index not below the count.
 * @retval -EPERM   Neither the device nor one of its group is bound to this context, or no VFIO
 *                  driver has it: it forbids the reset.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_reset_list_id(const struct libiommu_reset_list *list, size_t index,
                                        uint32_t *id);

LIBIOMMU_END_DECLS

/** @} */
#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup vdevice Virtual devices
 * @brief What a device is to a guest: its number on a vIOMMU.
 *
 * The guest's commands and the vIOMMU's events name a device by the guest's number, its virtual id:
 * a stream id of an SMMUv3. A device has one virtual device at most, on one vIOMMU.
 *
 * The kernel keeps the id of a virtual device for ever if its device goes first. So a device cannot
 * be destroyed before its virtual device; libiommu_device_revoke() ends the virtual device by
 * itself, and leaves a handle that can only be destroyed.
 * @{
 */
#ifndef LIBIOMMU_VDEVICE_H
#define LIBIOMMU_VDEVICE_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief Give a device a guest's number on a vIOMMU.
 *
 * @param viommu     The vIOMMU, of the same context; it cannot be destroyed before the virtual
 *                   device.
 * @param dev        The device, bound, behind the IOMMU that the vIOMMU is a slice of; it cannot be
 *                   destroyed before the virtual device.
 * @param virt_id    The guest's number, unique on the vIOMMU.
 * @param[out] vdev  The virtual device; destroyed with libiommu_vdevice_destroy().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, they are of different contexts, the device is not bound
 *                      or is behind another IOMMU, or the kernel does not like the number.
 * @retval -EEXIST      The number is taken, or the device has a virtual device.
 * @retval -ENODEV      The device was revoked.
 * @retval -EOPNOTSUPP  The device was opened by its group, or an SMMUv3 knows it by several stream
 *                      ids.
 * @retval -ENOTTY      The kernel is older than 6.13.
 * @retval -ENOMEM      No memory, here or in the kernel.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_VDEVICE_ALLOC).
 * @kernel 6.13
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_VDEVICE_ALLOC.
 */
LIBIOMMU_API int libiommu_vdevice_alloc(struct libiommu_viommu *viommu, struct libiommu_device *dev,
                                        uint64_t virt_id, struct libiommu_vdevice **vdev);

/**
 * @brief Take a device's number away.
 *
 * @param vdev  The virtual device; NULL is 0.
 * @return 0; also where revoking the device has done it already.
 * @retval -EBUSY  The kernel says that something uses it. Nothing has changed.
 * @retval -errno  Whatever else the kernel says; the handle still exists.
 * @threads Owner.
 * @syscalls ioctl (IOMMU_DESTROY), unless the device was revoked.
 * @kernel 6.13
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_DESTROY.
 */
LIBIOMMU_API int libiommu_vdevice_destroy(struct libiommu_vdevice *vdev);

/**
 * @brief The kernel's id of a virtual device.
 *
 * @param vdev     The virtual device.
 * @param[out] id  The id; reused once the object is gone.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENODEV  Its device was revoked: there is none any more.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vdevice_id(const struct libiommu_vdevice *vdev, uint32_t *id);

/**
 * @brief The label of the device that has a guest's number.
 *
 * Takes a constant time however many there are.
 *
 * @param viommu      The vIOMMU.
 * @param virt_id     The guest's number.
 * @param[out] label  The label that the device was bound with.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  No device has the number.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vdevice_find_label(struct libiommu_viommu *viommu, uint64_t virt_id,
                                             uint64_t *label);

/**
 * @brief The guest's number of the device that has a label.
 *
 * Takes a constant time however many there are.
 *
 * @param viommu        The vIOMMU.
 * @param label         The label.
 * @param[out] virt_id  The guest's number on this vIOMMU.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -ENOENT    No device with this label has a number on the vIOMMU.
 * @retval -ENOTUNIQ  Several have.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vdevice_find_virt_id(struct libiommu_viommu *viommu, uint64_t label,
                                               uint64_t *virt_id);

LIBIOMMU_END_DECLS

/** @} */
#endif

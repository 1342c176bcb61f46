/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup pasid PASIDs
 * @brief Several page tables on one device, told apart by the PASID of each access.
 *
 * The kernel leaves the choice of PASIDs to its callers. Here the caller names an address space by
 * a **vPASID** of its own, and a PASID space chooses the PASID that the hardware sees: the same
 * number where that is free and the device can carry it, or else another one, from the top, where
 * it is least in the way of vPASIDs to come. Each attachment has a **tag**, a value of the caller's
 * that comes back with what happens there.
 *
 * A vPASID can differ from the PASID only where software programs the PASID into the device. Where
 * a guest does, or owns the device's PASID table, it must be the same: ask for
 * @ref LIBIOMMU_PASID_IDENTITY_ONLY. Where the device's own page table is a nested one of a kind
 * whose PASID table is the guest's (SMMUv3, AMD) nothing else is granted.
 *
 * Each device has a space to itself unless it joins one with others, as devices must whose shared
 * work queues take the PASID from the processor: in one space, one vPASID is one PASID on all
 * devices.
 *
 * Both the page table and the device's own must have been made with @ref LIBIOMMU_HWPT_PASID.
 * @{
 */
#ifndef LIBIOMMU_PASID_H
#define LIBIOMMU_PASID_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief A PASID is always the same number as its vPASID. */
#define LIBIOMMU_PASID_IDENTITY_ONLY (1U << 0)

/**
 * @brief Make a PASID space.
 *
 * @param ctx         The context.
 * @param flags       0 or LIBIOMMU_PASID_IDENTITY_ONLY.
 * @param[out] space  The space; destroyed with libiommu_pasid_space_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p flags has an unknown bit.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pasid_space_new(struct libiommu_ctx *ctx, uint32_t flags,
                                          struct libiommu_pasid_space **space);

/**
 * @brief Destroy a PASID space that no device is in.
 *
 * @param space  The space; NULL is 0.
 * @return 0.
 * @retval -EBUSY  Devices are in it, until they are destroyed. Nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pasid_space_destroy(struct libiommu_pasid_space *space);

/**
 * @brief Put a device into a PASID space, until the device is destroyed.
 *
 * @param space  The space.
 * @param dev    The device, of the same context.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL or the two are of different contexts.
 * @retval -EALREADY  The device is in a space: it joined one, or has had a PASID attached.
 * @retval -ENODEV    The device was revoked.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pasid_space_join(struct libiommu_pasid_space *space,
                                           struct libiommu_device *dev);

/**
 * @brief Attach a page table to a device under a PASID.
 *
 * Faults of a PASID with nothing attached come through the device's own page table where that is
 * nested, and stay its own. Where it has the same fault queue as @p hwpt, those that wait are
 * therefore read before the attachment, for whoever reads next. The queue's descriptor does not
 * tell of them: where no ring has the queue, libiommu_fault_queue_read() is to be called once after
 * this. One that comes during the call may be taken for either's; it is answered once all the same.
 *
 * @param dev         The device, bound. Its own page table, if it has one, needs
 *                    LIBIOMMU_HWPT_PASID too.
 * @param vpasid      The caller's number for it: 1 to 2^20 - 1.
 * @param hwpt        The page table, of the same context; it cannot be destroyed while it is
 *                    attached.
 * @param tag         Any 64-bit value.
 * @param[out] pasid  The PASID that the device has to use.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, the two are of different contexts, @p vpasid is 0 or too
 *                      large, the device is not bound, or the kernel says that one of the page
 *                      tables was made without LIBIOMMU_HWPT_PASID.
 * @retval -EEXIST      Something is attached at this vPASID: replace instead.
 * @retval -EOPNOTSUPP  The device, its IOMMU or the kernel has no PASIDs, or the device was opened
 *                      by its group. A kernel may say nothing and do nothing here; the library asks
 *                      for the hardware's limit first.
 * @retval -ERANGE      The PASID has to be the same as the vPASID, or the one that the space has
 *                      for the vPASID already, and this device cannot carry it.
 * @retval -EADDRINUSE  The PASID has to be the same as the vPASID, but the space has another one
 *                      for the vPASID, or the same for another vPASID.
 * @retval -ENOSPC      No PASID that the device can carry is free, or 4095 devices have the vPASID.
 * @retval -ENODEV      The device was revoked, or the IOMMU behind it cannot deliver page requests.
 * @retval -ENOMEM      No memory, here or in the kernel.
 * @retval -ENOBUFS     The ring that has the fault queue of @p hwpt has not told its reader of 2^20
 *                      ends of attachments.
 * @retval -errno       Whatever else the kernel says. After any failure nothing has changed.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_ATTACH_IOMMUFD_PT; before the device's first, IOMMU_GET_HW_INFO);
 *   read where the device's own page table may be nested and has the same fault queue.
 * @kernel 6.15
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_ATTACH_PASID.
 */
LIBIOMMU_API int libiommu_pasid_attach(struct libiommu_device *dev, uint32_t vpasid,
                                       struct libiommu_hwpt *hwpt, uint64_t tag, uint32_t *pasid);

/**
 * @brief Put another page table, or another tag, where one is attached. The PASID stays.
 *
 * @param dev     The device.
 * @param vpasid  The vPASID.
 * @param hwpt    The page table. The one that is there: the kernel is not asked, only the tag
 *                changes.
 * @param tag     The tag.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, the two are of different contexts, the device is not
 *                      bound, or the kernel says that the page table does not fit.
 * @retval -ENOENT      Nothing is attached at this vPASID.
 * @retval -EOPNOTSUPP  The device was opened by its group.
 * @retval -ENODEV      The device was revoked, or the IOMMU behind it cannot deliver page requests.
 * @retval -ENOMEM      No memory, here or in the kernel.
 * @retval -ENOBUFS     As libiommu_pasid_attach().
 * @retval -errno       Whatever else the kernel says. After any failure the old page table and tag
 *                      are attached.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_ATTACH_IOMMUFD_PT).
 * @kernel 6.15
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_ATTACH_PASID.
 */
LIBIOMMU_API int libiommu_pasid_replace(struct libiommu_device *dev, uint32_t vpasid,
                                        struct libiommu_hwpt *hwpt, uint64_t tag);

/**
 * @brief Detach what is attached at a vPASID. The space may give its PASID out again.
 *
 * @param dev     The device.
 * @param vpasid  The vPASID.
 * @return 0.
 * @retval -EINVAL      @p dev is NULL or not bound.
 * @retval -ENOENT      Nothing is attached at this vPASID.
 * @retval -EOPNOTSUPP  The device was opened by its group.
 * @retval -ENODEV      The device was revoked.
 * @retval -ENOMEM      No memory for faults that the kernel has read ahead for a ring
 *                      (LIBIOMMU_RING_IO_URING).
 * @retval -errno       Whatever the kernel says; then it is still attached.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_DETACH_IOMMUFD_PT).
 * @kernel 6.15
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_DETACH_PASID.
 */
LIBIOMMU_API int libiommu_pasid_detach(struct libiommu_device *dev, uint32_t vpasid);

/**
 * @brief The PASID at which a device has a vPASID attached.
 *
 * @param dev         The device.
 * @param vpasid      The vPASID.
 * @param[out] pasid  The PASID.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  Nothing is attached at this vPASID.
 * @threads Shared. Waits for nobody, and takes a constant number of loads.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pasid_find(const struct libiommu_device *dev, uint32_t vpasid,
                                     uint32_t *pasid);

/**
 * @brief The vPASID that a device has attached at a PASID.
 *
 * @param dev          The device.
 * @param pasid        The PASID.
 * @param[out] vpasid  The vPASID.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  Nothing is attached at this PASID.
 * @threads Shared. Waits for nobody, and takes a constant number of loads.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pasid_find_vpasid(const struct libiommu_device *dev, uint32_t pasid,
                                            uint32_t *vpasid);

/**
 * @brief What a device has attached at a PASID.
 *
 * @param dev        The device.
 * @param pasid      The PASID.
 * @param[out] hwpt  The page table; who uses it sees to it that it is not detached and destroyed
 *                   meanwhile.
 * @param[out] tag   The tag.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  Nothing is attached at this PASID.
 * @threads Shared. Waits for nobody; takes a constant number of loads, and as many again only where
 *   the same attachment was replaced meanwhile.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pasid_find_hwpt(const struct libiommu_device *dev, uint32_t pasid,
                                          struct libiommu_hwpt **hwpt, uint64_t *tag);

LIBIOMMU_END_DECLS

/** @} */
#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup vdpa vDPA devices
 * @brief Memory for devices behind vhost-vdpa, by hand or with a DMA space.
 *
 * A vDPA device moves its data by virtio's rules and is given memory through a node of its own,
 * /dev/vhost-vdpa-N, not through iommufd. One that mirrors a DMA space (@ref dma) has what is
 * registered there at the same IOVAs, so that one call serves it and devices of VFIO alike:
 *
 *     libiommu_vdpa_open(ctx, "/dev/vhost-vdpa-0", 0, &vdpa);
 *     libiommu_dma_space_mirror_vdpa(space, vdpa, 0);
 *     libiommu_dma_space_register(space, memory, length, flags, &iova);
 *
 * The virtio side, features, status and virtqueues, is the program's own, over libiommu_vdpa_fd();
 * messages to the IOTLB must all come from the library.
 *
 * A device with several address spaces gives each group of virtqueues one of them: a VMM that
 * answers a control queue itself gives it memory of its own.
 *
 * Four things differ from iommufd. Whatever is wrong with a message, the kernel says -EFAULT.
 * Memory is pinned once more, and charged once more to the limit of the process (RLIMIT_MEMLOCK),
 * which CAP_IPC_LOCK does not lift. A device that uses the addresses of the process, as the
 * kernel's simulator does, pins nothing and takes shared mappings of files only (memfd,
 * hugetlbfs): other memory the kernel passes over without a word. And a reset of the device
 * (status 0) leaves mappings alone only where the device has VHOST_BACKEND_F_IOTLB_PERSIST, which
 * the library acknowledges; else mirror anew after a reset.
 * @{
 */
#ifndef LIBIOMMU_VDPA_H
#define LIBIOMMU_VDPA_H

#include <libiommu/dma.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief Open a vhost-vdpa device and become its owner.
 *
 * Acknowledged are, as far as the device has them, the backend features for messages of version 2,
 * batches, address spaces and mappings that outlive a reset, and what @p features adds.
 *
 * @param ctx        The context, whose door and log are used; the device is no part of it else.
 * @param path       Its node.
 * @param features   Backend features to acknowledge besides, as bits 1 << VHOST_BACKEND_F_...; 0
 *                   for none.
 * @param[out] vdpa  The device; destroyed with libiommu_vdpa_destroy(), before the context.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL.
 * @retval -ENOENT      There is no such node.
 * @retval -EACCES      No permission on the node.
 * @retval -EBUSY       The device is open elsewhere.
 * @retval -EOPNOTSUPP  The device does not have one of @p features, or no messages of version 2.
 * @retval -ENOTTY      The node is not that of a vhost-vdpa device.
 * @retval -ENOMEM      No memory.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls open, ioctl (VHOST_SET_OWNER, VHOST_GET_BACKEND_FEATURES, VHOST_SET_BACKEND_FEATURES,
 *           VHOST_VDPA_GET_IOVA_RANGE, VHOST_VDPA_GET_AS_NUM, VHOST_VDPA_GET_GROUP_NUM); close.
 * @kernel 5.12
 * @since 0.1
 * @follows vhost uAPI, linux/vhost.h.
 */
LIBIOMMU_API int libiommu_vdpa_open(struct libiommu_ctx *ctx, const char *path, uint64_t features,
                                    struct libiommu_vdpa **vdpa);

/**
 * @brief Take a vhost-vdpa device that is open.
 *
 * Backend features are acknowledged anew: name in @p features those that the program wants besides
 * the library's. That this process owns it already is no error.
 *
 * @param ctx        The context.
 * @param fd         Its descriptor.
 * @param mode       Who closes it. A failing call closes nothing.
 * @param features   As for libiommu_vdpa_open().
 * @param[out] vdpa  The device; destroyed with libiommu_vdpa_destroy(), before the context.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, @p fd is negative or @p mode is unknown.
 * @retval -EOPNOTSUPP  The device does not have one of @p features, or no messages of version 2; or
 *                      the context is a legacy container's.
 * @retval -ENOTTY      The descriptor is not that of a vhost-vdpa device.
 * @retval -ENOMEM      No memory.
 * @retval -errno       Whatever else the kernel says, or the duplication.
 * @threads Shared.
 * @syscalls fcntl (LIBIOMMU_FD_DUP), ioctl (as libiommu_vdpa_open()); close.
 * @kernel 5.12
 * @since 0.1
 * @follows vhost uAPI, linux/vhost.h.
 */
LIBIOMMU_API int libiommu_vdpa_adopt(struct libiommu_ctx *ctx, int fd, enum libiommu_fd_mode mode,
                                     uint64_t features, struct libiommu_vdpa **vdpa);

/**
 * @brief Destroy the handle, and close the descriptor if it is the handle's.
 *
 * With the descriptor the kernel resets the device and unmaps everything; a borrowed one keeps what
 * was mapped by hand.
 *
 * @param vdpa  The device; NULL is 0.
 * @return 0.
 * @retval -EBUSY  It mirrors a DMA space.
 * @threads Owner.
 * @syscalls close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vdpa_destroy(struct libiommu_vdpa *vdpa);

/**
 * @brief The descriptor of a device, for the virtio side of it, or to duplicate.
 *
 * @param vdpa  The device.
 * @return The descriptor; it stays the handle's.
 * @retval -EINVAL  @p vdpa is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vdpa_fd(const struct libiommu_vdpa *vdpa);

/**
 * @brief Which backend features were acknowledged.
 *
 * @param vdpa           The device.
 * @param[out] features  Bits 1 << VHOST_BACKEND_F_...
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vdpa_features(const struct libiommu_vdpa *vdpa, uint64_t *features);

/**
 * @brief Which IOVAs a device can use.
 *
 * @param vdpa        The device.
 * @param[out] range  The range.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vdpa_iova_range(const struct libiommu_vdpa *vdpa,
                                          struct libiommu_iova_range *range);

/**
 * @brief How many address spaces a device has, numbered from 0 on.
 *
 * @param vdpa        The device.
 * @param[out] count  How many; 1 where the kernel knows of no others.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vdpa_address_spaces(const struct libiommu_vdpa *vdpa, uint32_t *count);

/**
 * @brief How many groups of virtqueues a device has, numbered from 0 on.
 *
 * @param vdpa        The device.
 * @param[out] count  How many; 1 where the kernel knows of no others.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vdpa_groups(const struct libiommu_vdpa *vdpa, uint32_t *count);

/**
 * @brief Which group a virtqueue is of.
 *
 * @param vdpa        The device.
 * @param queue       The virtqueue's index.
 * @param[out] group  Its group.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL.
 * @retval -ENOBUFS     The device has no such virtqueue.
 * @retval -EOPNOTSUPP  The device has no groups; all virtqueues are of one.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VHOST_VDPA_GET_VRING_GROUP).
 * @kernel 5.19
 * @since 0.1
 * @follows vhost uAPI, VHOST_VDPA_GET_VRING_GROUP.
 */
LIBIOMMU_API int libiommu_vdpa_queue_group(struct libiommu_vdpa *vdpa, uint32_t queue,
                                           uint32_t *group);

/**
 * @brief Give a group of virtqueues an address space, before the device is set to work.
 *
 * A reset gives all groups address space 0 again.
 *
 * @param vdpa   The device.
 * @param group  The group.
 * @param asid   The address space.
 * @return 0.
 * @retval -EINVAL      @p vdpa is NULL, or the device has no such group or address space.
 * @retval -EOPNOTSUPP  The device has one address space for all.
 * @retval -EBUSY       The device is at work, and the kernel looks.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VHOST_VDPA_SET_GROUP_ASID).
 * @kernel 5.19
 * @since 0.1
 * @follows vhost uAPI, VHOST_VDPA_SET_GROUP_ASID.
 */
LIBIOMMU_API int libiommu_vdpa_set_group(struct libiommu_vdpa *vdpa, uint32_t group, uint32_t asid);

/**
 * @brief Map memory of this process for a device, by hand.
 *
 * @param vdpa     The device.
 * @param asid     The address space; 0 where there is one.
 * @param address  Start of the memory, a multiple of a page.
 * @param length   Bytes, a multiple of a page, not 0.
 * @param flags    LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both.
 * @param iova     Where the device finds it, a multiple of a page.
 * @return 0.
 * @retval -EINVAL  @p vdpa is NULL, the device has no such address space or cannot use the IOVAs,
 *                  something is misaligned, or @p flags are none or others.
 * @retval -EFAULT  The kernel refuses, and says no more: something is mapped in the range; the
 *                  memory is not there, not writable where that was asked for, or cannot be pinned;
 *                  the locked-memory limit, or memory, is used up; or another process owns the
 *                  device.
 * @retval -EIO     The kernel took a part of the message only.
 * @retval -errno   Whatever else the kernel says. After any failure nothing has changed.
 * @threads Shared. Takes the device's lock.
 * @syscalls write.
 * @kernel 5.12
 * @since 0.1
 * @follows vhost uAPI, VHOST_IOTLB_UPDATE.
 */
LIBIOMMU_API int libiommu_vdpa_map(struct libiommu_vdpa *vdpa, uint32_t asid, void *address,
                                   uint64_t length, uint32_t flags, uint64_t iova);

/**
 * @brief Unmap what was mapped for a device by hand.
 *
 * Whole ranges, or several: of a mapping that is cut the kernel unmaps more than the part, and says
 * nothing. Where nothing is mapped, nothing happens.
 *
 * @param vdpa    The device.
 * @param asid    The address space; 0 where there is one.
 * @param iova    Start of the range, a multiple of a page.
 * @param length  Bytes, a multiple of a page, not 0.
 * @return 0.
 * @retval -EINVAL  @p vdpa is NULL, the device has no such address space, or something is
 *                  misaligned.
 * @retval -EFAULT  Another process owns the device, or nothing was ever mapped in the address
 *                  space.
 * @retval -EIO     The kernel took a part of the message only.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared. Takes the device's lock.
 * @syscalls write.
 * @kernel 5.12
 * @since 0.1
 * @follows vhost uAPI, VHOST_IOTLB_INVALIDATE.
 */
LIBIOMMU_API int libiommu_vdpa_unmap(struct libiommu_vdpa *vdpa, uint32_t asid, uint64_t iova,
                                     uint64_t length);

/**
 * @brief Have an address space of a vDPA device mirror a DMA space: what is registered, now and
 * later, is there at the same IOVAs.
 *
 * What the device cannot use, no registration can have: with LIBIOMMU_DMA_WINDOW the library
 * chooses IOVAs that it can. Files need an address to be registered with (-EOPNOTSUPP else).
 *
 * @param space  The space.
 * @param vdpa   The device, of the same context; must outlive the space or
 *               libiommu_dma_space_unmirror_vdpa().
 * @param asid   Its address space; 0 where there is one.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, the contexts differ, the device has no such address
 *                      space, or cannot use the IOVAs of what is registered.
 * @retval -EEXIST      It mirrors the space already.
 * @retval -EOPNOTSUPP  A file is registered without an address.
 * @retval -EADDRINUSE  It cannot use what is taken from the space's window.
 * @retval -EFAULT      The kernel refuses what is registered, as for libiommu_vdpa_map().
 * @retval -ENOMEM      No memory.
 * @retval -ECHILD      This is a forked child; the space stays its parent's.
 * @retval -errno       Whatever else the kernel says. After any failure nothing has changed.
 * @threads Shared. Takes the space's lock, and the device's.
 * @syscalls ioctl (IOMMU_IOAS_IOVA_RANGES), write.
 * @kernel 5.12
 * @since 0.1
 * @follows vhost uAPI, VHOST_IOTLB_BATCH_BEGIN, VHOST_IOTLB_UPDATE, VHOST_IOTLB_BATCH_END.
 */
LIBIOMMU_API int libiommu_dma_space_mirror_vdpa(struct libiommu_dma_space *space,
                                                struct libiommu_vdpa *vdpa, uint32_t asid);

/**
 * @brief Have an address space of a vDPA device mirror a DMA space no more: what is registered is
 * unmapped there.
 *
 * @param space  The space.
 * @param vdpa   The device.
 * @param asid   Its address space.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  It does not mirror the space.
 * @retval -EFAULT  Another process owns the device.
 * @retval -ECHILD  This is a forked child; the space stays its parent's.
 * @retval -errno   Whatever else the kernel says. A part may be unmapped; to be repeated.
 * @threads Shared. Takes the space's lock, and the device's.
 * @syscalls write.
 * @kernel 5.12
 * @since 0.1
 * @follows vhost uAPI, VHOST_IOTLB_BATCH_BEGIN, VHOST_IOTLB_INVALIDATE, VHOST_IOTLB_BATCH_END.
 */
LIBIOMMU_API int libiommu_dma_space_unmirror_vdpa(struct libiommu_dma_space *space,
                                                  struct libiommu_vdpa *vdpa, uint32_t asid);

LIBIOMMU_END_DECLS

/** @} */
#endif

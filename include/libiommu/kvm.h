/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup kvm KVM
 * @brief Tell a virtual machine which devices are its own.
 *
 * KVM has to know that a virtual machine has a device: its DMA may pass by the processor's caches,
 * and some drivers want to know the machine. It is told of the device's file, through a device of
 * its own, "KVM-VFIO", of which each virtual machine has one. The order is
 *
 *     libiommu_device_open_pci(ctx, "0000:03:00.0", &dev);
 *     libiommu_kvm_add(kvm, dev);
 *     libiommu_device_bind(dev, label, NULL, 0);
 *     libiommu_device_attach_ioas(dev, ioas);
 *     ...
 *     libiommu_device_destroy(dev);
 *
 * A driver looks for the virtual machine when the device is bound and never again; the kernel takes
 * a file also when that is too late, and says nothing. The library refuses it.
 *
 * KVM keeps the files that it is told of open. A device that is destroyed or revoked is therefore
 * detached, taken from KVM and closed, in this order; were it only closed, it would live on, bound
 * and attached, until the virtual machine ends.
 * @{
 */
#ifndef LIBIOMMU_KVM_H
#define LIBIOMMU_KVM_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief Make a virtual machine's KVM-VFIO device.
 *
 * @param ctx       The context.
 * @param vm_fd     The virtual machine's descriptor, from KVM_CREATE_VM; not used after the call.
 * @param[out] kvm  The KVM-VFIO device; destroyed with libiommu_kvm_destroy(), before the context.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p vm_fd is negative.
 * @retval -EBUSY   The virtual machine has one: take that with libiommu_kvm_adopt().
 * @retval -ENODEV  This kernel's KVM knows of no VFIO.
 * @retval -ENOTTY  @p vm_fd is not a virtual machine's.
 * @retval -EBADF   @p vm_fd is not open.
 * @retval -EIO     The virtual machine is another process's.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (KVM_CREATE_DEVICE).
 * @kernel 3.13
 * @since 0.1
 * @follows KVM API, KVM_CREATE_DEVICE, KVM_DEV_TYPE_VFIO.
 */
LIBIOMMU_API int libiommu_kvm_new(struct libiommu_ctx *ctx, int vm_fd, struct libiommu_kvm **kvm);

/**
 * @brief Take a KVM-VFIO device that is there: another part of the program made it, or another
 * context of the same virtual machine has it.
 *
 * @param ctx       The context.
 * @param fd        Its descriptor, from KVM_CREATE_DEVICE; checked against nothing.
 * @param mode      Who closes it. A failing call closes nothing.
 * @param[out] kvm  The KVM-VFIO device; destroyed with libiommu_kvm_destroy(), before the context.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p fd is negative or @p mode is unknown.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever the duplication says.
 * @threads Shared.
 * @syscalls fcntl (LIBIOMMU_FD_DUP).
 * @since 0.1
 */
LIBIOMMU_API int libiommu_kvm_adopt(struct libiommu_ctx *ctx, int fd, enum libiommu_fd_mode mode,
                                    struct libiommu_kvm **kvm);

/**
 * @brief The descriptor of a KVM-VFIO device, to lend or duplicate.
 *
 * @param kvm  The KVM-VFIO device.
 * @return The descriptor; it stays the handle's.
 * @retval -EINVAL  @p kvm is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_kvm_fd(const struct libiommu_kvm *kvm);

/**
 * @brief Destroy the handle, and close the descriptor if it is the handle's.
 *
 * @param kvm  The KVM-VFIO device; NULL is 0.
 * @return 0.
 * @retval -EBUSY  A device was added through this handle, and is there still.
 * @threads Owner.
 * @syscalls close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_kvm_destroy(struct libiommu_kvm *kvm);

/**
 * @brief Tell KVM of a device, before it is bound.
 *
 * @param kvm  The KVM-VFIO device; it cannot be destroyed while it has the device.
 * @param dev  The device, of the same context, open and not bound; or one that was taken over from
 *             another process (@ref takeover), whose virtual machine it was.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, or the two are of different contexts.
 * @retval -EALREADY    Too late: the device is bound. Destroy it, open it again, and add it first.
 * @retval -EEXIST      KVM knows it, through this handle or past it.
 * @retval -ENODEV      The device was revoked.
 * @retval -EOPNOTSUPP  The device was opened by its group, which is too late too: KVM has to be
 *                      told of the group's file before that.
 * @retval -ENXIO       The descriptor is that of another of KVM's devices.
 * @retval -ENOTTY      The descriptor is not one of KVM's devices.
 * @retval -ENOMEM      No memory in the kernel.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (KVM_SET_DEVICE_ATTR).
 * @kernel 6.6
 * @since 0.1
 * @follows kernel documentation, virt/kvm/devices/vfio.rst, KVM_DEV_VFIO_FILE_ADD.
 */
LIBIOMMU_API int libiommu_kvm_add(struct libiommu_kvm *kvm, struct libiommu_device *dev);

/**
 * @brief Take a device from KVM by hand; destroying or revoking the device does it too.
 *
 * @param kvm  The KVM-VFIO device.
 * @param dev  The device, added through this handle, and detached. Once it is bound it cannot be
 *             added again.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  The device was not added through this handle, or KVM has forgotten it.
 * @retval -EBUSY   The device is attached, or has PASIDs that are.
 * @retval -ENODEV  The device was revoked.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (KVM_SET_DEVICE_ATTR).
 * @kernel 6.6
 * @since 0.1
 * @follows kernel documentation, virt/kvm/devices/vfio.rst, KVM_DEV_VFIO_FILE_DEL.
 */
LIBIOMMU_API int libiommu_kvm_remove(struct libiommu_kvm *kvm, struct libiommu_device *dev);

LIBIOMMU_END_DECLS

/** @} */
#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup device Devices
 * @brief A device behind an IOMMU, from open to close.
 *
 * A device is opened, told to KVM where there is one, bound to its context with a label, attached
 * to an address space, used, detached and destroyed. Before it is bound it can do nothing; until it
 * is attached its DMA is blocked. It must be with vfio-pci, or another VFIO driver, before it can
 * be opened.
 *
 * @par Devices opened by their group
 * On kernels without device nodes a device is opened through its group's file, with the context
 * standing in for the container. The kernel binds and attaches such a device itself, to the
 * compatibility address space (libiommu_ioas_get_compat()), and gives it no id: attach, replace,
 * detach, hardware information and page tables are -EOPNOTSUPP.
 *
 * @par Devices on type 1
 * On a context without iommufd (libiommu_ctx_backend()) every device is opened by its group, which
 * libiommu_device_open_pci() finds by itself, and the same calls follow: bind, attach to an address
 * space, detach. What lies behind them differs, and shows in four places. The device itself is
 * opened when it is bound, its group being in a container with nothing mapped, so that its DMA is
 * blocked. An address space is one container. A group changes containers only while none of its
 * devices is open: a device that is attached where another group is already is closed for it and
 * opened again, which is -EBUSY once registers were written or mapped, interrupts or features set
 * or libiommu_device_fd() called. And such a device can be detached only together with its
 * container, that is when no other group is in it; else that is -EBUSY too, and destroying the
 * device is the way.
 *
 * A device without an IOMMU (`/dev/vfio/noiommu-N`) is attached to an address space of its own
 * kind, where nothing can be mapped: its DMA goes to the machine's memory, and nothing stops it.
 * @{
 */
#ifndef LIBIOMMU_DEVICE_H
#define LIBIOMMU_DEVICE_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief Open a device by its PCI address.
 *
 * @param ctx       The context.
 * @param address   As sysfs writes it, "0000:00:03.0", or without the domain, "00:03.0".
 * @param[out] dev  The device, not bound yet; destroyed with libiommu_device_destroy(), before the
 *                  context.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p address is not a PCI address.
 * @retval -ENODEV  There is no such device, or no VFIO driver has it: the explanation says which
 *                  driver does.
 * @retval -ENOENT  The driver has it but there is no device node: this kernel has none (try
 *                  libiommu_device_open_group()).
 * @retval -EACCES  No permission on the node.
 * @retval -EPERM   On type 1: a device of the group has a host driver, or there is no IOMMU and
 *                  CAP_SYS_RAWIO is missing.
 * @retval -EBUSY   On type 1: the group is in use elsewhere.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever else open() says.
 * @threads Shared.
 * @syscalls openat, read, getdents64, readlink, fstat and close in sysfs; openat on the node. On
 *   type 1 as libiommu_device_open_group() instead.
 * @kernel 6.6; on type 1 any
 * @since 0.1
 * @follows kernel documentation, driver-api/vfio.rst, "VFIO Device cdev".
 */
LIBIOMMU_API int libiommu_device_open_pci(struct libiommu_ctx *ctx, const char *address,
                                          struct libiommu_device **dev);

/**
 * @brief Open a device by its directory in sysfs: a mediated device, or one on another bus than
 * PCI.
 *
 * @param ctx       The context.
 * @param path      The directory, "/sys/bus/mdev/devices/<uuid>" for example.
 * @param[out] dev  The device, not bound yet; destroyed with libiommu_device_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p path is not absolute.
 * @retval -ENODEV  There is no such directory, or no VFIO driver has the device.
 * @retval -ENOENT  The driver has it but there is no device node.
 * @retval -EACCES  No permission on the node.
 * @retval -EPERM   On type 1, as for libiommu_device_open_pci().
 * @retval -EBUSY   Likewise.
 * @retval -ENAMETOOLONG  @p path is too long.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever else open() says.
 * @threads Shared.
 * @syscalls openat, read, getdents64, readlink, fstat and close in sysfs; openat on the node. On
 *   type 1 as libiommu_device_open_group() instead.
 * @kernel 6.6; on type 1 any
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_open_sysfs(struct libiommu_ctx *ctx, const char *path,
                                            struct libiommu_device **dev);

/**
 * @brief Open a device by its node.
 *
 * @param ctx       The context.
 * @param path      "/dev/vfio/devices/vfio0" or, without an IOMMU,
 *                  "/dev/vfio/devices/noiommu-vfio0".
 * @param[out] dev  The device, not bound yet; destroyed with libiommu_device_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  There is no such node.
 * @retval -EACCES  No permission on the node.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever else open() says.
 * @threads Shared.
 * @syscalls openat.
 * @kernel 6.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_open_node(struct libiommu_ctx *ctx, const char *path,
                                           struct libiommu_device **dev);

/**
 * @brief Take a device node that is open but not bound, from a privileged process for example.
 *
 * @param ctx       The context.
 * @param fd        The descriptor.
 * @param mode      Who closes it. A failing call closes nothing.
 * @param[out] dev  The device, not bound yet; destroyed with libiommu_device_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p fd is negative or @p mode is unknown.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever the duplication says.
 * @threads Shared.
 * @syscalls fcntl (LIBIOMMU_FD_DUP).
 * @kernel 6.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_open_fd(struct libiommu_ctx *ctx, int fd,
                                         enum libiommu_fd_mode mode, struct libiommu_device **dev);

/**
 * @brief Take a device node that is open and bound to this context's `/dev/iommu` already.
 *
 * Only the caller knows what the kernel will not tell: the ids. They are checked against nothing.
 *
 * @param ctx       The context, made from the descriptor that the device was bound to.
 * @param fd        The device's descriptor.
 * @param mode      Who closes it. A failing call closes nothing.
 * @param id        The kernel's id of the device, from its bind.
 * @param pt_id     What it is attached to: the id of an IOAS or HWPT; 0 for nothing. Not being made
 * through this handle, that attachment ends with the descriptor, not with a handle that borrows it.
 * @param label     The label.
 * @param[out] dev  The device, bound; destroyed with libiommu_device_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p fd is negative, @p mode is unknown, or @p id is 0 or
 *                  exceeds 31 bits, as no kernel's does.
 * @retval -EEXIST  The context has a device with this id.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever the duplication says.
 * @threads Shared.
 * @syscalls fcntl (LIBIOMMU_FD_DUP).
 * @kernel 6.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_adopt(struct libiommu_ctx *ctx, int fd, enum libiommu_fd_mode mode,
                                       uint32_t id, uint32_t pt_id, uint64_t label,
                                       struct libiommu_device **dev);

/**
 * @brief Open a device through its group.
 *
 * Devices of one group that are opened in one context share the group's descriptor.
 *
 * @param ctx        The context.
 * @param group      The group's file, "/dev/vfio/12".
 * @param name       The device in the group: its PCI address as sysfs writes it, normally.
 * @param vf_token   16 bytes that a virtual function needs when its physical function's owner has
 *                   set them; NULL for none.
 * @param[out] dev   The device, bound and attached by the kernel; libiommu_device_bind() only gives
 * it its label. On type 1 neither: libiommu_device_bind() opens it, and it is attached as any
 * other. Destroyed with libiommu_device_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p name is empty, or the kernel says that the token is not
 *                  needed.
 * @retval -ENOENT  There is no such group.
 * @retval -EACCES  No permission on the group's file, or a missing or wrong token.
 * @retval -EBUSY   The group or the device is in use elsewhere, also through a device node.
 * @retval -EPERM   A device of the group has a host driver: the explanation names it where sysfs
 *                  tells.
 * @retval -ENODEV  The group has no such device.
 * @retval -ENAMETOOLONG  @p name is too long.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls openat, ioctl (VFIO_GROUP_GET_STATUS, VFIO_GROUP_SET_CONTAINER,
 *   VFIO_GROUP_GET_DEVICE_FD; the first alone on type 1), close; on failure also readlink,
 *   getdents64, read and fstat in sysfs and /proc, to find out what or who is in the way.
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_open_group(struct libiommu_ctx *ctx, const char *group,
                                            const char *name, const uint8_t *vf_token,
                                            struct libiommu_device **dev);

/**
 * @brief Bind a device to its context, under a label of the caller's.
 *
 * Where KVM is used it must have been told of the device before (@ref kvm).
 *
 * @param dev       The device, open and not bound. One opened by its group is bound by the kernel:
 *                  it only gets the label.
 * @param label     Any 64-bit value; several devices may have the same.
 * @param vf_token  16 bytes that a virtual function needs when its physical function's owner has
 *                  set them; NULL for none.
 * @param flags     0.
 * @return 0.
 * @retval -EINVAL      @p dev is NULL, @p flags is not 0, or the kernel says that the token is not
 *                      needed or that the device is bound or open elsewhere: the explanation tells
 *                      which where it can.
 * @retval -EALREADY    This handle is bound.
 * @retval -ENODEV      The device was revoked. On type 1 also: the group has no such device, or
 *                      vfio_iommu_type1 is not loaded.
 * @retval -EBADFD      The context's descriptor is not `/dev/iommu`.
 * @retval -EBUSY       The device's group is open.
 * @retval -EPERM       A device of the same group has a host driver, or interrupts are not
 *                      isolated: the explanation names the obstacle where sysfs tells.
 * @retval -EACCES      A missing or wrong token.
 * @retval -EOPNOTSUPP  The device was opened by its group and @p vf_token is given: it belongs into
 * the open.
 * @retval -ENOMEM      No memory.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_BIND_IOMMUFD); on type 1 openat, ioctl (VFIO_GROUP_SET_CONTAINER,
 *   VFIO_SET_IOMMU, VFIO_GROUP_GET_DEVICE_FD, VFIO_GROUP_UNSET_CONTAINER), close; also openat,
 *   readlink, getdents64, read, fstat and close in sysfs and /proc, to find out whether the IOMMU
 *   group has other devices, or on failure what or who is in the way.
 * @kernel 6.6; tokens 6.17; on type 1 any
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_BIND_IOMMUFD.
 */
LIBIOMMU_API int libiommu_device_bind(struct libiommu_device *dev, uint64_t label,
                                      const uint8_t *vf_token, uint32_t flags);

/**
 * @brief Attach a device to an address space; the kernel makes or shares a page table for it.
 *
 * @param dev   The device, bound and not attached.
 * @param ioas  The address space, of the same context; it cannot be destroyed while the device is
 *              attached.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, the two are of different contexts, the device is not
 *                      bound, or a device of its group is attached elsewhere.
 * @retval -EEXIST      The device is attached already: replace instead.
 * @retval -ENODEV      The device was revoked. On type 1 also: its group could neither join the
 *                      others nor go back, and the device is lost; every call but its destroy says
 *                      so from now on.
 * @retval -EOPNOTSUPP  The device was opened by its group (not on type 1). On type 1: something is
 *                      mapped, and there is no IOMMU behind the device.
 * @retval -EADDRINUSE  A mapping or an allowed range lies where the device needs a range for
 *                      itself.
 * @retval -EFAULT      Something that was mapped lazily turns out to be no memory.
 * @retval -ENOMEM      The locked-memory limit, or memory here or in the kernel, is used up.
 * @retval -EBUSY       The device is being reset. On type 1: the address space has another group,
 *                      and the device was used already.
 * @retval -ENOSPC      On type 1: more is mapped than a container takes (65,535 mappings).
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_ATTACH_IOMMUFD_PT); on type 1 ioctl (VFIO_IOMMU_GET_INFO,
 *   VFIO_IOMMU_MAP_DMA for each mapping), where others are attached also close, openat and ioctl
 *   (VFIO_GROUP_UNSET_CONTAINER, VFIO_GROUP_SET_CONTAINER, VFIO_SET_IOMMU,
 *   VFIO_GROUP_GET_DEVICE_FD).
 * @kernel 6.6; on type 1 any
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_ATTACH_IOMMUFD_PT.
 */
LIBIOMMU_API int libiommu_device_attach_ioas(struct libiommu_device *dev,
                                             struct libiommu_ioas *ioas);

/**
 * @brief Attach a device to a page table.
 *
 * @param dev   The device, bound and not attached.
 * @param hwpt  The page table, of the same context; it cannot be destroyed while the device is
 *              attached.
 * @return 0, or as libiommu_device_attach_ioas(); also:
 * @retval -EINVAL  The page table does not fit the IOMMU behind the device.
 * @retval -EBUSY   The device is being reset; or with this page table a guest owns the device's
 *                  PASIDs, and one that is attached is not its vPASID.
 * @retval -ENOBUFS  The ring that has the page table's fault queue has not told its reader of 2^20
 *                   ends of attachments.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_ATTACH_IOMMUFD_PT).
 * @kernel 6.6
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_ATTACH_IOMMUFD_PT.
 */
LIBIOMMU_API int libiommu_device_attach_hwpt(struct libiommu_device *dev,
                                             struct libiommu_hwpt *hwpt);

/**
 * @brief Move an attached device to another address space. Where it can the hardware sees the old
 * or the new, nothing between.
 *
 * Devices of one IOMMU group are attached to the same, and the kernel moves all of them that are
 * attached. The other handles do not know: replace for each of them, at once and to the same,
 * before anything else is done with them.
 *
 * @param dev   The device, attached to anything. To what it is attached to already: 0, and nothing
 *              is done, unless another device of its group has taken it elsewhere.
 * @param ioas  The address space, of the same context.
 * @return 0, or as libiommu_device_attach_ioas() except -EEXIST; a failure keeps the old
 *   attachment. Also:
 * @retval -ENOENT  The device is not attached.
 * @retval -EOPNOTSUPP  On type 1, which has no such operation: detach, and attach again.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_ATTACH_IOMMUFD_PT).
 * @kernel 6.6
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_ATTACH_IOMMUFD_PT.
 */
LIBIOMMU_API int libiommu_device_replace_ioas(struct libiommu_device *dev,
                                              struct libiommu_ioas *ioas);

/**
 * @brief Move an attached device to another page table.
 *
 * For groups of several devices see libiommu_device_replace_ioas().
 *
 * @param dev   The device, attached to anything. To what it is attached to already: 0, and nothing
 *              is done, unless another device of its group has taken it elsewhere.
 * @param hwpt  The page table, of the same context.
 * @return 0, or as libiommu_device_attach_hwpt() except -EEXIST; a failure keeps the old
 *   attachment. Also:
 * @retval -ENOENT  The device is not attached.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_ATTACH_IOMMUFD_PT).
 * @kernel 6.6
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_ATTACH_IOMMUFD_PT.
 */
LIBIOMMU_API int libiommu_device_replace_hwpt(struct libiommu_device *dev,
                                              struct libiommu_hwpt *hwpt);

/**
 * @brief Detach a device: its DMA is blocked from here on.
 *
 * Where its IOMMU group has other devices, once the last of them is detached: until then it reaches
 * what they do.
 *
 * @param dev  The device.
 * @return 0.
 * @retval -EINVAL      @p dev is NULL or not bound.
 * @retval -ENOENT      It is not attached.
 * @retval -ENODEV      The device was revoked. On type 1 also: it is lost, as for
 *                      libiommu_device_attach_ioas().
 * @retval -EBUSY       On type 1: the address space has other groups, and the device was used.
 * @retval -EOPNOTSUPP  It was opened by its group (not on type 1).
 * @retval -ENOMEM      No memory for faults that the kernel has read ahead for a ring
 *                      (LIBIOMMU_RING_IO_URING).
 * @retval -errno       Whatever the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_DETACH_IOMMUFD_PT); on type 1 ioctl (VFIO_IOMMU_UNMAP_DMA), or
 *   those of libiommu_device_attach_ioas().
 * @kernel 6.6; on type 1 any
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_DETACH_IOMMUFD_PT.
 */
LIBIOMMU_API int libiommu_device_detach(struct libiommu_device *dev);

/**
 * @brief Give the device back to the host, now, whatever hangs on it.
 *
 * For the moment when the host asks (the device-request interrupt, @ref irq): the kernel waits
 * until the last use of the device's descriptor is gone. Mapped BARs are replaced in place by plain
 * memory that reads zero, so that a thread still driving the device does not crash; the descriptor
 * is closed, which ends the attachment; from then on every call on the device except the getters,
 * the destruction of what hangs on it, and its own destroy is -ENODEV. Its virtual device is
 * destroyed before the descriptor is closed, where the kernel lets it be. A borrowed descriptor is
 * not closed: that is up to its owner; what was attached through this handle is detached. KVM keeps
 * a hold of its own on a device that it was told of: take the device from it too.
 *
 * @param dev  The device. Revoking it twice is 0.
 * @return 0.
 * @retval -EINVAL  @p dev is NULL.
 * @retval -ENOMEM  A mapped BAR could not be replaced, for want of memory. The device is not
 *                  revoked, but other BARs may be replaced already; the call can be repeated.
 * @retval -errno   Whatever else mmap() says, likewise.
 * @threads Shared. Waits for the calls on the device that are in flight; those that come later wait
 * for it.
 * @syscalls mmap (for each mapped BAR); ioctl (IOMMU_DESTROY) for a virtual device; close, also of
 *   a group with its last device; for a borrowed descriptor instead ioctl
 *   (VFIO_DEVICE_DETACH_IOMMUFD_PT) where the device is attached by this handle; on type 1 also
 *   ioctl (VFIO_GROUP_UNSET_CONTAINER, VFIO_IOMMU_UNMAP_DMA) and close of the container.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_revoke(struct libiommu_device *dev);

/**
 * @brief Close a device. The kernel detaches it and disables its interrupts; vfio-pci also resets
 * it where it can.
 *
 * A borrowed descriptor stays open: what was attached through this handle is detached, anything
 * else is left as it is, and a failure of that detach is not told.
 *
 * @param dev  The device; NULL is 0.
 * @return 0.
 * @retval -EBUSY  One of its BARs is still mapped, or it has a virtual device. Nothing has changed.
 * @threads Owner.
 * @syscalls close, also of a group with its last device; for a borrowed descriptor instead ioctl
 *   (VFIO_DEVICE_DETACH_IOMMUFD_PT) where the device is attached by this handle; on type 1 also
 *   ioctl (VFIO_GROUP_UNSET_CONTAINER, VFIO_IOMMU_UNMAP_DMA) and close of the container.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_destroy(struct libiommu_device *dev);

/**
 * @brief The device's descriptor, for KVM and for what this library does not do.
 *
 * On type 1 the device stays open from then on: it cannot be attached any more where another group
 * is.
 *
 * @param dev  The device, on type 1 bound.
 * @return The descriptor, which stays the device's: do not close it.
 * @retval -EINVAL  @p dev is NULL, or not bound on type 1.
 * @retval -ENODEV  The device was revoked.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_fd(const struct libiommu_device *dev);

/**
 * @brief The kernel's id of a device.
 *
 * @param dev      The device.
 * @param[out] id  The id, unique in the context among objects of all kinds; reused once the device
 *                 is gone.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL or the device is not bound.
 * @retval -EOPNOTSUPP  It was opened by its group and has none.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_id(const struct libiommu_device *dev, uint32_t *id);

/**
 * @brief The label a device was bound with.
 *
 * @param dev         The device.
 * @param[out] label  The label.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or the device has no label yet.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_label(const struct libiommu_device *dev, uint64_t *label);

/**
 * @brief The page table a device is attached to, as the kernel named it.
 *
 * @param dev         The device.
 * @param[out] pt_id  The id of the HWPT: the kernel's own, where an IOAS was attached; on type 1
 *                    the IOAS's. After libiommu_device_adopt() what the caller said.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  It is not attached by this handle.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_pt_id(const struct libiommu_device *dev, uint32_t *pt_id);

/**
 * @brief Find a bound device by its label.
 *
 * The caller sees to it that the device is not destroyed meanwhile.
 *
 * @param ctx       The context.
 * @param label     The label.
 * @param[out] dev  The device.
 * @return 0.
 * @retval -EINVAL   A pointer is NULL.
 * @retval -ENOENT   No device has the label.
 * @retval -ENOTUNIQ  Several devices have it.
 * @threads Shared. Takes time in proportion to the number of devices.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_by_label(struct libiommu_ctx *ctx, uint64_t label,
                                          struct libiommu_device **dev);

/**
 * @brief Find a bound device by the kernel's id.
 *
 * The caller sees to it that the device is not destroyed meanwhile.
 *
 * @param ctx       The context.
 * @param id        The id.
 * @param[out] dev  The device.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  No device of this context has the id.
 * @threads Shared. Waits for nobody, and takes a constant number of loads.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_by_id(struct libiommu_ctx *ctx, uint32_t id,
                                       struct libiommu_device **dev);

/**
 * @brief The label behind a kernel's id, by value: safe also while the device is being destroyed.
 *
 * @param ctx              The context.
 * @param id               The id.
 * @param[out] label       The label.
 * @param[out] generation  Never the same for two devices that had the id one after the other: the
 *                         kernel gives ids out again at once.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  No device of this context has the id.
 * @threads Shared. Waits for nobody, and takes a constant number of loads.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_label_by_id(struct libiommu_ctx *ctx, uint32_t id, uint64_t *label,
                                             uint32_t *generation);

/**
 * @brief Set the tag of the device's own page table: it comes with what happens there.
 *
 * The end of a page table (LIBIOMMU_RECORD_DETACHED) has the tag of its last fault, or that with
 * which it was attached if there was none; so the next one's tag can be set before it is replaced.
 *
 * @param dev  The device, bound. The tag stays through attach, replace and detach, and counts from
 *             now on; until it is set it is 0.
 * @param tag  Any 64-bit value.
 * @return 0.
 * @retval -EINVAL      @p dev is NULL or not bound.
 * @retval -ENODEV      The device was revoked.
 * @retval -EOPNOTSUPP  The device was opened by its group.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_set_tag(struct libiommu_device *dev, uint64_t tag);

LIBIOMMU_END_DECLS

/** @} */
#endif

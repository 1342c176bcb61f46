/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup irq Interrupts
 * @brief A PCI device's interrupts as eventfds, and the two that the host sends on its own.
 *
 * The eventfds are the caller's: eventfd(2) makes them, the kernel keeps its own hold on them while
 * they are enabled, and the caller closes them. Of INTx, MSI and MSI-X one can be enabled at a
 * time.
 * @{
 */
#ifndef LIBIOMMU_IRQ_H
#define LIBIOMMU_IRQ_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief Kinds of interrupt. */
enum libiommu_irq_kind {
	/** The legacy interrupt line: one, level triggered, masked by the kernel each time it
	   fires. */
	LIBIOMMU_IRQ_INTX = 0,
	/** Message signaled interrupts. */
	LIBIOMMU_IRQ_MSI = 1,
	/** Extended message signaled interrupts. */
	LIBIOMMU_IRQ_MSIX = 2,
	/** One: an uncorrectable error of the device. */
	LIBIOMMU_IRQ_ERR = 3,
	/** One: the host wants the device back; see libiommu_device_revoke(). Repeated until it is
	   given. */
	LIBIOMMU_IRQ_REQ = 4
};

/** @brief What can be done with a kind of interrupt. */
enum libiommu_irq_flags {
	/** It can be signaled through an eventfd. */
	LIBIOMMU_IRQ_EVENTFD = 1,
	/** It can be masked and unmasked. */
	LIBIOMMU_IRQ_MASKABLE = 2,
	/** It is masked by the kernel when it fires, and must be unmasked. */
	LIBIOMMU_IRQ_AUTOMASKED = 4,
	/** The number of vectors cannot be raised while some are enabled: disable all first. */
	LIBIOMMU_IRQ_NORESIZE = 8
};

/** @brief What libiommu_irq_act() does to the vectors that are chosen. */
enum libiommu_irq_action {
	/** As libiommu_irq_mask(). */
	LIBIOMMU_IRQ_MASK = 8,
	/** As libiommu_irq_unmask(). */
	LIBIOMMU_IRQ_UNMASK = 16,
	/** As libiommu_irq_trigger(). */
	LIBIOMMU_IRQ_TRIGGER = 32
};

/**
 * @brief How many interrupts of a kind a device has.
 *
 * Kernels differ on whether a conventional PCI device has LIBIOMMU_IRQ_ERR.
 *
 * @param dev         The device, a PCI one, bound.
 * @param kind        The kind.
 * @param[out] count  The number; 0 for none. NULL if not wanted.
 * @param[out] flags  Any of enum @ref libiommu_irq_flags; 0 for none. NULL if not wanted.
 * @return 0.
 * @retval -EINVAL  @p dev is NULL or not bound, or @p kind is unknown.
 * @retval -ENODEV  The device was revoked.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_GET_IRQ_INFO).
 * @kernel 3.6; LIBIOMMU_IRQ_ERR 3.10, LIBIOMMU_IRQ_REQ 4.0
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_GET_IRQ_INFO.
 */
LIBIOMMU_API int libiommu_irq_info(struct libiommu_device *dev, enum libiommu_irq_kind kind,
                                   uint32_t *count, uint32_t *flags);

/**
 * @brief Signal eventfds when interrupts fire; enables the kind with its first vector.
 *
 * When it fails, a kind that was not enabled still is not. Of MSI and MSI-X that were, the vectors
 * from @p first to the one that failed are silent.
 *
 * @param dev       The device, a PCI one, bound.
 * @param kind      The kind.
 * @param first     The first vector.
 * @param eventfds  One eventfd a vector; -1 silences a vector.
 * @param count     How many vectors, not 0.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p kind is unknown, @p count is 0, one of @p eventfds is
 *                  below -1 or no eventfd, or the device does not have those vectors or has
 *                  another kind enabled.
 * @retval -EBADF   One of @p eventfds is not an open descriptor.
 * @retval -ENODEV  The device was revoked, or its INTx line is not connected.
 * @retval -ENOSPC  The machine has fewer vectors left; or its IOMMU translates interrupts too
 *                  (SMMUv3), and the device is not attached to anything.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_SET_IRQS).
 * @kernel 3.6
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_SET_IRQS.
 */
LIBIOMMU_API int libiommu_irq_enable(struct libiommu_device *dev, enum libiommu_irq_kind kind,
                                     uint32_t first, const int *eventfds, uint32_t count);

/**
 * @brief Switch off all interrupts of a kind.
 *
 * @param dev   The device, a PCI one, bound.
 * @param kind  The kind; none being enabled is no error.
 * @return 0.
 * @retval -EINVAL  @p dev is NULL or not bound, or @p kind is unknown, or the device has none of
 *                  that kind.
 * @retval -ENODEV  The device was revoked.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_SET_IRQS; VFIO_DEVICE_GET_IRQ_INFO where none is enabled).
 * @kernel 3.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_irq_disable(struct libiommu_device *dev, enum libiommu_irq_kind kind);

/**
 * @brief Hold interrupts back. What fires meanwhile is signaled when they are unmasked.
 *
 * @param dev    The device, a PCI one, bound.
 * @param kind   A maskable kind (libiommu_irq_info()): with vfio-pci, INTx.
 * @param first  The first vector.
 * @param count  How many, not 0.
 * @return 0.
 * @retval -EINVAL  @p dev is NULL or not bound, @p kind is unknown, or the device does not have
 *                  those vectors, or has them not enabled.
 * @retval -ENOTTY  The kind cannot be masked.
 * @retval -ENODEV  The device was revoked.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_SET_IRQS).
 * @kernel 3.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_irq_mask(struct libiommu_device *dev, enum libiommu_irq_kind kind,
                                   uint32_t first, uint32_t count);

/**
 * @brief Let interrupts through again; for INTx needed after each one.
 *
 * @param dev    The device, a PCI one, bound.
 * @param kind   A maskable kind.
 * @param first  The first vector.
 * @param count  How many, not 0.
 * @return 0, or as libiommu_irq_mask().
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_SET_IRQS).
 * @kernel 3.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_irq_unmask(struct libiommu_device *dev, enum libiommu_irq_kind kind,
                                     uint32_t first, uint32_t count);

/**
 * @brief Unmask INTx whenever an eventfd is signaled: what KVM calls a resample eventfd.
 *
 * It ends also when INTx is disabled, and when the eventfd is closed everywhere.
 *
 * @param dev      The device, a PCI one, bound, with INTx enabled.
 * @param eventfd  The eventfd; -1 ends it.
 * @return 0.
 * @retval -EINVAL  @p dev is NULL or not bound, @p eventfd is below -1 or no eventfd, or INTx is
 *                  not enabled.
 * @retval -EBADF   @p eventfd is not an open descriptor.
 * @retval -EBUSY   There is one already: end it first.
 * @retval -ENODEV  The device was revoked.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_SET_IRQS).
 * @kernel 3.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_irq_set_resample(struct libiommu_device *dev, int eventfd);

/**
 * @brief Fire interrupts from software, as if the device had: to test a path, or to replay what was
 * lost.
 *
 * @param dev    The device, a PCI one, bound.
 * @param kind   The kind, enabled; vectors of it that have no eventfd are passed over.
 * @param first  The first vector.
 * @param count  How many, not 0.
 * @return 0.
 * @retval -EINVAL  @p dev is NULL or not bound, @p kind is unknown, or the device does not have
 *                  those vectors, or has them not enabled.
 * @retval -ENODEV  The device was revoked.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_SET_IRQS).
 * @kernel 3.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_irq_trigger(struct libiommu_device *dev, enum libiommu_irq_kind kind,
                                      uint32_t first, uint32_t count);

/**
 * @brief Mask, unmask or fire some vectors of a range, in one call.
 *
 * @param dev     The device, a PCI one, bound.
 * @param kind    The kind, as the action wants it.
 * @param action  What is done.
 * @param first   The first vector.
 * @param chosen  A byte a vector: 0 leaves it as it is.
 * @param count   How many, not 0.
 * @return 0, or as libiommu_irq_mask(); also:
 * @retval -EINVAL  A pointer is NULL or @p action is unknown.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_SET_IRQS).
 * @kernel 3.6
 * @since 0.1
 * @follows VFIO uAPI, VFIO_IRQ_SET_DATA_BOOL.
 */
LIBIOMMU_API int libiommu_irq_act(struct libiommu_device *dev, enum libiommu_irq_kind kind,
                                  enum libiommu_irq_action action, uint32_t first,
                                  const uint8_t *chosen, uint32_t count);

LIBIOMMU_END_DECLS

/** @} */
#endif

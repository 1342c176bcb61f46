/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup device_feature Device features
 * @brief What some drivers behind VFIO can do besides: migration, a log of DMA, low power.
 *
 * Whether a device has a feature depends on its driver; plain vfio-pci has few. The data is the
 * kernel's structure for the feature, without the header that says which it is.
 * @{
 */
#ifndef LIBIOMMU_DEVICE_FEATURE_H
#define LIBIOMMU_DEVICE_FEATURE_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief Features, by the kernel's numbers; others can be given as numbers. */
enum libiommu_device_feature {
	/** Set the token that users of virtual functions must know: 16 bytes. */
	LIBIOMMU_DEVICE_FEATURE_PCI_VF_TOKEN = 0,
	/** Get how the device can be migrated. */
	LIBIOMMU_DEVICE_FEATURE_MIGRATION = 1,
	/** Get or set the state of a migration; a descriptor may come with it. */
	LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE = 2,
	/** Set: the device is not needed for now. */
	LIBIOMMU_DEVICE_FEATURE_LOW_POWER_ENTRY = 3,
	/** Set: the same, with an eventfd that tells when it wakes up. */
	LIBIOMMU_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP = 4,
	/** Set: it is needed again. */
	LIBIOMMU_DEVICE_FEATURE_LOW_POWER_EXIT = 5,
	/** Set: the device records which pages it writes. */
	LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_START = 6,
	/** Set: it stops doing so. */
	LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_STOP = 7,
	/** Get what it has recorded. */
	LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_REPORT = 8,
	/** Get how many bytes a migration takes. */
	LIBIOMMU_DEVICE_FEATURE_MIG_DATA_SIZE = 9,
	/** Set whether the device may do DMA; CDX devices only. Kernel 6.7. */
	LIBIOMMU_DEVICE_FEATURE_BUS_MASTER = 10,
	/** Get a dma-buf of a BAR: libiommu_pci_bar_export(). Kernel 6.19. */
	LIBIOMMU_DEVICE_FEATURE_DMA_BUF = 11,
	/** Set how progress of a migration is told. Kernel 7.1. */
	LIBIOMMU_DEVICE_FEATURE_MIG_PRECOPY_INFO_V2 = 12,
	/** Get an error of a PCI device on s390. Kernel 7.3. */
	LIBIOMMU_DEVICE_FEATURE_ZPCI_ERROR = 13
};

/** @brief The feature can be read. */
#define LIBIOMMU_DEVICE_FEATURE_GET (1U << 0)
/** @brief The feature can be set. */
#define LIBIOMMU_DEVICE_FEATURE_SET (1U << 1)

/**
 * @brief Whether a device has a feature, without any side effect.
 *
 * @param dev         The device, bound.
 * @param feature     One of enum libiommu_device_feature, or another number below 65536.
 * @param directions  LIBIOMMU_DEVICE_FEATURE_GET, LIBIOMMU_DEVICE_FEATURE_SET, both, or 0 for
 *                    whichever.
 * @return 1 if it has it in all these directions, 0 if not.
 * @retval -EINVAL  @p dev is NULL or not bound, @p feature is too large or @p directions has an
 *                  unknown bit.
 * @retval -ENODEV  The device was revoked.
 * @retval -errno   The kernel's answer, where it is neither of the two.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_FEATURE).
 * @kernel 5.7
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_FEATURE_PROBE.
 */
LIBIOMMU_API int libiommu_device_feature_probe(struct libiommu_device *dev, uint32_t feature,
                                               uint32_t directions);

/**
 * @brief Read a feature.
 *
 * @param dev      The device, bound.
 * @param feature  One of enum libiommu_device_feature, or another number below 65536.
 * @param data     The feature's structure, given to the kernel as it is and replaced by the
 *                 answer; untouched after a failure. NULL if @p length is 0.
 * @param length   Its bytes, 1 MiB at the most.
 * @return What the kernel returns: 0, or a descriptor where the feature is one; the caller closes
 *   it.
 * @retval -EINVAL      @p dev is NULL or not bound, @p data is NULL, @p feature or @p length is too
 *                      large, or the kernel finds the data wrong or too short.
 * @retval -ENODEV      The device was revoked.
 * @retval -EOPNOTSUPP  The device, its driver or the kernel has no such feature (the kernel says
 *                      ENOTTY), or the device cannot do it.
 * @retval -ENOMEM      No memory.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_FEATURE).
 * @kernel 5.7
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_FEATURE_GET.
 */
LIBIOMMU_API int libiommu_device_feature_get(struct libiommu_device *dev, uint32_t feature,
                                             void *data, size_t length);

/**
 * @brief Set a feature.
 *
 * @param dev      The device, bound.
 * @param feature  One of enum libiommu_device_feature, or another number below 65536.
 * @param data     The feature's structure; some have fields for an answer. Untouched after a
 *                 failure. NULL if @p length is 0.
 * @param length   Its bytes, 1 MiB at the most.
 * @return What the kernel returns: 0, or a descriptor where the feature is one; the caller closes
 *   it.
 * @retval -EINVAL      @p dev is NULL or not bound, @p data is NULL, @p feature or @p length is too
 *                      large, or the kernel finds the data wrong or too short.
 * @retval -ENODEV      The device was revoked.
 * @retval -EOPNOTSUPP  The device, its driver or the kernel has no such feature (the kernel says
 *                      ENOTTY), or the device cannot do it.
 * @retval -ENOMEM      No memory.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_FEATURE).
 * @kernel 5.7
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_FEATURE_SET.
 */
LIBIOMMU_API int libiommu_device_feature_set(struct libiommu_device *dev, uint32_t feature,
                                             void *data, size_t length);

/**
 * @brief Let a device do DMA, or keep it from doing so, where VFIO has a feature for that.
 *
 * Devices on the CDX bus have; a PCI device has a bit in its config space instead:
 * libiommu_pci_set_bus_master().
 *
 * @param dev     The device, bound.
 * @param enable  Whether it may.
 * @return 0, or as libiommu_device_feature_set().
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_FEATURE).
 * @kernel 6.7
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_FEATURE_BUS_MASTER.
 */
LIBIOMMU_API int libiommu_device_set_bus_master(struct libiommu_device *dev, bool enable);

LIBIOMMU_END_DECLS

/** @} */
#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup container Legacy containers
 * @brief What only VFIO's containers have, where there is no iommufd (libiommu_ctx_backend()).
 *
 * An address space is a container while something is attached to it. With iommufd all calls here
 * are -EOPNOTSUPP.
 * @{
 */
#ifndef LIBIOMMU_CONTAINER_H
#define LIBIOMMU_CONTAINER_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief What a container can be asked for, by the kernel's numbers; others can be given as
 * numbers. */
enum libiommu_container_extension {
	/** Type 1 in its first version, which the library does not use. */
	LIBIOMMU_CONTAINER_TYPE1 = 1,
	/** The IOMMU of PowerPC in its first version, which the library does not use. */
	LIBIOMMU_CONTAINER_SPAPR_TCE = 2,
	/** Type 1. */
	LIBIOMMU_CONTAINER_TYPE1V2 = 3,
	/** All that is attached keeps the processors' caches coherent; known of a container with
	   something attached. */
	LIBIOMMU_CONTAINER_DMA_CC = 4,
	/** Recovery of PowerPC's PCI. */
	LIBIOMMU_CONTAINER_EEH = 5,
	/** The IOMMU of PowerPC. */
	LIBIOMMU_CONTAINER_SPAPR_TCE_V2 = 7,
	/** Devices without an IOMMU. */
	LIBIOMMU_CONTAINER_NOIOMMU = 8,
	/** All can be unmapped at once. Kernel 5.12. */
	LIBIOMMU_CONTAINER_UNMAP_ALL = 9,
	/** libiommu_container_forget_memory(); known of a container with something attached.
	   Kernel 5.12. */
	LIBIOMMU_CONTAINER_UPDATE_VADDR = 10
};

/** @brief What a group is. */
enum libiommu_group_flags {
	/** None of its devices is with a driver of the host. */
	LIBIOMMU_GROUP_VIABLE = 1,
	/** It is in a container. */
	LIBIOMMU_GROUP_CONTAINER_SET = 2
};

/**
 * @brief Ask whether a container has something.
 *
 * @param ioas       The address space. With nothing attached, the kernel is asked in general.
 * @param extension  One of enum @ref libiommu_container_extension, or another number.
 * @return 0 if not; else the kernel's answer, mostly 1.
 * @retval -EINVAL      @p ioas is NULL.
 * @retval -EOPNOTSUPP  There is iommufd.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_CHECK_EXTENSION).
 * @kernel 3.6
 * @since 0.1
 * @follows VFIO uAPI, VFIO_CHECK_EXTENSION.
 */
LIBIOMMU_API int libiommu_container_extension(const struct libiommu_ioas *ioas, uint32_t extension);

/**
 * @brief How many mappings can still be made in a container.
 *
 * @param ioas       The address space, with something attached.
 * @param[out] left  How many.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL.
 * @retval -EOPNOTSUPP  There is iommufd, which has no such limit.
 * @retval -ENODATA     Nothing is attached, or the kernel is older than 5.10.
 * @retval -ENOMEM      No memory.
 * @retval -EIO         The kernel's description contradicts itself.
 * @retval -EAGAIN      The description grew each time it was asked for, eight times in a row.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_IOMMU_GET_INFO).
 * @kernel 5.10
 * @since 0.1
 * @follows VFIO uAPI, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL.
 */
LIBIOMMU_API int libiommu_container_mappings_left(const struct libiommu_ioas *ioas, uint32_t *left);

/**
 * @brief Have the kernel forget where in the process mapped memory is. Its pages stay pinned, and
 * devices go on using them.
 *
 * So the same memory, a file's, can be mapped elsewhere in the process, or in another program after
 * execve(): libiommu_container_renew_memory() says where. Until then the mappings can be used by
 * devices, and unmapped, and nothing else: a device that comes to the address space while nothing
 * is attached is refused (-EBUSY).
 *
 * @param ioas    The address space.
 * @param iova    Start of the range: whole mappings, one after the other.
 * @param length  Bytes; UINT64_MAX with @p iova 0 is all that is mapped.
 * @return 0.
 * @retval -EINVAL      @p ioas is NULL, @p length is 0, or the range cuts a mapping in two.
 * @retval -EOVERFLOW   The range wraps around.
 * @retval -EOPNOTSUPP  There is iommufd, the kernel is older than 5.12, or a mediated device is
 *                      attached.
 * @retval -ENOENT      A part of the range is not mapped.
 * @retval -EALREADY    A part of it is forgotten.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_CHECK_EXTENSION, VFIO_IOMMU_UNMAP_DMA).
 * @kernel 5.12
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DMA_UNMAP_FLAG_VADDR.
 */
LIBIOMMU_API int libiommu_container_forget_memory(struct libiommu_ioas *ioas, uint64_t iova,
                                                  uint64_t length);

/**
 * @brief Tell the kernel where in the process forgotten memory is now.
 *
 * @param ioas     The address space.
 * @param iova     Start of a mapping.
 * @param length   Its bytes.
 * @param address  Where the same memory is: the kernel does not look, and pages that it pins later
 *                 come from there.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, @p length is 0, or the mapping is not forgotten.
 * @retval -EOVERFLOW   The range wraps around.
 * @retval -EOPNOTSUPP  There is iommufd.
 * @retval -ENOENT      The range is not one mapping and the whole of it.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_IOMMU_MAP_DMA).
 * @kernel 5.12
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DMA_MAP_FLAG_VADDR.
 */
LIBIOMMU_API int libiommu_container_renew_memory(struct libiommu_ioas *ioas, uint64_t iova,
                                                 uint64_t length, void *address);

/**
 * @brief What the kernel says of the group through which a device was opened.
 *
 * @param dev         The device, opened by its group; bound or not.
 * @param[out] flags  Any of enum @ref libiommu_group_flags, and bits that are newer than this
 *                    library.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL.
 * @retval -EOPNOTSUPP  The device was opened by its own node.
 * @retval -ENODEV      The device was revoked.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_GROUP_GET_STATUS).
 * @kernel 3.6
 * @since 0.1
 * @follows VFIO uAPI, VFIO_GROUP_GET_STATUS.
 */
LIBIOMMU_API int libiommu_container_group_flags(struct libiommu_device *dev, uint32_t *flags);

LIBIOMMU_END_DECLS

/** @} */
#endif

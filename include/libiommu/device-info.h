/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup device_info Device information
 * @brief What VFIO says of a device and of its regions: the bus it is on, and what else is known.
 *
 * A PCI device's BARs, config space and interrupts have calls of their own (@ref pci, @ref irq).
 * This is for what goes beyond: devices of other buses, regions that a driver adds, and the
 * capabilities that the kernel hangs on either.
 * @{
 */
#ifndef LIBIOMMU_DEVICE_INFO_H
#define LIBIOMMU_DEVICE_INFO_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief What a device is. */
enum libiommu_device_info_flags {
	/** It can be reset: libiommu_reset_function(). */
	LIBIOMMU_DEVICE_INFO_RESET = 1,
	/** A PCI device, also a made-up one. */
	LIBIOMMU_DEVICE_INFO_PCI = 2,
	/** A platform device. */
	LIBIOMMU_DEVICE_INFO_PLATFORM = 4,
	/** An AMBA device. */
	LIBIOMMU_DEVICE_INFO_AMBA = 8,
	/** A channel device of s390 (CCW). */
	LIBIOMMU_DEVICE_INFO_CCW = 16,
	/** A cryptographic adapter of s390 (AP). */
	LIBIOMMU_DEVICE_INFO_AP = 32,
	/** A device on Freescale's management complex. */
	LIBIOMMU_DEVICE_INFO_FSL_MC = 64,
	/** There are capabilities. */
	LIBIOMMU_DEVICE_INFO_CAPABILITIES = 128,
	/** A device on AMD's CDX bus. Kernel 6.5. */
	LIBIOMMU_DEVICE_INFO_CDX = 256
};

/** @brief Capabilities of a device, by the kernel's numbers; others can be given as numbers. */
enum libiommu_device_capability {
	/** A PCI function of s390: addresses and identity. */
	LIBIOMMU_DEVICE_CAPABILITY_ZPCI_BASE = 1,
	/** The group that it belongs to, on s390. */
	LIBIOMMU_DEVICE_CAPABILITY_ZPCI_GROUP = 2,
	/** Its utility string, on s390: libiommu_device_info_bytes(). */
	LIBIOMMU_DEVICE_CAPABILITY_ZPCI_UTIL = 3,
	/** Its function path, on s390: libiommu_device_info_bytes(). */
	LIBIOMMU_DEVICE_CAPABILITY_ZPCI_PFIP = 4,
	/** Atomic operations on memory that its root port completes. Kernel 6.5. */
	LIBIOMMU_DEVICE_CAPABILITY_PCI_ATOMIC_COMP = 5
};

/** @brief Atomic operations that a root port completes: LIBIOMMU_PCI_ATOMIC_COMPLETION. */
enum libiommu_pci_atomic {
	/** Of 32 bits. */
	LIBIOMMU_PCI_ATOMIC_32 = 1,
	/** Of 64 bits. */
	LIBIOMMU_PCI_ATOMIC_64 = 2,
	/** Of 128 bits. */
	LIBIOMMU_PCI_ATOMIC_128 = 4
};

/** @brief Numbers in a device's capabilities. */
enum libiommu_device_field {
	/** s390: start of the addresses for DMA. */
	LIBIOMMU_ZPCI_START_DMA = 0x100,
	/** s390: end of the addresses for DMA. */
	LIBIOMMU_ZPCI_END_DMA,
	/** s390: physical channel id. */
	LIBIOMMU_ZPCI_PCHID,
	/** s390: number of the virtual function. */
	LIBIOMMU_ZPCI_VFN,
	/** s390: bytes of the measurement block. */
	LIBIOMMU_ZPCI_FMB_LENGTH,
	/** s390: type of the function. */
	LIBIOMMU_ZPCI_PFT,
	/** s390: id of the function's group. */
	LIBIOMMU_ZPCI_GID,
	/** s390: handle of the function. Version 2 of the capability. */
	LIBIOMMU_ZPCI_FH,
	/** s390: bytes of the description of an error. Version 3. Kernel 7.3. */
	LIBIOMMU_ZPCI_CCDF_ERR_LENGTH,

	/** s390: mask of the address space for DMA. */
	LIBIOMMU_ZPCI_DASM = 0x200,
	/** s390: address of MSI. */
	LIBIOMMU_ZPCI_MSI_ADDR,
	/** s390: bit 0, LIBIOMMU_ZPCI_REFRESH: the TLB is refreshed by the program. */
	LIBIOMMU_ZPCI_FLAGS,
	/** s390: how often the measurement block is updated. */
	LIBIOMMU_ZPCI_MUI,
	/** s390: most MSIs. */
	LIBIOMMU_ZPCI_NOI,
	/** s390: most bytes of a block store. */
	LIBIOMMU_ZPCI_MAXSTBL,
	/** s390: version of PCI. */
	LIBIOMMU_ZPCI_VERSION,
	/** s390: most bytes of an interpreted block store. Version 2 of the capability. */
	LIBIOMMU_ZPCI_IMAXSTBL,

	/** Any of enum @ref libiommu_pci_atomic. */
	LIBIOMMU_PCI_ATOMIC_COMPLETION = 0x500
};

/** @brief In LIBIOMMU_ZPCI_FLAGS. */
#define LIBIOMMU_ZPCI_REFRESH 1U

/** @brief What can be done with a region. */
enum libiommu_region_flags {
	/** It can be read. */
	LIBIOMMU_REGION_READ = 1,
	/** It can be written. */
	LIBIOMMU_REGION_WRITE = 2,
	/** It, or parts of it, can be mapped. */
	LIBIOMMU_REGION_MMAP = 4,
	/** There are capabilities. */
	LIBIOMMU_REGION_CAPABILITIES = 8
};

/** @brief Capabilities of a region, by the kernel's numbers; others can be given as numbers. */
enum libiommu_region_capability {
	/** The parts that can be mapped: libiommu_pci_bar_area(). */
	LIBIOMMU_REGION_CAPABILITY_SPARSE_MMAP = 1,
	/** What the region holds. */
	LIBIOMMU_REGION_CAPABILITY_TYPE = 2,
	/** The MSI-X table can be mapped with the rest. No data. */
	LIBIOMMU_REGION_CAPABILITY_MSIX_MAPPABLE = 3,
	/** An address of NVLink 2; no kernel since 5.13. */
	LIBIOMMU_REGION_CAPABILITY_NVLINK2_SSATGT = 4,
	/** The speed of a link of NVLink 2; no kernel since 5.13. */
	LIBIOMMU_REGION_CAPABILITY_NVLINK2_LNKSPD = 5
};

/** @brief Numbers in a region's capabilities. */
enum libiommu_region_field {
	/** What it holds: LIBIOMMU_REGION_TYPE_GFX, for example. */
	LIBIOMMU_REGION_TYPE = 0x200,
	/** Which of that type. */
	LIBIOMMU_REGION_SUBTYPE,
	/** NVLink 2: the address at which others find the memory. */
	LIBIOMMU_REGION_NVLINK2_TARGET = 0x400,
	/** NVLink 2: the speed. */
	LIBIOMMU_REGION_NVLINK2_SPEED = 0x500
};

/** @brief A type of a PCI vendor's own; the low 16 bits are the vendor's id. */
#define LIBIOMMU_REGION_TYPE_PCI_VENDOR (1U << 31)
/** @brief The vendor's id in such a type. */
#define LIBIOMMU_REGION_TYPE_PCI_VENDOR_MASK 0xffffU
/** @brief A type: for graphics. Subtype 1 is EDID. */
#define LIBIOMMU_REGION_TYPE_GFX 1U
/** @brief A type: for channel devices of s390. */
#define LIBIOMMU_REGION_TYPE_CCW 2U

/**
 * @brief Ask the kernel what a device is.
 *
 * @param dev        The device, bound.
 * @param[out] info  The answer, a copy of its own; freed with libiommu_device_info_free().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or the device is not bound.
 * @retval -ENODEV  The device was revoked.
 * @retval -ENOMEM  No memory.
 * @retval -EAGAIN  The description grew each time it was asked for, eight times in a row.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_GET_INFO), twice where there are capabilities.
 * @kernel 3.6; capabilities 5.10
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_GET_INFO.
 */
LIBIOMMU_API int libiommu_device_info_get(struct libiommu_device *dev,
                                          struct libiommu_device_info **info);

/**
 * @brief Free an answer.
 *
 * @param info  The answer; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_device_info_free(struct libiommu_device_info *info);

/**
 * @brief What every device says.
 *
 * @param info          The answer.
 * @param[out] flags    Any of enum @ref libiommu_device_info_flags, and bits that are newer than
 *                      this library. NULL if not wanted.
 * @param[out] regions  The highest number of a region, plus one: libiommu_region_info_get(). NULL
 *                      if not wanted.
 * @param[out] irqs     The highest number of a kind of interrupt, plus one. NULL if not wanted.
 * @return 0.
 * @retval -EINVAL  @p info is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_info_basics(const struct libiommu_device_info *info,
                                             uint32_t *flags, uint32_t *regions, uint32_t *irqs);

/**
 * @brief A capability as the kernel gave it.
 *
 * @param info          The answer.
 * @param id            One of enum @ref libiommu_device_capability, or another number.
 * @param[out] version  Its version. NULL if not wanted.
 * @param[out] data     What is behind its header; lives as long as @p info.
 * @param[out] length   Bytes, at least those that the capability has: the kernel does not say how
 *                      long it is.
 * @return 0.
 * @retval -EINVAL   A pointer is NULL.
 * @retval -ENODATA  The device does not have it.
 * @retval -EIO      The kernel's description contradicts itself.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_info_capability(const struct libiommu_device_info *info,
                                                 uint16_t id, uint16_t *version, const void **data,
                                                 size_t *length);

/**
 * @brief One number of a device's capabilities.
 *
 * @param info        The answer.
 * @param field       The number.
 * @param[out] value  Its value.
 * @return 0.
 * @retval -EINVAL   A pointer is NULL or @p field is unknown.
 * @retval -ENODATA  The device does not have the capability, or only an older version of it.
 * @retval -EIO      The kernel's description contradicts itself.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_INFO_CAP_ZPCI_BASE and those that follow.
 */
LIBIOMMU_API int libiommu_device_info_field(const struct libiommu_device_info *info,
                                            enum libiommu_device_field field, uint64_t *value);

/**
 * @brief The utility string or the function path of a PCI function of s390.
 *
 * @param info         The answer.
 * @param capability   LIBIOMMU_DEVICE_CAPABILITY_ZPCI_UTIL or
 *                     LIBIOMMU_DEVICE_CAPABILITY_ZPCI_PFIP.
 * @param[out] data    The bytes; they live as long as @p info. No text that a NUL ends.
 * @param[out] length  Their number.
 * @return 0.
 * @retval -EINVAL   A pointer is NULL or @p capability is another one.
 * @retval -ENODATA  The device does not have it.
 * @retval -EIO      The kernel's description contradicts itself.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_INFO_CAP_ZPCI_UTIL and VFIO_DEVICE_INFO_CAP_ZPCI_PFIP.
 */
LIBIOMMU_API int libiommu_device_info_bytes(const struct libiommu_device_info *info,
                                            enum libiommu_device_capability capability,
                                            const void **data, size_t *length);

/**
 * @brief Ask the kernel about a region of a device, of whatever bus.
 *
 * @param dev        The device, bound.
 * @param index      The region's number; libiommu_device_info_basics() says how many there are. Of
 *                   a PCI device the first nine are fixed: BARs, ROM, config space, VGA.
 * @param[out] info  The answer, a copy of its own; freed with libiommu_region_info_free().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, the device is not bound, or it has no region of this number.
 * @retval -ENODEV  The device was revoked.
 * @retval -ENOMEM  No memory.
 * @retval -EAGAIN  The description grew each time it was asked for, eight times in a row.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_GET_REGION_INFO), twice where there are capabilities.
 * @kernel 3.6; capabilities 4.6
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_GET_REGION_INFO.
 */
LIBIOMMU_API int libiommu_region_info_get(struct libiommu_device *dev, uint32_t index,
                                          struct libiommu_region_info **info);

/**
 * @brief Free an answer.
 *
 * @param info  The answer; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_region_info_free(struct libiommu_region_info *info);

/**
 * @brief What every region says.
 *
 * @param info         The answer.
 * @param[out] flags   Any of enum @ref libiommu_region_flags, and bits that are newer than this
 *                     library. NULL if not wanted.
 * @param[out] size    Bytes; 0 where there is no such region. NULL if not wanted.
 * @param[out] offset  Where it begins in libiommu_device_fd(), for pread(), pwrite() and mmap().
 *                     NULL if not wanted.
 * @return 0.
 * @retval -EINVAL  @p info is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_region_info_basics(const struct libiommu_region_info *info,
                                             uint32_t *flags, uint64_t *size, uint64_t *offset);

/**
 * @brief A capability as the kernel gave it.
 *
 * @param info          The answer.
 * @param id            One of enum @ref libiommu_region_capability, or another number.
 * @param[out] version  Its version. NULL if not wanted.
 * @param[out] data     What is behind its header; lives as long as @p info.
 * @param[out] length   Bytes, at least those that the capability has.
 * @return 0, or as libiommu_device_info_capability().
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_region_info_capability(const struct libiommu_region_info *info,
                                                 uint16_t id, uint16_t *version, const void **data,
                                                 size_t *length);

/**
 * @brief One number of a region's capabilities.
 *
 * @param info        The answer.
 * @param field       The number.
 * @param[out] value  Its value.
 * @return 0, or as libiommu_device_info_field().
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 * @follows VFIO uAPI, VFIO_REGION_INFO_CAP_TYPE.
 */
LIBIOMMU_API int libiommu_region_info_field(const struct libiommu_region_info *info,
                                            enum libiommu_region_field field, uint64_t *value);

LIBIOMMU_END_DECLS

/** @} */
#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup pci PCI config space and BARs
 * @brief A PCI device's registers: config space, and BARs read, written or mapped.
 * @{
 */
#ifndef LIBIOMMU_PCI_H
#define LIBIOMMU_PCI_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief The number under which the expansion ROM is reached beside BARs 0 to 5; it can only be
 * read. */
#define LIBIOMMU_PCI_ROM 6
/** @brief The number under which the legacy VGA registers are reached, where a graphics card has
 * them and the kernel was built with CONFIG_VFIO_PCI_VGA: memory from 0xa0000 to 0xbffff, ports
 * from 0x3b0 to 0x3bb and from 0x3c0 to 0x3df, at offsets of the same numbers. They are read and
 * written, not mapped. */
#define LIBIOMMU_PCI_VGA 8

/** @brief What can be done with a BAR. */
enum libiommu_bar_flags {
	/** It can be read. */
	LIBIOMMU_BAR_READ = 1,
	/** It can be written. */
	LIBIOMMU_BAR_WRITE = 2,
	/** It, or areas of it, can be mapped. */
	LIBIOMMU_BAR_MMAP = 4
};

/** @brief A part of a BAR. */
struct libiommu_bar_range {
	/** First byte, from the start of the BAR. */
	uint64_t offset;
	/** Bytes. */
	uint64_t length;
};

/**
 * @brief Read config space, through the kernel's virtualization of it. Bytes are as on the bus:
 * little endian.
 *
 * @param dev          The device, a PCI one, bound.
 * @param offset       First byte.
 * @param[out] buffer  Where to; undefined after a failure.
 * @param length       Bytes, not 0; offset + length at most 256, or 4096 on PCI Express.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p length is 0, or the device is not bound.
 * @retval -ERANGE  The range is not inside config space.
 * @retval -ENODEV  The device was revoked, or is no PCI device.
 * @retval -EIO     The kernel read less than was asked for.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls pread64; the first time also ioctl (VFIO_DEVICE_GET_INFO,
 *   VFIO_DEVICE_GET_REGION_INFO).
 * @kernel 3.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pci_config_read(struct libiommu_device *dev, uint32_t offset,
                                          void *buffer, size_t length);

/**
 * @brief Write config space, through the kernel's virtualization of it: some bits the kernel keeps
 * to itself.
 *
 * @param dev     The device, a PCI one, bound.
 * @param offset  First byte.
 * @param buffer  Where from: bytes as on the bus, little endian.
 * @param length  Bytes, not 0; offset + length at most 256, or 4096 on PCI Express.
 * @return 0, or as libiommu_pci_config_read(). After an error that the kernel reports, and after
 *   -EIO, a part may have been written.
 * @threads Shared.
 * @syscalls pwrite64; the first time also ioctl (VFIO_DEVICE_GET_INFO,
 *   VFIO_DEVICE_GET_REGION_INFO).
 * @kernel 3.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pci_config_write(struct libiommu_device *dev, uint32_t offset,
                                           const void *buffer, size_t length);

/**
 * @brief Let the device start DMA on its own, or stop it.
 *
 * @param dev     The device, a PCI one, bound.
 * @param enable  Whether the Bus Master Enable bit of the command register shall be set.
 * @return 0, or as libiommu_pci_config_read().
 * @threads Shared, with regard to itself; another writer of the command register can be overtaken.
 * @syscalls ioctl (VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO), pread64, pwrite64.
 * @kernel 3.6
 * @since 0.1
 * @follows PCI Express base specification, Command register.
 */
LIBIOMMU_API int libiommu_pci_set_bus_master(struct libiommu_device *dev, bool enable);

/**
 * @brief Find a capability in config space.
 *
 * @param dev          The device, a PCI one, bound.
 * @param id           The capability's id, 1 to 255.
 * @param[out] offset  Where it starts.
 * @return 0, or as libiommu_pci_config_read(); also:
 * @retval -EINVAL  @p id is 0.
 * @retval -ENOENT  The device does not have it.
 * @retval -ELOOP   The device's list of capabilities does not end.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO), pread64.
 * @kernel 3.6
 * @since 0.1
 * @follows PCI Local Bus specification, Capabilities List.
 */
LIBIOMMU_API int libiommu_pci_find_capability(struct libiommu_device *dev, uint8_t id,
                                              uint32_t *offset);

/**
 * @brief Find an extended capability in config space.
 *
 * @param dev          The device, a PCI one, bound.
 * @param id           The capability's id, not 0. What the kernel hides from its users has the id 0
 *                     or none.
 * @param[out] offset  Where it starts.
 * @return 0, or as libiommu_pci_config_read(); also:
 * @retval -EINVAL  @p id is 0.
 * @retval -ENOENT  The device does not have it.
 * @retval -ELOOP   The device's list of capabilities does not end.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO), pread64.
 * @kernel 3.6
 * @since 0.1
 * @follows PCI Express base specification, Extended Capabilities List.
 */
LIBIOMMU_API int libiommu_pci_find_ext_capability(struct libiommu_device *dev, uint16_t id,
                                                  uint32_t *offset);

/**
 * @brief A BAR's size and what can be done with it.
 *
 * @param dev         The device, a PCI one, bound.
 * @param bar         0 to 5, LIBIOMMU_PCI_ROM or LIBIOMMU_PCI_VGA.
 * @param[out] size   Bytes; 0 where the device has no such BAR, or a ROM without contents. NULL if
 *                    not wanted.
 * @param[out] flags  Any of enum @ref libiommu_bar_flags. NULL if not wanted.
 * @return 0.
 * @retval -EINVAL  @p dev is NULL or not bound, or @p bar is out of range.
 * @retval -ENODEV  The device was revoked, or is no PCI device.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO).
 * @kernel 3.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pci_bar_info(struct libiommu_device *dev, uint32_t bar, uint64_t *size,
                                       uint32_t *flags);

/**
 * @brief The parts of a BAR that can be mapped: the whole, or what the kernel leaves when it keeps
 * some pages to itself.
 *
 * @param dev          The device, a PCI one, bound.
 * @param bar          0 to 5.
 * @param index        From 0.
 * @param[out] offset  First byte of the area, from the start of the BAR.
 * @param[out] length  Bytes.
 * @return 0, or as libiommu_pci_bar_info(); also:
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  There are no more areas; none at all when @p index is 0.
 * @retval -ENOMEM  No memory.
 * @retval -EIO     The kernel's description of the BAR contradicts itself.
 * @retval -EAGAIN  The description grew each time it was asked for, eight times in a row.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO).
 * @kernel 3.6; areas 4.7
 * @since 0.1
 * @follows VFIO uAPI, VFIO_REGION_INFO_CAP_SPARSE_MMAP.
 */
LIBIOMMU_API int libiommu_pci_bar_area(struct libiommu_device *dev, uint32_t bar, size_t index,
                                       uint64_t *offset, uint64_t *length);

/**
 * @brief Read from a BAR with a system call: for I/O ports, small BARs, and what cannot be mapped.
 *
 * The MSI-X table is the kernel's: this way it reads as ones, and writes to it are dropped.
 *
 * @param dev          The device, a PCI one, bound.
 * @param bar          0 to 5, LIBIOMMU_PCI_ROM or LIBIOMMU_PCI_VGA.
 * @param offset       First byte. The kernel splits what is not naturally aligned into smaller
 *                     accesses.
 * @param[out] buffer  Where to: bytes as on the bus, little endian; undefined after a failure.
 * @param length       Bytes, not 0.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p length is 0, @p bar is out of range, or the device is not
 *                  bound.
 * @retval -ERANGE  The range is not inside the BAR.
 * @retval -ENODEV  The device was revoked, or is no PCI device.
 * @retval -EIO     The kernel read less than was asked for, or memory decoding is off. I/O ports
 *                  with their decoding off read as ones.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls pread64; the first time for a BAR, and each time for the ROM, also ioctl
 *   (VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO).
 * @kernel 3.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pci_bar_read(struct libiommu_device *dev, uint32_t bar, uint64_t offset,
                                       void *buffer, size_t length);

/**
 * @brief Write to a BAR with a system call.
 *
 * @param dev     The device, a PCI one, bound.
 * @param bar     0 to 5, or LIBIOMMU_PCI_VGA.
 * @param offset  First byte.
 * @param buffer  Where from: bytes as on the bus, little endian.
 * @param length  Bytes, not 0.
 * @return 0, or as libiommu_pci_bar_read(). After an error that the kernel reports, and after -EIO,
 *   a part may have been written.
 * @threads Shared.
 * @syscalls pwrite64; the first time for a BAR also ioctl (VFIO_DEVICE_GET_INFO,
 *   VFIO_DEVICE_GET_REGION_INFO).
 * @kernel 3.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pci_bar_write(struct libiommu_device *dev, uint32_t bar, uint64_t offset,
                                        const void *buffer, size_t length);

/**
 * @brief Map a BAR, or a part of one, into the process.
 *
 * While memory decoding is off in the device's command register, touching the mapping is SIGBUS.
 *
 * @param dev       The device, a PCI one, bound; it cannot be destroyed before the mapping.
 * @param bar       0 to 5.
 * @param offset    First byte, a multiple of the page size.
 * @param length    Bytes; 0 is to the end of the BAR.
 * @param flags     LIBIOMMU_BAR_READ, LIBIOMMU_BAR_WRITE or both.
 * @param[out] map  The mapping; destroyed with libiommu_bar_map_destroy().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, @p bar is out of range, @p flags is wrong, @p offset is
 *                      misaligned, or the device is not bound.
 * @retval -ERANGE      The range is empty, not inside the BAR, or longer than the process can
 *                      address.
 * @retval -EOPNOTSUPP  The BAR cannot be mapped, or the range is not inside one area of it
 *                      (libiommu_pci_bar_area()).
 * @retval -ENODEV      The device was revoked, or is no PCI device.
 * @retval -ENOMEM      No memory.
 * @retval -EIO         As libiommu_pci_bar_area().
 * @retval -EAGAIN      As libiommu_pci_bar_area().
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO), mmap.
 * @kernel 3.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_pci_bar_map(struct libiommu_device *dev, uint32_t bar, uint64_t offset,
                                      uint64_t length, uint32_t flags,
                                      struct libiommu_bar_map **map);

/**
 * @brief Where a mapped BAR is.
 *
 * @param map  The mapping.
 * @return Its first byte, valid until the mapping is destroyed; after libiommu_device_revoke() it
 *   is plain memory. NULL when @p map is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API volatile void *libiommu_bar_map_address(const struct libiommu_bar_map *map);

/**
 * @brief How long a mapping is.
 *
 * @param map  The mapping.
 * @return Bytes; 0 when @p map is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API uint64_t libiommu_bar_map_length(const struct libiommu_bar_map *map);

/**
 * @brief Unmap a BAR.
 *
 * @param map  The mapping; NULL is 0.
 * @return 0.
 * @retval -errno  What munmap() says; the handle still exists.
 * @threads Owner.
 * @syscalls munmap.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_bar_map_destroy(struct libiommu_bar_map *map);

/**
 * @brief Make a dma-buf of parts of a BAR, for other devices to reach them.
 *
 * It can be mapped into an address space (libiommu_ioas_map_file()), if it has one range, and given
 * to other drivers that take dma-bufs. When the device is reset or closed, or stops decoding
 * memory, whoever has it mapped loses access.
 *
 * @param dev      The device, a PCI one, bound.
 * @param bar      0 to 5.
 * @param ranges   The parts, each a whole number of pages, in the order they shall have in the
 *                 dma-buf.
 * @param count    How many, from 1 to 65536.
 * @param[out] fd  The dma-buf, close-on-exec; the caller closes it.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, there is no BAR of this number, @p count is 0 or too
 *                      large, a range does not begin and end at pages, or the device is not bound.
 * @retval -ERANGE      A range is empty or not inside the BAR.
 * @retval -ENODEV      The device is no PCI device or was revoked, or the BAR is claimed by
 *                      something else.
 * @retval -ENOMEM      No memory, here or in the kernel.
 * @retval -EOPNOTSUPP  The device's driver cannot do it; or the kernel is older than 6.19, or was
 *                      built without CONFIG_VFIO_PCI_DMABUF (and says ENOTTY).
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO, VFIO_DEVICE_FEATURE).
 * @kernel 6.19
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DEVICE_FEATURE_DMA_BUF.
 */
LIBIOMMU_API int libiommu_pci_bar_export(struct libiommu_device *dev, uint32_t bar,
                                         const struct libiommu_bar_range *ranges, size_t count,
                                         int *fd);

LIBIOMMU_END_DECLS

/** @} */
#endif

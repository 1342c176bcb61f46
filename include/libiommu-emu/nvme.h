/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_nvme An NVMe drive
 * @brief A controller with one namespace, whose blocks are those of a file.
 *
 * 64 pairs of queues, MSI-X and INTx, blocks of 512 bytes, one command up to 512 KiB. Commands are
 * done when a doorbell is rung, in the thread that rings it.
 * @{
 */
#ifndef LIBIOMMU_EMU_NVME_H
#define LIBIOMMU_EMU_NVME_H

#include <libiommu-emu/device.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief Add an NVMe drive to a machine.
 *
 * @param emu          The machine, which owns the device.
 * @param config       What it is; NULL for a device without an IOMMU in a group of its own.
 * @param file         A descriptor of a file that can be read and, if the drive is to be written,
 *                     written. The machine has one of its own afterwards.
 * @param serial       The drive's serial number, up to 20 characters; NULL for any.
 * @param[out] device  The device.
 * @return 0.
 * @retval -EINVAL  @p emu or @p device is NULL, @p file is negative or shorter than a block,
 *                  @p serial is too long, or the description names another machine's.
 * @retval -EBADF   @p file is not open.
 * @retval -EMFILE  The process has no free descriptor.
 * @retval -EEXIST  The address is taken.
 * @retval -ENOSPC  No address is left.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls fcntl, fstat; later, when commands are done, pread, pwrite, fdatasync.
 * @since 0.1
 * @follows NVM Express base specification 1.4
 */
LIBIOMMU_API int libiommu_emu_nvme_add(struct libiommu_emu *emu,
                                       const struct libiommu_emu_device_config *config, int file,
                                       const char *serial, struct libiommu_emu_device **device);

LIBIOMMU_END_DECLS

/** @} */
#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_transfer DMA that waits for pages
 * @brief What a device with page requests does: ask for the pages that are not there, wait, go on.
 *
 * A transfer goes as far as its translations do. Where one is missing, the device asks for the page
 * and for those of the rest that are missing too, in one group; when the group is answered with
 * success it goes on, and asks again where something is still missing. Any other answer ends it.
 * @{
 */
#ifndef LIBIOMMU_EMU_TRANSFER_H
#define LIBIOMMU_EMU_TRANSFER_H

#include <libiommu-emu/device.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu_transfer;

/** @brief The device writes the memory at the IOVA; without it reads. */
#define LIBIOMMU_EMU_TRANSFER_WRITE (1U << 0)

/** @brief Most pages that one group asks for. */
#define LIBIOMMU_EMU_TRANSFER_GROUP_MAX 32

/**
 * @brief Start a transfer.
 *
 * @param dev       The device, which has page requests.
 * @param flags     LIBIOMMU_EMU_TRANSFER_WRITE or 0.
 * @param pasid     The hardware's PASID; 0 for none.
 * @param iova      Where; any alignment.
 * @param buffer    What is written, or where what is read goes; stays until
 *                  libiommu_emu_transfer_end().
 * @param length    Bytes, at least 1.
 * @param[out] transfer  The transfer, which may have ended already; given back with
 *                  libiommu_emu_transfer_end().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, @p length is 0, the range does not end, unknown flags.
 * @retval -EOPNOTSUPP  The device has no page requests.
 * @retval -ENODEV      The device was removed.
 * @retval -ENOMEM      No memory.
 * @threads Shared.
 * @syscalls process_vm_readv, process_vm_writev, sendto.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_transfer_start(struct libiommu_emu_device *dev, uint32_t flags,
                                             uint32_t pasid, uint64_t iova, void *buffer,
                                             uint64_t length,
                                             struct libiommu_emu_transfer **transfer);

/**
 * @brief Wait until a transfer has ended.
 *
 * @param transfer      The transfer.
 * @param timeout  Milliseconds; 0 asks only, negative waits without end.
 * @return 0: all bytes were transferred.
 * @retval -EINVAL     @p transfer is NULL.
 * @retval -ETIMEDOUT  It waits for an answer.
 * @retval -EFAULT     It was refused: an answer was no success, or nobody could be asked.
 * @retval -EIO        What the page table says is nothing that a page request could mend.
 * @retval -ENODEV     The device was removed.
 * @threads Shared.
 * @syscalls futex.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_transfer_wait(struct libiommu_emu_transfer *transfer, int timeout);

/**
 * @brief How far a transfer has come.
 *
 * @param transfer  The transfer.
 * @return Bytes that were transferred, from its beginning; 0 where @p transfer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API uint64_t libiommu_emu_transfer_done(const struct libiommu_emu_transfer *transfer);

/**
 * @brief Give a transfer back. One that waits is given up: its answer will find nobody.
 *
 * @param transfer  The transfer; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_emu_transfer_end(struct libiommu_emu_transfer *transfer);

LIBIOMMU_END_DECLS

/** @} */
#endif

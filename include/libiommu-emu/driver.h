/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_driver Drivers in the emulated kernel
 * @brief What uses an address space without an IOMMU, as drivers of mediated devices do.
 *
 * A driver reads and writes what a program has mapped. One that pins can also keep pages, until the
 * program unmaps them: then it lets go of all that has a page there.
 * @{
 */
#ifndef LIBIOMMU_EMU_DRIVER_H
#define LIBIOMMU_EMU_DRIVER_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu;
struct libiommu_emu_driver;

/** @brief For libiommu_emu_driver_new(): it keeps pages. */
#define LIBIOMMU_EMU_DRIVER_PINS (1U << 0)
/** @brief For libiommu_emu_driver_pin(): the pages are to be written. */
#define LIBIOMMU_EMU_DRIVER_WRITE (1U << 0)
/** @brief To read and write not through the program's own address where that is a choice. */
#define LIBIOMMU_EMU_DRIVER_SLOW (1U << 2)

/**
 * @brief Let a driver use an address space.
 *
 * It keeps the context open, and the address space.
 *
 * @param emu          The machine.
 * @param iommufd      A descriptor of the context.
 * @param ioas_id      The address space.
 * @param flags        LIBIOMMU_EMU_DRIVER_PINS, or 0.
 * @param[out] driver  The driver; freed with libiommu_emu_driver_free().
 * @return 0.
 * @retval -EINVAL      @p emu or @p driver is NULL, or a flag is not known.
 * @retval -EBADF       @p iommufd is no context of the machine's.
 * @retval -ENOENT      There is no such address space.
 * @retval -EADDRINUSE  What is mapped there is in smaller pieces than pages, which a driver that
 *                      pins has no use for.
 * @retval -ENOMEM      No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_driver_new(struct libiommu_emu *emu, int iommufd, uint32_t ioas_id,
                                         uint32_t flags, struct libiommu_emu_driver **driver);

/**
 * @brief Let it go, with all that it has pinned.
 *
 * @param driver  The driver; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_emu_driver_free(struct libiommu_emu_driver *driver);

/**
 * @brief Let it use another address space of its context, and nothing of the old one any more.
 *
 * @param driver   The driver.
 * @param ioas_id  The address space.
 * @return 0.
 * @retval -EINVAL      @p driver is NULL.
 * @retval -ENOENT      There is no such address space. Nothing has changed.
 * @retval -EADDRINUSE  As libiommu_emu_driver_new(). Nothing has changed.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_driver_move(struct libiommu_emu_driver *driver, uint32_t ioas_id);

/**
 * @brief Read what is mapped.
 *
 * @param driver  The driver.
 * @param iova    Where; any alignment.
 * @param buffer  Where what was read goes.
 * @param length  Bytes, at least one.
 * @param flags   LIBIOMMU_EMU_DRIVER_SLOW, or 0.
 * @return 0; otherwise any part of it may have been read.
 * @retval -EINVAL     An argument is NULL, @p length is 0, or a flag is not known; or what is there
 *                     is a device's.
 * @retval -EOVERFLOW  The range wraps.
 * @retval -ENOENT     Not all of it is mapped.
 * @retval -EPERM      Not for reading.
 * @retval -EFAULT     The memory is not there any more.
 * @threads Shared.
 * @syscalls process_vm_readv.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_driver_read(struct libiommu_emu_driver *driver, uint64_t iova,
                                          void *buffer, uint64_t length, uint32_t flags);

/**
 * @brief Write what is mapped.
 *
 * @param driver  The driver.
 * @param iova    Where; any alignment.
 * @param buffer  What is written.
 * @param length  Bytes, at least one.
 * @param flags   LIBIOMMU_EMU_DRIVER_SLOW, or 0.
 * @return 0; otherwise any part of it may have been written.
 * @retval -EINVAL     As libiommu_emu_driver_read().
 * @retval -EOVERFLOW  The range wraps.
 * @retval -ENOENT     Not all of it is mapped.
 * @retval -EPERM      Not for writing.
 * @retval -EFAULT     The memory is not there any more.
 * @threads Shared.
 * @syscalls process_vm_writev.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_driver_write(struct libiommu_emu_driver *driver, uint64_t iova,
                                           const void *buffer, uint64_t length, uint32_t flags);

/**
 * @brief Keep pages.
 *
 * @param driver     The driver, which is one that pins.
 * @param iova       Where, at the beginning of a page; the pages that have a byte of the range are
 *                   pinned.
 * @param length     Bytes, at least one.
 * @param flags      LIBIOMMU_EMU_DRIVER_WRITE, or 0.
 * @param memory     The memory of this process that must be there; NULL for any.
 * @param[out] item  A number to unpin them by; may be NULL.
 * @return 0.
 * @retval -EINVAL      @p driver is NULL, @p length is 0, a flag is not known, or what is there
 *                      cannot be pinned: a page begins in the middle of it, or it is a device's.
 * @retval -EOPNOTSUPP  It is not one that pins.
 * @retval -EOVERFLOW   The range wraps.
 * @retval -ENOENT      Not all of it is mapped.
 * @retval -EPERM       Not for writing, or not for reading.
 * @retval -EFAULT      The memory is not there.
 * @retval -EBADE       It is not @p memory. Nothing is pinned.
 * @retval -ENOMEM      No memory, or no more may be locked.
 * @threads Shared.
 * @syscalls madvise.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_driver_pin(struct libiommu_emu_driver *driver, uint64_t iova,
                                         uint64_t length, uint32_t flags, const void *memory,
                                         uint32_t *item);

/**
 * @brief Keep pages no longer.
 *
 * @param driver  The driver.
 * @param item    What libiommu_emu_driver_pin() gave.
 * @return 0.
 * @retval -EINVAL  @p driver is NULL.
 * @retval -ENOENT  There is no such item, or not any more: what it had was unmapped.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_driver_unpin(struct libiommu_emu_driver *driver, uint32_t item);

LIBIOMMU_END_DECLS

/** @} */
#endif

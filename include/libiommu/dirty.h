/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup dirty Dirty tracking
 * @brief Which pages devices have written: what a virtual machine needs to be moved while it runs.
 *
 * Make the page table with LIBIOMMU_HWPT_DIRTY_TRACKING, switch tracking on, read the bits as often
 * as needed, and a last time before it is switched off.
 *
 * A dirty bit stands for a page of the page table, which may be large: 2 MiB or 1 GiB where memory
 * and IOVA allow. All of it is reported then. Where that is too coarse, forbid large pages before
 * mapping (libiommu_ioas_set_huge_pages()).
 *
 * @par No bit is lost
 * The kernel says that it has read the bits, and has cleared them, also where it could not write
 * the bitmap; it stops at a hole between mappings without a word; and it knows nothing while
 * tracking is off. The library reads into memory of its own and adds the bits to the caller's; it
 * asks for holes first; and it knows whether it has switched tracking on. What remains to the
 * caller: a range must consist of whole mappings, since a large page that is read in part is
 * cleared as a whole, and must not be unmapped while it is read.
 *
 * @par How much at once
 * Mapping waits while the kernel reads. The library therefore asks for one piece after the other, a
 * piece being what lies between two multiples of 1 GiB: the largest page of VT-d and SMMUv3, which
 * so is never cut. AMD's page tables can have larger ones, where that much memory is contiguous;
 * then forbid large pages, or use LIBIOMMU_DIRTY_WHOLE.
 *
 * @par Without iommufd
 * A page table made with the flag stands for the container that an address space is, one at a time.
 * The kernel has one bit for each of the smallest pages, reads whole mappings, and knows of a
 * device behind an IOMMU only that it may have written all that is mapped: all of it is told, each
 * time. Nothing is lost when devices are detached: what was mapped then counts as written.
 * @{
 */
#ifndef LIBIOMMU_DIRTY_H
#define LIBIOMMU_DIRTY_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief Leave the bits as they are in the page table: the next call reads them again. */
#define LIBIOMMU_DIRTY_NO_CLEAR (1U << 0)
/** @brief Read the whole range with one call of the kernel, however long mapping waits. */
#define LIBIOMMU_DIRTY_WHOLE (1U << 1)

/**
 * @brief Start or stop recording which pages are written.
 *
 * Starting clears all dirty bits of the page table first. Stopping forgets what was not read.
 *
 * @param hwpt    The page table, made with LIBIOMMU_HWPT_DIRTY_TRACKING; not a nested one: track
 *                its parent.
 * @param enable  Whether to record.
 * @return 0.
 * @retval -EINVAL      @p hwpt is NULL.
 * @retval -EALREADY    It is recording. Starting again would forget what it has recorded.
 * @retval -EBUSY       Without iommufd: another page table of the same address space is recording.
 * @retval -EOPNOTSUPP  The page table was made without the flag, or the IOMMU cannot do it.
 * @retval -ENOENT      The page table is nested, or the kernel has no such one (a wrong adopted
 *                      id).
 * @retval -ENOTTY      The kernel is older than 6.7.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared. Waits for libiommu_hwpt_get_dirty_bitmap() in other threads.
 * @syscalls ioctl (IOMMU_HWPT_SET_DIRTY_TRACKING; without iommufd VFIO_IOMMU_DIRTY_PAGES).
 * @kernel 6.7
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_HWPT_SET_DIRTY_TRACKING.
 */
LIBIOMMU_API int libiommu_hwpt_set_dirty_tracking(struct libiommu_hwpt *hwpt, bool enable);

/**
 * @brief Read which pages of a range were written, and clear that in the page table.
 *
 * Bits are added to those that @p bitmap has. Bit n % 64 of word n / 64 is the page that begins at
 * iova + n * page_size.
 *
 * @param hwpt         The page table. One that was adopted is read as it is: holes, and tracking
 *                     that somebody else has switched off, are not noticed.
 * @param iova         Start of the range, a multiple of @p page_size and of what
 *                     libiommu_iova_ranges_alignment() says. Whole mappings, one after the other.
 * @param length       Bytes, a multiple of the same, not 0.
 * @param page_size    What a bit of @p bitmap stands for: a power of two from 1024 up, smaller or
 *                     larger than the pages of the page table.
 * @param flags        LIBIOMMU_DIRTY_NO_CLEAR, LIBIOMMU_DIRTY_WHOLE, both or 0.
 * @param bitmap       The bitmap.
 * @param words        How many words it has: length / page_size / 64, rounded up, at least.
 * @param[out] done    How many bytes from @p iova on have been read, also after a failure; NULL if
 *                     not wanted. The rest is as it was, in the page table and in @p bitmap.
 *                     Not written where a handle is NULL.
 * @return 0.
 * @retval -EINVAL      @p hwpt or @p bitmap is NULL, @p flags has an unknown bit, @p page_size is
 *                      no power of two or less than 1024, something is misaligned, @p length is 0,
 *                      or @p bitmap is too short.
 * @retval -EOVERFLOW   The range wraps around.
 * @retval -ENODATA     Tracking is off.
 * @retval -ENOENT      A part of the range is not mapped, or the page table is nested, or the
 *                      kernel has no such one.
 * @retval -EOPNOTSUPP  The page table, an adopted one, was made without
 *                      LIBIOMMU_HWPT_DIRTY_TRACKING; or, without iommufd, one was made so, or
 *                      @p flags has LIBIOMMU_DIRTY_NO_CLEAR.
 * @retval -ENOMEM      No memory, here or in the kernel.
 * @retval -ENOTTY      The kernel is older than 6.7.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared, with a bitmap for each.
 * @syscalls ioctl (IOMMU_IOAS_COPY, which is refused where the range is mapped;
 *   IOMMU_HWPT_GET_DIRTY_BITMAP; without iommufd VFIO_IOMMU_DIRTY_PAGES).
 * @kernel 6.7
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_HWPT_GET_DIRTY_BITMAP.
 */
LIBIOMMU_API int libiommu_hwpt_get_dirty_bitmap(struct libiommu_hwpt *hwpt, uint64_t iova,
                                                uint64_t length, uint64_t page_size, uint32_t flags,
                                                uint64_t *bitmap, size_t words, uint64_t *done);

/**
 * @brief Read which pages of a range were written, and unmap it, with nothing lost between the two.
 *
 * A container's call. With iommufd read with LIBIOMMU_DIRTY_NO_CLEAR, once devices have stopped to
 * write there, and unmap then.
 *
 * @param hwpt         The page table.
 * @param iova         As for libiommu_hwpt_get_dirty_bitmap(), as what follows.
 * @param length       Bytes, whole mappings.
 * @param page_size    What a bit of @p bitmap stands for.
 * @param bitmap       The bitmap; bits are added.
 * @param words        How many words it has.
 * @param[out] done    How many bytes from @p iova on have been read and unmapped, also after a
 *                     failure; NULL if not wanted.
 * @return 0, or as libiommu_hwpt_get_dirty_bitmap(); also:
 * @retval -EOPNOTSUPP  There is iommufd.
 * @threads Shared, with a bitmap for each.
 * @syscalls ioctl (VFIO_IOMMU_UNMAP_DMA).
 * @kernel 5.8
 * @since 0.1
 * @follows VFIO uAPI, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP.
 */
LIBIOMMU_API int libiommu_hwpt_unmap_dirty(struct libiommu_hwpt *hwpt, uint64_t iova,
                                           uint64_t length, uint64_t page_size, uint64_t *bitmap,
                                           size_t words, uint64_t *done);

LIBIOMMU_END_DECLS

/** @} */
#endif

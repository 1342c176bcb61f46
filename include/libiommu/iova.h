/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup iova I/O virtual addresses
 * @brief Who has which I/O virtual addresses: windows that ranges are taken from.
 *
 * For a program that chooses IOVAs itself, or divides an address space between clients, each with a
 * window of its own. A window asks the kernel nothing; taking and giving back are a walk down a
 * balanced tree. A DMA space has a window (libiommu_dma_space_window()) that knows what the
 * kernel reserves.
 * @{
 */
#ifndef LIBIOMMU_IOVA_H
#define LIBIOMMU_IOVA_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief How full a window is. */
enum libiommu_iova_usage {
	/** Bytes that are taken. */
	LIBIOMMU_IOVA_TAKEN = 0,
	/** Bytes that are free; at most 2^64 - 1. */
	LIBIOMMU_IOVA_FREE = 1,
	/** The longest free range, in bytes; at most 2^64 - 1. */
	LIBIOMMU_IOVA_LONGEST = 2,
	/** How many ranges are taken. */
	LIBIOMMU_IOVA_TAKEN_RANGES = 3,
	/** How many ranges what is free is in: much more than one is fragmentation. */
	LIBIOMMU_IOVA_FREE_RANGES = 4
};

/**
 * @brief Make a window of ranges that the caller may use.
 *
 * @param ranges       The ranges, in any order, none overlapping another; cut to the granule. May
 *                     be NULL when @p count is 0.
 * @param count        How many.
 * @param granule      What all lengths and addresses are multiples of: a power of two above 1, such
 *                     as libiommu_iova_ranges_alignment() or a page.
 * @param[out] window  The window; destroyed with libiommu_iova_window_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p granule is not as it must be, two ranges overlap or one
 *                  ends before it starts.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_iova_window_new(const struct libiommu_iova_range *ranges, size_t count,
                                          uint64_t granule, struct libiommu_iova_window **window);

/**
 * @brief Make a window of a part of another, for a client of its own.
 *
 * @param parent       The other window, which must outlive this one.
 * @param length       Bytes.
 * @param alignment    Of its start: a power of two, the granule at least.
 * @param[out] window  The window; destroyed with libiommu_iova_window_destroy(), which gives the
 *                     range back.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, or @p length or @p alignment is 0 or not as it must be.
 * @retval -ENOSPC  No free range is long enough; the explanation says what there is.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_iova_window_cut(struct libiommu_iova_window *parent, uint64_t length,
                                          uint64_t alignment, struct libiommu_iova_window **window);

/**
 * @brief Say anew which ranges may be used, all or nothing: after an attach, for example.
 *
 * @param window  The window; not one that was cut from another.
 * @param ranges  The ranges, as for libiommu_iova_window_new().
 * @param count   How many.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, two ranges overlap or one ends before it starts.
 * @retval -EBUSY       The window was cut from another, or is a DMA space's.
 * @retval -EADDRINUSE  Something is taken that would not be usable any more; the explanation has
 *                      its range.
 * @retval -ENOMEM      No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_iova_window_set_ranges(struct libiommu_iova_window *window,
                                                 const struct libiommu_iova_range *ranges,
                                                 size_t count);

/**
 * @brief Take a range, in the lowest place that is found; never at 0.
 *
 * @param window     The window.
 * @param length     Bytes, a multiple of the granule.
 * @param alignment  A power of two, the granule at least.
 * @param phase      What the start is modulo @p alignment: that of the memory's address, where
 *                   large pages of both sides shall begin in the same places.
 * @param[out] iova  The start of the range.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, or a number is 0 or not as it must be.
 * @retval -ENOSPC  No free range is long enough; the explanation says what there is.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_iova_window_take(struct libiommu_iova_window *window, uint64_t length,
                                           uint64_t alignment, uint64_t phase, uint64_t *iova);

/**
 * @brief Take a range at a chosen place: what is to be reserved, for example.
 *
 * @param window  The window.
 * @param iova    The start, a multiple of the granule; may be 0.
 * @param length  Bytes, a multiple of the granule.
 * @return 0.
 * @retval -EINVAL         @p window is NULL, or a number is not as it must be.
 * @retval -EEXIST         A part of the range is taken.
 * @retval -EADDRNOTAVAIL  A part of the range is not usable.
 * @retval -ENOMEM         No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_iova_window_take_at(struct libiommu_iova_window *window, uint64_t iova,
                                              uint64_t length);

/**
 * @brief Give a range back.
 *
 * @param window  The window.
 * @param iova    The start of the range.
 * @param length  Bytes: all of what was taken.
 * @return 0.
 * @retval -EINVAL  @p window is NULL.
 * @retval -ENOENT  Just this was not taken.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_iova_window_give(struct libiommu_iova_window *window, uint64_t iova,
                                           uint64_t length);

/**
 * @brief How full a window is.
 *
 * @param window      The window.
 * @param which       Which figure.
 * @param[out] value  The figure.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p which is unknown.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_iova_window_usage(struct libiommu_iova_window *window,
                                            enum libiommu_iova_usage which, uint64_t *value);

/**
 * @brief Destroy a window; one that was cut from another gives its range back.
 *
 * @param window  The window; NULL is 0.
 * @return 0.
 * @retval -EBUSY  Something is taken from it, or was cut from it, or it is a DMA space's.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_iova_window_destroy(struct libiommu_iova_window *window);

LIBIOMMU_END_DECLS

/** @} */
#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup failure Explained failures
 * @brief What went wrong in this thread's last failing call, in words a person can act on.
 *
 * A failing call stores a few numbers in a thread-local record; the work of explaining is done when
 * somebody asks. The record holds copies, so it can be asked after the handles are gone. A call
 * that succeeds leaves it alone, and so does destroying things while cleaning up, unless that fails
 * itself.
 * @{
 */
#ifndef LIBIOMMU_FAILURE_H
#define LIBIOMMU_FAILURE_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief Who said no. */
enum libiommu_failure_origin {
	/** Nothing has failed in this thread. */
	LIBIOMMU_FAILURE_NONE = 0,
	/** The library, before it asked the kernel. */
	LIBIOMMU_FAILURE_LIBRARY = 1,
	/** The kernel; its errno value is passed on unmodified. */
	LIBIOMMU_FAILURE_KERNEL = 2
};

/**
 * @brief The error of this thread's last failing call.
 *
 * @return A negative errno value, or 0 when nothing has failed.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_failure_error(void);

/**
 * @brief Who said no in this thread's last failing call.
 *
 * @return One of enum @ref libiommu_failure_origin.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_failure_origin(void);

/**
 * @brief The public function that failed.
 *
 * @return Its name, a constant that is never freed; "" when nothing has failed.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_failure_operation(void);

/**
 * @brief The kernel ids that the failing call was about.
 *
 * @param[out] object  Id of the object it was called on, 0 when it had none.
 * @param[out] other   Id of the second object (what was attached, for example), 0 when there was
 *                     none.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENODATA Nothing has failed in this thread.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_failure_ids(uint32_t *object, uint32_t *other);

/**
 * @brief The range that the failing call was about: IOVAs, or offsets in a BAR or in config space.
 *
 * @param[out] start   First address or offset; 0 where the kernel was to choose it.
 * @param[out] length  Bytes, 0 when the call had no range.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENODATA Nothing has failed in this thread.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_failure_range(uint64_t *start, uint64_t *length);

/**
 * @brief Explain this thread's last failing call in one line: operation, error, what it was about,
 * what to do.
 *
 * For example: "libiommu_ioas_map: ENOMEM from the kernel; id 2; 33554432 bytes of memory at
 * 0x7f5a40000000; locked-memory limit 64 MiB, this context has mapped 48 MiB, asked for 32 MiB
 * more; ...".
 *
 * @param[out] text  Where to write, always NUL-terminated when @p size is not 0; may be NULL when
 * @p size is 0.
 * @param size       Bytes at @p text.
 * @return The length of the whole explanation without its NUL, as snprintf() does; more than @p
 *   size - 1 when it was cut. 0 when nothing has failed.
 * @retval -EINVAL  @p text is NULL and @p size is not 0.
 * @threads Free.
 * @syscalls getrlimit, where a memory limit is part of the explanation.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_failure_text(char *text, size_t size);

/**
 * @brief Forget this thread's last failure.
 *
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_failure_clear(void);

LIBIOMMU_END_DECLS

/** @} */
#endif

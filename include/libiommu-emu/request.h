/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_request Page requests by hand
 * @brief A device that asks for pages as it likes: in groups of many pages, mixed, never finished.
 *
 * Most devices want libiommu_emu_transfer_start(), which asks for what it misses and goes on. Here
 * each request is one message of the device, as PCI has it: requests of one number are a group,
 * which goes to the kernel with its last one, and only the last one is answered.
 * @{
 */
#ifndef LIBIOMMU_EMU_REQUEST_H
#define LIBIOMMU_EMU_REQUEST_H

#include <libiommu-emu/device.h>

LIBIOMMU_BEGIN_DECLS

/** @brief The page is to be read. */
#define LIBIOMMU_EMU_REQUEST_READ (1U << 0)
/** @brief The page is to be written. */
#define LIBIOMMU_EMU_REQUEST_WRITE (1U << 1)
/** @brief What is in the page is to be executed. */
#define LIBIOMMU_EMU_REQUEST_EXEC (1U << 2)
/** @brief The access is a privileged one. */
#define LIBIOMMU_EMU_REQUEST_PRIVILEGED (1U << 3)
/** @brief The request has a PASID. */
#define LIBIOMMU_EMU_REQUEST_PASID (1U << 4)
/** @brief The request is the last of its group. */
#define LIBIOMMU_EMU_REQUEST_LAST (1U << 5)

/** @brief The pages are there: try again. */
#define LIBIOMMU_EMU_ANSWER_SUCCESS 0U
/** @brief The pages will not be there; also where nobody was there to ask. */
#define LIBIOMMU_EMU_ANSWER_INVALID 1U
/** @brief The kernel could not deal with it. */
#define LIBIOMMU_EMU_ANSWER_FAILURE 2U

/**
 * @brief Send a page request.
 *
 * Whether anybody has the page table, the answer says.
 *
 * @param device   The device, which has page requests.
 * @param flags    LIBIOMMU_EMU_REQUEST_.
 * @param pasid    With LIBIOMMU_EMU_REQUEST_PASID; else 0.
 * @param group    The number of the group; a device may have the same one twice, and is told of
 *                 both.
 * @param address  What is asked for, which is not checked.
 * @return 0.
 * @retval -EINVAL      @p device is NULL, unknown flags, a PASID without its flag.
 * @retval -EOPNOTSUPP  The device has no page requests.
 * @retval -ENODEV      The device was removed.
 * @retval -ENOMEM      No memory: nothing was sent, or the kernel has lost it.
 * @threads Shared.
 * @syscalls sendto.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_request_page(struct libiommu_emu_device *device, uint32_t flags,
                                           uint32_t pasid, uint32_t group, uint64_t address);

/**
 * @brief Take the oldest answer, and wait for one if need be.
 *
 * Each request with LIBIOMMU_EMU_REQUEST_LAST is answered once; answers are kept until they are
 * taken, or the device is removed.
 *
 * @param device      The device.
 * @param timeout     Milliseconds; 0 asks only, negative waits without end.
 * @param[out] pasid  The PASID of the last request; may be NULL.
 * @param[out] group  The number of the group; may be NULL.
 * @param[out] code   LIBIOMMU_EMU_ANSWER_.
 * @return 0.
 * @retval -EINVAL     @p device or @p code is NULL.
 * @retval -ETIMEDOUT  There is none.
 * @retval -ENODEV     The device was removed.
 * @threads Shared.
 * @syscalls futex.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_request_answer(struct libiommu_emu_device *device, int timeout,
                                             uint32_t *pasid, uint32_t *group, uint32_t *code);

LIBIOMMU_END_DECLS

/** @} */
#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup hw_queue Hardware queues
 * @brief A queue in the guest's memory that the hardware reads without anybody in between.
 *
 * The hardware goes to the memory past all translation. So it must be mapped in the parent of the
 * vIOMMU, contiguous for the hardware (one page, one huge page, or hugetlbfs), and it cannot be
 * unmapped while the queue exists: libiommu_ioas_unmap() is -EBUSY.
 * @{
 */
#ifndef LIBIOMMU_HW_QUEUE_H
#define LIBIOMMU_HW_QUEUE_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief No type: no kernel makes one of it (-EOPNOTSUPP). */
#define LIBIOMMU_HW_QUEUE_DEFAULT 0U
/** @brief A command queue of a CMDQV. Queues are made from index 0 upwards and destroyed in the
 * opposite order; the length is a power of two of at least 32 bytes, at most what CMDQS in the
 * SMMU's IDR1 allows at 16 bytes an entry, and aligns the address. Kernel 6.17. */
#define LIBIOMMU_HW_QUEUE_TEGRA241_CMDQV 1U

/**
 * @brief Make a hardware queue.
 *
 * @param viommu      The vIOMMU; it cannot be destroyed before the queue.
 * @param type        LIBIOMMU_HW_QUEUE_TEGRA241_CMDQV or another that the kernel knows.
 * @param index       Which of the vIOMMU's queues.
 * @param address     Where the queue is: a guest-physical address, an IOVA of the parent.
 * @param length      Bytes.
 * @param[out] queue  The queue; destroyed with libiommu_hw_queue_destroy().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, @p length is 0, or the kernel does not like an argument.
 * @retval -EOVERFLOW   The range wraps around.
 * @retval -ENOENT      A part of the range is not mapped.
 * @retval -EFAULT      The memory is not contiguous.
 * @retval -EEXIST      There is a queue of this index.
 * @retval -EIO         There is no queue of the index below.
 * @retval -EOPNOTSUPP  The vIOMMU has no queues of this type.
 * @retval -ENOTTY      The kernel is older than 6.17.
 * @retval -ENOMEM      No memory, here or in the kernel.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_HW_QUEUE_ALLOC).
 * @kernel 6.17
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_HW_QUEUE_ALLOC.
 */
LIBIOMMU_API int libiommu_hw_queue_alloc(struct libiommu_viommu *viommu, uint32_t type,
                                         uint32_t index, uint64_t address, uint64_t length,
                                         struct libiommu_hw_queue **queue);

/**
 * @brief Destroy a hardware queue. Its memory can be unmapped again.
 *
 * @param queue  The queue; NULL is 0.
 * @return 0.
 * @retval -EBUSY  There is a queue of a higher index. Nothing has changed.
 * @retval -errno  Whatever else the kernel says; the handle still exists.
 * @threads Owner.
 * @syscalls ioctl (IOMMU_DESTROY).
 * @kernel 6.17
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_DESTROY.
 */
LIBIOMMU_API int libiommu_hw_queue_destroy(struct libiommu_hw_queue *queue);

/**
 * @brief The kernel's id of a hardware queue.
 *
 * @param queue    The queue.
 * @param[out] id  The id; reused once the object is gone.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_hw_queue_id(const struct libiommu_hw_queue *queue, uint32_t *id);

LIBIOMMU_END_DECLS

/** @} */
#endif

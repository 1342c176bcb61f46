/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup invalidate Invalidation
 * @brief What a guest says of its page tables, collected and given to the kernel in few calls.
 *
 * @par VT-d
 * A request names a device, a vPASID and a range. It becomes an entry for the nested page table
 * that is attached there, which the library looks up; requests for one page table that overlap or
 * touch become one entry, and all entries of a page table go in one call. The order among requests
 * does not matter, since nothing is promised before libiommu_vtd_batch_submit() returns.
 *
 * @par SMMUv3
 * A guest's commands go to the kernel as they are and in their order, up to each CMD_SYNC. The
 * kernel puts in what is the host's, VMID and stream id; the library puts in the PASID where that
 * is not the guest's vPASID. For a program that drives an SMMUv3 without a guest there are ranges.
 * @{
 */
#ifndef LIBIOMMU_INVALIDATE_H
#define LIBIOMMU_INVALIDATE_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief Only entries that end a translation have changed: tables above them may stay cached. */
#define LIBIOMMU_INVALIDATE_LEAF (1U << 0)

/**
 * @brief Begin to collect requests for VT-d.
 *
 * @param ctx         The context; it cannot be destroyed while there are requests.
 * @param[out] batch  What collects; freed with libiommu_vtd_batch_free().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vtd_batch_new(struct libiommu_ctx *ctx,
                                        struct libiommu_vtd_batch **batch);

/**
 * @brief Forget all requests and free what collected them.
 *
 * @param batch  What collects; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_vtd_batch_free(struct libiommu_vtd_batch *batch);

/**
 * @brief Collect one request.
 *
 * The page table is the one that is attached now, and cannot be destroyed until the request is done
 * or forgotten. What is detached or replaced meanwhile the kernel invalidates by itself.
 *
 * @param batch    What collects.
 * @param dev      The device, bound, of the same context.
 * @param vpasid   The vPASID; 0 is the device's own attachment.
 * @param address  First byte of the range. It is widened to whole pages of 4096 bytes.
 * @param length   Bytes, not 0. @p address 0 with UINT64_MAX is everything.
 * @param flags    LIBIOMMU_INVALIDATE_LEAF or 0.
 * @param cookie   A value of the caller's for libiommu_vtd_batch_cookie().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, the contexts differ, the device is not bound, @p length
 *                      is 0, the range wraps around, or @p flags has an unknown bit.
 * @retval -ENOENT      Nothing is attached there, or nothing that is nested: there is nothing to
 *                      invalidate.
 * @retval -ENODEV      The device was revoked.
 * @retval -EOPNOTSUPP  The device was opened by its group.
 * @retval -ENOMEM      No memory; nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vtd_batch_add(struct libiommu_vtd_batch *batch,
                                        struct libiommu_device *dev, uint32_t vpasid,
                                        uint64_t address, uint64_t length, uint32_t flags,
                                        uint64_t cookie);

/**
 * @brief Have all requests done. Needs no memory.
 *
 * A failure for one page table does not keep the others from being done. Afterwards what is in the
 * batch is exactly what was not done, in the order in which it was collected: it can be submitted
 * again, or forgotten. A request for which the kernel was not asked, since one before it failed, is
 * among it.
 *
 * @param batch  What collects.
 * @return 0: all are done, and the batch is empty.
 * @retval -EINVAL  @p batch is NULL, the kernel does not like an entry, or a page table that was
 *                  adopted is not nested.
 * @retval -ENOENT  A page table that was adopted is not there; before 6.13 also one that is not
 *                  nested.
 * @retval -ENOTTY  The kernel is older than 6.8.
 * @retval -errno   Whatever else the kernel says. The first of several failures is told.
 * @threads Owner.
 * @syscalls ioctl (IOMMU_HWPT_INVALIDATE), one for each page table and 2^19 entries.
 * @kernel 6.8
 * @since 0.1
 * @follows iommufd uAPI, struct iommu_hwpt_vtd_s1_invalidate.
 */
LIBIOMMU_API int libiommu_vtd_batch_submit(struct libiommu_vtd_batch *batch);

/**
 * @brief How many requests are collected and not done.
 *
 * @param batch  What collects; NULL has none.
 * @return The count.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API size_t libiommu_vtd_batch_count(const struct libiommu_vtd_batch *batch);

/**
 * @brief Which request is collected and not done.
 *
 * @param batch        What collects.
 * @param index        From 0, below the count, in the order in which they were collected.
 * @param[out] cookie  The value that it was collected with.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  There are not so many.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vtd_batch_cookie(const struct libiommu_vtd_batch *batch, size_t index,
                                           uint64_t *cookie);

/**
 * @brief Forget all requests.
 *
 * @param batch  What collects; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_vtd_batch_clear(struct libiommu_vtd_batch *batch);

/**
 * @brief Begin to collect commands for an SMMUv3.
 *
 * @param viommu      The guest's vIOMMU; it cannot be destroyed before the batch is freed.
 * @param[out] batch  What collects; freed with libiommu_smmuv3_batch_free().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_smmuv3_batch_new(struct libiommu_viommu *viommu,
                                           struct libiommu_smmuv3_batch **batch);

/**
 * @brief Forget all commands and free what collected them.
 *
 * @param batch  What collects; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_smmuv3_batch_free(struct libiommu_smmuv3_batch *batch);

/**
 * @brief Give each command to the hardware twice, for an SMMU that may overlook the first.
 *
 * For a program without a guest, where LIBIOMMU_SMMUV3_FLAGS of @ref hw_info says so
 * (IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI). A guest is told by whoever emulates its SMMU
 * and repeats by itself. The default is once.
 *
 * @param batch   What collects; NULL does nothing.
 * @param repeat  Whether to.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_smmuv3_batch_set_repeat(struct libiommu_smmuv3_batch *batch,
                                                   bool repeat);

/**
 * @brief Collect one command of the guest's queue. CMD_SYNC has all that were collected done.
 *
 * So has a command that finds no room, 1024 being collected. The substream id in CMD_CFGI_CD and
 * CMD_ATC_INV becomes the PASID of that vPASID, where the stream id is one of the vIOMMU's virtual
 * devices and has it attached under another number; else it stays as it is.
 *
 * Commands are done in their order. When one fails, those before it are done, it is not, and it and
 * all after it are forgotten: as a hardware's queue stops at an error, and as a guest expects.
 * libiommu_smmuv3_batch_done() tells which it was.
 *
 * @param batch  What collects.
 * @param cmd0   The command's first 64 bits, as a number: the bytes in the guest's memory are
 *               little-endian.
 * @param cmd1   The other 64 bits.
 * @return 0.
 * @retval -EINVAL      @p batch is NULL.
 * @retval -EOPNOTSUPP  No command for the kernel, but one for whoever emulates the SMMU
 *                      (CMD_CFGI_STE and CMD_CFGI_ALL, for example): nothing has changed.
 *                      libiommu_smmuv3_batch_flush() first, to keep the order.
 * @retval -EIO         A command names a stream id that is none of the vIOMMU's virtual devices, or
 *                      is one that the SMMU does not have, as CMD_ATC_INV without ATS.
 * @retval -errno       Whatever else the kernel says.
 * @threads Owner.
 * @syscalls For a CMD_SYNC, and with no room left, as libiommu_smmuv3_batch_flush().
 * @kernel 6.13
 * @since 0.1
 * @follows iommufd uAPI, struct iommu_viommu_arm_smmuv3_invalidate; Arm SMMUv3 specification,
 *   commands.
 */
LIBIOMMU_API int libiommu_smmuv3_batch_add(struct libiommu_smmuv3_batch *batch, uint64_t cmd0,
                                           uint64_t cmd1);

/**
 * @brief Have all that were collected done.
 *
 * @param batch  What collects.
 * @return 0, or as libiommu_smmuv3_batch_add().
 * @threads Owner.
 * @syscalls ioctl (IOMMU_HWPT_INVALIDATE), unless there are none; after an error up to twenty times
 *   more, to find the command that failed: what the kernel says of it is not to be relied on.
 * @kernel 6.13
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_HWPT_INVALIDATE.
 */
LIBIOMMU_API int libiommu_smmuv3_batch_flush(struct libiommu_smmuv3_batch *batch);

/**
 * @brief How many commands were done since the batch was made, each CMD_SYNC among them.
 *
 * After a failure this is the number, counted from 0, of the command that failed. Commands that
 * are forgotten then do not count, and the next one that is collected has this number.
 *
 * @param batch  What collects; NULL has none.
 * @return The count.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API uint64_t libiommu_smmuv3_batch_done(const struct libiommu_smmuv3_batch *batch);

/**
 * @brief Collect the commands that drop a range of an address space from the SMMU's own caches.
 *
 * One for each page; from 65 pages on one for the whole ASID, which costs less.
 *
 * @param batch       What collects.
 * @param asid        The address space's number in the context descriptor, of as many bits as the
 *                    SMMU has.
 * @param address     First byte of the range. It is widened to whole pages.
 * @param length      Bytes, not 0. @p address 0 with UINT64_MAX is the whole ASID.
 * @param page_shift  The page size, as a power of two: 12, 14 or 16.
 * @param flags       LIBIOMMU_INVALIDATE_LEAF or 0.
 * @return 0, or as libiommu_smmuv3_batch_add().
 * @retval -EINVAL  @p batch is NULL, @p length is 0, the range wraps around, @p page_shift is none
 *                  of the three, or @p flags has an unknown bit.
 * @threads Owner.
 * @syscalls As libiommu_smmuv3_batch_add().
 * @kernel 6.13
 * @since 0.1
 * @follows Arm SMMUv3 specification, CMD_TLBI_NH_VA, CMD_TLBI_NH_ASID.
 */
LIBIOMMU_API int libiommu_smmuv3_batch_add_range(struct libiommu_smmuv3_batch *batch, uint16_t asid,
                                                 uint64_t address, uint64_t length,
                                                 unsigned int page_shift, uint32_t flags);

/**
 * @brief Collect the command that drops a range from a device's own cache (ATS).
 *
 * After those of libiommu_smmuv3_batch_add_range(), or the device may fill its cache again from the
 * SMMU's. The range is widened to a power of two of pages that it lies in.
 *
 * @param batch    What collects.
 * @param virt_id  The device's virtual id, a stream id.
 * @param vpasid   The vPASID; 0 is the device without one.
 * @param address  First byte of the range.
 * @param length   Bytes, not 0. @p address 0 with UINT64_MAX is everything.
 * @return 0, or as libiommu_smmuv3_batch_add().
 * @retval -EINVAL  @p batch is NULL, @p length is 0, the range wraps around, or @p vpasid exceeds
 *                  2^20 - 1.
 * @threads Owner.
 * @syscalls As libiommu_smmuv3_batch_add().
 * @kernel 6.13
 * @since 0.1
 * @follows Arm SMMUv3 specification, CMD_ATC_INV.
 */
LIBIOMMU_API int libiommu_smmuv3_batch_add_atc(struct libiommu_smmuv3_batch *batch,
                                               uint32_t virt_id, uint32_t vpasid, uint64_t address,
                                               uint64_t length);

LIBIOMMU_END_DECLS

/** @} */
#endif

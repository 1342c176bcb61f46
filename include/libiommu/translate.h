/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup translate Translation of addresses
 * @brief From an address of the process to the IOVA that a device finds it at, and back.
 *
 * A DMA space (@ref dma) has a table of what is registered in it. Lookups wait for nobody, write
 * nothing that others read, and are as short with a million registrations as with one; others may
 * register and unregister meanwhile. What was registered before a lookup begins, and stays so until
 * it ends, is found.
 *
 * The table lives in a file of memory. Another process that is given the descriptor opens it
 * (libiommu_dma_table_open()) and translates the owner's addresses, of memory that the two share,
 * without a right to change anything.
 *
 * An address that was unregistered is told from one that never was registered, so that its use
 * is found out (-ESTALE) where it is translated again. What was translated before is the program's
 * to forget; libiommu_dma_table_generation() says when.
 * @{
 */
#ifndef LIBIOMMU_TRANSLATE_H
#define LIBIOMMU_TRANSLATE_H

#include <libiommu/types.h>

#include <sys/uio.h>

LIBIOMMU_BEGIN_DECLS

/** @brief A range that is contiguous for a device. */
struct libiommu_dma_segment {
	/** First IOVA. */
	uint64_t iova;
	/** Bytes. */
	uint64_t length;
};

/**
 * @brief The IOVA of an address.
 *
 * @param table            The table.
 * @param address          An address of the process that registers.
 * @param length           Bytes wanted at the most.
 * @param[out] iova        Where a device finds it.
 * @param[out] contiguous  How many bytes follow each other there, also over several registrations;
 *                         no more than @p length. NULL: all of @p length must.
 * @return 0.
 * @retval -EINVAL  @p table or @p iova is NULL.
 * @retval -ENOENT  Nothing is registered there, or it was registered without an address.
 * @retval -ESTALE  What was registered there is not any more.
 * @retval -ERANGE  @p contiguous is NULL, and @p length bytes are not contiguous.
 * @retval -ECHILD  This is a forked child; the table stays its parent's.
 * @threads Shared. Waits for nobody.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_table_translate(const struct libiommu_dma_table *table,
                                              const void *address, uint64_t length, uint64_t *iova,
                                              uint64_t *contiguous);

/**
 * @brief The address of an IOVA: what a device speaks of.
 *
 * @param table            The table.
 * @param iova             The IOVA.
 * @param length           Bytes wanted at the most.
 * @param[out] address     Where the process that registers has it.
 * @param[out] contiguous  How many bytes follow each other there; no more than @p length. NULL: all
 *                         of @p length must.
 * @return 0.
 * @retval -EINVAL  @p table or @p address is NULL.
 * @retval -ENOENT  Nothing is registered there, or it was registered without an address.
 * @retval -ESTALE  What was registered there is not any more.
 * @retval -ERANGE  @p contiguous is NULL, and @p length bytes are not contiguous.
 * @retval -ECHILD  This is a forked child; the table stays its parent's.
 * @threads Shared. Waits for nobody.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_table_translate_back(const struct libiommu_dma_table *table,
                                                   uint64_t iova, uint64_t length, void **address,
                                                   uint64_t *contiguous);

/**
 * @brief The IOVAs of many buffers of one size.
 *
 * @param table       The table.
 * @param addresses   The buffers.
 * @param count       How many; 0 is fine.
 * @param length      Bytes of each, all of which must be contiguous.
 * @param[out] iovas  As many IOVAs. After a failure those before the buffer that failed may have
 *                    been written.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  Nothing is registered where one of the buffers is.
 * @retval -ESTALE  What was registered there is not any more.
 * @retval -ERANGE  A buffer is not contiguous.
 * @retval -ECHILD  This is a forked child; the table stays its parent's.
 * @threads Shared. Waits for nobody.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_table_translate_many(const struct libiommu_dma_table *table,
                                                   void *const *addresses, size_t count,
                                                   uint64_t length, uint64_t *iovas);

/**
 * @brief The segments of a list of buffers, as a device gathers or scatters them.
 *
 * @param table          The table.
 * @param buffers        The buffers, in order; those of length 0 are passed over.
 * @param count          How many.
 * @param[out] segments  What a device sees: each contiguous, none going on where the one before
 *                       ends. After a failure some may have been written.
 * @param room           How many segments there is room for.
 * @return How many there are.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -ENOENT    A part of a buffer is not registered.
 * @retval -ESTALE    A part of a buffer was registered and is not any more.
 * @retval -EMSGSIZE  There is no room for all segments.
 * @retval -ECHILD    This is a forked child; the table stays its parent's.
 * @threads Shared. Waits for nobody.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_table_gather(const struct libiommu_dma_table *table,
                                           const struct iovec *buffers, size_t count,
                                           struct libiommu_dma_segment *segments, size_t room);

/**
 * @brief The descriptor of a DMA space's table, for another process to open.
 *
 * Sealed: nobody else can write to it.
 *
 * @param table  The table of a DMA space of this process.
 * @return The descriptor, which stays the table's.
 * @retval -EINVAL  @p table is NULL.
 * @retval -EBADF   The table was opened here, by libiommu_dma_table_open().
 * @retval -ECHILD  This is a forked child; the table stays its parent's.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_table_fd(const struct libiommu_dma_table *table);

/**
 * @brief Open another process's table, to read it.
 *
 * The table takes 4 GiB of addresses (32 MiB in a process of 32 bits), and memory only for what is
 * registered. It stays readable after its owner has ended.
 *
 * @param sys         The way to the kernel, copied; NULL is libc.
 * @param fd          The descriptor that the owner got from libiommu_dma_table_fd(); may be closed
 *                    afterwards.
 * @param[out] table  The table; destroyed with libiommu_dma_table_destroy().
 * @return 0.
 * @retval -EINVAL           @p table is NULL or @p fd negative.
 * @retval -ENOMEM           No memory, or not as many addresses.
 * @retval -EPROTO           What is there is no table, or a table of a process with words of
 *                           another size.
 * @retval -EPROTONOSUPPORT  A table of another version.
 * @retval -errno            Whatever else the kernel says.
 * @threads Free.
 * @syscalls fcntl (F_GET_SEALS), fstat, mmap, madvise, mprotect.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_table_open(const struct libiommu_sys *sys, int fd,
                                         struct libiommu_dma_table **table);

/**
 * @brief Close a table that was opened by libiommu_dma_table_open().
 *
 * @param table  The table; NULL is 0.
 * @return 0.
 * @retval -EBUSY   The table is a DMA space's, and goes with it.
 * @retval -ECHILD  This is a forked child; the table stays its parent's.
 * @threads Owner.
 * @syscalls munmap.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_table_destroy(struct libiommu_dma_table *table);

/**
 * @brief Whether something has changed since.
 *
 * @param table            The table.
 * @param[out] generation  A number that grows with each registration, and with each unregistration
 *                         before its memory is unmapped: what was translated after this number
 *                         was read holds for as long as it is the same.
 * @param[out] closed      Whether the DMA space was destroyed: nothing is registered any more.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ECHILD  This is a forked child; the table stays its parent's.
 * @threads Shared. Waits for nobody.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_table_generation(const struct libiommu_dma_table *table,
                                               uint64_t *generation, bool *closed);

LIBIOMMU_END_DECLS

/** @} */
#endif

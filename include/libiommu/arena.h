/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup arena Arenas
 * @brief One large registration that buffers are taken from without system calls.
 *
 * Each mapping costs a system call, and pages of the IOMMU's cache. A program with many small
 * buffers registers memory once and divides it: a buffer is then a walk down a balanced tree, and
 * its IOVA a sum. The memory is the library's, of the pages and from the NUMA node that the
 * program chooses, or the program's own.
 * @{
 */
#ifndef LIBIOMMU_ARENA_H
#define LIBIOMMU_ARENA_H

#include <libiommu/dma.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief Make a set of choices for a new arena; each has a default.
 *
 * @param[out] config  The choices; freed with libiommu_dma_arena_config_free().
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_arena_config_new(struct libiommu_dma_arena_config **config);

/**
 * @brief Free a set of choices. Arenas made from it are not affected.
 *
 * @param config  The choices; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_dma_arena_config_free(struct libiommu_dma_arena_config *config);

/**
 * @brief Of which pages the memory is.
 *
 * Large ones come from what the administrator has set aside (`vm.nr_hugepages`), and spare entries
 * in the caches of processor and IOMMU.
 *
 * @param config  The choices.
 * @param bytes   The size of a page that the machine has, such as 2 MiB or 1 GiB; 0, the default:
 *                ordinary pages, which the kernel may make larger ones of.
 * @return 0.
 * @retval -EINVAL  @p config is NULL, or @p bytes is no power of two from 4096 on.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_arena_config_set_page_size(struct libiommu_dma_arena_config *config,
                                                         uint64_t bytes);

/**
 * @brief From which NUMA node the memory is; none other will do.
 *
 * @param config  The choices.
 * @param node    The node, from 0 to 1023; -1, the default: as the process's policy has it.
 * @return 0.
 * @retval -EINVAL  @p config is NULL or @p node is out of range.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_arena_config_set_node(struct libiommu_dma_arena_config *config,
                                                    int node);

/**
 * @brief What buffers begin and end at multiples of.
 *
 * @param config  The choices.
 * @param bytes   A power of two from 16 on; by default 64, so that no two buffers share a line of
 *                the processor's cache.
 * @return 0.
 * @retval -EINVAL  @p config is NULL, or @p bytes is not as it must be.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_arena_config_set_granule(struct libiommu_dma_arena_config *config,
                                                       uint64_t bytes);

/**
 * @brief Make an arena, of memory that the library allocates and registers for reading and writing.
 *
 * A forked child does not have the memory.
 *
 * @param space       The space; cannot be destroyed before the arena.
 * @param length      Bytes; rounded up to whole pages.
 * @param config      Choices, or NULL for the defaults.
 * @param[out] arena  The arena; destroyed with libiommu_dma_arena_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p length is 0, or the machine has no pages of that size or
 *                  no such node.
 * @retval -ENOMEM  No memory, of large pages or of the node, which is all there before the call
 *                  returns where either was chosen; or the locked-memory limit.
 * @retval -ENOSPC  No free range of IOVAs is long enough.
 * @retval -ERANGE  In a split space the IOVAs do not follow each other.
 * @retval -ENOSYS  A node was chosen, and the kernel knows none.
 * @retval -ECHILD  This is a forked child; the space stays its parent's.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared. Takes the space's lock.
 * @syscalls mmap, mbind, madvise, ioctl (IOMMU_IOAS_MAP, IOMMU_IOAS_COPY); after a failure munmap,
 *           ioctl (IOMMU_IOAS_UNMAP).
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_arena_new(struct libiommu_dma_space *space, uint64_t length,
                                        const struct libiommu_dma_arena_config *config,
                                        struct libiommu_dma_arena **arena);

/**
 * @brief Make an arena of memory that is registered already: shared with another process, for
 * example.
 *
 * @param space       The space; cannot be destroyed before the arena.
 * @param address     The memory, registered for as long as the arena lives.
 * @param length      Bytes.
 * @param config      Choices, of which the granule counts; or NULL for the defaults.
 * @param[out] arena  The arena; destroyed with libiommu_dma_arena_destroy(), which leaves the
 *                    memory alone.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, or the memory is shorter than a granule.
 * @retval -ENOENT  It is not registered.
 * @retval -ESTALE  It is not registered any more.
 * @retval -ERANGE  Its IOVAs do not follow each other.
 * @retval -ENOMEM  No memory.
 * @retval -ECHILD  This is a forked child; the space stays its parent's.
 * @threads Shared. Takes the space's lock.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_arena_new_over(struct libiommu_dma_space *space, void *address,
                                             uint64_t length,
                                             const struct libiommu_dma_arena_config *config,
                                             struct libiommu_dma_arena **arena);

/**
 * @brief Destroy an arena, with all buffers in it.
 *
 * @param arena  The arena; NULL is 0.
 * @return 0.
 * @retval -EBUSY   A hardware queue holds a part of it. Nothing has changed.
 * @retval -ECHILD  This is a forked child; the arena stays its parent's.
 * @retval -errno   Whatever else the kernel says. Nothing has changed.
 * @threads Owner.
 * @syscalls ioctl (IOMMU_IOAS_UNMAP), munmap.
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_arena_destroy(struct libiommu_dma_arena *arena);

/**
 * @brief Take a buffer.
 *
 * @param arena         The arena.
 * @param length        Bytes; rounded up to the granule.
 * @param alignment     Of the address and of the IOVA, as far as the memory itself has the same in
 *                      both (a page at the least): a power of two; less than the granule is the
 *                      granule.
 * @param[out] address  The buffer. What is in it is what was there before.
 * @param[out] iova     Where devices find it; all of it follows there.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p length is 0 or @p alignment no power of two.
 * @retval -ENOSPC  No free part is long enough.
 * @retval -ENOMEM  No memory for the account of it.
 * @retval -ECHILD  This is a forked child; the arena stays its parent's.
 * @threads Shared. Takes the arena's lock.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_arena_alloc(struct libiommu_dma_arena *arena, uint64_t length,
                                          uint64_t alignment, void **address, uint64_t *iova);

/**
 * @brief Give a buffer back. No device uses it any more.
 *
 * @param arena    The arena.
 * @param address  The buffer.
 * @return 0.
 * @retval -EINVAL  @p arena is NULL.
 * @retval -ENOENT  No buffer begins there.
 * @retval -ECHILD  This is a forked child; the arena stays its parent's.
 * @threads Shared. Takes the arena's lock.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_arena_give(struct libiommu_dma_arena *arena, void *address);

/**
 * @brief How full an arena is.
 *
 * @param arena       The arena.
 * @param which       Which figure; see @ref iova.
 * @param[out] value  The figure, in bytes of memory or in buffers.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p which is unknown.
 * @retval -ECHILD  This is a forked child; the arena stays its parent's.
 * @threads Shared. Takes the arena's lock.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_arena_usage(struct libiommu_dma_arena *arena,
                                          enum libiommu_iova_usage which, uint64_t *value);

/**
 * @brief The memory of an arena.
 *
 * @param arena         The arena.
 * @param[out] address  Where it begins.
 * @param[out] length   Bytes.
 * @param[out] iova     Where devices find it.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_arena_memory(const struct libiommu_dma_arena *arena, void **address,
                                           uint64_t *length, uint64_t *iova);

LIBIOMMU_END_DECLS

/** @} */
#endif

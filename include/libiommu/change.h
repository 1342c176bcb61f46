/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup change What goes to another process
 * @brief Before libiommu_ctx_change_process(), or libiommu_takeover_commit(): what would make it
 * fail, and where that is.
 *
 * @code
 * libiommu_ctx_config_set_remember(config, true);     // before the context is made
 * ...
 * libiommu_change_list_new(ctx, &list);
 * for (i = 0; i < libiommu_change_list_count(list); i++) {
 *         libiommu_change_list_area(list, i, &ioas, &iova, &length);
 *         printf("%u: %#lx, %lu bytes: %s\n", ioas, iova, length,
 *                libiommu_change_list_advice(list, i));
 * }
 * @endcode
 *
 * What cannot be foreseen: that something is being mapped at the moment (-EBUSY), and that the
 * memory exceeds what the new process may lock (-ENOMEM). What others of the same user have locked
 * the kernel does not tell.
 * @{
 */
#ifndef LIBIOMMU_CHANGE_H
#define LIBIOMMU_CHANGE_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief Why a context cannot go to another process. */
enum libiommu_change_obstacle {
	/** Memory was mapped by its address, or copied from where it was. Map the file that it is
	   of: libiommu_ioas_map_file(). */
	LIBIOMMU_CHANGE_MEMORY = 0,
	/** A dma-buf is mapped, or copied from where it was: unmap it before, and map it again
	   after. */
	LIBIOMMU_CHANGE_DMABUF,
	/** So many bytes are mapped, and the context does not remember where: it was not made to
	   (libiommu_ctx_config_set_remember()), has them from a predecessor, or cannot tell. */
	LIBIOMMU_CHANGE_UNKNOWN,
	/** The kernel is older than 6.14: no context can. */
	LIBIOMMU_CHANGE_KERNEL
};

/**
 * @brief List what keeps a context from going to another process, as of now.
 *
 * An empty list: libiommu_ctx_change_process() does not say -EINVAL or -ENOTTY, unless something
 * was mapped past the library.
 *
 * @param ctx        The context.
 * @param[out] list  The list, by address space and IOVA; freed with libiommu_change_list_free().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOMEM  No memory.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared. Takes the lock of what the context remembers.
 * @syscalls ioctl (IOMMU_IOAS_CHANGE_PROCESS, too short to do anything).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_CHANGE_PROCESS.
 */
LIBIOMMU_API int libiommu_change_list_new(struct libiommu_ctx *ctx,
                                          struct libiommu_change_list **list);

/**
 * @brief Free a list.
 *
 * @param list  The list; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_change_list_free(struct libiommu_change_list *list);

/**
 * @brief How many obstacles there are.
 *
 * @param list  The list.
 * @return The count; 0 when @p list is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API size_t libiommu_change_list_count(const struct libiommu_change_list *list);

/**
 * @brief Why something is on the list.
 *
 * @param list   The list.
 * @param index  From 0.
 * @return One of enum @ref libiommu_change_obstacle.
 * @retval -EINVAL  @p list is NULL or @p index is not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_change_list_obstacle(const struct libiommu_change_list *list,
                                               size_t index);

/**
 * @brief Where something is mapped.
 *
 * @param list         The list.
 * @param index        From 0.
 * @param[out] ioas    The address space's id (libiommu_ioas_id()); 0 where it is not known.
 * @param[out] iova    Its first IOVA there; 0 where it is not known.
 * @param[out] length  Bytes; 0 for LIBIOMMU_CHANGE_KERNEL.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p index is not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_change_list_area(const struct libiommu_change_list *list, size_t index,
                                           uint32_t *ioas, uint64_t *iova, uint64_t *length);

/**
 * @brief The memory that is mapped there.
 *
 * @param list          The list.
 * @param index         From 0.
 * @param[out] address  Its address, as it was when it was mapped.
 * @return 0.
 * @retval -EINVAL   A pointer is NULL or @p index is not below the count.
 * @retval -ENODATA  It is not LIBIOMMU_CHANGE_MEMORY.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_change_list_address(const struct libiommu_change_list *list, size_t index,
                                              void **address);

/**
 * @brief What can be done about it.
 *
 * @param list   The list.
 * @param index  From 0.
 * @return A sentence, static; NULL when @p list is NULL or @p index is not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_change_list_advice(const struct libiommu_change_list *list,
                                                     size_t index);

LIBIOMMU_END_DECLS

/** @} */
#endif

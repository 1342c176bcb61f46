/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup takeover Taking over
 * @brief The other end of @ref handover, where a running context comes to this process.
 *
 * @code
 * libiommu_takeover_receive(NULL, socket, &takeover);
 * libiommu_takeover_ctx(takeover, &ctx);
 * libiommu_takeover_ioas(takeover, RAM, &ioas);       // in any order
 * libiommu_takeover_device(takeover, NIC, &dev);
 * if (!libiommu_takeover_commit(takeover, 0))         // all of it is this process's
 *         tell the predecessor;
 * libiommu_takeover_free(takeover);
 * @endcode
 *
 * Until the commit the context is held, as it is at the other end: calls that would reach the
 * kernel are -ESHUTDOWN. Whatever goes wrong before, the takeover is freed, or the process ends,
 * and the predecessor goes on as if nothing had been.
 *
 * The image is not trusted: what is wrong in it is an error. Whether its ids are the kernel's
 * nobody can know but the predecessor.
 * @{
 */
#ifndef LIBIOMMU_TAKEOVER_H
#define LIBIOMMU_TAKEOVER_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief What is pinned stays charged to the predecessor. */
#define LIBIOMMU_TAKEOVER_UNCHARGED (1U << 0)

/**
 * @brief Make handles from an image and its descriptors.
 *
 * @param config         The context's door and log; its path and descriptor are not used. NULL for
 *                       the defaults.
 * @param image          What libiommu_handover_image() gave.
 * @param size           Its bytes.
 * @param fds            What libiommu_handover_fds() gave, as this process has them, in that order.
 *                       They are the library's when the takeover is committed, and are made
 *                       close-on-exec. NULL: the same numbers, kept open over exec().
 * @param count          How many; 0 for NULL.
 * @param[out] takeover  The takeover; freed with libiommu_takeover_free().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, or the image has another number of descriptors.
 * @retval -EBADMSG     The image is damaged, or never was one: the explanation says how. Nothing
 *                      was changed, at either end.
 * @retval -EOPNOTSUPP  A newer library wrote the image.
 * @retval -E2BIG       The same, of one of its objects.
 * @retval -ENOMEM      No memory.
 * @retval -EBADF       A descriptor is not open.
 * @retval -errno       Whatever else the kernel says of a descriptor.
 * @threads Free.
 * @syscalls fcntl.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_load(const struct libiommu_ctx_config *config, const void *image,
                                        size_t size, const int *fds, size_t count,
                                        struct libiommu_takeover **takeover);

/**
 * @brief Receive what libiommu_handover_send() sends, and make handles from it.
 *
 * @param config         As for libiommu_takeover_load().
 * @param socket         The other end, a connected Unix socket that waits; it stays the caller's.
 * @param[out] takeover  The takeover; freed with libiommu_takeover_free().
 * @return 0.
 * @retval -EINVAL      @p takeover is NULL.
 * @retval -EBADMSG     The image is damaged, or never was one: the explanation says how. Nothing
 *                      was changed, at either end.
 * @retval -EOPNOTSUPP  A newer library wrote the image.
 * @retval -E2BIG       The same, of one of its objects.
 * @retval -EFBIG       The image has more than 1 GiB.
 * @retval -ENOMEM      No memory.
 * @retval -EPIPE       The other end is closed.
 * @retval -EMSGSIZE    What came is no handover, or this process has no descriptor left.
 * @retval -errno       Whatever else the kernel says of the socket. After any failure what was
 *                      received is closed.
 * @threads Free.
 * @syscalls recvmsg, fstat, pread64, fcntl, close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_receive(const struct libiommu_ctx_config *config, int socket,
                                           struct libiommu_takeover **takeover);

/**
 * @brief Make handles from what libiommu_handover_keep() has kept open over exec().
 *
 * @param config         As for libiommu_takeover_load().
 * @param fd             The image's descriptor, which stays the caller's.
 * @param[out] takeover  The takeover; freed with libiommu_takeover_free().
 * @return 0.
 * @retval -EINVAL      @p takeover is NULL.
 * @retval -EBADMSG     The image is damaged, or never was one: the explanation says how. Nothing
 *                      was changed, at either end.
 * @retval -EOPNOTSUPP  A newer library wrote the image.
 * @retval -E2BIG       The same, of one of its objects.
 * @retval -EFBIG       The image has more than 1 GiB.
 * @retval -ENOMEM      No memory.
 * @retval -EBADF       A descriptor is not open.
 * @retval -errno       Whatever else the kernel says of a descriptor.
 * @threads Free.
 * @syscalls fstat, pread64, fcntl.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_inherit(const struct libiommu_ctx_config *config, int fd,
                                           struct libiommu_takeover **takeover);

/**
 * @brief The context.
 *
 * @param takeover  The takeover.
 * @param[out] ctx  The context, held; the program's when the takeover is committed.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -EALREADY  The takeover is committed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_ctx(struct libiommu_takeover *takeover,
                                       struct libiommu_ctx **ctx);

/**
 * @brief How many objects of a kind come over.
 *
 * @param takeover    The takeover.
 * @param kind        The kind.
 * @param[out] count  How many; none of kinds that never do.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_count(const struct libiommu_takeover *takeover,
                                         enum libiommu_object_kind kind, size_t *count);

/**
 * @brief The key of an object, for a program that does not know its keys.
 *
 * @param takeover  The takeover.
 * @param kind      The kind.
 * @param index     Which of the kind, from 0, in the order in which they were added.
 * @param[out] key  The key.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  There are not so many.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_key(const struct libiommu_takeover *takeover,
                                       enum libiommu_object_kind kind, size_t index, uint64_t *key);

/**
 * @brief Take an address space.
 *
 * @param takeover  The takeover.
 * @param key       The key under which it was added.
 * @param[out] ioas  The address space; the program's when the takeover is committed.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -ENOENT    None has this key.
 * @retval -EALREADY  The takeover is committed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_ioas(struct libiommu_takeover *takeover, uint64_t key,
                                        struct libiommu_ioas **ioas);

/**
 * @brief Take a fault queue.
 *
 * @param takeover  The takeover.
 * @param key       The key under which it was added.
 * @param[out] queue  The queue; the program's when the takeover is committed.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -ENOENT    None has this key.
 * @retval -EALREADY  The takeover is committed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_fault_queue(struct libiommu_takeover *takeover, uint64_t key,
                                               struct libiommu_fault_queue **queue);

/**
 * @brief Take a page table.
 *
 * @param takeover  The takeover.
 * @param key       The key under which it was added.
 * @param[out] hwpt  The page table; the program's when the takeover is committed.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -ENOENT    None has this key.
 * @retval -EALREADY  The takeover is committed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_hwpt(struct libiommu_takeover *takeover, uint64_t key,
                                        struct libiommu_hwpt **hwpt);

/**
 * @brief Take a vIOMMU.
 *
 * @param takeover  The takeover.
 * @param key       The key under which it was added.
 * @param[out] viommu  The vIOMMU; the program's when the takeover is committed.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -ENOENT    None has this key.
 * @retval -EALREADY  The takeover is committed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_viommu(struct libiommu_takeover *takeover, uint64_t key,
                                          struct libiommu_viommu **viommu);

/**
 * @brief Take a PASID space.
 *
 * @param takeover  The takeover.
 * @param key       The key under which it was added.
 * @param[out] space  The space; the program's when the takeover is committed.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -ENOENT    None has this key.
 * @retval -EALREADY  The takeover is committed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_pasid_space(struct libiommu_takeover *takeover, uint64_t key,
                                               struct libiommu_pasid_space **space);

/**
 * @brief Take a device.
 *
 * @param takeover  The takeover.
 * @param key       The key under which it was added.
 * @param[out] dev  The device; the program's when the takeover is committed.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -ENOENT    None has this key.
 * @retval -EALREADY  The takeover is committed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_device(struct libiommu_takeover *takeover, uint64_t key,
                                          struct libiommu_device **dev);

/**
 * @brief Take a virtual device.
 *
 * @param takeover  The takeover.
 * @param key       The key under which it was added.
 * @param[out] vdev  The virtual device; the program's when the takeover is committed.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -ENOENT    None has this key.
 * @retval -EALREADY  The takeover is committed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_vdevice(struct libiommu_takeover *takeover, uint64_t key,
                                           struct libiommu_vdevice **vdev);

/**
 * @brief Take an event queue.
 *
 * @param takeover  The takeover.
 * @param key       The key under which it was added.
 * @param[out] queue  The queue; the program's when the takeover is committed.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -ENOENT    None has this key.
 * @retval -EALREADY  The takeover is committed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_veventq(struct libiommu_takeover *takeover, uint64_t key,
                                           struct libiommu_veventq **queue);

/**
 * @brief Take a hardware queue.
 *
 * @param takeover  The takeover.
 * @param key       The key under which it was added.
 * @param[out] queue  The queue; the program's when the takeover is committed.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -ENOENT    None has this key.
 * @retval -EALREADY  The takeover is committed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_takeover_hw_queue(struct libiommu_takeover *takeover, uint64_t key,
                                            struct libiommu_hw_queue **queue);

/**
 * @brief Take the context over: from here on it and its handles are this process's, as if it had
 * made them.
 *
 * What is pinned is charged to this process, as by libiommu_ctx_change_process().
 *
 * @param takeover  The takeover; freed by the caller as ever.
 * @param flags     0 or LIBIOMMU_TAKEOVER_UNCHARGED.
 * @return 0.
 * @retval -EINVAL    @p takeover is NULL or @p flags unknown; or something is mapped by address or
 *                    from a dma-buf, so that it cannot be charged.
 * @retval -EBUSY     An object was not taken, and would be nobody's.
 * @retval -EALREADY  It is committed.
 * @retval -ENOMEM    What is pinned exceeds this process's locked-memory limit, or the kernel has
 *                    no memory.
 * @retval -ENOTTY    The kernel is older than 6.14: it can be done uncharged.
 * @retval -errno     Whatever else the kernel says. After any failure nothing has changed.
 * @threads Owner.
 * @syscalls ioctl (IOMMU_IOAS_CHANGE_PROCESS), unless uncharged.
 * @kernel 6.14; uncharged 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_CHANGE_PROCESS.
 */
LIBIOMMU_API int libiommu_takeover_commit(struct libiommu_takeover *takeover, uint32_t flags);

/**
 * @brief End a takeover. Without a commit its context and handles, taken or not, are no more; the
 * objects that they stand for stay the predecessor's.
 *
 * What the program has made from the context meanwhile, by adopting it, it destroys before.
 *
 * Descriptors that were received are closed then; others stay the caller's.
 *
 * @param takeover  The takeover; NULL does nothing.
 * @threads Owner, of the context and all that comes with it.
 * @syscalls None; close for what was received and not committed.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_takeover_free(struct libiommu_takeover *takeover);

LIBIOMMU_END_DECLS

/** @} */
#endif

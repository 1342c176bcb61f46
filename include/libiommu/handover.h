/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup handover Handing over
 * @brief A running context goes to another process: mappings stay, and DMA does not stop.
 *
 * For a program that replaces itself while its devices go on working, by exec() or by a successor
 * at the other end of a Unix socket. This is the end that gives; @ref takeover is the other.
 *
 * @code
 * libiommu_handover_new(ctx, &handover);              // from here on nothing changes
 * libiommu_handover_add_ioas(handover, RAM, ioas);    // parents before children
 * libiommu_handover_add_device(handover, NIC, dev);
 * libiommu_handover_send(handover, socket);
 * if (the successor says that it has everything)
 *         libiommu_handover_commit(handover);         // it is the successor's
 * libiommu_handover_free(handover);                   // or else all is as before
 * @endcode
 *
 * @par What goes over
 * The descriptors, and an **image**: bytes that say which objects of the kernel there are, with
 * labels, tags, PASIDs and their vPASIDs, dirty tracking, what is attached where, and the page
 * requests that were read and not answered, whose tokens stay good. Every object of the context is
 * added under a key, any number that the program chooses, by which the successor takes it. The
 * image has the same bytes on every machine; it is of use only with the descriptors, and only once.
 *
 * @par What does not
 * Fault rings: let the reader finish, take the queues out and destroy the ring. What is mapped
 * into the process, BARs and memory of vIOMMUs: the successor maps it anew. Devices that were
 * opened by their group. KVM-VFIO devices (@ref kvm), since a virtual machine is one process's: the
 * successor makes one anew, and tells it of the device (libiommu_kvm_add()). The old one keeps the
 * file of a device open until the device is destroyed here too, which the program does soon after
 * the commit, or else one that the successor destroys lives on. What the program knows itself:
 * which memory is mapped where, the records of page requests, eventfds of interrupts, which it
 * passes on by its own means.
 *
 * @par Nothing is half done
 * Between libiommu_handover_new() and libiommu_handover_free() the context is held: calls that
 * would reach the kernel, or change what goes over, are -ESHUTDOWN and change nothing, so that the
 * image stays true. Devices work on. If the handover is freed without a commit the context is as it
 * was before. After the commit it stays shut: handles are destroyed as ever, in the same order, but
 * the kernel is not asked, since the objects are the successor's; only descriptors are closed and
 * memory is unmapped.
 *
 * @par Memory
 * What is mapped should come from files of memory (libiommu_ioas_map_file()) that the successor has
 * too: only then can it be charged for what is pinned, and only then can it reach what devices
 * write.
 * @{
 */
#ifndef LIBIOMMU_HANDOVER_H
#define LIBIOMMU_HANDOVER_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief Begin to hand a context over. Until libiommu_handover_free() it is held.
 *
 * Nobody else may be in a call on anything of the context at this moment, nor when it is committed
 * or freed; and in between nothing of it may be destroyed.
 *
 * @param ctx            The context.
 * @param[out] handover  The handover; freed with libiommu_handover_free().
 * @return 0.
 * @retval -EINVAL    A pointer is NULL.
 * @retval -EBUSY     The context has a fault ring or a DMA space. Nothing has changed.
 * @retval -EALREADY  The context is being handed over.
 * @retval -ESHUTDOWN The context was handed over.
 * @retval -EOPNOTSUPP The context is on type 1.
 * @retval -ENOMEM    No memory.
 * @threads Owner, of the context and all that was made from it.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_new(struct libiommu_ctx *ctx,
                                       struct libiommu_handover **handover);

/**
 * @brief Hand over an address space.
 *
 * @param handover  The handover.
 * @param key       Any number that no other object of this kind has here.
 * @param ioas      The address space.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL, or it is of another context.
 * @retval -EEXIST     It was added already, or another one under this key.
 * @retval -EALREADY   The image was asked for already: it is complete.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory. After any failure nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_add_ioas(struct libiommu_handover *handover, uint64_t key,
                                            struct libiommu_ioas *ioas);

/**
 * @brief Hand over a fault queue, with its page requests that are read and not answered.
 *
 * @param handover  The handover.
 * @param key       Any number that no other object of this kind has here.
 * @param queue     The queue.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL, or it is of another context.
 * @retval -EEXIST     It was added already, or another one under this key.
 * @retval -EBADF      Its descriptor was closed by a destroy that failed.
 * @retval -ENOTUNIQ   Another object was added with the same descriptor.
 * @retval -EALREADY   The image was asked for already: it is complete.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory. After any failure nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_add_fault_queue(struct libiommu_handover *handover, uint64_t key,
                                                   struct libiommu_fault_queue *queue);

/**
 * @brief Hand over a page table.
 *
 * @param handover  The handover.
 * @param key       Any number that no other object of this kind has here.
 * @param hwpt      The page table.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL, or it is of another context.
 * @retval -EEXIST     It was added already, or another one under this key.
 * @retval -ENOENT     What it was made on, or its fault queue, was not added before.
 * @retval -EALREADY   The image was asked for already: it is complete.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory. After any failure nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_add_hwpt(struct libiommu_handover *handover, uint64_t key,
                                            struct libiommu_hwpt *hwpt);

/**
 * @brief Hand over a vIOMMU.
 *
 * @param handover  The handover.
 * @param key       Any number that no other object of this kind has here.
 * @param viommu    The vIOMMU.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL, or it is of another context.
 * @retval -EEXIST     It was added already, or another one under this key.
 * @retval -ENOENT     Its parent was not added before.
 * @retval -EALREADY   The image was asked for already: it is complete.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory. After any failure nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_add_viommu(struct libiommu_handover *handover, uint64_t key,
                                              struct libiommu_viommu *viommu);

/**
 * @brief Hand over a PASID space.
 *
 * @param handover  The handover.
 * @param key       Any number that no other object of this kind has here.
 * @param space     The space.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL, or it is of another context.
 * @retval -EEXIST     It was added already, or another one under this key.
 * @retval -EALREADY   The image was asked for already: it is complete.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory. After any failure nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_add_pasid_space(struct libiommu_handover *handover, uint64_t key,
                                                   struct libiommu_pasid_space *space);

/**
 * @brief Hand over a device, with its label, what is attached to it and its PASIDs.
 *
 * @param handover  The handover.
 * @param key       Any number that no other object of this kind has here.
 * @param dev       The device.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL, or it is of another context, or not bound.
 * @retval -EEXIST     It was added already, or another one under this key.
 * @retval -ENOENT     What is attached to it or to one of its PASIDs, or its PASID space, was not
 *                     added before.
 * @retval -ENOTUNIQ   Another object was added with the same descriptor.
 * @retval -EOPNOTSUPP The device was opened by its group.
 * @retval -ENODEV     The device was revoked.
 * @retval -EALREADY   The image was asked for already: it is complete.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory. After any failure nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_add_device(struct libiommu_handover *handover, uint64_t key,
                                              struct libiommu_device *dev);

/**
 * @brief Hand over a virtual device.
 *
 * @param handover  The handover.
 * @param key       Any number that no other object of this kind has here.
 * @param vdev      The virtual device.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL, or it is of another context.
 * @retval -EEXIST     It was added already, or another one under this key.
 * @retval -ENOENT     Its vIOMMU, or its device, was not added before.
 * @retval -ENODEV     The device was revoked.
 * @retval -EALREADY   The image was asked for already: it is complete.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory. After any failure nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_add_vdevice(struct libiommu_handover *handover, uint64_t key,
                                               struct libiommu_vdevice *vdev);

/**
 * @brief Hand over an event queue.
 *
 * @param handover  The handover.
 * @param key       Any number that no other object of this kind has here.
 * @param queue     The queue.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL, or it is of another context.
 * @retval -EEXIST     It was added already, or another one under this key.
 * @retval -ENOENT     Its vIOMMU was not added before.
 * @retval -EBADF      Its descriptor was closed by a destroy that failed.
 * @retval -ENOTUNIQ   Another object was added with the same descriptor.
 * @retval -EALREADY   The image was asked for already: it is complete.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory. After any failure nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_add_veventq(struct libiommu_handover *handover, uint64_t key,
                                               struct libiommu_veventq *queue);

/**
 * @brief Hand over a hardware queue.
 *
 * @param handover  The handover.
 * @param key       Any number that no other object of this kind has here.
 * @param queue     The queue.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL, or it is of another context.
 * @retval -EEXIST     It was added already, or another one under this key.
 * @retval -ENOENT     Its vIOMMU was not added before.
 * @retval -EALREADY   The image was asked for already: it is complete.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory. After any failure nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_add_hw_queue(struct libiommu_handover *handover, uint64_t key,
                                                struct libiommu_hw_queue *queue);

/**
 * @brief The image, for a program that brings it over itself, with libiommu_handover_fds().
 *
 * @param handover    The handover; nothing can be added to it any more.
 * @param[out] image  The bytes, which stay the handover's, until it is freed.
 * @param[out] size   How many.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL.
 * @retval -EBUSY      Something of the context was not added: the explanation says what.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_image(struct libiommu_handover *handover, const void **image,
                                         size_t *size);

/**
 * @brief The descriptors that go with the image, in this order; the first is the context's.
 *
 * @param handover    The handover; nothing can be added to it any more.
 * @param[out] fds    The descriptors; the array stays the handover's, until it is freed.
 * @param[out] count  How many.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL.
 * @retval -EBUSY      Something of the context was not added: the explanation says what.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_fds(struct libiommu_handover *handover, const int **fds,
                                       size_t *count);

/**
 * @brief Send image and descriptors to libiommu_takeover_receive() at the other end of a socket.
 *
 * @param handover  The handover; nothing can be added to it any more.
 * @param socket    A connected Unix socket that waits; it stays the caller's. After a failure what
 *                  was sent is of no use to the other end.
 * @return 0.
 * @retval -EINVAL     @p handover is NULL.
 * @retval -EBUSY      Something of the context was not added: the explanation says what.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory.
 * @retval -EPIPE      The other end is closed.
 * @retval -errno      Whatever else the kernel says of the socket or of the file for the image.
 * @threads Owner.
 * @syscalls memfd_create, ftruncate, pwrite64, fcntl, sendmsg, close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_send(struct libiommu_handover *handover, int socket);

/**
 * @brief Keep image and descriptors open over exec(), for libiommu_takeover_inherit().
 *
 * If exec() fails, libiommu_handover_free() makes them close-on-exec again, those too that were
 * not before.
 *
 * @param handover  The handover; nothing can be added to it any more.
 * @param[out] fd   A descriptor of the image, whose number the new program must be told. It stays
 *                  the handover's.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL.
 * @retval -EBUSY      Something of the context was not added: the explanation says what.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory.
 * @retval -errno      Whatever the kernel says of the file for the image or of a descriptor;
 *                     nothing is kept open then.
 * @threads Owner.
 * @syscalls memfd_create, ftruncate, pwrite64, fcntl; close after a failure.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_keep(struct libiommu_handover *handover, int *fd);

/**
 * @brief The successor has everything: the context is given away.
 *
 * Then the handles are destroyed, and the context, without the kernel being asked.
 *
 * @param handover  The handover; freed by the caller as ever.
 * @return 0.
 * @retval -EINVAL     @p handover is NULL.
 * @retval -EBUSY      Something of the context was not added: the explanation says what.
 * @retval -ESHUTDOWN  The handover is committed.
 * @retval -ENOMEM     No memory.
 * @threads Owner, of the context and all that was made from it.
 * @syscalls None; after libiommu_handover_keep() fcntl and close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handover_commit(struct libiommu_handover *handover);

/**
 * @brief End a handover. Without a commit the context is as it was before.
 *
 * If the successor has committed all the same, and is gone, libiommu_ctx_change_process() takes
 * back what it was charged for.
 *
 * @param handover  The handover; NULL does nothing.
 * @threads Owner, of the context and all that was made from it.
 * @syscalls None; after libiommu_handover_keep() fcntl and close.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_handover_free(struct libiommu_handover *handover);

LIBIOMMU_END_DECLS

/** @} */
#endif

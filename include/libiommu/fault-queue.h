/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup fault_queue Fault queues
 * @brief Page requests of devices, read in the caller's terms and answered.
 *
 * A page table made with a fault queue (libiommu_hwpt_config_set_fault_queue()) sends the page
 * requests of the devices attached to it there. They are read in whole groups, each fault with the
 * label of its device and the vPASID and the tag of the attachment; each group is answered once,
 * by its token. The kernel has no timeout: a group that nobody answers hangs its device.
 *
 * @par Tokens
 * The kernel tells groups apart by small numbers that it gives out again at once, and forgets them
 * when their attachment ends. A token is never the same for two groups of a queue: an answer that
 * comes too late is recognised and reaches nobody. When a page table is detached or replaced, its
 * groups are answered LIBIOMMU_FAULT_INVALID and their tokens are stale from there on. This needs
 * all changes of what is attached to go through the same context.
 *
 * @par Rings
 * A queue can feed a ring (libiommu_ring_add_queue()), which then reads and answers it alone: to
 * others it says -EBUSY until it is removed from the ring.
 *
 * @par Locks
 * Each queue has one. Reading, answering, and attaching or detaching a page table of the queue hold
 * it during their system calls, none of which wait for a device's next fault.
 *
 * @par System calls
 * Where a page table that has a queue is detached or replaced, or its device destroyed or revoked,
 * there is also a write on the queue, and one that wakes the ring that has it. Where the kernel
 * reads the queue ahead for that ring (LIBIOMMU_RING_IO_URING), add io_uring_enter,
 * io_uring_register, clock_gettime and epoll_ctl; libiommu_pasid_attach() may make these too.
 * @{
 */
#ifndef LIBIOMMU_FAULT_QUEUE_H
#define LIBIOMMU_FAULT_QUEUE_H

#include <libiommu/fault.h>

LIBIOMMU_BEGIN_DECLS

/** @brief The answer to one group. */
struct libiommu_fault_response {
	/** The group's. */
	uint64_t token;
	/** One of enum @ref libiommu_fault_code. */
	uint32_t code;
	/** Not looked at. */
	uint32_t reserved;
};

/**
 * @brief Make a buffer for faults.
 *
 * @param records     How many faults it has room for at first, 1 to 65536; 0 is 64. It grows when a
 *                    group does not fit.
 * @param[out] batch  The buffer; freed with libiommu_fault_batch_free().
 * @return 0.
 * @retval -EINVAL  @p batch is NULL or @p records too large.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_fault_batch_new(size_t records, struct libiommu_fault_batch **batch);

/**
 * @brief Free a buffer. The groups that were read into it can still be answered.
 *
 * @param batch  The buffer; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_fault_batch_free(struct libiommu_fault_batch *batch);

/**
 * @brief How many faults were read into a buffer.
 *
 * @param batch  The buffer; NULL has none.
 * @return The count.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API size_t libiommu_fault_batch_count(const struct libiommu_fault_batch *batch);

/**
 * @brief One fault of a buffer. The faults of a group follow one another.
 *
 * @param batch  The buffer.
 * @param index  Which: from 0, below the count.
 * @return The fault, good until the buffer is read into again or freed; NULL when there is no such.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const struct libiommu_record *libiommu_fault_batch_get(
	const struct libiommu_fault_batch *batch, size_t index);

/**
 * @brief Make a fault queue.
 *
 * @param ctx         The context.
 * @param[out] queue  The queue; destroyed with libiommu_fault_queue_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOTTY  The kernel is older than 6.11.
 * @retval -ENOMEM  No memory, here or in the kernel.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_FAULT_QUEUE_ALLOC).
 * @kernel 6.11
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_FAULT_QUEUE_ALLOC.
 */
LIBIOMMU_API int libiommu_fault_queue_alloc(struct libiommu_ctx *ctx,
                                            struct libiommu_fault_queue **queue);

/**
 * @brief Make a handle for a fault queue that exists already. Asks the kernel nothing.
 *
 * Nothing else may read or answer it from now on. Groups that were read before cannot be answered
 * through the handle.
 *
 * @param ctx         The context whose descriptor the id belongs to.
 * @param id          The kernel's id.
 * @param id_mode     Whether destroying the handle destroys the queue.
 * @param fd          The queue's descriptor.
 * @param fd_mode     Who closes it. A failing call closes nothing.
 * @param[out] queue  The handle; destroyed with libiommu_fault_queue_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p id is 0, @p fd is negative or a mode is unknown.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever the duplication says.
 * @threads Shared.
 * @syscalls fcntl (LIBIOMMU_FD_DUP).
 * @since 0.1
 */
LIBIOMMU_API int libiommu_fault_queue_adopt(struct libiommu_ctx *ctx, uint32_t id,
                                            enum libiommu_id_mode id_mode, int fd,
                                            enum libiommu_fd_mode fd_mode,
                                            struct libiommu_fault_queue **queue);

/**
 * @brief Destroy a fault queue: its descriptor is closed first, since the kernel demands it.
 *
 * @param queue  The queue; NULL is 0.
 * @return 0.
 * @retval -EBUSY  A page table of this library or a ring has the queue: nothing has changed. Or the
 *                 kernel says that something else uses it, a duplicate of the descriptor for
 *                 example: the descriptor is closed, and all that can be done with the handle is to
 *                 destroy it again. Where io_uring has read the queue for a ring, that is said
 *                 after a second: the kernel may need a moment to let go of the descriptor.
 * @retval -errno  Whatever else the kernel says; the handle is as after -EBUSY from the kernel.
 * @threads Owner.
 * @syscalls close, unless the descriptor is borrowed; ioctl (IOMMU_DESTROY), unless the id is, and
 *           poll between attempts.
 * @kernel 6.11
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_DESTROY.
 */
LIBIOMMU_API int libiommu_fault_queue_destroy(struct libiommu_fault_queue *queue);

/**
 * @brief The queue's descriptor, for an event loop: readable when there are faults. It is always
 * writable: wait for input only.
 *
 * Of faults that libiommu_pasid_attach() has had to read it does not tell: see there.
 *
 * @param queue  The queue.
 * @return The descriptor, which stays the queue's: do not close, read or write it.
 * @retval -EINVAL  @p queue is NULL.
 * @retval -EBADF   It was closed by a destroy that failed.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_fault_queue_fd(const struct libiommu_fault_queue *queue);

/**
 * @brief The kernel's id of a fault queue.
 *
 * @param queue    The queue.
 * @param[out] id  The id.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_fault_queue_id(const struct libiommu_fault_queue *queue, uint32_t *id);

/**
 * @brief How many groups have been read and not answered.
 *
 * @param queue       The queue.
 * @param[out] count  The count.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_fault_queue_outstanding(struct libiommu_fault_queue *queue,
                                                  size_t *count);

/**
 * @brief The tokens of the groups that have been read and not answered.
 *
 * For who answers for somebody else, the process for example that the queue was handed over to. A
 * device that is answered LIBIOMMU_FAULT_SUCCESS tries again, and asks again where it must.
 *
 * @param queue        The queue.
 * @param[out] tokens  The tokens, in no order; may be NULL where @p room is 0.
 * @param room         How many fit.
 * @param[out] count   How many there are: more than @p room where they do not fit.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_fault_queue_tokens(struct libiommu_fault_queue *queue, uint64_t *tokens,
                                             size_t room, size_t *count);

/**
 * @brief Read faults, as many whole groups as there are and fit. Never waits for any.
 *
 * @param queue  The queue.
 * @param batch  Where to; what was in it is gone, also when the call fails.
 * @return How many faults; 0 when there are none.
 * @retval -EINVAL   A pointer is NULL, or the kernel has a group of more than 65536 faults.
 * @retval -ENOMEM   No memory; no fault is lost.
 * @retval -ENOBUFS  2^20 groups are unanswered.
 * @retval -EBUSY    A ring has the queue: it alone reads it.
 * @retval -EBADF    The descriptor was closed by a destroy that failed.
 * @retval -errno    Whatever else the kernel says.
 * @threads Shared, the buffer Owner.
 * @syscalls read.
 * @kernel 6.11
 * @since 0.1
 */
LIBIOMMU_API int libiommu_fault_queue_read(struct libiommu_fault_queue *queue,
                                           struct libiommu_fault_batch *batch);

/**
 * @brief Answer groups, with one system call unless the kernel has forgotten some of them.
 *
 * @param queue       The queue.
 * @param responses   The answers, in any order.
 * @param count       How many, at most 2^20.
 * @param[out] stale  How many of those dealt with reached nobody, since their group was answered
 *                    already, by the end of its attachment for example; may be NULL.
 * @return How many were dealt with, answered or stale: all, unless the kernel failed in the middle.
 *   Then the same call can be repeated: what was answered is stale by then, and the rest as good as
 *   before. Where the kernel fails again, that call says why.
 * @retval -EINVAL  @p queue is NULL, @p responses is NULL and @p count is not 0, @p count is too
 *                  large, or a code is neither of the two: nothing was answered.
 * @retval -EBUSY   A ring has the queue: it alone answers it. Nothing was answered.
 * @retval -EBADF   The descriptor was closed by a destroy that failed.
 * @retval -errno   Whatever else the kernel says of the first that is not stale; nothing was
 *                  answered, and all can be answered again.
 * @threads Shared.
 * @syscalls write.
 * @kernel 6.11
 * @since 0.1
 */
LIBIOMMU_API int libiommu_fault_queue_respond(struct libiommu_fault_queue *queue,
                                              const struct libiommu_fault_response *responses,
                                              size_t count, size_t *stale);

/**
 * @brief Wait for faults.
 *
 * @param queue       The queue.
 * @param timeout_ms  Milliseconds; negative is without end.
 * @return 1 when there are faults, 0 when the time is over.
 * @retval -EINVAL  @p queue is NULL.
 * @retval -EBADF   The descriptor was closed by a destroy that failed.
 * @retval -EINTR   A signal came.
 * @retval -errno   Whatever else poll() says.
 * @threads Shared.
 * @syscalls poll.
 * @kernel 6.11
 * @since 0.1
 */
LIBIOMMU_API int libiommu_fault_queue_wait(struct libiommu_fault_queue *queue, int timeout_ms);

LIBIOMMU_END_DECLS

/** @} */
#endif

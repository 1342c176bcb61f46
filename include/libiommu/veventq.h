/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup veventq Virtual event queues
 * @brief What the IOMMU has to tell a guest: errors of its page tables, for example.
 *
 * A vIOMMU has one queue for each type of event. An event is in the IOMMU's own format, with the
 * guest's numbers in it, so that it can be handed to the guest as it is; beside it stands the label
 * of the device that it is about. A queue that is full loses what comes, and how many were lost
 * is told with the next event, or at once where none has followed yet.
 *
 * A program reads a queue itself, or has a ring read it (libiommu_ring_add_veventq()): its events
 * then come to the reader of faults, each as it was and with its label.
 *
 * Types are numbered as the kernel's enum iommu_veventq_type numbers them.
 * @{
 */
#ifndef LIBIOMMU_VEVENTQ_H
#define LIBIOMMU_VEVENTQ_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief No type: no kernel makes one of it (-EOPNOTSUPP). */
#define LIBIOMMU_VEVENTQ_DEFAULT 0U
/** @brief Event records of an SMMUv3, 32 bytes each, with the virtual stream id. Kernel 6.15. */
#define LIBIOMMU_VEVENTQ_SMMUV3 1U
/** @brief Error maps of a CMDQV, 16 bytes each; they name no device. Kernel 6.17. */
#define LIBIOMMU_VEVENTQ_TEGRA241_CMDQV 2U

/** @brief The event names a device: its virtual id is there. */
#define LIBIOMMU_VEVENT_DEVICE (1U << 0)
/** @brief The device is one of this vIOMMU's: its label is there. */
#define LIBIOMMU_VEVENT_LABEL (1U << 1)

/** @brief One event. Fields may be added at the end. */
struct libiommu_vevent {
	/** The guest's number of the device; 0 without LIBIOMMU_VEVENT_DEVICE. */
	uint64_t virt_id;
	/** The device's label; 0 without LIBIOMMU_VEVENT_LABEL. */
	uint64_t label;
	/** How many events were lost between the one before and this one. */
	uint64_t lost;
	/** The event, little-endian where hardware wrote it. */
	const void *data;
	/** Bytes of it. */
	uint32_t length;
	/** The kernel's number of it; 0 follows 2^31 - 1. */
	uint32_t sequence;
	/** LIBIOMMU_VEVENT_DEVICE, LIBIOMMU_VEVENT_LABEL. */
	uint32_t flags;
};

/**
 * @brief Make a buffer for events.
 *
 * @param events      How many events it has room for, 1 to 65536; 0 is 64.
 * @param[out] batch  The buffer; freed with libiommu_vevent_batch_free().
 * @return 0.
 * @retval -EINVAL  @p batch is NULL or @p events too large.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_vevent_batch_new(size_t events, struct libiommu_vevent_batch **batch);

/**
 * @brief Free a buffer.
 *
 * @param batch  The buffer; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_vevent_batch_free(struct libiommu_vevent_batch *batch);

/**
 * @brief How many events were read into a buffer.
 *
 * @param batch  The buffer; NULL has none.
 * @return The count.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API size_t libiommu_vevent_batch_count(const struct libiommu_vevent_batch *batch);

/**
 * @brief One event of a buffer.
 *
 * @param batch  The buffer.
 * @param index  Which: from 0, below the count.
 * @return The event, good until the buffer is read into again or freed; NULL when there is no such.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const struct libiommu_vevent *libiommu_vevent_batch_get(
	const struct libiommu_vevent_batch *batch, size_t index);

/**
 * @brief Make a queue for a vIOMMU's events.
 *
 * @param viommu      The vIOMMU; it cannot be destroyed before the queue.
 * @param type        LIBIOMMU_VEVENTQ_SMMUV3 or LIBIOMMU_VEVENTQ_TEGRA241_CMDQV.
 * @param depth       How many events it holds before it loses some, 1 to 2^19.
 * @param[out] queue  The queue; destroyed with libiommu_veventq_destroy().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, or the kernel does not like the depth.
 * @retval -EEXIST      The vIOMMU has a queue of this type.
 * @retval -EOPNOTSUPP  The vIOMMU has no such events, or the library does not know their format
 *                      (libiommu_veventq_alloc_raw()).
 * @retval -ENOTTY      The kernel is older than 6.15.
 * @retval -ENOMEM      No memory, here or in the kernel.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_VEVENTQ_ALLOC).
 * @kernel 6.15
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_VEVENTQ_ALLOC.
 */
LIBIOMMU_API int libiommu_veventq_alloc(struct libiommu_viommu *viommu, uint32_t type,
                                        uint32_t depth, struct libiommu_veventq **queue);

/**
 * @brief The same for events whose format the library does not know.
 *
 * @param viommu      The vIOMMU; it cannot be destroyed before the queue.
 * @param type        The type.
 * @param depth       How many events it holds before it loses some, 1 to 2^19.
 * @param length      Bytes of one event, 1 to 4096, without the kernel's header. The kernel does
 *                    not tell it: a wrong one makes a mess of what is read.
 * @param id_offset   Where in the event the virtual id is.
 * @param id_length   Bytes of the virtual id, a number in the machine's order: 4 or 8; 0 for none.
 * @param[out] queue  The queue; destroyed with libiommu_veventq_destroy().
 * @return 0, or as libiommu_veventq_alloc().
 * @retval -EINVAL  Likewise, or a length is wrong, or the virtual id not inside the event.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_VEVENTQ_ALLOC).
 * @kernel 6.15
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_VEVENTQ_ALLOC.
 */
LIBIOMMU_API int libiommu_veventq_alloc_raw(struct libiommu_viommu *viommu, uint32_t type,
                                            uint32_t depth, uint32_t length, uint32_t id_offset,
                                            uint32_t id_length, struct libiommu_veventq **queue);

/**
 * @brief Make a handle for an event queue that exists already. Asks the kernel nothing.
 *
 * Nothing else may read it from now on. What was lost before the first event that is read through
 * the handle is not known.
 *
 * @param viommu      The vIOMMU that it is of; it cannot be destroyed before the handle.
 * @param type        LIBIOMMU_VEVENTQ_SMMUV3 or LIBIOMMU_VEVENTQ_TEGRA241_CMDQV.
 * @param id          The kernel's id.
 * @param id_mode     Whether destroying the handle destroys the queue.
 * @param fd          The queue's descriptor.
 * @param fd_mode     Who closes it. A failing call closes nothing.
 * @param[out] queue  The handle; destroyed with libiommu_veventq_destroy().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, @p id is 0, @p fd is negative or a mode is unknown.
 * @retval -EOPNOTSUPP  The library does not know the format of such events.
 * @retval -ENOMEM      No memory.
 * @retval -errno       Whatever the duplication says.
 * @threads Shared.
 * @syscalls fcntl (LIBIOMMU_FD_DUP).
 * @since 0.1
 */
LIBIOMMU_API int libiommu_veventq_adopt(struct libiommu_viommu *viommu, uint32_t type, uint32_t id,
                                        enum libiommu_id_mode id_mode, int fd,
                                        enum libiommu_fd_mode fd_mode,
                                        struct libiommu_veventq **queue);

/**
 * @brief Destroy an event queue: its descriptor is closed first, since the kernel demands it.
 *
 * @param queue  The queue; NULL is 0.
 * @return 0.
 * @retval -EBUSY  A ring reads it, and nothing has changed (libiommu_ring_remove_veventq()). Or the
 *                 kernel says that something else uses it, a duplicate of the descriptor for
 *                 example: the descriptor is closed, and all that can be done with the handle is to
 *                 destroy it again.
 * @retval -errno  Whatever else the kernel says; likewise.
 * @threads Owner.
 * @syscalls close, unless the descriptor is borrowed; ioctl (IOMMU_DESTROY), unless the id is.
 * @kernel 6.15
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_DESTROY.
 */
LIBIOMMU_API int libiommu_veventq_destroy(struct libiommu_veventq *queue);

/**
 * @brief The queue's descriptor, to wait for with poll(): readable when there are events.
 *
 * It can always be written, says poll(), and never hangs up: ask for POLLIN only.
 *
 * @param queue  The queue.
 * @return The descriptor, the queue's.
 * @retval -EINVAL  @p queue is NULL.
 * @retval -EBADF   A destroy that failed has closed it.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_veventq_fd(const struct libiommu_veventq *queue);

/**
 * @brief The kernel's id of an event queue.
 *
 * @param queue    The queue.
 * @param[out] id  The id; reused once the object is gone.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_veventq_id(const struct libiommu_veventq *queue, uint32_t *id);

/**
 * @brief Read events. Never waits.
 *
 * @param queue      The queue.
 * @param batch      Where to; what was in it is gone, also when the call fails.
 * @param[out] lost  How many events this call has found to be lost, whether one has followed them
 *                   or not; written after -EPROTO too. NULL where that is of no interest.
 * @return How many events; 0 when there are none.
 * @retval -EINVAL  A pointer is NULL, or the kernel has an event that does not fit.
 * @retval -ENOMEM  No memory; no event is lost.
 * @retval -EBADF   A destroy that failed has closed the descriptor.
 * @retval -EBUSY   A ring reads the queue.
 * @retval -EPROTO  What the kernel gave has not the format that the queue was made with: what was
 *                  read from there on is gone, and what came before is in the batch.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls read.
 * @kernel 6.15
 * @since 0.1
 * @follows iommufd uAPI, struct iommufd_vevent_header.
 */
LIBIOMMU_API int libiommu_veventq_read(struct libiommu_veventq *queue,
                                       struct libiommu_vevent_batch *batch, uint64_t *lost);

LIBIOMMU_END_DECLS

/** @} */
#endif

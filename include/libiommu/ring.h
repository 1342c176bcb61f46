/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup ring Fault ring: filling it
 * @brief Faults for a reader in shared memory, and its completions back to where the faults came
 * from.
 *
 * A ring has one reader at a time, in this process (libiommu_ring_open_reader()) or in another
 * (libiommu_ring_join()); see @ref reader. It is driven by the program's own loop: when
 * libiommu_ring_fd() is readable, libiommu_ring_dispatch() does all there is to do. Or by a thread
 * of the library's, which does the same, from libiommu_ring_start() to libiommu_ring_stop().
 *
 * Nothing is lost and nothing hangs. What there is no room for waits where it comes from. Each
 * group is answered exactly once: by the reader, or with LIBIOMMU_FAULT_INVALID when its deadline
 * is over or the reader is gone. The reader is not trusted: it can fail its own faults, and
 * nothing else. One that writes nonsense, or holds on to records for too long, is given up; until
 * a new one joins, all faults are answered with LIBIOMMU_FAULT_INVALID. Before the first one
 * joins, they wait.
 * @{
 */
#ifndef LIBIOMMU_RING_H
#define LIBIOMMU_RING_H

#include <libiommu/types.h>
#include <libiommu/reader.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief The reader is as trusted as this process, and is woken by the faster of two ways.
 *
 * One that is not could stop this process for as long as it likes by filling that way up.
 */
#define LIBIOMMU_RING_TRUSTED (1U << 0)

/** @brief The kernel puts a queue's faults into mapped memory by itself, through io_uring. */
#define LIBIOMMU_RING_IO_URING (1U << 0)

/**
 * @brief What a ring counts. The numbers are places in the shared memory too.
 *
 * What was published is accounted for: LIBIOMMU_RING_GROUPS is the sum of LIBIOMMU_RING_SUCCESS,
 * LIBIOMMU_RING_INVALID, LIBIOMMU_RING_EXPIRED, LIBIOMMU_RING_ABANDONED, LIBIOMMU_RING_DROPPED,
 * LIBIOMMU_RING_DETACHED, LIBIOMMU_RING_EVENTS and LIBIOMMU_RING_OUTSTANDING. Besides,
 * LIBIOMMU_RING_REFUSED and LIBIOMMU_RING_TOO_LARGE were taken from where they came and not
 * published.
 */
enum libiommu_ring_counter {
	/** Groups that were published. */
	LIBIOMMU_RING_GROUPS = 0,
	/** Their records. */
	LIBIOMMU_RING_RECORDS = 1,
	/** Groups that the reader answered with LIBIOMMU_FAULT_SUCCESS. */
	LIBIOMMU_RING_SUCCESS = 2,
	/** Groups that the reader answered with LIBIOMMU_FAULT_INVALID, or with a bad code. */
	LIBIOMMU_RING_INVALID = 3,
	/** Groups whose deadline was over. */
	LIBIOMMU_RING_EXPIRED = 4,
	/** Completions for groups that were not out, or not any more. */
	LIBIOMMU_RING_STALE = 5,
	/** Completions with a code that does not exist. */
	LIBIOMMU_RING_BAD_CODE = 6,
	/** Times that faults began to wait for room. */
	LIBIOMMU_RING_FULL = 7,
	/** Groups that are larger than half the ring, and were not published. */
	LIBIOMMU_RING_TOO_LARGE = 8,
	/** Groups that there was nobody for after a reader was given up. */
	LIBIOMMU_RING_REFUSED = 9,
	/** Groups that were out when their reader was given up. */
	LIBIOMMU_RING_ABANDONED = 10,
	/** Readers that were given up or went. */
	LIBIOMMU_RING_CONDEMNED = 11,
	/** The longest that a group waited for its answer, in nanoseconds. */
	LIBIOMMU_RING_LONGEST = 12,
	/** Groups that are out now. */
	LIBIOMMU_RING_OUTSTANDING = 13,
	/** Dispatches in which something failed, whoever made them. */
	LIBIOMMU_RING_ERRORS = 14,
	/** Ends of attachments, which count as groups too. */
	LIBIOMMU_RING_DETACHED = 15,
	/** Groups that were out when their attachment ended, and needed no answer any more. */
	LIBIOMMU_RING_DROPPED = 16,
	/** Records that the reader has not released now. */
	LIBIOMMU_RING_UNRELEASED = 17,
	/** 1 while faults wait for room. */
	LIBIOMMU_RING_WAITING = 18,
	/** When the oldest of the groups that are out now was published: CLOCK_MONOTONIC in
	   nanoseconds, 0 where none is. */
	LIBIOMMU_RING_OLDEST = 19,
	/** Events, and losses of events, which count as groups too. */
	LIBIOMMU_RING_EVENTS = 20,
	/** Events that the kernel has lost. */
	LIBIOMMU_RING_EVENTS_LOST = 21
};

/**
 * @brief Called with the answer to an injected group, exactly once.
 *
 * From libiommu_ring_dispatch() or libiommu_ring_destroy(), or from the thread that
 * libiommu_ring_start() made, with no lock held; it may call the ring, save for destroying it.
 */
typedef void (*libiommu_ring_answer_fn)(void *user, enum libiommu_fault_code code);

/**
 * @brief Make a set of choices for a new ring; each has a default.
 *
 * @param[out] config  The choices; freed with libiommu_ring_config_free().
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_config_new(struct libiommu_ring_config **config);

/**
 * @brief Free a set of choices. Rings made from it are not affected.
 *
 * @param config  The choices; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_ring_config_free(struct libiommu_ring_config *config);

/**
 * @brief Choose how many records the ring holds. The default is 4096.
 *
 * @param config   The choices.
 * @param records  A power of two from 1024 to 2^24. A group of more than half of it is answered
 *                 with LIBIOMMU_FAULT_INVALID.
 * @return 0.
 * @retval -EINVAL  @p config is NULL or @p records is no such number.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_config_set_records(struct libiommu_ring_config *config,
                                                  uint32_t records);

/**
 * @brief Choose how many groups may be out, published and not completed. The default is 1024.
 *
 * @param config  The choices.
 * @param groups  A power of two up to 2^20.
 * @return 0.
 * @retval -EINVAL  @p config is NULL or @p groups is no such number.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_config_set_outstanding(struct libiommu_ring_config *config,
                                                      uint32_t groups);

/**
 * @brief Choose how long a group may be out. The default is for ever.
 *
 * @param config  The choices.
 * @param ns      Nanoseconds up to 2^63 - 1; 0 is for ever.
 * @return 0.
 * @retval -EINVAL  @p config is NULL or @p ns is too long.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_config_set_deadline(struct libiommu_ring_config *config,
                                                   uint64_t ns);

/**
 * @brief Make a ring without a reader.
 *
 * @param ctx        The context; it cannot be destroyed before the ring.
 * @param config     Choices, or NULL for the defaults.
 * @param[out] ring  The ring; destroyed with libiommu_ring_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls mmap, madvise, epoll_create1, timerfd_create, eventfd, epoll_ctl, write.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_new(struct libiommu_ctx *ctx,
                                   const struct libiommu_ring_config *config,
                                   struct libiommu_ring **ring);

/**
 * @brief Destroy a ring: all that it has taken in is answered with LIBIOMMU_FAULT_INVALID.
 *
 * A reader sees the end of the ring; its fault queues are removed from it. If a thread of the
 * library's drives the ring, it is stopped first, as by libiommu_ring_stop().
 *
 * @param ring  The ring; NULL is 0.
 * @return 0.
 * @retval -ECHILD   This is a forked child; the ring stays its parent's.
 * @retval -EDEADLK  This is the thread that drives the ring; nothing has changed.
 * @threads Owner.
 * @syscalls munmap, close, epoll_ctl; write on the queues, and those of
 *   libiommu_ring_remove_queue(); write or sendmsg where a reader sleeps, write to stop the thread.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_destroy(struct libiommu_ring *ring);

/**
 * @brief Give the ring a reader at the other end of a socket, in another process mostly.
 *
 * The socket stays open for as long as the reader is the ring's. Nothing need be read from it or
 * written to it but by the library at both ends. A reader learns of this process's death by the
 * end of the socket: not before a forked child is gone, too, that has a copy of it.
 *
 * @param ring    The ring; it must not have a reader.
 * @param socket  A connected Unix socket of type SOCK_SEQPACKET.
 * @param mode    Who closes the socket; with LIBIOMMU_FD_BORROW, after the ring is destroyed.
 * @param flags   LIBIOMMU_RING_TRUSTED or 0.
 * @return 0.
 * @retval -EINVAL  @p ring is NULL, @p socket is negative, or @p mode or a flag is unknown.
 * @retval -EBUSY   The ring has a reader that is alive.
 * @retval -ENOMEM  No memory.
 * @retval -EAGAIN  The socket's buffer is full of something else.
 * @retval -ECHILD  This is a forked child; the ring stays its parent's.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls memfd_create, ftruncate, mmap, madvise, fcntl, eventfd, epoll_ctl, sendmsg, recvmsg,
 *   write, close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_join(struct libiommu_ring *ring, int socket,
                                    enum libiommu_fd_mode mode, uint32_t flags);

/**
 * @brief Give the ring a reader in this process.
 *
 * @param ring         The ring; it must not have a reader.
 * @param[out] reader  The reader; destroyed with libiommu_reader_free(), before or after the
 *                     ring.
 * @return 0, or as libiommu_ring_join() and libiommu_reader_open() fail.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -EBUSY   The ring has a reader that is alive.
 * @retval -ENOMEM  No memory.
 * @retval -ECHILD  This is a forked child; the ring stays its parent's.
 * @retval -errno   Whatever else the kernel says. The ring may take it until the next
 *                  libiommu_ring_dispatch() for a reader that came and went.
 * @threads Shared.
 * @syscalls socketpair, and those of libiommu_ring_join() and libiommu_reader_open().
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_open_reader(struct libiommu_ring *ring,
                                           struct libiommu_reader **reader);

/**
 * @brief What to poll for reading.
 *
 * @param ring  The ring.
 * @return The descriptor, which stays the ring's: do not close or read it.
 * @retval -EINVAL  @p ring is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_fd(const struct libiommu_ring *ring);

/**
 * @brief Do all there is to do: faults to the reader, its completions back, deadlines, its end.
 *
 * Never waits for the reader. Calling it when nothing has happened does no harm. Answers that the
 * kernel refuses are kept, and tried again by the next call; for that the descriptor is readable
 * after 10 ms at the latest.
 *
 * @param ring  The ring.
 * @return 0.
 * @retval -EINVAL  @p ring is NULL.
 * @retval -ECHILD  This is a forked child; the ring stays its parent's.
 * @retval -errno   The first error of the kernel's; the rest was done nevertheless.
 * @threads Shared.
 * @syscalls epoll_wait, clock_gettime, epoll_ctl, timerfd_settime, recvmsg; read and write on the
 *   queues, and with LIBIOMMU_RING_IO_URING io_uring_enter; write or sendmsg where the reader
 *   sleeps; write where there was more to do than in about 100 microseconds; munmap and close where
 *   a reader is given up.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_dispatch(struct libiommu_ring *ring);

/**
 * @brief Feed a ring from a fault queue. Several may feed one ring.
 *
 * From now on the ring alone reads and answers the queue. Ends of attachments reach the reader
 * too: after a detach or a replacement of a page table with this queue comes a record
 * LIBIOMMU_RECORD_DETACHED, behind the last fault of the attachment, once there is room for it,
 * however many groups are out. What ends while the ring is without a reader, or the queue without
 * a ring, is told to nobody. Where 2^20 ends are still to be told, since nobody dispatches or the
 * reader releases nothing, page tables with this queue cannot be attached: -ENOBUFS.
 *
 * @param ring   The ring.
 * @param queue  The queue, of the same context; it cannot be destroyed before it is removed or the
 *               ring destroyed. Groups that were read before and are unanswered are answered by
 *               nobody until their attachment ends.
 * @param flags  LIBIOMMU_RING_IO_URING: through io_uring where the kernel allows that, otherwise by
 *               read(); 0: by read(). Through io_uring the kernel works in the thread that
 *               dispatches: epoll_wait() in it can end with EINTR though there was no signal. And
 *               what ends an attachment must first take in what the kernel has read: detaching and
 *               replacing can then fail for want of memory, or with -ETIMEDOUT where that thread
 *               has been in a system call for half a minute. Nothing has changed then.
 * @return 0: it is fed by read(); 1: through io_uring.
 * @retval -EINVAL  A pointer is NULL, a flag is unknown, or the two are of different contexts.
 * @retval -EBUSY   A ring has the queue already.
 * @retval -EBADF   The queue's descriptor was closed by a destroy that failed.
 * @retval -EEXIST  The ring has the descriptor already, with another handle.
 * @retval -ENOSPC  The ring has 63 queues.
 * @retval -ENOMEM  No memory.
 * @retval -ECHILD  This is a forked child; the ring stays its parent's.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls epoll_ctl, write; with the flag fcntl, io_uring_setup, io_uring_register, mmap,
 *   madvise, epoll_create1.
 * @kernel 6.11; through io_uring 6.7
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_add_queue(struct libiommu_ring *ring,
                                         struct libiommu_fault_queue *queue, uint32_t flags);

/**
 * @brief Feed a ring no longer from a fault queue.
 *
 * What was read from it is answered with LIBIOMMU_FAULT_INVALID; what was not stays in the queue,
 * which can be read again by others. The reader is told no ends of attachments by this, and of
 * those that it has not been told yet no more.
 *
 * @param ring   The ring.
 * @param queue  The queue.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  The ring does not have the queue.
 * @retval -ECHILD  This is a forked child; the ring stays its parent's.
 * @threads Shared.
 * @syscalls epoll_ctl, write; where it was fed through io_uring, io_uring_enter, io_uring_register,
 *   clock_gettime, munmap, close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_remove_queue(struct libiommu_ring *ring,
                                            struct libiommu_fault_queue *queue);

/**
 * @brief Feed a ring from a vIOMMU's event queue. Several may feed one ring.
 *
 * From now on the ring alone reads the queue. Each event comes as a group whose first record is of
 * kind LIBIOMMU_RECORD_VEVENT, with the device's label; libiommu_record_data() copies the event as
 * it was. What the kernel lost comes as a record of kind LIBIOMMU_RECORD_LOST, in its place among
 * the events. Neither is completed. Events need no place among the groups that may be out, and
 * wait in the kernel while there is no room or no reader: a queue that fills up there loses some.
 *
 * @param ring   The ring.
 * @param queue  The queue, of the same context; it cannot be destroyed before it is removed or the
 *               ring destroyed.
 * @param tag    What the records are to have as their tag.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, or the two are of different contexts.
 * @retval -EBUSY   A ring has the queue already.
 * @retval -EBADF   The queue's descriptor was closed by a destroy that failed.
 * @retval -EEXIST  The ring has the descriptor already, with another handle.
 * @retval -ENOSPC  The ring has 63 queues.
 * @retval -ENOMEM  No memory.
 * @retval -ECHILD  This is a forked child; the ring stays its parent's.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls epoll_ctl, write.
 * @kernel 6.15
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_add_veventq(struct libiommu_ring *ring,
                                           struct libiommu_veventq *queue, uint64_t tag);

/**
 * @brief Feed a ring no longer from an event queue, which can be read by others again.
 *
 * Events that were read from it and have found no room in the ring yet, 64 at most, are gone.
 *
 * @param ring   The ring.
 * @param queue  The queue.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  The ring does not have the queue.
 * @retval -ECHILD  This is a forked child; the ring stays its parent's.
 * @threads Shared.
 * @syscalls epoll_ctl, write.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_remove_veventq(struct libiommu_ring *ring,
                                              struct libiommu_veventq *queue);

/**
 * @brief Have a thread of the library's drive the ring, instead of the program's own loop.
 *
 * The thread calls libiommu_ring_dispatch() whenever there is something to do. What that calls, it
 * calls from this thread: the answers to injected groups, and the context's log. After a dispatch
 * that failed it waits before the next, from 10 ms up to 160 ms if it goes on; each is logged and
 * counted in LIBIOMMU_RING_ERRORS. The program may call libiommu_ring_dispatch() as well.
 *
 * The thread's name is "libiommu-ring". It handles no signals, but those that a thread brings upon
 * itself: SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP and SIGSYS are not blocked.
 *
 * @param ring  The ring.
 * @return 0.
 * @retval -EINVAL    @p ring is NULL.
 * @retval -EALREADY  A thread drives the ring, or is just being stopped.
 * @retval -EAGAIN    There are too many threads.
 * @retval -ECHILD    This is a forked child; the ring stays its parent's.
 * @retval -errno     Whatever else the kernel says; there is no thread then.
 * @threads Shared.
 * @syscalls eventfd, rt_sigprocmask, and what the C library makes a thread with (mmap, mprotect,
 *   clone3 or clone); close if that fails. In the thread: prctl, poll, those of
 *   libiommu_ring_dispatch(), and nanosleep where poll fails.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_start(struct libiommu_ring *ring);

/**
 * @brief End the thread that drives the ring. When this returns, it is gone.
 *
 * A dispatch that it is in is finished first, with all that is called from there. The ring stays as
 * it is, and may be driven by the program, or started again.
 *
 * @param ring  The ring.
 * @return 0.
 * @retval -EINVAL   @p ring is NULL.
 * @retval -ENOENT   No thread drives the ring; also where another call has just ended it.
 * @retval -EDEADLK  This is that thread: it cannot wait for its own end. Nothing has changed.
 * @retval -ECHILD   This is a forked child; the ring stays its parent's.
 * @threads Shared.
 * @syscalls write, close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_stop(struct libiommu_ring *ring);

/**
 * @brief Put in a group for a device that is software.
 *
 * Of the records count: permissions, label, address, tag, length, vpasid, group, attachment, and
 * the flags LIBIOMMU_RECORD_PASID and LIBIOMMU_RECORD_SHARED_GROUP; the rest is the ring's.
 *
 * For what a device has attached at a vPASID they are: the label of libiommu_device_label(), the
 * vPASID with LIBIOMMU_RECORD_PASID, and the tag, which libiommu_pasid_find() and with its PASID
 * libiommu_pasid_find_hwpt() tell; for the device's own page table, without a vPASID, the tag of
 * libiommu_device_set_tag(). That tag's handler gets the group then, as it gets the hardware's.
 *
 * The ring passes them on as they are. What is attached is not looked at, and a detachment or a
 * replacement does not end the group: it may come behind the record LIBIOMMU_RECORD_DETACHED, and
 * wants its answer from the reader as before. Where the handler is to see no group behind the end,
 * those that were put in are to be answered before the page table is detached. The attachment is
 * a number of the caller's: it is not compared with that of a fault queue's records.
 *
 * @param ring     The ring.
 * @param records  The group, copied.
 * @param count    How many records, from 1 to half of what the ring holds.
 * @param answer   Called once with the answer.
 * @param user     Its first argument; the library never follows it.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p count is no such number.
 * @retval -ENOMEM  No memory.
 * @retval -EAGAIN  As many wait already as may be out at a time.
 * @retval -ECHILD  This is a forked child; the ring stays its parent's.
 * @threads Shared.
 * @syscalls write.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_inject(struct libiommu_ring *ring,
                                      const struct libiommu_record *records, size_t count,
                                      libiommu_ring_answer_fn answer, void *user);

/**
 * @brief What has been counted, over all readers.
 *
 * @param ring        The ring.
 * @param which       The counter.
 * @param[out] value  Its value.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p which is unknown.
 * @retval -ECHILD  This is a forked child; the ring stays its parent's.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_counter(struct libiommu_ring *ring, enum libiommu_ring_counter which,
                                       uint64_t *value);

/**
 * @brief A descriptor of the memory with the counters, for a process that does nothing but watch.
 *
 * It can be mapped and read, see @ref monitor; sealed as it is, nothing can be written through it.
 * It is that of the reader that the ring has now.
 *
 * @param ring  The ring.
 * @return The descriptor, close-on-exec, the caller's to close.
 * @retval -EINVAL   @p ring is NULL.
 * @retval -ENODATA  The ring has no reader.
 * @retval -ECHILD   This is a forked child; the ring stays its parent's.
 * @retval -errno    Whatever else the kernel says.
 * @threads Shared.
 * @syscalls fcntl.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ring_monitor(struct libiommu_ring *ring);

LIBIOMMU_END_DECLS

/** @} */
#endif

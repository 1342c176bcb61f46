/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup reader Reading a fault ring
 * @brief The reading end of a fault ring: faults by pointer into mapped memory, completions in any
 * order.
 *
 * A reader needs no context, no device and no rights: only a connected socket at whose other end a
 * ring is. It may be in another process. The records and completions are an ABI of their own, as
 * is all of the shared memory, so that a reader can also be written in another language.
 *
 * A reader takes groups with libiommu_reader_next(), gives their memory back with
 * libiommu_reader_release() and answers them with libiommu_reader_complete(), when and in which
 * order it likes, up to the ring's deadline. Where there is nothing to take,
 * libiommu_reader_sleep() waits.
 *
 * @par A filler that dies
 * cannot say so in the shared memory, as one does that destroys its ring. Its end of the socket
 * tells, which is looked at by libiommu_reader_sleep(), also with a timeout of 0 where there is
 * nothing to take, and by libiommu_reader_disarm(). They return -EPIPE then, and from there on
 * libiommu_reader_next() does too. A reader that does neither does not learn of it: to it there is
 * nothing new, it can release, and complete until there is no more room. What it completes reaches
 * nobody.
 * @{
 */
#ifndef LIBIOMMU_READER_H
#define LIBIOMMU_READER_H

#include <libiommu/fault.h>

LIBIOMMU_BEGIN_DECLS

/** @brief The answer to a group: 16 bytes of shared memory. */
struct libiommu_completion {
	/** The token of the group's records. */
	uint64_t token;
	/** One of enum @ref libiommu_fault_code; anything else counts as LIBIOMMU_FAULT_INVALID. */
	uint32_t code;
	/** The queue of the group's records. */
	uint32_t queue;
};

/**
 * @brief Open the ring at the other end of a socket.
 *
 * Waits for the filler's message, which libiommu_ring_join() sends at once. The socket stays open
 * as long as the reader lives: its end tells each side that the other is gone.
 *
 * @param sys          The way to the kernel, copied; NULL is libc.
 * @param socket       A connected Unix socket of type SOCK_SEQPACKET.
 * @param mode         Who closes the socket; with LIBIOMMU_FD_BORROW, after the reader is
 *                     destroyed.
 * @param[out] reader  The reader; destroyed with libiommu_reader_free().
 * @return 0.
 * @retval -EINVAL           @p reader is NULL, @p socket is negative or @p mode is unknown.
 * @retval -ENOMEM           No memory.
 * @retval -EPIPE            The other end was closed first.
 * @retval -EPROTO           What came is not a fault ring, or one that is not sealed as it must
 *                           be.
 * @retval -EPROTONOSUPPORT  A fault ring of another major version.
 * @retval -errno            Whatever else the kernel says.
 * @threads Free.
 * @syscalls recvmsg, fcntl, fstat, mmap, madvise, epoll_create1, epoll_ctl, close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_reader_open(const struct libiommu_sys *sys, int socket,
                                      enum libiommu_fd_mode mode, struct libiommu_reader **reader);

/**
 * @brief End a reader. What it has not completed is answered with LIBIOMMU_FAULT_INVALID.
 *
 * Pointers that libiommu_reader_next() returned are no longer valid.
 *
 * A forked child does well to do so too: as long as it has a copy of the socket, the filler does
 * not see its parent go.
 *
 * @param reader  The reader; NULL does nothing.
 * @threads Owner.
 * @syscalls munmap, close.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_reader_free(struct libiommu_reader *reader);

/**
 * @brief Take the next group, if there is one. Never waits.
 *
 * @param reader        The reader.
 * @param[out] records  The group's records in shared memory, valid until they are released.
 * @param[out] count    How many.
 * @return 1, or 0 where there is none now.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -EPIPE   The ring is at its end: the filler has given this reader up, or was found to be
 *                  gone. No answer is wanted any more.
 * @retval -EPROTO  The other end writes nonsense.
 * @retval -ECHILD  This is a forked child; the reader stays its parent's.
 * @threads Owner.
 * @syscalls None, or write where the filler waits for room.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_reader_next(struct libiommu_reader *reader,
                                      const struct libiommu_record **records, size_t *count);

/**
 * @brief Take the next groups, as far as they follow each other in memory. Never waits.
 *
 * For a reader that handles many at a time. A group ends with the record that has
 * LIBIOMMU_RECORD_LAST; the last record taken has it. There may be more groups than these.
 *
 * @param reader        The reader.
 * @param most          How many records at most, unless the first group alone has more; 0 is one
 *                      group.
 * @param[out] records  The records in shared memory, valid until they are released.
 * @param[out] count    How many.
 * @return 1, or 0 where there is none now.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -EPIPE   The ring is at its end: the filler has given this reader up, or was found to be
 *                  gone. No answer is wanted any more.
 * @retval -EPROTO  The other end writes nonsense.
 * @retval -ECHILD  This is a forked child; the reader stays its parent's.
 * @threads Owner.
 * @syscalls None, or write where the filler waits for room.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_reader_next_span(struct libiommu_reader *reader, size_t most,
                                           const struct libiommu_record **records, size_t *count);

/**
 * @brief Copy an event out of its group of records.
 *
 * @param records  The group, whose first record is of kind LIBIOMMU_RECORD_VEVENT.
 * @param count    How many records it has.
 * @param buffer   Where to.
 * @param size     Bytes of it; of a longer event only as much is copied.
 * @return The event's length in bytes.
 * @retval -EINVAL  A pointer is NULL, with @p size 0 @p buffer apart, or it is no such group.
 * @retval -EPROTO  The group is too short for what it says it has.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_record_data(const struct libiommu_record *records, size_t count,
                                      void *buffer, size_t size);

/**
 * @brief Give back the memory of all groups taken so far. They may be completed later.
 *
 * A group that is not released when its deadline is over costs the reader the ring.
 *
 * @param reader  The reader.
 * @return 0.
 * @retval -EINVAL  @p reader is NULL.
 * @retval -ECHILD  This is a forked child; the reader stays its parent's.
 * @threads Owner.
 * @syscalls None, or write where the filler waits for room.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_reader_release(struct libiommu_reader *reader);

/**
 * @brief Answer groups: some or all, in any order, each once.
 *
 * One that is answered already, because its deadline was over for example, is passed over. So are
 * all of a ring that is at its end.
 *
 * @param reader       The reader.
 * @param completions  The answers.
 * @param count        How many.
 * @return How many were taken: all, unless the filler is behind with earlier ones.
 * @retval -EINVAL  A pointer is NULL and @p count is not 0.
 * @retval -EAGAIN  None could be taken; the filler has been told. Waiting with
 *                  libiommu_reader_sleep() or libiommu_reader_arm() now waits for room.
 * @retval -ECHILD  This is a forked child; the reader stays its parent's.
 * @threads Owner.
 * @syscalls None, or write where the filler sleeps.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_reader_complete(struct libiommu_reader *reader,
                                          const struct libiommu_completion *completions,
                                          size_t count);

/**
 * @brief Wait until there is something to take; or until there is room for completions, after a
 * libiommu_reader_complete() that did not take all.
 *
 * @param reader   The reader.
 * @param timeout  Milliseconds; negative waits without end.
 * @return 1, or 0 when the time was over. 1 may be premature.
 * @retval -EINVAL  @p reader is NULL.
 * @retval -EINTR   A signal came first.
 * @retval -EPIPE   The ring is at its end: the filler is gone, or has given this reader up.
 * @retval -ECHILD  This is a forked child; the reader stays its parent's.
 * @retval -errno   Whatever else the kernel says.
 * @threads Owner.
 * @syscalls poll, read, recvmsg; none where there is something already.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_reader_sleep(struct libiommu_reader *reader, int timeout);

/**
 * @brief Begin to wait in an event loop of the program's own.
 *
 * From then on libiommu_reader_fd() becomes readable when there is what libiommu_reader_sleep()
 * would wait for, or when the ring is at its end; libiommu_reader_disarm() ends that, and says
 * which of the two it is.
 *
 * @param reader  The reader.
 * @return 0, or 1 where there is what would be waited for already; then nothing has begun.
 * @retval -EINVAL  @p reader is NULL.
 * @retval -EPIPE   The ring is at its end, as far as that is known without asking the kernel.
 * @retval -ECHILD  This is a forked child; the reader stays its parent's.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_reader_arm(struct libiommu_reader *reader);

/**
 * @brief End what libiommu_reader_arm() began.
 *
 * @param reader  The reader.
 * @return 0.
 * @retval -EINVAL  @p reader is NULL.
 * @retval -EPIPE   The ring is at its end: the other end of the socket was closed.
 * @retval -ECHILD  This is a forked child; the reader stays its parent's.
 * @threads Owner.
 * @syscalls read, recvmsg.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_reader_disarm(struct libiommu_reader *reader);

/**
 * @brief What to poll between libiommu_reader_arm() and libiommu_reader_disarm(), for reading.
 *
 * @param reader  The reader.
 * @return The descriptor, which stays the reader's: do not close or read it.
 * @retval -EINVAL  @p reader is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_reader_fd(const struct libiommu_reader *reader);

LIBIOMMU_END_DECLS

/** @} */
#endif

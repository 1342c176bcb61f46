/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup handlers Handling faults by page table
 * @brief A reader's groups to a function for each page table, and the answers back in batches.
 *
 * Every attachment of a page table has a tag that its attacher chose: that of
 * libiommu_pasid_attach(), or for the device's own page table, through which faults without a PASID
 * come, that of libiommu_device_set_tag(). Here each tag has a handler. A program that gives all
 * attachments of a page table one tag so has one handler for each page table.
 *
 * libiommu_handlers_dispatch() takes the groups that are there, calls the handlers, gives the
 * records back and sends the answers, once for all of them. Where it returns 0 or -EAGAIN,
 * libiommu_reader_sleep() waits until it is worth calling again; so does libiommu_reader_fd()
 * after libiommu_reader_arm().
 *
 * @par Callbacks
 * They are called from libiommu_handlers_dispatch(), without a lock. They may set and remove
 * handlers, their own too, and call libiommu_reader_complete(); what they set counts from the next
 * group on. Taking and releasing groups, and freeing the handlers or the reader, is not for them.
 *
 * @par A page table that is replaced
 * has its end between its last group and the first of the next one, if both are of one fault queue.
 * Where the tag stays, as that of the device's own page table does, the release function can set
 * the next one's handler.
 *
 * @par A handler that is removed
 * is not called again, nor is its release function. Groups that it has not seen yet go to the
 * default handler, and so does the end of its attachments. Groups that it has seen and keeps are
 * still its own to complete.
 * @{
 */
#ifndef LIBIOMMU_HANDLERS_H
#define LIBIOMMU_HANDLERS_H

#include <libiommu/reader.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief What a handler returns that completes the group itself, with libiommu_reader_complete().
 *
 * It may do so at once or at any later time, from the thread that the reader is used in. It needs
 * the token and the queue of the first record, and keeps copies of them.
 */
#define LIBIOMMU_HANDLERS_LATER (-1)

/** @brief The most groups that a dispatch can be told to take. */
#define LIBIOMMU_HANDLERS_MAX_BATCH 256

/** @brief What is counted. */
enum libiommu_handlers_counter {
	/** Groups of faults that were taken. */
	LIBIOMMU_HANDLERS_GROUPS = 0,
	/** Of these, those for whose tag there was no handler, nor one by default. */
	LIBIOMMU_HANDLERS_UNHANDLED = 1,
	/** Those whose handler returned what is no answer. */
	LIBIOMMU_HANDLERS_BAD_CODE = 2,
	/** Those that are completed later by their handlers. */
	LIBIOMMU_HANDLERS_KEPT = 3,
	/** Ends of attachments. */
	LIBIOMMU_HANDLERS_DETACHED = 4,
	/** Groups of kinds that this library does not know, passed over. */
	LIBIOMMU_HANDLERS_UNKNOWN = 5,
	/** Events of vIOMMUs, and losses of events, handled or passed over. */
	LIBIOMMU_HANDLERS_EVENTS = 6
};

/**
 * @brief Called with a group of faults; its answer.
 *
 * Either of enum @ref libiommu_fault_code, or LIBIOMMU_HANDLERS_LATER; anything else is answered
 * with LIBIOMMU_FAULT_INVALID. The records are shared memory, which the filler could change at any
 * time, and are good until the function returns. What tag a group has is what its first record
 * says.
 */
typedef int (*libiommu_handlers_handle_fn)(void *user, const struct libiommu_record *records,
                                           size_t count);

/**
 * @brief Called with the record of kind LIBIOMMU_RECORD_DETACHED that is the last of an attachment.
 *
 * Its groups need no answer any more, save those that software injected. Where several
 * attachments have the tag, it is called for each; the record tells which one has ended. The
 * handler stays until it is removed.
 */
typedef void (*libiommu_handlers_release_fn)(void *user, const struct libiommu_record *record);

/**
 * @brief Called with an event of a vIOMMU, whose first record is of kind LIBIOMMU_RECORD_VEVENT, or
 * with a record of kind LIBIOMMU_RECORD_LOST.
 *
 * The records are good until the function returns. Whose queue it is the tag says that
 * libiommu_ring_add_veventq() was given.
 */
typedef void (*libiommu_handlers_event_fn)(void *user, const struct libiommu_record *records,
                                           size_t count);

/**
 * @brief Make handlers for what a reader takes: none at first.
 *
 * @param reader         The reader, which must be freed later. From now on groups are taken and
 *                       released by libiommu_handlers_dispatch() only.
 * @param[out] handlers  The handlers; freed with libiommu_handlers_free().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Owner, of the reader.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handlers_new(struct libiommu_reader *reader,
                                       struct libiommu_handlers **handlers);

/**
 * @brief Free handlers. The reader stays, and none of them is called any more.
 *
 * Answers that could not be sent before are tried once more; groups whose answers then still do not
 * fit are answered with LIBIOMMU_FAULT_INVALID at their deadline or at the end of the reader.
 *
 * @param handlers  The handlers; NULL does nothing. Not from one of their callbacks.
 * @threads Owner.
 * @syscalls None, or write where the filler sleeps.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_handlers_free(struct libiommu_handlers *handlers);

/**
 * @brief Choose how many groups a dispatch takes at most. The default is 64.
 *
 * Their records are released and their answers sent when the last of them was handled. So this
 * many together must be handled before the first one's deadline is over.
 *
 * @param handlers  The handlers.
 * @param groups    1 to LIBIOMMU_HANDLERS_MAX_BATCH.
 * @return 0.
 * @retval -EINVAL  @p handlers is NULL, or @p groups is no such number.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handlers_set_batch(struct libiommu_handlers *handlers, uint32_t groups);

/**
 * @brief Set the handler for a tag, in place of the one it has.
 *
 * @param handlers  The handlers.
 * @param tag       The tag.
 * @param handle    Called with each group of the tag.
 * @param release   Called with the end of each attachment that has the tag; may be NULL.
 * @param user      The first argument of both; the library never follows it.
 * @return 0.
 * @retval -EINVAL  @p handlers or @p handle is NULL.
 * @retval -ENOMEM  No memory; the tag has the handler that it had.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handlers_set(struct libiommu_handlers *handlers, uint64_t tag,
                                       libiommu_handlers_handle_fn handle,
                                       libiommu_handlers_release_fn release, void *user);

/**
 * @brief Set the handler for all tags that have none.
 *
 * Without one their groups are answered with LIBIOMMU_FAULT_INVALID, and counted.
 *
 * @param handlers  The handlers.
 * @param handle    As in libiommu_handlers_set(); NULL is none, and the others are not looked at.
 * @param release   Likewise.
 * @param user      Likewise.
 * @return 0.
 * @retval -EINVAL  @p handlers is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handlers_set_default(struct libiommu_handlers *handlers,
                                               libiommu_handlers_handle_fn handle,
                                               libiommu_handlers_release_fn release, void *user);

/**
 * @brief Set the handler for the events of vIOMMUs, and for what is lost of them.
 *
 * Without one they are passed over.
 *
 * @param handlers  The handlers.
 * @param event     Called with each of them; NULL is none.
 * @param user      Its first argument; the library never follows it.
 * @return 0.
 * @retval -EINVAL  @p handlers is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handlers_set_events(struct libiommu_handlers *handlers,
                                              libiommu_handlers_event_fn event, void *user);

/**
 * @brief Remove the handler of a tag; see above what becomes of its groups.
 *
 * @param handlers  The handlers.
 * @param tag       The tag.
 * @return 0.
 * @retval -EINVAL  @p handlers is NULL.
 * @retval -ENOENT  The tag has none.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handlers_remove(struct libiommu_handlers *handlers, uint64_t tag);

/**
 * @brief Take groups that are there now, handle them, and send the answers. Never waits.
 *
 * Records of kinds that this library does not know are passed over; where they want an answer it is
 * LIBIOMMU_FAULT_INVALID.
 *
 * Where the filler is so far behind that not all answers fit, those that do not are kept, and are
 * the first thing that the next call sends.
 *
 * @param handlers  The handlers.
 * @return How many groups were taken, up to the batch; 0 where there are none now.
 * @retval -EINVAL  @p handlers is NULL.
 * @retval -EBUSY   One of the handlers is calling.
 * @retval -EAGAIN  The filler still has no room for the answers of earlier calls, and has been
 *                  told. No group was taken.
 * @retval -EPIPE   As libiommu_reader_next() says it. No answer is wanted any more.
 * @retval -EPROTO  As libiommu_reader_next() says it.
 * @retval -ECHILD  This is a forked child; the reader stays its parent's.
 * @threads Owner.
 * @syscalls None, or write where the filler sleeps or waits for room.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handlers_dispatch(struct libiommu_handlers *handlers);

/**
 * @brief What has been counted.
 *
 * @param handlers    The handlers.
 * @param which       The counter.
 * @param[out] value  Its value.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p which is unknown.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_handlers_counter(const struct libiommu_handlers *handlers,
                                           enum libiommu_handlers_counter which, uint64_t *value);

LIBIOMMU_END_DECLS

/** @} */
#endif

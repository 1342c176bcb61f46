/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A fault queue and who else has to do with its lock: the changes of what is attached, and whoever
 * reads and answers in the name of others.
 *
 * Cookies are reused by the kernel at once. So each of these is one step under the queue's lock:
 * read, register and translate; change an attachment, its slot, and purge its groups; check tokens,
 * write, retire. Lock order: device, queues by id. Nothing is called back under it.
 */
#ifndef LIBIOMMU_OBJECT_FAULT_QUEUE_H
#define LIBIOMMU_OBJECT_FAULT_QUEUE_H

#include <errno.h>
#include <stdatomic.h>

#include <libiommu/fault-queue.h>

#include "ctx.h"
#include "fault-batch.h"
#include "fault-groups.h"
#include "fault-notices.h"
#include "fault-out.h"

struct feed;
struct name;
struct slot;

/* What came of a call on the queue; the kernel's doing if @call says what. */
struct fault_outcome {
	int error;
	enum failure_call call;
	const char *text;
	size_t done;
	size_t stale;
};

struct libiommu_ctx *li_fault_queue_ctx(const struct libiommu_fault_queue *queue);
const struct libiommu_sys *li_fault_queue_sys(const struct libiommu_fault_queue *queue);
uint32_t li_fault_queue_id(const struct libiommu_fault_queue *queue);
/* Whether destroying the handle destroys it. */
bool li_fault_queue_is_own(const struct libiommu_fault_queue *queue);
/* A page table that must go before the queue. NULL does nothing. */
void li_fault_queue_pin(struct libiommu_fault_queue *queue);
void li_fault_queue_unpin(struct libiommu_fault_queue *queue);

/* Either may be NULL, both may be the same. */
void li_fault_queue_lock(struct libiommu_fault_queue *a, struct libiommu_fault_queue *b);
void li_fault_queue_unlock(struct libiommu_fault_queue *a, struct libiommu_fault_queue *b);

/*
 * What is attached somewhere is about to change from a page table of one queue to one of another;
 * either may be NULL. Returns 0 with both locks held, or -errno with none. Where something of
 * @from ends, li_fault_queue_purge() comes in between.
 */
int li_fault_queue_change_begin(struct libiommu_fault_queue *from, struct libiommu_fault_queue *to);
/*
 * After that, for a PASID that nothing is attached at and whose faults come to @to all the same,
 * through the device's own page table: takes in what waits there, as long as it is known whose it
 * is. -errno, and then the change has not begun.
 */
int li_fault_queue_change_settle(struct libiommu_fault_queue *to);
/* The same where what is attached ends for certain, so that it cannot fail. */
void li_fault_queue_leave_begin(struct libiommu_fault_queue *from);
void li_fault_queue_change_end(struct libiommu_fault_queue *from, struct libiommu_fault_queue *to,
                               bool changed);
/* Whose doing it is that a change cannot begin: CALL_NONE for ours, else the kernel's. */
static inline enum failure_call fault_change_call(int error)
{
	return error == -ENOMEM || error == -ENOBUFS ? CALL_NONE : CALL_FAULT_QUEUE;
}

#define FAULT_CHANGE_UNTOLD                                                                        \
	"2^20 ends of attachments wait to be told to the reader of the queue's ring"

/*
 * What is to be told of the end of what is attached at a slot of the device with this name: of a
 * PASID's at any time, of the device's own with the lock.
 */
struct fault_notice li_fault_notice(const struct name *name, const struct slot *slot);
/*
 * With the lock: what was attached at the slot is no more, as far as the kernel goes. Its groups
 * are answered and retired, and who reads for others is told. NULL does nothing.
 */
void li_fault_queue_purge(struct libiommu_fault_queue *queue, const struct slot *slot,
                          const struct fault_notice *notice);

/*
 * Who reads and answers in the name of others, and is told of ends of attachments: there is one at
 * most, and then nobody else may. It is called with the queue's lock held.
 */
struct fault_listener {
	void (*notify)(void *self); /* there is a notice; NULL: nobody listens */
	void *self;
};

/*
 * Returns -EBUSY where there is one, -EBADF where the descriptor is closed. Pins the queue. With
 * @feed the kernel reads ahead for it, if it can: see li_fault_queue_input().
 */
int li_fault_queue_listen(struct libiommu_fault_queue *queue, const struct fault_listener *listener,
                          bool feed);
void li_fault_queue_unlisten(struct libiommu_fault_queue *queue);
/* For the listener: what to poll, and whether the kernel reads ahead. */
int li_fault_queue_input(struct libiommu_fault_queue *queue, bool *fed);
/* Takes no lock. */
bool li_fault_queue_is_taken(struct libiommu_fault_queue *queue);

/* What comes first, is first: faults, or ends of attachments, or what is read just now. */
struct fault_intake {
	struct libiommu_fault_batch *batch; /* grows where a group does not fit */
	size_t limit; /* faults, if the first group alone has not more; 0: no faults */
	/* Where @limit faults and groups go if they fit; else, and if NULL, into the batch. */
	struct fault_out *out;
	bool more; /* out: there is something that no descriptor tells of */
	struct fault_notice *notices;
	size_t max_notices;
	size_t notice_count;
};

/* The steps that take the lock; they record nothing. What a fetch has @done are faults. */
struct fault_outcome li_fault_queue_fetch(struct libiommu_fault_queue *queue,
                                          struct fault_intake *intake);
struct fault_outcome li_fault_queue_answer(struct libiommu_fault_queue *queue,
                                           const struct libiommu_fault_response *responses,
                                           size_t count);
/* There is nobody who would have to be told of those that there have been. */
void li_fault_queue_forget_ends(struct libiommu_fault_queue *queue);
/* Whether the group is still to be answered. */
bool li_fault_queue_wants(struct libiommu_fault_queue *queue, uint64_t token);
/* Passes over the groups of a batch that come next and are not. */
void li_fault_queue_skip_ended(struct libiommu_fault_queue *queue,
                               struct libiommu_fault_batch *batch);

/* For the public calls: what came of it, or that a ring has the queue. */
int li_fault_queue_tell(const struct libiommu_fault_queue *queue, const char *operation,
                        const struct fault_outcome *outcome);
int li_fault_queue_tell_taken(const struct libiommu_fault_queue *queue, const char *operation);

/* What the lock guards, for the parts of the queue. */
struct fault_state {
	struct fault_groups groups;
	struct fault_notices notices;
	struct fault_listener listener;
	struct feed *feed;                 /* NULL: read(2) */
	struct libiommu_fault_batch early; /* what was read for the sake of a change */
	uint64_t early_groups;             /* that were ever put there */
	atomic_bool taken; /* there is a listener; changed with the lock, read without it */
	bool was_fed;      /* there has been a feed, and it is gone */
};

struct fault_state *li_fault_queue_state(struct libiommu_fault_queue *queue);
/* With the lock: registers faults behind those that the batch has, and translates them. */
void li_fault_queue_register(struct libiommu_fault_queue *queue, struct libiommu_fault_batch *batch,
                             size_t count);
/* The same for faults that go to a ring's reader at once. */
void li_fault_queue_send(struct libiommu_fault_queue *queue, const struct uapi_hwpt_pgfault *raw,
                         size_t count, struct fault_out *out);
/* With the feed paused: registers what it has, for who fetches next. -ENOMEM: it has it still. */
int li_fault_queue_take_early(struct libiommu_fault_queue *queue);
/* With the feed paused or none: registers all that waits in the kernel too. */
int li_fault_queue_take_waiting(struct libiommu_fault_queue *queue);
/* Answer INVALID what was registered so, and what the feed has, which needs no memory. */
void li_fault_queue_refuse_early(struct libiommu_fault_queue *queue);
void li_fault_queue_refuse_feed(struct libiommu_fault_queue *queue);
struct fault_outcome li_fault_queue_fetch_early(struct libiommu_fault_queue *queue,
                                                struct fault_intake *intake);
/* How many groups were ever handed on of those read early. */
uint64_t li_fault_queue_early_given(const struct fault_state *state);
/* Passes over those that come first and have ended since. */
void li_fault_queue_skip_early(struct fault_state *state);
/*
 * Those that have ended go, and what was handed on. Where nobody is told of an end, nobody may get
 * its groups: their tag is the caller's again.
 */
void li_fault_queue_drop_early(struct fault_state *state);
/* -1 once it is closed. */
int li_fault_queue_descriptor(const struct libiommu_fault_queue *queue);

#endif

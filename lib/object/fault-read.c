/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Reading, with what has to go with it under the queue's lock. */
#include <errno.h>

#include "../base/feed.h"
#include "fault-queue.h"

static ssize_t read_some(struct libiommu_fault_queue *queue, int fd, struct uapi_hwpt_pgfault *raw,
                         size_t count)
{
	struct feed *const feed = li_fault_queue_state(queue)->feed;

	return feed ? li_feed_read(feed, raw, count * sizeof(*raw))
	            : li_sys_read(li_fault_queue_sys(queue), fd, raw, count * sizeof(*raw));
}

/*
 * Everything that needs memory comes before the read: what was read cannot be put back. What is
 * @done is in the batch's raw faults.
 */
static struct fault_outcome fill(struct libiommu_fault_queue *queue,
                                 struct libiommu_fault_batch *batch, size_t limit)
{
	struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;
	struct fault_outcome outcome = {0};
	const int fd = li_fault_queue_descriptor(queue);
	size_t size = limit < batch->room ? limit : batch->room;
	ssize_t got;

	if (fd < 0)
		return (struct fault_outcome){.error = -EBADF, .text = "the queue is closed"};
	for (;;) {
		const size_t room = li_fault_groups_reserve(groups, (uint32_t)size);

		if (!room && groups->used == FAULT_GROUPS_MAX)
			return (struct fault_outcome){.error = -ENOBUFS,
			                              .text = "2^20 groups are unanswered"};
		if (!room)
			break;
		got = read_some(queue, fd, batch->raw, room);
		if (got != -EINVAL || size >= FAULT_BATCH_MAX) {
			outcome.error = got < 0 ? (int)got : 0;
			outcome.call = CALL_FAULT_QUEUE;
			outcome.done = got < 0 ? 0 : (size_t)got / sizeof(*batch->raw);
			return outcome;
		}
		/* The first group does not fit. */
		size *= 2;
		if (room < size / 2 || (size > batch->room && !li_fault_batch_grow(batch, size)))
			break;
	}
	return (struct fault_outcome){.error = -ENOMEM, .text = "no memory"};
}

/* What is read goes where it is wanted, if it fits there. */
static struct fault_outcome fetch_new(struct libiommu_fault_queue *queue,
                                      struct fault_intake *intake)
{
	struct libiommu_fault_batch *const batch = intake->batch;
	const struct fault_outcome outcome = fill(queue, batch, intake->limit);

	if (intake->out && outcome.done <= intake->limit)
		li_fault_queue_send(queue, batch->raw, outcome.done, intake->out);
	else
		li_fault_queue_register(queue, batch, outcome.done);
	return outcome;
}

struct fault_outcome li_fault_queue_fetch(struct libiommu_fault_queue *queue,
                                          struct fault_intake *intake)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	struct fault_outcome outcome = {0};

	fault_batch_clear(intake->batch);
	intake->notice_count = 0;
	li_fault_queue_lock(queue, NULL);
	if (!intake->limit)
		li_fault_queue_skip_early(state);
	if (state->notices.count)
		intake->notice_count =
			li_fault_notices_take(&state->notices, li_fault_queue_early_given(state),
		                              intake->notices, intake->max_notices);
	if (intake->limit && !intake->notice_count)
		outcome = state->early.count ? li_fault_queue_fetch_early(queue, intake)
		                             : fetch_new(queue, intake);
	intake->more = state->notices.count || state->early.count;
	li_fault_queue_unlock(queue, NULL);
	return outcome;
}

int libiommu_fault_queue_read(struct libiommu_fault_queue *queue,
                              struct libiommu_fault_batch *batch)
{
	struct fault_intake intake = {.batch = batch};
	struct fault_outcome outcome;
	int error;

	if (!queue || !batch)
		return FAIL_NULL(queue ? li_fault_queue_ctx(queue) : NULL);
	if (li_fault_queue_is_taken(queue))
		return li_fault_queue_tell_taken(queue, __func__);
	/* Of what waits already the kernel would not be asked. */
	error = li_ctx_check_open(li_fault_queue_ctx(queue), __func__, true);
	if (error)
		return error;
	intake.limit = batch->room;
	outcome = li_fault_queue_fetch(queue, &intake);
	return outcome.error ? li_fault_queue_tell(queue, __func__, &outcome) : (int)outcome.done;
}

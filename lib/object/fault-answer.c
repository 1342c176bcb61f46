/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Answering, with the checks that have to go with it under the queue's lock. */
#include <errno.h>

#include "fault-queue.h"

_Static_assert((int)LIBIOMMU_FAULT_SUCCESS == UAPI_PAGE_RESP_SUCCESS &&
                       (int)LIBIOMMU_FAULT_INVALID == UAPI_PAGE_RESP_INVALID,
               "codes are passed on as they are");

/*
 * With the lock: writes the answers that are made up from @at to @end, and retires their groups,
 * also those whose cookie the kernel no longer knows, which count as stale. Returns where it ends.
 */
static uint32_t write_answers(struct libiommu_fault_queue *queue, uint32_t at, uint32_t end,
                              struct fault_outcome *outcome)
{
	struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;
	const size_t size = sizeof(*groups->answers);

	while (at < end) {
		const ssize_t put =
			li_sys_write(li_fault_queue_sys(queue), li_fault_queue_descriptor(queue),
		                     groups->answers + at, (end - at) * size);
		uint32_t taken = put > 0 ? (uint32_t)((size_t)put / size) : 0;

		if (put == -EINTR)
			continue;
		if (put == -EINVAL) {
			taken = 1;
			outcome->stale++;
		} else if (!taken || taken > end - at) {
			outcome->error = put < 0 ? (int)put : -EIO;
			outcome->call = CALL_FAULT_QUEUE;
			break;
		}
		li_fault_groups_retire_answered(groups, at, at + taken);
		at += taken;
	}
	return at;
}

/*
 * What was not written: a ring owes it, and its next call tries again; who is not a ring still has
 * the token.
 */
static void keep_unwritten(struct fault_state *state, uint32_t at, uint32_t end)
{
	struct fault_groups *const groups = &state->groups;

	groups->owed = 0;
	for (; at < end; at++)
		if (state->listener.notify)
			li_fault_groups_owe(groups, at);
		else
			fault_groups_give_back(groups, groups->answered[at]);
}

static void make_up(struct fault_groups *groups, uint32_t at, uint32_t index, uint32_t code)
{
	groups->answered[at] = index;
	groups->answers[at] = (struct uapi_hwpt_page_response){
		.cookie = groups->groups[index].cookie,
		.code = code,
	};
}

/* Answers to those that are still to be answered, behind what is owed; where they end. */
static uint32_t make_up_all(struct fault_groups *groups, uint32_t owed,
                            const struct libiommu_fault_response *responses, size_t count)
{
	struct fault_group *const all = groups->groups;
	struct uapi_hwpt_page_response *const answers = groups->answers;
	uint32_t *const answered = groups->answered;
	const uint64_t mask = groups->room - 1; /* a power of two */
	size_t made = owed;

	if (!groups->room)
		return owed;
	for (const struct libiommu_fault_response *const end = responses + count; responses != end;
	     responses++) {
		const uint64_t token = responses->token;
		const uint64_t index = token & mask;

		if (all[index].token != token || !(token & FAULT_GENERATION))
			continue;
		all[index].token = token + FAULT_GENERATION;
		answers[made].cookie = all[index].cookie;
		answers[made].code = responses->code;
		answered[made++] = (uint32_t)index;
	}
	return (uint32_t)made;
}

struct fault_outcome li_fault_queue_answer(struct libiommu_fault_queue *queue,
                                           const struct libiommu_fault_response *responses,
                                           size_t count)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	struct fault_groups *const groups = &state->groups;
	struct fault_outcome outcome = {0};
	uint32_t made, owed, written;

	li_fault_queue_lock(queue, NULL);
	made = owed = groups->owed;
	if (li_fault_queue_descriptor(queue) < 0) {
		outcome.error = -EBADF;
		outcome.text = "the queue is closed";
	}
	if (!outcome.error)
		made = make_up_all(groups, owed, responses, count);
	outcome.done = outcome.stale = outcome.error ? 0 : count - (made - owed);
	written = outcome.error ? 0 : write_answers(queue, 0, made, &outcome);
	keep_unwritten(state, written, made);
	outcome.done += written > owed ? written - owed : 0;
	li_fault_queue_unlock(queue, NULL);
	return outcome;
}

void li_fault_queue_refuse_early(struct libiommu_fault_queue *queue)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	struct fault_outcome ignored = {0};
	uint32_t made = state->groups.owed;

	for (; !fault_batch_is_done(&state->early); fault_batch_advance(&state->early)) {
		const int32_t index =
			fault_groups_take(&state->groups, fault_batch_run(&state->early)->token);

		if (index >= 0)
			make_up(&state->groups, made++, (uint32_t)index, LIBIOMMU_FAULT_INVALID);
	}
	keep_unwritten(state, write_answers(queue, 0, made, &ignored), made);
	fault_batch_clear(&state->early);
}

static void end_groups(struct libiommu_fault_queue *queue, struct fault_groups *groups,
                       const struct slot *slot)
{
	struct fault_outcome ignored = {0};
	const uint32_t owed = groups->owed;
	uint32_t made, at;

	/* Those of others stay owed. */
	groups->owed = 0;
	for (uint32_t i = 0; i < owed; i++)
		if (groups->groups[groups->answered[i]].slot == slot)
			fault_groups_give_back(groups, groups->answered[i]);
		else
			li_fault_groups_owe(groups, i);
	made = groups->owed;
	for (uint32_t i = 0; i < groups->room; i++) {
		if (!fault_group_is_outstanding(&groups->groups[i]) ||
		    groups->groups[i].slot != slot)
			continue;
		fault_groups_take(groups, groups->groups[i].token);
		make_up(groups, made++, i, LIBIOMMU_FAULT_INVALID);
	}
	/* The kernel has answered them, all but those of devices that share an attachment. */
	at = write_answers(queue, groups->owed, made, &ignored);
	/* Whatever the kernel said: their attachment is gone, and with it their tokens. */
	li_fault_groups_retire_answered(groups, at, made);
}

void li_fault_queue_purge(struct libiommu_fault_queue *queue, const struct slot *slot,
                          const struct fault_notice *notice)
{
	struct fault_notice placed = *notice;
	struct fault_state *state;

	if (!queue)
		return;
	state = li_fault_queue_state(queue);
	end_groups(queue, &state->groups, slot);
	if (!state->listener.notify) {
		li_fault_queue_drop_early(state);
		li_fault_notices_unreserve(&state->notices);
		return;
	}
	placed.after = state->early_groups;
	li_fault_notices_add(&state->notices, &placed);
	state->listener.notify(state->listener.self);
}

bool li_fault_queue_wants(struct libiommu_fault_queue *queue, uint64_t token)
{
	bool wanted;

	li_fault_queue_lock(queue, NULL);
	wanted = fault_groups_wants(&li_fault_queue_state(queue)->groups, token);
	li_fault_queue_unlock(queue, NULL);
	return wanted;
}

int libiommu_fault_queue_respond(struct libiommu_fault_queue *queue,
                                 const struct libiommu_fault_response *responses, size_t count,
                                 size_t *stale)
{
	struct fault_outcome outcome;

	if (!queue || (!responses && count))
		return FAIL_NULL(queue ? li_fault_queue_ctx(queue) : NULL);
	if (count > FAULT_GROUPS_MAX)
		return FAIL_LIBRARY(li_fault_queue_ctx(queue), __func__, -EINVAL,
		                    "more answers than there can be groups",
		                    .id = li_fault_queue_id(queue), .amount = count,
		                    .unit = "answers");
	for (size_t i = 0; i < count; i++)
		if (responses[i].code > LIBIOMMU_FAULT_INVALID)
			return FAIL_LIBRARY(li_fault_queue_ctx(queue), __func__, -EINVAL,
			                    "unknown code", .id = li_fault_queue_id(queue),
			                    .amount = responses[i].code, .unit = "is the code");
	if (li_fault_queue_is_taken(queue))
		return li_fault_queue_tell_taken(queue, __func__);
	outcome = li_fault_queue_answer(queue, responses, count);
	/* Those that are late anyway would hide it from who repeats the call, time and again. */
	if (outcome.error && outcome.done == outcome.stale)
		return li_fault_queue_tell(queue, __func__, &outcome);
	if (stale)
		*stale = outcome.stale;
	return (int)outcome.done;
}

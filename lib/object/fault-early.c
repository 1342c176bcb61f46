/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the kernel had read ahead when something attached was about to change: registered before the
 * change, for whoever fetches next.
 */
#include <errno.h>
#include <string.h>

#include "../base/feed.h"
#include "fault-queue.h"

int li_fault_queue_take_early(struct libiommu_fault_queue *queue)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	struct libiommu_fault_batch *const early = &state->early;
	const size_t most = li_feed_capacity(state->feed);

	if (early->room < early->count + most && !li_fault_batch_grow(early, early->count + most))
		return -ENOMEM;
	if (li_fault_groups_reserve(&state->groups, (uint32_t)most) < most)
		return -ENOMEM;
	for (;;) {
		const struct uapi_hwpt_pgfault *const raw = early->raw + early->count;
		const ssize_t got = li_feed_read(state->feed, early->raw + early->count,
		                                 (early->room - early->count) * sizeof(*raw));
		const size_t count = got > 0 ? (size_t)got / sizeof(*raw) : 0;

		/* A group that did not fit into a buffer is still the kernel's. */
		if (!count)
			break;
		early->groups +=
			li_fault_queue_register(queue, raw, count, early->faults + early->count,
		                                early->runs + early->groups);
		early->count += count;
	}
	/* The feed's descriptor does not tell of these any more. */
	if (early->count)
		state->listener.notify(state->listener.self);
	return 0;
}

void li_fault_queue_refuse_feed(struct libiommu_fault_queue *queue)
{
	struct uapi_hwpt_pgfault raw[128];
	ssize_t got;

	/* Cookies are good as long as the lock is held. */
	while ((got = li_feed_read(li_fault_queue_state(queue)->feed, raw, sizeof(raw))) > 0)
		for (size_t i = 0; i < (size_t)got / sizeof(*raw); i++) {
			const struct uapi_hwpt_page_response answer = {
				.cookie = raw[i].cookie,
				.code = UAPI_PAGE_RESP_INVALID,
			};

			if (raw[i].flags & UAPI_PGFAULT_FLAGS_LAST_PAGE)
				li_sys_write(li_fault_queue_sys(queue),
				             li_fault_queue_descriptor(queue), &answer,
				             sizeof(answer));
		}
}

/* How many groups, and faults, no more than @limit if possible. */
static size_t count_groups(const struct fault_state *state, size_t limit, size_t *faults)
{
	size_t groups = 0;

	*faults = 0;
	for (size_t i = state->next_early_group; i < state->early.groups; i++) {
		const size_t length = state->early.runs[i].records;

		if (groups && length > limit - *faults)
			break;
		*faults += length;
		groups++;
		if (*faults >= limit)
			break;
	}
	return groups;
}

struct fault_outcome li_fault_queue_fetch_early(struct libiommu_fault_queue *queue,
                                                struct fault_intake *intake)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	struct libiommu_fault_batch *const batch = intake->batch;
	const size_t limit = intake->limit < batch->room ? intake->limit : batch->room;
	size_t count;
	const size_t groups = count_groups(state, limit, &count);

	if (count > batch->room && !li_fault_batch_grow(batch, count))
		return (struct fault_outcome){.error = -ENOMEM, .text = "no memory"};
	intake->direct = intake->records && count <= intake->limit;
	memcpy(intake->direct ? intake->records : batch->faults,
	       state->early.faults + state->next_early, count * sizeof(*batch->faults));
	memcpy(batch->runs, state->early.runs + state->next_early_group,
	       groups * sizeof(*batch->runs));
	batch->count = count;
	batch->groups = groups;
	state->next_early += count;
	state->next_early_group += groups;
	if (state->next_early == state->early.count)
		li_fault_queue_forget_early(state);
	return (struct fault_outcome){.done = count};
}

void li_fault_queue_forget_early(struct fault_state *state)
{
	state->next_early = state->early.count = 0;
	state->next_early_group = state->early.groups = 0;
}

void li_fault_queue_skip_early(struct fault_state *state)
{
	while (state->next_early_group < state->early.groups) {
		const struct fault_run *const run = &state->early.runs[state->next_early_group];

		if (fault_groups_wants(&state->groups, run->token))
			return;
		state->next_early += run->records;
		state->next_early_group++;
	}
	li_fault_queue_forget_early(state);
}

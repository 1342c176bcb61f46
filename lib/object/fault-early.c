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

/* How many groups that are next, and faults, no more than @limit if possible. */
static size_t count_groups(const struct libiommu_fault_batch *batch, size_t limit, size_t *faults)
{
	size_t groups = 0;

	*faults = 0;
	for (size_t i = batch->next_group; i < batch->groups; i++) {
		const size_t length = batch->runs[i].records;

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
	struct libiommu_fault_batch *const early = &li_fault_queue_state(queue)->early;
	struct libiommu_fault_batch *const batch = intake->batch;
	const size_t limit = intake->limit < batch->room ? intake->limit : batch->room;
	size_t count;
	const size_t groups = count_groups(early, limit, &count);

	if (count > batch->room && !li_fault_batch_grow(batch, count))
		return (struct fault_outcome){.error = -ENOMEM, .text = "no memory"};
	intake->direct = intake->records && count <= intake->limit;
	memcpy(intake->direct ? intake->records : batch->faults, early->faults + early->next,
	       count * sizeof(*batch->faults));
	memcpy(batch->runs, fault_batch_run(early), groups * sizeof(*batch->runs));
	batch->count = count;
	batch->groups = groups;
	early->next += count;
	early->next_group += groups;
	if (fault_batch_is_done(early))
		fault_batch_clear(early);
	return (struct fault_outcome){.done = count};
}

static void skip_ended(const struct fault_groups *groups, struct libiommu_fault_batch *batch)
{
	while (!fault_batch_is_done(batch) &&
	       !fault_groups_wants(groups, fault_batch_run(batch)->token))
		fault_batch_advance(batch);
}

void li_fault_queue_skip_early(struct fault_state *state)
{
	skip_ended(&state->groups, &state->early);
	if (fault_batch_is_done(&state->early))
		fault_batch_clear(&state->early);
}

void li_fault_queue_skip_ended(struct libiommu_fault_queue *queue,
                               struct libiommu_fault_batch *batch)
{
	li_fault_queue_lock(queue, NULL);
	skip_ended(&li_fault_queue_state(queue)->groups, batch);
	li_fault_queue_unlock(queue, NULL);
}

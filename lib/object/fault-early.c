/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the kernel had read ahead, or had for us, when something attached was about to change:
 * registered before the change, for whoever fetches next.
 */
#include <errno.h>
#include <string.h>

#include "../base/feed.h"
#include "fault-queue.h"

#define AT_A_TIME 64

/*
 * Room for so many more faults; what was handed on takes none, or who reads and is never done would
 * make it grow for ever.
 */
static int make_room(struct fault_state *state, size_t most)
{
	struct libiommu_fault_batch *const early = &state->early;
	size_t room;

	if (early->next)
		li_fault_queue_drop_early(state);
	room = early->count + most;
	if (early->room < room &&
	    !li_fault_batch_grow(early, room > 2 * early->room ? room : 2 * early->room))
		return -ENOMEM;
	return li_fault_groups_reserve(&state->groups, (uint32_t)most) < most ? -ENOMEM : 0;
}

/* Behind what there is: what has been read there. */
static void add(struct libiommu_fault_queue *queue, size_t count)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	struct libiommu_fault_batch *const early = &state->early;
	const size_t before = early->groups;

	li_fault_queue_register(queue, early, count);
	state->early_groups += early->groups - before;
}

/* No descriptor tells of these any more; and with a call of the reader's the feed goes on. */
static void tell(const struct fault_state *state)
{
	if (state->listener.notify && (state->early.count || state->feed))
		state->listener.notify(state->listener.self);
}

int li_fault_queue_take_early(struct libiommu_fault_queue *queue)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	struct libiommu_fault_batch *const early = &state->early;
	const int error = make_room(state, li_feed_capacity(state->feed));

	if (error)
		return error;
	for (;;) {
		const struct uapi_hwpt_pgfault *const raw = early->raw + early->count;
		const ssize_t got = li_feed_read(state->feed, early->raw + early->count,
		                                 (early->room - early->count) * sizeof(*raw));
		const size_t count = got > 0 ? (size_t)got / sizeof(*raw) : 0;

		/* A group that did not fit into a buffer is still the kernel's. */
		if (!count)
			break;
		add(queue, count);
	}
	tell(state);
	return 0;
}

int li_fault_queue_take_waiting(struct libiommu_fault_queue *queue)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	const struct libiommu_fault_batch *const early = &state->early;
	const int fd = li_fault_queue_descriptor(queue);
	size_t most = AT_A_TIME;
	ssize_t got = 1;
	int error = 0;

	while (fd >= 0 && got > 0 && !error) {
		error = make_room(state, most);
		if (error)
			break;
		got = li_sys_read(li_fault_queue_sys(queue), fd, early->raw + early->count,
		                  most * sizeof(*early->raw));
		if (got > 0) {
			add(queue, (size_t)got / sizeof(*early->raw));
		} else if (got == -EINVAL && most < FAULT_BATCH_MAX) {
			most *= 2; /* the first group is larger */
			got = 1;
		} else if (got != -EAGAIN) {
			error = (int)got;
		}
	}
	tell(state);
	return error;
}

void li_fault_queue_refuse_feed(struct libiommu_fault_queue *queue)
{
	struct uapi_hwpt_pgfault raw[128];
	ssize_t got;

	/* Cookies are good as long as the lock is held. */
	while ((got = li_feed_read(li_fault_queue_state(queue)->feed, raw, sizeof(raw))) > 0)
		for (size_t i = 0, count = (size_t)got / sizeof(*raw); i < count; i++) {
			const struct uapi_hwpt_page_response answer = {
				.cookie = raw[i].cookie,
				.code = UAPI_PAGE_RESP_INVALID,
			};

			/* A group is what has one cookie, as where it is registered. */
			if (i + 1 == count || raw[i + 1].cookie != raw[i].cookie)
				li_sys_write(li_fault_queue_sys(queue),
				             li_fault_queue_descriptor(queue), &answer,
				             sizeof(answer));
		}
}

uint64_t li_fault_queue_early_given(const struct fault_state *state)
{
	return state->early_groups - (state->early.groups - state->early.next_group);
}

/* How many groups that are next, @most of them, and faults, no more than @limit if possible. */
static size_t count_groups(const struct libiommu_fault_batch *batch, uint64_t most, size_t limit,
                           size_t *faults)
{
	size_t groups = 0;

	*faults = 0;
	for (size_t i = batch->next_group; i < batch->groups && groups < most; i++) {
		const size_t length = batch->runs[i].faults;

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
	struct libiommu_fault_batch *const early = &state->early;
	struct libiommu_fault_batch *const batch = intake->batch;
	const uint64_t most =
		li_fault_notices_groups_before(&state->notices, li_fault_queue_early_given(state));
	const size_t limit = intake->limit < batch->room ? intake->limit : batch->room;
	size_t count;
	const size_t groups = count_groups(early, most, limit, &count);

	if (count > batch->room && !li_fault_batch_grow(batch, count))
		return (struct fault_outcome){.error = -ENOMEM, .text = "no memory"};
	memcpy(batch->faults, early->faults + early->next, count * sizeof(*batch->faults));
	memcpy(batch->runs, fault_batch_run(early), groups * sizeof(*batch->runs));
	batch->count = count;
	batch->groups = groups;
	early->next += count;
	early->next_group += groups;
	if (fault_batch_is_done(early))
		fault_batch_clear(early);
	return (struct fault_outcome){.done = count};
}

static bool is_wanted(const struct fault_groups *groups, const struct fault_run *run)
{
	return fault_groups_wants(groups, run->token);
}

void li_fault_queue_drop_early(struct fault_state *state)
{
	struct libiommu_fault_batch *const early = &state->early;
	size_t groups = 0, faults = 0;

	while (!fault_batch_is_done(early)) {
		const struct fault_run run = *fault_batch_run(early);

		if (is_wanted(&state->groups, &run)) {
			memmove(early->faults + faults, early->faults + early->next,
			        run.faults * sizeof(*early->faults));
			early->runs[groups++] = run;
			faults += run.faults;
		}
		fault_batch_advance(early);
	}
	fault_batch_clear(early);
	early->groups = groups;
	early->count = faults;
}

static void skip_ended(const struct fault_groups *groups, struct libiommu_fault_batch *batch)
{
	while (!fault_batch_is_done(batch) && !is_wanted(groups, fault_batch_run(batch)))
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

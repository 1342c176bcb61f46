/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <string.h>

#include "fault-queue.h"
#include "restore.h"

#define GENERATIONS (UINT64_MAX / FAULT_GENERATION + 1)

bool li_next_group(struct libiommu_fault_queue *queue, uint32_t *at, struct group_facts *facts)
{
	const struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;

	while (*at < groups->room) {
		const struct fault_group *const group = &groups->groups[(*at)++];

		if (!fault_group_is_outstanding(group))
			continue;
		*facts = (struct group_facts){group->token, group->cookie, group->slot};
		return true;
	}
	return false;
}

int libiommu_fault_queue_tokens(struct libiommu_fault_queue *queue, uint64_t *tokens, size_t room,
                                size_t *count)
{
	struct group_facts facts;
	uint32_t at = 0;
	size_t found;

	if (!queue || !count || (!tokens && room))
		return FAIL_NULL(queue ? li_fault_queue_ctx(queue) : NULL);
	li_fault_queue_lock(queue, NULL);
	for (found = 0; li_next_group(queue, &at, &facts); found++)
		if (found < room)
			tokens[found] = facts.token;
	li_fault_queue_unlock(queue, NULL);
	*count = found;
	return 0;
}

uint64_t li_next_generation(struct libiommu_fault_queue *queue)
{
	const struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;
	uint64_t next = 0;

	for (uint32_t i = 0; i < groups->room; i++) {
		const uint64_t mine = groups->groups[i].token / FAULT_GENERATION;

		/* An even one stands before the next token. */
		next = mine + mine % 2 > next ? mine + mine % 2 : next;
	}
	return next % GENERATIONS;
}

static uint32_t index_of(uint64_t token)
{
	return (uint32_t)(token & (FAULT_GROUPS_MAX - 1));
}

/* Room up to the last of them; there is none yet. */
static int make_room(struct fault_groups *groups, const struct group_facts *facts, size_t count)
{
	uint32_t last = 0;

	for (size_t i = 0; i < count; i++)
		last = index_of(facts[i].token) > last ? index_of(facts[i].token) : last;
	return li_fault_groups_reserve(groups, last + 1) > last ? 0 : -ENOMEM;
}

static int restore_group(struct fault_groups *groups, const struct group_facts *facts)
{
	const uint32_t index = index_of(facts->token);
	struct fault_group *const group = &groups->groups[index];

	if (fault_group_is_used(group) || !(facts->token & FAULT_GENERATION))
		return -EINVAL;
	*group = (struct fault_group){facts->slot, facts->token, facts->cookie, false};
	groups->used++;
	if (group->cookie == index + 1)
		return 0;
	groups->strays++;
	if (group->cookie > groups->highest)
		groups->highest = group->cookie;
	return 0;
}

int li_restore_groups(struct libiommu_fault_queue *queue, uint64_t generation,
                      const struct group_facts *facts, size_t count)
{
	struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;
	int error = 0;

	if (generation % 2 || generation >= GENERATIONS || count > FAULT_GROUPS_MAX)
		return -EINVAL;
	groups->base = generation * FAULT_GENERATION;
	if (make_room(groups, facts, count))
		return -ENOMEM;
	for (size_t i = 0; i < count && !error; i++)
		error = restore_group(groups, &facts[i]);
	return error;
}

const struct libiommu_record *li_waiting(struct libiommu_fault_queue *queue, size_t *count)
{
	const struct libiommu_fault_batch *const early = &li_fault_queue_state(queue)->early;

	*count = early->count - early->next;
	return *count ? early->faults + early->next : NULL;
}

int li_restore_waiting(struct libiommu_fault_queue *queue, const struct libiommu_record *faults,
                       size_t count)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	struct libiommu_fault_batch *const early = &state->early;

	if (!count)
		return 0;
	if (!li_fault_batch_grow(early, count))
		return -ENOMEM;
	memcpy(early->faults, faults, count * sizeof(*faults));
	early->count = count;
	for (size_t i = 0; i < count; i++) {
		if (!i || faults[i].token != faults[i - 1].token)
			early->runs[early->groups++] = (struct fault_run){faults[i].token, 0};
		early->runs[early->groups - 1].faults++;
	}
	state->early_groups = early->groups;
	return 0;
}

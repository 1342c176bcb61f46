/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <string.h>

#include "fault-queue.h"
#include "restore.h"

bool li_next_group(struct libiommu_fault_queue *queue, uint32_t *at, struct group_facts *facts)
{
	const struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;

	for (; *at < groups->room; ++*at) {
		const struct fault_group *const group = &groups->groups[*at];

		if (!group->outstanding)
			continue;
		*facts = (struct group_facts){
			.token = group->generation << FAULT_INDEX_BITS | *at,
			.cookie = group->cookie,
			.slot = group->slot,
		};
		++*at;
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
	uint64_t next = 1;

	for (uint32_t i = 0; i < groups->room; i++) {
		const struct fault_group *const group = &groups->groups[i];
		const uint64_t mine = group->generation + group->outstanding;

		next = mine > next ? mine : next;
	}
	return next < FAULT_GENERATION_LIMIT ? next : 1;
}

static uint32_t index_of(uint64_t token)
{
	return (uint32_t)(token & (FAULT_GROUPS_MAX - 1));
}

/* Room up to the last of them, empty, with the generation that none of their tokens has had. */
static int make_room(struct fault_groups *groups, uint64_t generation,
                     const struct group_facts *facts, size_t count)
{
	uint32_t last = 0;

	for (size_t i = 0; i < count; i++)
		last = index_of(facts[i].token) > last ? index_of(facts[i].token) : last;
	if (li_fault_groups_reserve(groups, last + 1) <= last)
		return -ENOMEM;
	for (uint32_t i = 0; i < groups->room; i++)
		groups->groups[i].generation = generation;
	return 0;
}

/* The free ones again, lowest first. */
static void link_free(struct fault_groups *groups)
{
	groups->free = 0;
	for (uint32_t i = groups->room; i--;) {
		if (groups->groups[i].outstanding)
			continue;
		groups->groups[i].next = groups->free;
		groups->free = i + 1;
	}
}

int li_restore_groups(struct libiommu_fault_queue *queue, uint64_t generation,
                      const struct group_facts *facts, size_t count)
{
	struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;

	if (!generation || generation >= FAULT_GENERATION_LIMIT || count > FAULT_GROUPS_MAX)
		return -EINVAL;
	if (make_room(groups, generation, facts, count))
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct fault_group *const group = &groups->groups[index_of(facts[i].token)];

		group->generation = facts[i].token >> FAULT_INDEX_BITS;
		if (group->outstanding || !group->generation)
			return -EINVAL;
		group->outstanding = true;
		group->cookie = facts[i].cookie;
		group->slot = facts[i].slot;
		if (group->cookie <= groups->room)
			groups->by_cookie[group->cookie] = index_of(facts[i].token) + 1;
		groups->used++;
	}
	link_free(groups);
	return 0;
}

const struct libiommu_record *li_waiting(struct libiommu_fault_queue *queue, size_t *count)
{
	const struct libiommu_fault_batch *const early = &li_fault_queue_state(queue)->early;

	*count = early->count - early->next;
	return early->faults + early->next;
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
		early->runs[early->groups - 1].records++;
	}
	state->early_groups = early->groups;
	return 0;
}

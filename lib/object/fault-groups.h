/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The groups of one fault queue that were read and not answered: token -> cookie, with a generation
 * that makes a token good for one group only. Whoever calls has the queue's lock.
 */
#ifndef LIBIOMMU_OBJECT_FAULT_GROUPS_H
#define LIBIOMMU_OBJECT_FAULT_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/uapi/iommufd.h"

struct slot;

#define FAULT_GROUPS_MAX (UINT32_C(1) << 20)

struct fault_group {
	const struct slot *slot; /* the attachment; NULL for one that is not known */
	uint64_t generation;     /* of the token, 44 bits */
	uint32_t cookie;
	uint32_t next;    /* free ones; 0 is the end, others are one more than the index */
	bool outstanding; /* neither free nor taken for an answer */
};

struct fault_groups {
	struct fault_group *groups;
	uint32_t *by_cookie;                     /* one more than the index; 0 for none */
	struct uapi_hwpt_page_response *answers; /* room for an answer to each */
	uint32_t *answered;                      /* which group each of these is for */
	uint32_t owed; /* of these, the first: a ring's answers that the kernel did not take */
	uint32_t room;
	uint32_t used; /* outstanding, or taken */
	uint32_t free;
};

void li_fault_groups_free(struct fault_groups *groups);
/* Room for so many more, or for fewer without memory: how many there is room for. */
uint32_t li_fault_groups_reserve(struct fault_groups *groups, uint32_t count);

/* An answer that is owed to a group that has ended is not to be given to the next one. */
void li_fault_groups_disown(struct fault_groups *groups, uint32_t index);

#define FAULT_INDEX_BITS       20
#define FAULT_GENERATION_LIMIT (UINT64_C(1) << 44)

/* Inline, as each group goes through these: */

/* It is answered: the token is stale from here on. */
static inline void fault_groups_retire(struct fault_groups *groups, uint32_t index)
{
	struct fault_group *const group = &groups->groups[index];

	if (group->cookie <= groups->room && groups->by_cookie[group->cookie] == index + 1)
		groups->by_cookie[group->cookie] = 0;
	group->outstanding = false;
	group->generation =
		group->generation + 1 < FAULT_GENERATION_LIMIT ? group->generation + 1 : 1;
	group->next = groups->free;
	groups->free = index + 1;
	groups->used--;
}

/*
 * Returns the token. A group that has the cookie already was ended by the kernel, or it would not
 * have given the cookie out again, and is retired.
 */
static inline uint64_t fault_groups_add(struct fault_groups *groups, uint32_t cookie,
                                        const struct slot *slot)
{
	struct fault_group *group;
	uint32_t index;

	if (cookie <= groups->room && groups->by_cookie[cookie]) {
		li_fault_groups_disown(groups, groups->by_cookie[cookie] - 1);
		fault_groups_retire(groups, groups->by_cookie[cookie] - 1);
	}
	index = groups->free - 1;
	group = &groups->groups[index];
	groups->free = group->next;
	groups->used++;
	group->slot = slot;
	group->cookie = cookie;
	group->outstanding = true;
	/* The kernel gives the lowest that is free: there are never more than groups. */
	if (cookie <= groups->room)
		groups->by_cookie[cookie] = index + 1;
	return group->generation << FAULT_INDEX_BITS | index;
}

/* Whether the token's group is to be answered. */
static inline bool fault_groups_wants(const struct fault_groups *groups, uint64_t token)
{
	const uint32_t index = (uint32_t)(token & (FAULT_GROUPS_MAX - 1));

	return index < groups->room && groups->groups[index].outstanding &&
	       groups->groups[index].generation == token >> FAULT_INDEX_BITS;
}

/* Takes the token's group for an answer; returns its index, or -1 where it is stale. */
static inline int32_t fault_groups_take(struct fault_groups *groups, uint64_t token)
{
	const uint32_t index = (uint32_t)(token & (FAULT_GROUPS_MAX - 1));

	if (!fault_groups_wants(groups, token))
		return -1;
	groups->groups[index].outstanding = false;
	return (int32_t)index;
}

/* An answer that was not given after all. */
static inline void fault_groups_give_back(struct fault_groups *groups, uint32_t index)
{
	groups->groups[index].outstanding = true;
}

#endif

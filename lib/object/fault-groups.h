/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The groups of one fault queue that were read and not answered: token -> cookie, with a generation
 * that makes a token good for one group only. The kernel gives the lowest cookies that are free, so
 * that a group's place is its cookie's; one whose cookie is too large, which there is where
 * somebody else has read the queue too, is a stray at any place that is free. Whoever calls has the
 * queue's lock.
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
	uint64_t token;          /* the place, and 44 bits that are odd while the token is good */
	uint32_t cookie;
	bool used; /* also when it was taken for an answer, and the token is good no more */
};

struct fault_groups {
	struct fault_group *groups;
	struct uapi_hwpt_page_response *answers; /* room for an answer to each */
	uint32_t *answered;                      /* which group each of these is for */
	uint32_t owed; /* of these, the first: a ring's answers that the kernel did not take */
	uint32_t room;
	uint32_t used;
	uint32_t strays;
	uint32_t highest; /* cookie that a stray ever had: there should be room for it */
	uint64_t base;    /* what tokens begin with at a place that there was no room for yet */
};

void li_fault_groups_free(struct fault_groups *groups);
/* Room for so many more, or for fewer without memory: how many there is room for. */
uint32_t li_fault_groups_reserve(struct fault_groups *groups, uint32_t count);

/* Those of a part of the answers, which were taken for them. */
void li_fault_groups_retire_answered(struct fault_groups *groups, uint32_t at, uint32_t end);
/* An answer that is owed to a group that has ended is not to be given to the next one. */
void li_fault_groups_disown(struct fault_groups *groups, uint32_t index);

/* A place for a group whose own is taken, or does not exist; what had the cookie is retired. */
uint32_t li_fault_groups_place(struct fault_groups *groups, uint32_t cookie);

#define FAULT_INDEX_BITS 20
#define FAULT_GENERATION (UINT64_C(1) << FAULT_INDEX_BITS)

/* Inline, as each group goes through these: */

static inline bool fault_group_is_outstanding(const struct fault_group *group)
{
	return group->token & FAULT_GENERATION;
}

/* It is answered: the token is stale from here on. */
static inline void fault_groups_retire(struct fault_groups *groups, uint32_t index)
{
	struct fault_group *const group = &groups->groups[index];

	group->token += group->token & FAULT_GENERATION;
	group->used = false;
	groups->used--;
	if (groups->strays && group->cookie != index + 1)
		groups->strays--;
}

/*
 * Returns the token. A group that has the cookie already was ended by the kernel, or it would not
 * have given the cookie out again, and is retired.
 */
static inline uint64_t fault_groups_add(struct fault_groups *groups, uint32_t cookie,
                                        const struct slot *slot)
{
	uint32_t index = cookie - 1; /* they begin with 1 */
	struct fault_group *group;

	if (groups->strays || index >= groups->room || groups->groups[index].used)
		index = li_fault_groups_place(groups, cookie);
	group = &groups->groups[index];
	group->slot = slot;
	group->cookie = cookie;
	group->used = true;
	groups->used++;
	return group->token += FAULT_GENERATION;
}

/* Whether the token's group is to be answered. */
static inline bool fault_groups_wants(const struct fault_groups *groups, uint64_t token)
{
	const uint32_t index = (uint32_t)(token & (FAULT_GROUPS_MAX - 1));

	return index < groups->room && groups->groups[index].token == token &&
	       token & FAULT_GENERATION;
}

/* Takes the token's group for an answer; returns its index, or -1 where it is stale. */
static inline int32_t fault_groups_take(struct fault_groups *groups, uint64_t token)
{
	const uint32_t index = (uint32_t)(token & (FAULT_GROUPS_MAX - 1));

	if (!fault_groups_wants(groups, token))
		return -1;
	groups->groups[index].token += FAULT_GENERATION;
	return (int32_t)index;
}

/* An answer that was not given after all. */
static inline void fault_groups_give_back(struct fault_groups *groups, uint32_t index)
{
	groups->groups[index].token -= FAULT_GENERATION;
}

#endif

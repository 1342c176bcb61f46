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
	uint32_t cookie;         /* the place's own, but a stray's */
	bool owed;               /* its answer is; the place is taken as long */
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

/* It is not outstanding any more, if it ever was: the place is free. */
void li_fault_groups_retire(struct fault_groups *groups, uint32_t index);
/* Those of a part of the answers, which were taken for them. */
void li_fault_groups_retire_answered(struct fault_groups *groups, uint32_t at, uint32_t end);
/* Owes the answer at @at, behind those that are owed: of a group that was taken for it. */
void li_fault_groups_owe(struct fault_groups *groups, uint32_t at);

/* A place for a group whose own is taken, or does not exist; what had the cookie is retired. */
uint32_t li_fault_groups_place(struct fault_groups *groups, uint32_t cookie);

#define FAULT_INDEX_BITS 20
#define FAULT_GENERATION (UINT64_C(1) << FAULT_INDEX_BITS)

/* Inline, as each group goes through these: */

static inline bool fault_group_is_outstanding(const struct fault_group *group)
{
	return group->token & FAULT_GENERATION;
}

/* Whether a place is taken. */
static inline bool fault_group_is_used(const struct fault_group *group)
{
	return fault_group_is_outstanding(group) || group->owed;
}

/*
 * Places up to here have their own cookies, and are free where the token is even: where a group
 * goes is told by its cookie alone.
 */
static inline uint32_t fault_groups_plain(const struct fault_groups *groups)
{
	return groups->strays || groups->owed ? 0 : groups->room;
}

/* At a place that is free: returns the token. */
static inline uint64_t fault_group_begin(struct fault_group *group, const struct slot *slot)
{
	group->slot = slot;
	return group->token += FAULT_GENERATION;
}

/*
 * Returns the token. A group that has the cookie already was ended by the kernel, or it would not
 * have given the cookie out again, and is retired.
 */
static inline uint64_t fault_groups_add(struct fault_groups *groups, uint32_t cookie,
                                        const struct slot *slot)
{
	uint32_t index = cookie - 1; /* they begin with 1 */

	if (index >= fault_groups_plain(groups) ||
	    fault_group_is_outstanding(&groups->groups[index]))
		index = li_fault_groups_place(groups, cookie);
	groups->used++;
	return fault_group_begin(&groups->groups[index], slot);
}

/* Whether the token's group is to be answered. */
static inline bool fault_groups_wants(const struct fault_groups *groups, uint64_t token)
{
	const uint32_t index = (uint32_t)(token & (FAULT_GROUPS_MAX - 1));

	return index < groups->room && groups->groups[index].token == token &&
	       token & FAULT_GENERATION;
}

/*
 * Takes the token's group for an answer, so that nobody has the token; returns its index, or -1
 * where it is stale. Until it is retired or owed its place only looks free: the lock is kept.
 */
static inline int32_t fault_groups_take(struct fault_groups *groups, uint64_t token)
{
	const uint32_t index = (uint32_t)(token & (FAULT_GROUPS_MAX - 1));

	if (!fault_groups_wants(groups, token))
		return -1;
	groups->groups[index].token += FAULT_GENERATION;
	return (int32_t)index;
}

/* An answer that was not given after all, owed or not. */
static inline void fault_groups_give_back(struct fault_groups *groups, uint32_t index)
{
	groups->groups[index].token -= FAULT_GENERATION;
	groups->groups[index].owed = false;
}

#endif

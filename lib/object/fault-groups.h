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
	uint32_t room;
	uint32_t used; /* outstanding, or taken */
	uint32_t free;
};

void li_fault_groups_free(struct fault_groups *groups);
/* Room for so many more, or for fewer without memory: how many there is room for. */
uint32_t li_fault_groups_reserve(struct fault_groups *groups, uint32_t count);
/*
 * Returns the token. A group that has the cookie already was ended by the kernel, or it would not
 * have given the cookie out again, and is retired.
 */
uint64_t li_fault_groups_add(struct fault_groups *groups, uint32_t cookie, const struct slot *slot);
/* Whether the token's group is to be answered. */
bool li_fault_groups_wants(const struct fault_groups *groups, uint64_t token);
/* Takes the token's group for an answer; returns its index, or -1 where it is stale. */
int32_t li_fault_groups_take(struct fault_groups *groups, uint64_t token);
/* An answer that was not given after all. */
void li_fault_groups_give_back(struct fault_groups *groups, uint32_t index);
/* It is answered: the token is stale from here on. */
void li_fault_groups_retire(struct fault_groups *groups, uint32_t index);

#endif

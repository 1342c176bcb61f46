/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The ends of attachments that whoever reads a queue has yet to be told, in order. Memory for the
 * end of each attachment is set aside when it begins: an end cannot fail. Whoever calls has the
 * queue's lock.
 */
#ifndef LIBIOMMU_OBJECT_FAULT_NOTICES_H
#define LIBIOMMU_OBJECT_FAULT_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends that were not told. A queue that has so many takes no new attachment. */
#define FAULT_NOTICES_MAX (1U << 20)

struct fault_notice {
	uint64_t label;
	uint64_t tag;
	uint32_t vpasid;
	uint32_t attachment;
	bool pasid;     /* not the device's own */
	uint64_t after; /* so many groups that were read for the sake of changes come first */
};

struct fault_notices {
	struct fault_notice *list;
	size_t first;
	size_t count;
	size_t reserved; /* attachments that have not ended */
	size_t room;
};

void li_fault_notices_free(struct fault_notices *notices);
/* An attachment is about to begin. Returns false without memory. */
bool li_fault_notices_reserve(struct fault_notices *notices);
/* It did not begin after all, or nobody need be told of its end. */
void li_fault_notices_unreserve(struct fault_notices *notices);
/* It has ended. */
void li_fault_notices_add(struct fault_notices *notices, const struct fault_notice *notice);
void li_fault_notices_clear(struct fault_notices *notices);
/* The oldest, @max of them; how many. Those only whose turn it is after @given groups. */
size_t li_fault_notices_take(struct fault_notices *notices, uint64_t given, struct fault_notice *to,
                             size_t max);
/* How many groups come before the oldest, where @given have come; UINT64_MAX without one. */
uint64_t li_fault_notices_groups_before(const struct fault_notices *notices, uint64_t given);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The groups that a reader has and has not completed, by token and from the oldest on. Inline: each
 * group goes through here twice.
 */
#ifndef LIBIOMMU_FAULT_SLOTS_H
#define LIBIOMMU_FAULT_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

#define SLOT_INDEX ((UINT64_C(1) << RING_SLOT_BITS) - 1)
/* One of them. Those of groups are odd: no token is 0, which is for what nobody need complete. */
#define SLOT_GENERATION (UINT64_C(1) << RING_SLOT_BITS)

struct slot {
	uint64_t token; /* its index, and 44 bits that change when it is taken or given */
	uint64_t cookie;
	uint64_t published; /* ns */
	uint32_t source;
	uint32_t end; /* of its records */
	struct slot *older;
	struct slot *newer; /* or the next free one */
};

struct slots {
	struct slot *slot;
	uint32_t count; /* a power of two */
	uint32_t mask;
	uint32_t busy;
	struct slot *free;
	/* No slot, but what the oldest and the newest are next to: there is always a neighbour. */
	struct slot ends;
};

int li_slots_init(struct slots *slots, uint32_t count);
void li_slots_free(struct slots *slots);

/* NULL where all are free. */
static inline struct slot *slots_oldest(const struct slots *slots)
{
	return slots->busy ? slots->ends.newer : NULL;
}

static inline struct slot *slots_newer(const struct slots *slots, const struct slot *slot)
{
	return slot->newer == &slots->ends ? NULL : slot->newer;
}

/*
 * Many are taken or given in a row. What changes with each is copied meanwhile, as the compiler
 * cannot know that no slot is where it is kept.
 */
struct slots_run {
	struct slot *free;
	struct slot *newest; /* while taking: what comes behind it is not said yet */
};

static inline struct slots_run slots_run_begin(const struct slots *slots)
{
	return (struct slots_run){.free = slots->free, .newest = slots->ends.older};
}

/* There must be a free one. It becomes the newest. */
static inline struct slot *slots_run_take(struct slots_run *run)
{
	struct slot *const slot = run->free;

	run->free = slot->newer;
	slot->token += SLOT_GENERATION;
	slot->older = run->newest;
	run->newest->newer = slot;
	run->newest = slot;
	return slot;
}

static inline void slots_end_taking(struct slots *slots, const struct slots_run *run,
                                    uint32_t count)
{
	run->newest->newer = &slots->ends;
	slots->ends.older = run->newest;
	slots->free = run->free;
	slots->busy += count;
}

/* No token names it any more. */
static inline void slots_run_give(struct slots_run *run, struct slot *slot)
{
	slot->older->newer = slot->newer;
	slot->newer->older = slot->older;
	slot->token += SLOT_GENERATION;
	slot->newer = run->free;
	run->free = slot;
}

static inline void slots_end_giving(struct slots *slots, const struct slots_run *run,
                                    uint32_t count)
{
	slots->free = run->free;
	slots->busy -= count;
}

static inline struct slot *slots_take(struct slots *slots)
{
	struct slots_run run = slots_run_begin(slots);
	struct slot *const slot = slots_run_take(&run);

	slots_end_taking(slots, &run, 1);
	return slot;
}

static inline void slots_give(struct slots *slots, struct slot *slot)
{
	struct slots_run run = slots_run_begin(slots);

	slots_run_give(&run, slot);
	slots_end_giving(slots, &run, 1);
}

/* The slot that a token from an untrusted place names, NULL where it is none that is out. */
static inline struct slot *slots_find(const struct slots *slots, uint64_t token, uint32_t source)
{
	struct slot *const slot = &slots->slot[token & slots->mask];

	if (slot->token != token || slot->source != source || !(token & SLOT_GENERATION))
		return NULL;
	return slot;
}

#endif

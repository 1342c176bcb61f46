/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * One place where a page table can be attached, a device's own or one of its PASIDs, and what is
 * there, by value: readers hold nothing that could be freed under them. A reader waits for nobody,
 * also where a writer was interrupted in the middle; it starts again only after a whole change of
 * this very slot has gone by. Writers are alone.
 */
#ifndef LIBIOMMU_OBJECT_SLOT_H
#define LIBIOMMU_OBJECT_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct libiommu_hwpt;

/* The queue that faults come to from there: the kernel's id, which is never one of these. */
#define SLOT_QUEUE_ANY  UINT32_C(0) /* not known */
#define SLOT_QUEUE_NONE UINT32_MAX

#define SLOT_ATTACHED UINT64_C(1)
#define SLOT_COPY     UINT64_C(2)

struct slot_copy {
	_Atomic(struct libiommu_hwpt *) hwpt;
	_Atomic uint64_t tag;
};

/* All zero: nothing attached. The word is next to either copy, mostly in the same cache line. */
struct slot {
	struct slot_copy first;
	/* Bit 0: attached; bit 1: the second copy counts; 8 to 27: vPASID; 32 to 63: generation. */
	_Atomic uint64_t word;
	struct slot_copy second;
	_Atomic uint32_t queue[2]; /* of either copy: there they would take as much as a pointer */
};

struct slot_value {
	struct libiommu_hwpt
		*hwpt; /* NULL for an address space, or what the library does not know */
	uint64_t tag;
	uint32_t vpasid;
	uint32_t generation; /* another one after each change */
	uint32_t queue;
};

static inline uint32_t slot_vpasid_of(uint64_t word)
{
	return (uint32_t)(word >> 8) & 0xfffff;
}

/*
 * Returns whether anything is attached. What counts is never written in place. Loads with acquire,
 * and stores with release, keep the order that this needs: who sees a value of the next attachment
 * but one also sees that the word has changed.
 */
static inline bool slot_read(const struct slot *slot, struct slot_value *value)
{
	uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);

	while (word & SLOT_ATTACHED) {
		const struct slot_copy *const copy =
			word & SLOT_COPY ? &slot->second : &slot->first;
		uint64_t again;

		value->hwpt = atomic_load_explicit(&copy->hwpt, memory_order_acquire);
		value->tag = atomic_load_explicit(&copy->tag, memory_order_acquire);
		value->queue = atomic_load_explicit(&slot->queue[copy == &slot->second],
		                                    memory_order_acquire);
		value->vpasid = slot_vpasid_of(word);
		value->generation = (uint32_t)(word >> 32);
		again = atomic_load_explicit(&slot->word, memory_order_acquire);
		if (again == word)
			return true;
		word = again;
	}
	return false;
}

/* The same in one load, without the values of attach time. */
static inline bool slot_vpasid(const struct slot *slot, uint32_t *vpasid)
{
	const uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);

	*vpasid = slot_vpasid_of(word);
	return word & SLOT_ATTACHED;
}

static inline uint32_t slot_generation(const struct slot *slot)
{
	return (uint32_t)(atomic_load_explicit(&slot->word, memory_order_acquire) >> 32);
}

/* All of @value but the generation, which this makes. */
void li_slot_set(struct slot *slot, const struct slot_value *value);
void li_slot_clear(struct slot *slot);
/* While nothing is attached: the next li_slot_set() makes this generation. */
void li_slot_continue(struct slot *slot, uint32_t generation);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "slot.h"

#define ATTACHED   UINT64_C(1)
#define COPY       UINT64_C(2)
#define GENERATION (UINT64_C(1) << 32)

static uint32_t vpasid_of(uint64_t word)
{
	return (uint32_t)(word >> 8) & 0xfffff;
}

/*
 * What counts is never written in place. Loads with acquire, and stores with release, keep the
 * order that this needs: who sees a value of the next attachment but one also sees that the word
 * has changed.
 */
bool li_slot_read(const struct slot *slot, struct slot_value *value)
{
	uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);

	while (word & ATTACHED) {
		const struct slot_copy *const copy = &slot->copies[!!(word & COPY)];
		uint64_t again;

		value->hwpt = atomic_load_explicit(&copy->hwpt, memory_order_acquire);
		value->tag = atomic_load_explicit(&copy->tag, memory_order_acquire);
		value->vpasid = vpasid_of(word);
		value->generation = (uint32_t)(word >> 32);
		again = atomic_load_explicit(&slot->word, memory_order_acquire);
		if (again == word)
			return true;
		word = again;
	}
	return false;
}

bool li_slot_vpasid(const struct slot *slot, uint32_t *vpasid)
{
	const uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);

	*vpasid = vpasid_of(word);
	return word & ATTACHED;
}

void li_slot_set(struct slot *slot, uint32_t vpasid, struct libiommu_hwpt *hwpt, uint64_t tag)
{
	const uint64_t old = atomic_load_explicit(&slot->word, memory_order_relaxed);
	const uint64_t kept = (old & ~(GENERATION - 1)) + GENERATION;
	const uint64_t other = ~old & COPY;
	struct slot_copy *const copy = &slot->copies[!!other];

	atomic_store_explicit(&copy->hwpt, hwpt, memory_order_release);
	atomic_store_explicit(&copy->tag, tag, memory_order_release);
	atomic_store_explicit(&slot->word, kept | other | ATTACHED | (uint64_t)vpasid << 8,
	                      memory_order_release);
}

void li_slot_clear(struct slot *slot)
{
	const uint64_t old = atomic_load_explicit(&slot->word, memory_order_relaxed);

	if (!(old & ATTACHED))
		return;
	atomic_store_explicit(&slot->word, ((old & ~(GENERATION - 1)) + GENERATION) | (old & COPY),
	                      memory_order_release);
}

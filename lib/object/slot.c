/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "slot.h"

#define GENERATION (UINT64_C(1) << 32)

void li_slot_set(struct slot *slot, const struct slot_value *value)
{
	const uint64_t old = atomic_load_explicit(&slot->word, memory_order_relaxed);
	const uint64_t kept = (old & ~(GENERATION - 1)) + GENERATION;
	const uint64_t other = ~old & SLOT_COPY;
	struct slot_copy *const copy = other ? &slot->second : &slot->first;

	atomic_store_explicit(&copy->hwpt, value->hwpt, memory_order_release);
	atomic_store_explicit(&copy->tag, value->tag, memory_order_release);
	atomic_store_explicit(&slot->queue[other != 0], value->queue, memory_order_release);
	atomic_store_explicit(&slot->word,
	                      kept | other | SLOT_ATTACHED | (uint64_t)value->vpasid << 8,
	                      memory_order_release);
}

void li_slot_clear(struct slot *slot)
{
	const uint64_t old = atomic_load_explicit(&slot->word, memory_order_relaxed);

	if (!(old & SLOT_ATTACHED))
		return;
	atomic_store_explicit(&slot->word,
	                      ((old & ~(GENERATION - 1)) + GENERATION) | (old & SLOT_COPY),
	                      memory_order_release);
}

void li_slot_continue(struct slot *slot, uint32_t generation)
{
	atomic_store_explicit(&slot->word, (uint64_t)(generation - 1) << 32, memory_order_relaxed);
}

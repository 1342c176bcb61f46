/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The groups that a reader has and has not completed, by token and from the oldest on. */
#ifndef LIBIOMMU_FAULT_SLOTS_H
#define LIBIOMMU_FAULT_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOT_NONE UINT32_MAX

struct slot {
	uint64_t cookie;
	uint64_t generation; /* 44 bits; changes whenever the slot is given back */
	uint64_t published;  /* ns */
	uint32_t source;
	uint32_t attachment;
	uint32_t end; /* of its records */
	uint32_t older;
	uint32_t newer; /* or the next free one */
	bool busy;
};

struct slots {
	struct slot *slot;
	uint32_t count;
	uint32_t busy;
	uint32_t oldest;
	uint32_t newest;
	uint32_t free;
};

int li_slots_init(struct slots *slots, uint32_t count);
void li_slots_free(struct slots *slots);
/* There must be a free one. It becomes the newest. */
uint32_t li_slots_take(struct slots *slots);
void li_slots_give(struct slots *slots, uint32_t index);
uint64_t li_slots_token(const struct slots *slots, uint32_t index);
/* The slot that a token from an untrusted place names, SLOT_NONE where it is none that is out. */
uint32_t li_slots_find(const struct slots *slots, uint64_t token, uint32_t source);

#endif

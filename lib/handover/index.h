/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* (kind, key) -> the number of an entry. Nothing is taken out. */
#ifndef LIBIOMMU_HANDOVER_INDEX_H
#define LIBIOMMU_HANDOVER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_NONE UINT32_MAX

struct index_slot {
	uint64_t key;
	uint32_t kind;
	uint32_t number; /* INDEX_NONE: free */
};

/* All zero: empty. */
struct index {
	struct index_slot *slots;
	size_t size; /* a power of two, or 0 */
	size_t used;
};

void li_index_free(struct index *index);
/* INDEX_NONE where there is none. */
uint32_t li_index_find(const struct index *index, uint32_t kind, uint64_t key);
/* Room for one more; false without memory. */
bool li_index_reserve(struct index *index);
/* After li_index_reserve(); the key is not there yet. */
void li_index_add(struct index *index, uint32_t kind, uint64_t key, uint32_t number);

#endif

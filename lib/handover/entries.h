/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The objects that are handed over, numbered from 0, parents before children. */
#ifndef LIBIOMMU_HANDOVER_ENTRIES_H
#define LIBIOMMU_HANDOVER_ENTRIES_H

#include <stdbool.h>

#include <libiommu/types.h>

#include "index.h"

#define ENTRY_KINDS (LIBIOMMU_OBJECT_VEVENTQ + 1)

struct entry {
	enum libiommu_object_kind kind;
	bool taken;
	uint64_t key; /* the program's, its own among those of the kind */
	void *handle;
};

/* All zero: none. */
struct entries {
	struct entry *list;
	uint32_t count;
	uint32_t room;
	uint32_t counts[ENTRY_KINDS];
	struct index by_key;
	struct index by_place; /* the first of a kind has 0 */
};

void li_entries_free(struct entries *entries);
/* Whether such objects are handed over. */
bool li_entries_has_kind(uint32_t kind);
/* Room for one more: 0, -ENOMEM, or -EEXIST where the key is taken. */
int li_entries_reserve(struct entries *entries, enum libiommu_object_kind kind, uint64_t key);
/* After li_entries_reserve(). */
void li_entries_add(struct entries *entries, enum libiommu_object_kind kind, uint64_t key,
                    void *handle);
/* NULL where there is none. */
struct entry *li_entries_find(const struct entries *entries, enum libiommu_object_kind kind,
                              uint64_t key);
const struct entry *li_entries_at(const struct entries *entries, enum libiommu_object_kind kind,
                                  uint64_t place);

#endif

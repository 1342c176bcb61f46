/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "entries.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/array.h"

#define FIRST_ROOM 32

static const bool is_handed[ENTRY_KINDS] = {
	[LIBIOMMU_OBJECT_IOAS] = true,        [LIBIOMMU_OBJECT_DEVICE] = true,
	[LIBIOMMU_OBJECT_HWPT] = true,        [LIBIOMMU_OBJECT_PASID_SPACE] = true,
	[LIBIOMMU_OBJECT_FAULT_QUEUE] = true, [LIBIOMMU_OBJECT_VIOMMU] = true,
	[LIBIOMMU_OBJECT_VDEVICE] = true,     [LIBIOMMU_OBJECT_HW_QUEUE] = true,
	[LIBIOMMU_OBJECT_VEVENTQ] = true,
};

void li_entries_free(struct entries *entries)
{
	li_index_free(&entries->by_key);
	li_index_free(&entries->by_place);
	free(entries->list);
}

bool li_entries_has_kind(uint32_t kind)
{
	return kind < ENTRY_KINDS && is_handed[kind];
}

int li_entries_reserve(struct entries *entries, enum libiommu_object_kind kind, uint64_t key)
{
	const uint32_t room = entries->room ? 2 * entries->room : FIRST_ROOM;
	void *list = entries->list;

	if (li_entries_find(entries, kind, key))
		return -EEXIST;
	if (!li_index_reserve(&entries->by_key) || !li_index_reserve(&entries->by_place))
		return -ENOMEM;
	if (entries->count < entries->room)
		return 0;
	if (!array_grow(&list, room, sizeof(*entries->list)))
		return -ENOMEM;
	entries->list = list;
	entries->room = room;
	return 0;
}

void li_entries_add(struct entries *entries, enum libiommu_object_kind kind, uint64_t key,
                    void *handle)
{
	li_index_add(&entries->by_key, kind, key, entries->count);
	li_index_add(&entries->by_place, kind, entries->counts[kind], entries->count);
	entries->list[entries->count++] = (struct entry){kind, false, key, handle};
	entries->counts[kind]++;
}

static struct entry *find(const struct entries *entries, const struct index *by, uint32_t kind,
                          uint64_t key)
{
	const uint32_t number = li_index_find(by, kind, key);

	return number == INDEX_NONE ? NULL : &entries->list[number];
}

struct entry *li_entries_find(const struct entries *entries, enum libiommu_object_kind kind,
                              uint64_t key)
{
	return find(entries, &entries->by_key, kind, key);
}

const struct entry *li_entries_at(const struct entries *entries, enum libiommu_object_kind kind,
                                  uint64_t place)
{
	return find(entries, &entries->by_place, kind, place);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vdevice-table.h"

#include <stdlib.h>

#include "../object/pasid.h"

void li_vdevice_table_init(struct vdevice_table *table)
{
	pthread_rwlock_init(&table->lock, NULL);
	table->count = 0;
	table->size = VDEVICE_FIRST_BUCKETS;
	table->buckets = table->first;
	for (size_t i = 0; i < 2 * table->size; i++)
		table->first[i] = NULL;
}

void li_vdevice_table_free(struct vdevice_table *table)
{
	if (table->buckets != table->first)
		free(table->buckets);
	pthread_rwlock_destroy(&table->lock);
}

/* Numbers of a guest differ in their low bits, labels that are addresses in higher ones. */
static struct vdevice_entry **bucket(const struct vdevice_table *table, int kind, uint64_t key)
{
	const uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);

	return &table->buckets[(size_t)kind * table->size +
	                       ((size_t)(mixed >> 32) & (table->size - 1))];
}

static void insert(struct vdevice_table *table, struct vdevice_entry *entry)
{
	for (int kind = 0; kind < 2; kind++) {
		struct vdevice_entry **const at = bucket(table, kind, entry->keys[kind]);

		entry->next[kind] = *at;
		*at = entry;
	}
}

static void grow(struct vdevice_table *table)
{
	const size_t old_size = table->size;
	struct vdevice_entry **const old = table->buckets;
	struct vdevice_entry **const more = calloc(old_size * 4, sizeof(struct vdevice_entry *));

	if (!more)
		return;
	table->size = old_size * 2;
	table->buckets = more;
	for (size_t i = 0; i < old_size; i++)
		for (struct vdevice_entry *entry = old[i], *next; entry; entry = next) {
			next = entry->next[VDEVICE_VIRT_ID];
			insert(table, entry);
		}
	if (old != table->first)
		free(old);
}

void li_vdevice_table_add(struct vdevice_table *table, struct vdevice_entry *entry)
{
	pthread_rwlock_wrlock(&table->lock);
	if (table->count >= table->size)
		grow(table);
	insert(table, entry);
	table->count++;
	pthread_rwlock_unlock(&table->lock);
}

void li_vdevice_table_remove(struct vdevice_table *table, struct vdevice_entry *entry)
{
	pthread_rwlock_wrlock(&table->lock);
	for (int kind = 0; kind < 2; kind++) {
		struct vdevice_entry **link = bucket(table, kind, entry->keys[kind]);

		while (*link != entry)
			link = &(*link)->next[kind];
		*link = entry->next[kind];
	}
	table->count--;
	pthread_rwlock_unlock(&table->lock);
}

size_t li_vdevice_table_find(struct vdevice_table *table, int kind, uint64_t key, uint64_t *other)
{
	size_t found = 0;

	pthread_rwlock_rdlock(&table->lock);
	for (const struct vdevice_entry *entry = *bucket(table, kind, key); entry;
	     entry = entry->next[kind]) {
		if (entry->keys[kind] != key)
			continue;
		*other = entry->keys[!kind];
		found++;
	}
	pthread_rwlock_unlock(&table->lock);
	return found;
}

bool li_vdevice_table_pasid(struct vdevice_table *table, uint64_t virt_id, uint32_t vpasid,
                            uint32_t *pasid)
{
	bool found = false;

	pthread_rwlock_rdlock(&table->lock);
	for (const struct vdevice_entry *entry = *bucket(table, VDEVICE_VIRT_ID, virt_id); entry;
	     entry = entry->next[VDEVICE_VIRT_ID])
		if (entry->keys[VDEVICE_VIRT_ID] == virt_id)
			found = li_pasid_slot(entry->dev, vpasid, pasid);
	pthread_rwlock_unlock(&table->lock);
	return found;
}

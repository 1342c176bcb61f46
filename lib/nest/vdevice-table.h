/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The virtual devices of a vIOMMU, by the guest's number and by label. Labels may repeat. */
#ifndef LIBIOMMU_NEST_VDEVICE_TABLE_H
#define LIBIOMMU_NEST_VDEVICE_TABLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct libiommu_device;

/* Part of the virtual device. */
struct vdevice_entry {
	struct vdevice_entry *next[2]; /* in its buckets */
	uint64_t keys[2];              /* VDEVICE_VIRT_ID, VDEVICE_LABEL */
	struct libiommu_device *dev;
};

enum { VDEVICE_VIRT_ID, VDEVICE_LABEL };

#define VDEVICE_FIRST_BUCKETS 16

struct vdevice_table {
	pthread_rwlock_t lock;
	size_t count;
	size_t size;                    /* buckets of each kind, a power of two */
	struct vdevice_entry **buckets; /* those of virtual ids, then those of labels */
	struct vdevice_entry *first[2 * VDEVICE_FIRST_BUCKETS];
};

void li_vdevice_table_init(struct vdevice_table *table);
/* With nothing in it. */
void li_vdevice_table_free(struct vdevice_table *table);

/* Without memory for more buckets it makes do with those it has. */
void li_vdevice_table_add(struct vdevice_table *table, struct vdevice_entry *entry);
void li_vdevice_table_remove(struct vdevice_table *table, struct vdevice_entry *entry);

/* How many have the key, of a kind above; @other is the key of the other kind of one of them. */
size_t li_vdevice_table_find(struct vdevice_table *table, int kind, uint64_t key, uint64_t *other);
/* The PASID that the device with this number has for a vPASID; false where it has none. */
bool li_vdevice_table_pasid(struct vdevice_table *table, uint64_t virt_id, uint32_t vpasid,
                            uint32_t *pasid);

#endif

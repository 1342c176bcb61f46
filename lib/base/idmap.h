/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Kernel id -> pointer, for ids of 31 bits. A lookup is four loads, waits for nobody, and may run
 * while others insert and remove. Those serialize among themselves outside. Nodes stay until the
 * whole map is freed.
 */
#ifndef LIBIOMMU_BASE_IDMAP_H
#define LIBIOMMU_BASE_IDMAP_H

#include <stdatomic.h>
#include <stdint.h>

#define IDMAP_ROOT   128
#define IDMAP_NODE   256
#define IDMAP_LEVELS 3

struct idmap_node {
	_Atomic(void *) slots[IDMAP_NODE];
};

struct idmap {
	_Atomic(void *) root[IDMAP_ROOT];
};

/*
 * Memory set aside for one insert, so that it cannot fail: some kernel objects cannot be unmade
 * once their id is known.
 */
struct idmap_spare {
	struct idmap_node *nodes[IDMAP_LEVELS];
};

void li_idmap_init(struct idmap *map);
void li_idmap_free(struct idmap *map);

/* Returns 0, or -ENOMEM with nothing to free. */
int li_idmap_spare_alloc(struct idmap_spare *spare);
/* What the insert did not need. */
void li_idmap_spare_free(struct idmap_spare *spare);

/* Returns 0, -EEXIST, or -EINVAL for an id above 31 bits. */
int li_idmap_insert(struct idmap *map, uint32_t id, void *value, struct idmap_spare *spare);
/* Takes @value out if it is what @id stands for. */
void li_idmap_remove(struct idmap *map, uint32_t id, void *value);
void *li_idmap_find(struct idmap *map, uint32_t id);

#endif

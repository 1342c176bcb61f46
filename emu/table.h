/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The page tables of IOMMUs: levels of 512 entries, pages of every power of two that the hardware
 * has. A page that is larger than its level's entries is the same entry several times.
 */
#ifndef EMU_TABLE_H
#define EMU_TABLE_H

#include <stdbool.h>

#include "iommu.h"

struct emu_table {
	uint64_t *root;
	uint64_t sizes;       /* a bit for each size of pages */
	unsigned int granule; /* log2 of the smallest page */
	unsigned int levels;
};

/* A page that is mapped. */
struct emu_page {
	uint64_t iova; /* where it begins */
	uint64_t size;
	emu_phys phys;
	unsigned int access; /* EMU_READ, EMU_WRITE */
	bool dirty;
};

/* 0 or -ENOMEM. What is in @sizes fits the levels. */
int emu_table_init(struct emu_table *table, unsigned int granule, unsigned int levels,
                   uint64_t sizes);
void emu_table_end(struct emu_table *table);
/* The last address that can be mapped. */
uint64_t emu_table_last(const struct emu_table *table);

/* 0; or -ENOMEM or, where something is mapped, -EADDRINUSE, and then nothing is done. */
int emu_table_map(struct emu_table *table, uint64_t iova, emu_phys phys, uint64_t length,
                  unsigned int access);
/* Up to the first address that is not mapped. Pages go as a whole. */
uint64_t emu_table_unmap(struct emu_table *table, uint64_t iova, uint64_t length);
bool emu_table_find(const struct emu_table *table, uint64_t iova, struct emu_page *page);
/* The page of the address is written, or is not any more. */
void emu_table_set_dirty(struct emu_table *table, uint64_t iova, bool dirty);
/* The first page from @iova to @last that is mapped. */
bool emu_table_next(const struct emu_table *table, uint64_t iova, uint64_t last,
                    struct emu_page *page);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_DMA_ARENA_H
#define LIBIOMMU_DMA_ARENA_H

#include <libiommu/arena.h>

#include "space.h"

struct arena_choices {
	uint64_t page_size; /* 0: ordinary ones */
	uint64_t granule;
	int node; /* -1: any */
};

/* The choices, or the defaults. */
struct arena_choices li_arena_choices(const struct libiommu_dma_arena_config *config);
/* Memory as chosen; @length is rounded up. A forked child does not have it. */
int li_arena_map(const struct libiommu_dma_space *space, const struct arena_choices *choices,
                 const char *operation, uint64_t *length, void **memory);
void li_arena_unmap(const struct libiommu_dma_space *space, void *memory, uint64_t length);

#endif

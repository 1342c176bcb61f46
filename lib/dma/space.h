/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A DMA space inside. What the kernel has mapped is kept as pieces, which do not overlap; what the
 * program has registered is kept as claims, which may lie in each other and, in a space that is
 * split, over several pieces. A piece is mapped for as long as a claim has a part of it. A claim
 * that is just one piece is a number in that piece, so that the common case is one node.
 */
#ifndef LIBIOMMU_DMA_SPACE_H
#define LIBIOMMU_DMA_SPACE_H

#include <pthread.h>

#include <libiommu/vdpa.h>

#include "../base/tree.h"
#include "../object/ctx.h"
#include "../object/ioas.h"
#include "table.h"
#include "window.h"

struct dma_choices {
	enum libiommu_dma_policy policy;
	uint64_t split; /* 0: not */
	struct libiommu_iova_range *allowed;
	size_t allowed_count;
};

struct dma_piece {
	struct tree_node node;
	uint64_t address; /* the key; of what has none, the IOVA */
	uint64_t length;
	uint64_t iova;
	struct libiommu_iova_window *window; /* that @iova was taken from, or NULL */
	uint64_t claims;                     /* that have a part of it */
	uint64_t whole;                      /* of these: just it */
	uint32_t flags;
	bool named; /* has an address */
};

struct dma_claim {
	struct tree_node node;
	uint64_t address;
	uint64_t length;
	uint64_t count;
	uint64_t from; /* what is before it is unregistered already, when that failed half-way */
};

/* What has the same at the same IOVAs. */
struct dma_mirror {
	struct libiommu_ioas *ioas; /* NULL: it is an address space of ... */
	struct libiommu_vdpa *vdpa;
	uint32_t asid;
};

struct libiommu_dma_space {
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct dma_mirror *mirrors;
	size_t mirror_count;
	struct libiommu_dma_table *table;
	struct libiommu_iova_window *window; /* NULL: IOVAs are chosen otherwise */
	struct dma_choices choices;
	uint64_t granule;
	uint64_t arenas;
	pthread_mutex_t lock;
	struct tree pieces;   /* by address */
	struct tree nameless; /* pieces without an address, by IOVA */
	struct tree claims;
	uint64_t count; /* registrations */
	uint64_t bytes; /* in pieces */
};

/* What is to be mapped: @fd -1 is memory at @address. */
struct dma_source {
	const char *operation;
	struct libiommu_iova_window *window; /* NULL: as the space chooses */
	uint64_t address;
	bool named;
	int fd;
	uint64_t offset;
	uint64_t length;
	uint32_t flags;
};

#define DMA_FORKED "this is a forked child: the space stays its parent's"

/* Neither lock nor memory of a space is a forked child's. */
static inline bool dma_forked(const struct libiommu_dma_space *space)
{
	return !space->table->base;
}

/* Whoever is told of a failure may call the library: not before the lock is free again. */
static inline void dma_lock(struct libiommu_dma_space *space)
{
	pthread_mutex_lock(&space->lock);
	li_failure_hold();
}

static inline void dma_unlock(struct libiommu_dma_space *space)
{
	pthread_mutex_unlock(&space->lock);
	li_failure_release();
}

/* The choices, or the defaults; what they point to stays the configuration's. */
struct dma_choices li_dma_choices(const struct libiommu_dma_space_config *config);

/* The first piece that does not end before @address, NULL where there is none. */
struct dma_piece *li_piece_from(const struct tree *pieces, uint64_t address);
struct dma_piece *li_piece_next(const struct dma_piece *piece);
/*
 * Map in all address spaces, and let it be found. @iova: where, if not 0; it is taken then.
 * Recorded under the source's operation.
 */
int li_piece_map(struct libiommu_dma_space *space, const struct dma_source *source, uint64_t iova,
                 struct dma_piece **piece);
/* The other way round; after a failure all is as it was. */
int li_piece_unmap(struct libiommu_dma_space *space, const char *operation,
                   struct dma_piece *piece);

/* One piece in one mirror; unmapping what is not there is no error. */
int li_mirror_map(const struct libiommu_dma_space *space, const struct dma_mirror *mirror,
                  const char *operation, const struct dma_piece *piece);
int li_mirror_unmap(const struct dma_mirror *mirror, const char *operation,
                    const struct dma_piece *piece);
/* What the public functions do when they have looked at their arguments. */
int li_mirror_add(struct libiommu_dma_space *space, const struct dma_mirror *mirror,
                  const char *operation);
int li_mirror_remove(struct libiommu_dma_space *space, const struct dma_mirror *mirror,
                     const char *operation);
/* Before all pieces go one by one, which is slow there. */
int li_mirrors_leave_vdpa(struct libiommu_dma_space *space, const char *operation);

/* Of vDPA devices: one piece, and all at once. A filling that fails leaves nothing. */
int li_vdpa_mirror_map(const struct dma_mirror *mirror, const char *operation,
                       const struct dma_piece *piece);
int li_vdpa_mirror_unmap(const struct dma_mirror *mirror, const char *operation,
                         const struct dma_piece *piece);
int li_vdpa_mirror_fill(const struct libiommu_dma_space *space, const struct dma_mirror *mirror,
                        const char *operation);
int li_vdpa_mirror_clear(const struct libiommu_dma_space *space, const struct dma_mirror *mirror,
                         const char *operation);

/* With the lock. The IOVA of the source's first byte. */
int li_space_register(struct libiommu_dma_space *space, const struct dma_source *source,
                      uint64_t *iova);
int li_space_unregister(struct libiommu_dma_space *space, const char *operation, uint64_t address,
                        uint64_t length);
/* What the window of a space may use, as the kernel says now. */
int li_space_update_ranges(struct libiommu_dma_space *space, const char *operation);

#endif

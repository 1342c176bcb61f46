/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What is mapped in a context and keeps it from going to another process: by range, where the
 * context was made to remember. Whoever maps or unmaps holds the lock meanwhile, so that what is
 * remembered is what the kernel has.
 */
#ifndef LIBIOMMU_OBJECT_OBSTACLES_H
#define LIBIOMMU_OBJECT_OBSTACLES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libiommu/change.h>

#include "../base/tree.h"

struct obstacle {
	struct tree_node node;
	struct obstacle *next; /* before they are remembered */
	uint32_t ioas;
	uint64_t iova;
	uint64_t length;
	void *address; /* NULL where it has none */
	enum libiommu_change_obstacle why;
};

struct obstacles {
	pthread_mutex_t lock;
	struct tree tree; /* by address space, then by IOVA */
	size_t count;
	uint64_t bytes;
};

/* NULL: no memory. */
struct obstacles *li_obstacles_new(void);
/* NULL does nothing. */
void li_obstacles_free(struct obstacles *obstacles);

/*
 * Before something is mapped, or copied: memory for it, and the lock. 0 or -ENOMEM, without the
 * lock. What comes of a copy are the parts of its source that are remembered, at IOVAs from its
 * beginning on, and none where @obstacles is NULL.
 */
int li_obstacles_begin(struct obstacles *obstacles, const struct obstacle *like,
                       struct obstacle **made);
int li_obstacles_begin_copy(struct obstacles *obstacles, uint32_t from, uint64_t iova,
                            uint64_t length, struct obstacle **made);
/* The kernel has mapped it from @iova on, or not. Gives back the lock. */
void li_obstacles_end(struct obstacles *obstacles, struct obstacle *made, bool mapped,
                      uint32_t ioas, uint64_t iova);

/* With the lock: what is gone is forgotten; how many bytes of it were remembered. */
uint64_t li_obstacles_forget(struct obstacles *obstacles, uint32_t ioas, uint64_t first,
                             uint64_t last);
/* Bytes of those that are on a list, or of what is remembered of an address space: 0 for NULL. */
uint64_t li_obstacles_sum(const struct obstacle *made);
uint64_t li_obstacles_of(struct obstacles *obstacles, uint32_t ioas);

/* Inline, as mostly nothing is remembered: */

static inline void obstacles_lock(struct obstacles *obstacles)
{
	if (obstacles)
		pthread_mutex_lock(&obstacles->lock);
}

static inline void obstacles_unlock(struct obstacles *obstacles)
{
	if (obstacles)
		pthread_mutex_unlock(&obstacles->lock);
}

static inline int obstacles_begin(struct obstacles *obstacles, const struct obstacle *like,
                                  struct obstacle **made)
{
	*made = NULL;
	return obstacles ? li_obstacles_begin(obstacles, like, made) : 0;
}

static inline void obstacles_end(struct obstacles *obstacles, struct obstacle *made, bool mapped,
                                 uint32_t ioas, uint64_t iova)
{
	if (obstacles)
		li_obstacles_end(obstacles, made, mapped, ioas, iova);
}

static inline uint64_t obstacles_forget(struct obstacles *obstacles, uint32_t ioas, uint64_t first,
                                        uint64_t last)
{
	return obstacles ? li_obstacles_forget(obstacles, ioas, first, last) : 0;
}

#endif

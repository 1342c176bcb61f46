/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A legacy VFIO container with an IOMMU of type 1, with one of PowerPC, or without any. Failures
 * are explained in @refusal. Who calls sees to it that nobody else does meanwhile.
 */
#ifndef LIBIOMMU_BACKEND_CONTAINER_H
#define LIBIOMMU_BACKEND_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#include <libiommu/types.h>

#include "../base/extents.h"
#include "../base/failure.h"
#include "../base/sys.h"

struct container;
struct space;
struct spapr_memory;

/* What depends on the IOMMU. */
struct container_ops {
	uintptr_t kind; /* the kernel's number for it */
	int (*read)(struct container *container, struct refusal *refusal);
	int (*map)(struct container *container, const struct extent *extent,
	           struct refusal *refusal);
	/* @count is not 0. They are all that is mapped from the first to the last. */
	int (*unmap)(struct container *container, const struct extent *extents, size_t count,
	             struct refusal *refusal);
	/* Make more addresses, with room for @length bytes. NULL where there are never more. */
	int (*grow)(struct container *container, uint64_t length, struct refusal *refusal);
	/* Nothing is mapped, and other addresses are going to be. NULL where that is all one. */
	void (*reset)(struct container *container);
};

struct container {
	const struct container_ops *ops;
	const struct libiommu_sys *sys;
	int fd;
	bool unsafe;         /* for groups without an IOMMU: nothing can be mapped */
	unsigned int groups; /* in it */
	struct space *space; /* whose mappings it has; NULL: none, it only holds a group */
	/* As far as is known; narrower with each group, and wider without it. */
	struct libiommu_iova_range *ranges;
	uint32_t count;
	uint64_t alignment;
	/* With type 1, as of the last reading. */
	uint64_t dirty_pages; /* the sizes in which it can tell what is written; 0: it cannot */
	bool tells_left;
	uint32_t left; /* mappings that can still be made */
	/* With the IOMMU of PowerPC. */
	struct spapr_memory *memory; /* the context's; NULL with any other */
	struct extents held;         /* memory that it registered; see spapr.c */
	uint64_t page_sizes;
	bool grown;
};

/*
 * Whether @fd is a container that this library can use: 0, and whether it is one of PowerPC,
 * -ENODEV where the kernel has no IOMMU that it knows and no devices without one, or what else it
 * says.
 */
int li_container_check(const struct libiommu_sys *sys, int fd, bool *spapr);

/* @memory: of the context, where it is PowerPC's. */
int li_container_open(const struct libiommu_sys *sys, const char *path, bool unsafe,
                      struct spapr_memory *memory, struct container **container,
                      struct refusal *refusal);
void li_container_close(struct container *container);

/* With its first group in it: chooses the IOMMU. */
int li_container_start(struct container *container, struct refusal *refusal);
/* Find out which addresses can be used now. */
int li_container_read(struct container *container, struct refusal *refusal);
bool li_container_allows(const struct container *container, uint64_t first, uint64_t last);

int li_container_map(struct container *container, const struct extent *extent,
                     struct refusal *refusal);
/* @count may be 0. */
int li_container_unmap(struct container *container, const struct extent *extents, size_t count,
                       struct refusal *refusal);

/* The kernel's calls of these names, which all IOMMUs have. */
int li_container_map_dma(const struct container *container, const struct extent *extent,
                         struct refusal *refusal);
int li_container_unmap_dma(const struct container *container, uint64_t first, uint64_t last,
                           struct refusal *refusal);

/* What it says to CHECK_EXTENSION. */
int li_container_extension(const struct libiommu_sys *sys, int fd, uint32_t extension);

/* Type 1 only: what may be asked whether it can, it must be asked. */
bool li_container_can_track(const struct container *container);
int li_container_track(const struct container *container, bool enable, struct refusal *refusal);
/* Of a whole mapping, a bit for each page of the smallest size. */
int li_container_read_dirty(const struct container *container, const struct extent *extent,
                            uint64_t *bits, struct refusal *refusal);
int li_container_unmap_dirty(const struct container *container, const struct extent *extent,
                             uint64_t *bits, struct refusal *refusal);
bool li_container_can_unmap_all(const struct container *container);
int li_container_unmap_all(const struct container *container, struct refusal *refusal);
/* Keep the mappings and forget where in the process they are; @range NULL: all. And say it anew. */
bool li_container_can_forget(const struct container *container);
int li_container_forget(const struct container *container, const struct extent *range,
                        struct refusal *refusal);
int li_container_renew(const struct container *container, const struct extent *extent,
                       uint64_t memory, struct refusal *refusal);

#endif

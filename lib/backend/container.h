/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A legacy VFIO container with an IOMMU of type 1, or without any. Failures are explained in
 * @refusal. Who calls sees to it that nobody else does meanwhile, save for map and unmap.
 */
#ifndef LIBIOMMU_BACKEND_CONTAINER_H
#define LIBIOMMU_BACKEND_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#include <libiommu/types.h>

#include "../base/extents.h"
#include "../base/failure.h"
#include "../base/sys.h"

struct space;

struct container {
	const struct libiommu_sys *sys;
	int fd;
	bool unsafe;         /* for groups without an IOMMU: nothing can be mapped */
	unsigned int groups; /* in it */
	struct space *space; /* whose mappings it has; NULL: none, it only holds a group */
	/* As far as is known; narrower with each group, and wider without it. */
	struct libiommu_iova_range *ranges;
	uint32_t count;
	uint64_t alignment;
};

/*
 * Whether @fd is a container that this library can use: 0, -ENODEV where the kernel has no type 1
 * and no devices without an IOMMU, or what else it says.
 */
int li_container_check(const struct libiommu_sys *sys, int fd);

int li_container_open(const struct libiommu_sys *sys, const char *path, bool unsafe,
                      struct container **container, struct refusal *refusal);
void li_container_close(struct container *container);

/* With its first group in it: chooses the IOMMU. */
int li_container_start(struct container *container, struct refusal *refusal);
/* Find out which addresses can be used now. */
int li_container_read(struct container *container, struct refusal *refusal);
bool li_container_allows(const struct container *container, uint64_t first, uint64_t last);

int li_container_map(const struct container *container, const struct extent *extent,
                     struct refusal *refusal);
/* All that is mapped between the two, whole mappings. */
int li_container_unmap(const struct container *container, uint64_t first, uint64_t last,
                       struct refusal *refusal);

#endif

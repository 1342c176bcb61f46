/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Containers with the IOMMU of PowerPC: SPAPR TCE, version 2.
 *
 * Addresses are those of windows: one below 4 GiB, which is there, and one that is made when it is
 * needed. Memory has to be registered before it is mapped. The kernel's list of what is registered
 * is the process's, and in it two regions are the same one or have nothing in common. Hence the
 * context's list of regions: a container registers the very region that another one has.
 */
#ifndef LIBIOMMU_BACKEND_SPAPR_H
#define LIBIOMMU_BACKEND_SPAPR_H

#include <pthread.h>

#include "../base/extents.h"
#include "container.h"

/* What the containers of a context have registered; the memory of a region counts them. */
struct spapr_memory {
	pthread_mutex_t lock; /* taken after a space's */
	struct extents regions;
};

extern const struct container_ops li_container_spapr;

void li_spapr_memory_init(struct spapr_memory *memory);
void li_spapr_memory_free(struct spapr_memory *memory);

/* The kernel forgot what the container had: its last group left it. */
void li_spapr_forget(struct container *container);

#endif

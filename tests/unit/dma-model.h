/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A model of the kernel's address spaces behind the door of ring-door.h: what is mapped, copied and
 * unmapped by the rules that the kernel has, with errors where a test wants them.
 */
#ifndef LIBIOMMU_TESTS_DMA_MODEL_H
#define LIBIOMMU_TESTS_DMA_MODEL_H

#include "objects.h"
#include "ring-door.h"

#define MAPS_IOAS 4 /* address spaces, of the ids 1 and on */

struct maps_mapping {
	uint64_t iova;
	uint64_t length;
	uint64_t memory; /* address, or offset in a file */
	uint32_t flags;
	bool copied;
	bool used;
};

/* A context whose kernel this is. */
struct libiommu_ctx *maps_ctx(void);
/* The @nth ioctl of this kind from now fails; 0 ends that. Whether it came to that. */
void maps_fail_nth(unsigned long request, unsigned int nth, int error);
bool maps_failed(void);
/* From now on each of this kind fails; 0 ends that. */
void maps_fail_all(unsigned long request, int error);
/* What an address space can map from now on. */
void maps_set_ranges(uint32_t ioas, const struct libiommu_iova_range *ranges, size_t count);
/* What all that is mapped is a multiple of. */
void maps_set_alignment(uint64_t bytes);
/* Called before something is mapped; NULL ends that. */
void maps_on_map(void (*function)(uint64_t iova));
/* Its mapping that has @iova, NULL where there is none. */
const struct maps_mapping *maps_find(uint32_t ioas, uint64_t iova);
size_t maps_count(uint32_t ioas);
/* What the next vDPA device has. */
void maps_set_vdpa(uint64_t features, const struct libiommu_iova_range *range);
/* ioctls of any kind since the last time this was asked. */
unsigned int maps_calls(void);

#endif

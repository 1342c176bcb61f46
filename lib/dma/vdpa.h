/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_DMA_VDPA_H
#define LIBIOMMU_DMA_VDPA_H

#include <pthread.h>
#include <stdatomic.h>

#include <libiommu/vdpa.h>

#include "../object/ctx.h"

struct libiommu_vdpa {
	struct libiommu_ctx *ctx;
	int fd;
	bool own_fd;
	uint64_t features;
	struct libiommu_iova_range range;
	uint32_t spaces;
	uint32_t groups;
	atomic_uint_least32_t mirrors;
	/* In a batch the kernel takes messages for one address space only. */
	pthread_mutex_t lock;
};

/* As of a DMA space: whoever is told of a failure may call the library. */
static inline void vdpa_lock(struct libiommu_vdpa *vdpa)
{
	pthread_mutex_lock(&vdpa->lock);
	li_failure_hold();
}

static inline void vdpa_unlock(struct libiommu_vdpa *vdpa)
{
	pthread_mutex_unlock(&vdpa->lock);
	li_failure_release();
}

/* 0, or -EINVAL recorded under @operation. */
int li_vdpa_check_space(const struct libiommu_vdpa *vdpa, const char *operation, uint32_t asid);

/* It mirrors a DMA space, which has to leave it first. */
void li_vdpa_pin(struct libiommu_vdpa *vdpa);
void li_vdpa_unpin(struct libiommu_vdpa *vdpa);

/* With the lock; recorded under @operation. */
int li_vdpa_update(struct libiommu_vdpa *vdpa, const char *operation, uint32_t asid, uint64_t iova,
                   uint64_t length, uint64_t address, uint32_t flags);
int li_vdpa_invalidate(struct libiommu_vdpa *vdpa, const char *operation, uint32_t asid,
                       uint64_t iova, uint64_t length);
/*
 * What comes in between reaches the device at the end, all at once. 0 too where there are no
 * batches.
 */
int li_vdpa_begin(struct libiommu_vdpa *vdpa, const char *operation, uint32_t asid);
int li_vdpa_end(struct libiommu_vdpa *vdpa, const char *operation, uint32_t asid);

#endif

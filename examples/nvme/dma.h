/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Memory that the drive can reach, and how this program tells what went wrong. */
#ifndef NVME_DMA_H
#define NVME_DMA_H

#include <libiommu.h>

struct nvme_dma {
	void *address;
	uint64_t length;
	uint64_t iova;
};

/* Zeroed memory in whole pages, for the drive to read and write; to the drive it is contiguous. */
int nvme_dma_alloc(struct libiommu_dma_space *space, uint64_t length, struct nvme_dma *dma);

/* Nothing in flight may still use it. Freeing what was never allocated (all zero) does nothing. */
void nvme_dma_free(struct libiommu_dma_space *space, struct nvme_dma *dma);

/* Complain, with the library's explanation of the call that has just failed; returns its error. */
int nvme_fail_library(const char *what);

/* Complain; returns ERROR. */
int nvme_fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the drive shall read must be in memory before the doorbell rings. */
void nvme_write_barrier(void);

#endif

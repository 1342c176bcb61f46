/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Devices, queues and page tables, and the ring over them as a combination wants it. */
#ifndef RING_MANY_RIG_H
#define RING_MANY_RIG_H

#include "../must.h"
#include "mock.h"
#include "ring-many.h"

/* Fed by read() unless it says otherwise; by both: a queue each. */
enum { BY_THREAD = 1, BY_PROCESS = 2, BY_IO_URING = 4, BY_BOTH = 8, COMBINATIONS = 12 };

struct rig {
	struct mock *mock;
	struct many *many;
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_device *devs[MANY_DEVICES];
	struct libiommu_fault_queue *queues[2];
	struct libiommu_hwpt *own, *tables[2];
	struct libiommu_ring *ring;
	bool fed[2]; /* the kernel reads the queue by itself */
	uint32_t epochs[MANY_PAIRS];
	uint32_t pasids[MANY_PAIRS]; /* the kernel's */
	uint32_t ends;               /* of attachments */
};

/* Starts the reader if that is another process: before there is a context, so it has none. */
void rig_open(struct rig *rig, unsigned int how);
/* False: this kernel does not feed it as the combination says. */
bool rig_open_ring(struct rig *rig, unsigned int how);
/* The reader sees the end; 0 if it has found everything in order. */
int rig_close_ring(struct rig *rig, unsigned int how);
void rig_close(struct rig *rig);

/* Into the other table, out of it, and back. */
void rig_move(struct rig *rig, uint32_t pair);

#endif

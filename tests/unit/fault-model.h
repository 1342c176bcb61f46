/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A model of the kernel's fault queues, for rings on real memory (ring-door.h). It does as the real
 * one does: groups are read whole, first come first; the first that does not fit is -EINVAL; a
 * cookie is the lowest that is free and is free again with its answer; what is detached or replaced
 * by another page table takes its groups with it; the descriptor is readable while groups wait. It
 * knows what became of each group, and what it should have been.
 */
#ifndef LIBIOMMU_TESTS_FAULT_MODEL_H
#define LIBIOMMU_TESTS_FAULT_MODEL_H

#include "ring-door.h"

enum {
	MODEL_DEVICES = 2,
	MODEL_QUEUES = 80,
	MODEL_GROUPS = 1 << 17,
	MODEL_DEVICE_ID = 7, /* and on */
	MODEL_QUEUE_ID = 50, /* and on */
	MODEL_PT_ID = 200,   /* and on */
};

/* A context over the model, on top of ring_ctx(); and its end, where nothing may be left. */
struct libiommu_ctx *model_ctx(void);
void model_ctx_close(struct libiommu_ctx *ctx);

/* The next device, bound under the label; the next queue; the next page table, of it or of none. */
struct libiommu_device *model_device(struct libiommu_ctx *ctx, uint64_t label);
struct libiommu_fault_queue *model_queue(struct libiommu_ctx *ctx);
struct libiommu_hwpt *model_hwpt(struct libiommu_ctx *ctx, struct libiommu_fault_queue *queue);

/*
 * A group of the device, by its place in the order they were made, with a PASID or 0 for none: its
 * number, which is also in its address and the device's number of it. UINT32_MAX where nothing is
 * attached that it could come through, and the kernel gives the answer itself.
 */
uint32_t model_raise(uint32_t device, uint32_t pasid, uint32_t records);
/* The same of any id of a device, through a page table of the queue that somebody else attached. */
uint32_t model_raise_strange(uint32_t queue, uint32_t dev_id, uint32_t pasid);

/* ring_ready() for a ring whose queues may be read ahead. */
bool model_ready(const struct libiommu_ring *ring);

enum model_state {
	MODEL_WAITING,  /* to be read */
	MODEL_OUT,      /* read */
	MODEL_ANSWERED, /* by a write */
	MODEL_ENDED,    /* by the kernel, with its attachment */
};

enum model_state model_state(uint32_t number);
/* Of one that was answered. */
uint32_t model_code(uint32_t number);
uint32_t model_cookie(uint32_t number);
uint32_t model_queue_of(uint32_t number);
/* How many are so now. */
unsigned int model_count(enum model_state state);
/* Whoever answers says 0 to even and 1 to odd numbers: how many were answered otherwise. */
unsigned int model_wrong(void);
/* Groups that were read, by whatever way, and answers that were refused, since this was asked. */
unsigned int model_given(void);
unsigned int model_refused(void);
/* Reads, and writes of a queue, since this was last asked. */
unsigned int model_reads(void);
unsigned int model_writes(void);

/* The next read, or the @nth write from now, of a queue says this. */
void model_fail_read(int error);
void model_fail_write(unsigned int nth, int error);
/* So does the next attachment or detachment, or end of an object. */
void model_fail_change(int error);
void model_fail_destroy(int error);
/* A write takes so many answers at most; 0 is all. */
void model_limit_write(uint32_t answers);

#endif

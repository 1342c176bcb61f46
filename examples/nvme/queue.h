/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A pair of rings: commands to the drive, completions from it. */
#ifndef NVME_QUEUE_H
#define NVME_QUEUE_H

#include "dma.h"
#include "regs.h"

struct nvme_queue {
	struct nvme_dma memory; /* the commands, the completions, and a page of PRPs for each id */
	struct nvme_command *commands;
	volatile struct nvme_completion *completions;
	uint64_t commands_iova;
	uint64_t completions_iova;
	uint8_t *prps;
	uint64_t prps_iova;
	volatile uint32_t *tail_doorbell;
	volatile uint32_t *head_doorbell;
	uint16_t *free_ids; /* a stack of the ids that are in no flight */
	uint16_t free_count;
	uint16_t entries;
	uint16_t tail;
	uint16_t head;
	uint16_t phase;
	uint32_t page;
	int eventfd;         /* -1: the queue is polled */
	bool awake;          /* an interrupt came, and not all it stands for has been seen */
	uint64_t interrupts; /* how often the eventfd fired */
};

enum { NVME_COMMAND_TIMEOUT_MS = 20000 };

/*
 * Room for DEPTH commands in flight. DOORBELLS is the queue's first doorbell, STRIDE the way to its
 * second. A failure leaves nothing behind.
 */
int nvme_queue_init(struct nvme_queue *queue, struct libiommu_dma_space *space, uint32_t depth,
                    uint32_t page, volatile uint8_t *doorbells, uint32_t stride, int eventfd);

/* The drive must have been told to leave the queue alone, or be disabled. */
void nvme_queue_free(struct nvme_queue *queue, struct libiommu_dma_space *space);

/*
 * Put a command in line, for LENGTH bytes of data at IOVA (a multiple of the page size; LENGTH 0:
 * PRPs as they are in the command). -EAGAIN when as many as the depth are in flight.
 */
int nvme_queue_submit(struct nvme_queue *queue, const struct nvme_command *command, uint64_t iova,
                      uint64_t length);

/* Tell the drive of all that was submitted. */
void nvme_queue_ring(struct nvme_queue *queue);

/* Wait for one completion, -ETIMEDOUT if none comes. Interrupted by nothing: it is short. */
int nvme_queue_wait(struct nvme_queue *queue, struct nvme_completion *completion);

/* How many are in flight. */
uint32_t nvme_queue_inflight(const struct nvme_queue *queue);

/* The most bytes of one command: what one page of PRPs describes. */
uint64_t nvme_queue_max_bytes(const struct nvme_queue *queue);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "queue.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t align(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

int nvme_queue_init(struct nvme_queue *queue, struct libiommu_dma_space *space, uint32_t depth,
                    uint32_t page, volatile uint8_t *doorbells, uint32_t stride, int eventfd)
{
	/* A ring with all entries in use would look like an empty one. */
	const uint32_t entries = depth + 1;
	const uint64_t commands = align(entries * sizeof(struct nvme_command), page);
	const uint64_t completions = align(entries * sizeof(struct nvme_completion), page);
	uint16_t *free_ids;
	uint8_t *memory;
	int err;

	free_ids = calloc(depth, sizeof(*free_ids));
	if (!free_ids)
		return nvme_fail(-ENOMEM, "no memory for a queue");
	memset(queue, 0, sizeof(*queue));
	err = nvme_dma_alloc(space, commands + completions + (uint64_t)depth * page,
	                     &queue->memory);
	if (err) {
		free(free_ids);
		return err;
	}
	for (uint32_t i = 0; i < depth; i++)
		free_ids[i] = (uint16_t)(depth - 1 - i);
	memory = queue->memory.address;
	queue->commands = queue->memory.address;
	queue->commands_iova = queue->memory.iova;
	queue->completions = (volatile struct nvme_completion *)(void *)(memory + commands);
	queue->completions_iova = queue->memory.iova + commands;
	queue->prps = memory + commands + completions;
	queue->prps_iova = queue->memory.iova + commands + completions;
	queue->tail_doorbell = (volatile uint32_t *)(volatile void *)doorbells;
	queue->head_doorbell = (volatile uint32_t *)(volatile void *)(doorbells + stride);
	queue->free_ids = free_ids;
	queue->free_count = (uint16_t)depth;
	queue->entries = (uint16_t)entries;
	queue->phase = 1;
	queue->page = page;
	queue->eventfd = eventfd;
	return 0;
}

void nvme_queue_free(struct nvme_queue *queue, struct libiommu_dma_space *space)
{
	nvme_dma_free(space, &queue->memory);
	free(queue->free_ids);
	memset(queue, 0, sizeof(*queue));
}

uint32_t nvme_queue_inflight(const struct nvme_queue *queue)
{
	return queue->entries - 1u - queue->free_count;
}

uint64_t nvme_queue_max_bytes(const struct nvme_queue *queue)
{
	return (uint64_t)queue->page * (queue->page / sizeof(uint64_t));
}

/* One or two pages fit into the command; for more, the second field names a list of the others. */
static void set_prps(struct nvme_queue *queue, struct nvme_command *command, uint16_t id,
                     uint64_t iova, uint64_t length)
{
	uint64_t *const list = (uint64_t *)(void *)(queue->prps + (size_t)id * queue->page);
	const uint64_t pages = align(length, queue->page) / queue->page;

	command->prp1 = htole64(iova);
	command->prp2 = 0;
	if (pages == 2) {
		command->prp2 = htole64(iova + queue->page);
	} else if (pages > 2) {
		for (uint64_t i = 1; i < pages; i++)
			list[i - 1] = htole64(iova + i * queue->page);
		command->prp2 = htole64(queue->prps_iova + (uint64_t)id * queue->page);
	}
}

int nvme_queue_submit(struct nvme_queue *queue, const struct nvme_command *command, uint64_t iova,
                      uint64_t length)
{
	struct nvme_command *const entry = &queue->commands[queue->tail];
	uint16_t id;

	if (!queue->free_count)
		return -EAGAIN;
	id = queue->free_ids[--queue->free_count];
	*entry = *command;
	entry->id = htole16(id);
	if (length)
		set_prps(queue, entry, id, iova, length);
	queue->tail = (uint16_t)((queue->tail + 1) % queue->entries);
	return 0;
}

void nvme_queue_ring(struct nvme_queue *queue)
{
	nvme_write_barrier();
	*queue->tail_doorbell = htole32(queue->tail);
}

static bool take_completion(struct nvme_queue *queue, struct nvme_completion *completion)
{
	volatile struct nvme_completion *const entry = &queue->completions[queue->head];
	const uint16_t status = le16toh(entry->status);

	if ((status & 1) != queue->phase)
		return false;
	/* The other fields are the drive's only once the phase has turned. */
	atomic_thread_fence(memory_order_seq_cst);
	completion->result = le32toh(entry->result);
	completion->sq_head = le16toh(entry->sq_head);
	completion->sq_id = le16toh(entry->sq_id);
	completion->id = le16toh(entry->id);
	completion->status = status >> 1 & NVME_STATUS_MASK;
	if (++queue->head == queue->entries) {
		queue->head = 0;
		queue->phase ^= 1;
	}
	*queue->head_doorbell = htole32(queue->head);
	return true;
}

/* Sleep until an interrupt, for a while at most: the deadline is the caller's. */
static bool wait_interrupt(struct nvme_queue *queue)
{
	struct pollfd event = {.fd = queue->eventfd, .events = POLLIN};
	uint64_t count;

	if (poll(&event, 1, 100) <= 0 || read(queue->eventfd, &count, sizeof(count)) <= 0)
		return false;
	queue->interrupts += count;
	return true;
}

/*
 * With interrupts the completions are looked at after one only, until there are no more: what comes
 * later has an interrupt of its own. A drive that sends none is found out thereby.
 */
static bool next_completion(struct nvme_queue *queue, struct nvme_completion *completion)
{
	if (queue->eventfd >= 0 && !queue->awake)
		queue->awake = wait_interrupt(queue);
	if (queue->eventfd >= 0 && !queue->awake)
		return false;
	queue->awake = take_completion(queue, completion);
	return queue->awake;
}

static uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int nvme_queue_wait(struct nvme_queue *queue, struct nvme_completion *completion)
{
	const struct timespec breath = {.tv_nsec = 20000};
	const uint64_t deadline = milliseconds() + NVME_COMMAND_TIMEOUT_MS;

	for (uint32_t spins = 0; !next_completion(queue, completion); spins++) {
		if (milliseconds() > deadline)
			return nvme_fail(-ETIMEDOUT,
			                 take_completion(queue, completion)
			                         ? "the drive has completed a command, but no "
			                           "interrupt arrived"
			                         : "the drive does not complete a command");
		if (queue->eventfd < 0 && spins > 1000)
			nanosleep(&breath, NULL);
	}
	if (completion->id >= queue->entries - 1 || !nvme_queue_inflight(queue))
		return nvme_fail(-EIO, "the drive completed a command that does not exist");
	queue->free_ids[queue->free_count++] = completion->id;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "smmu.h"

#include <endian.h>
#include <string.h>

static struct smmu_queue queue_of(uint32_t words)
{
	return (struct smmu_queue){.entries = GUEST_PAGE / (words * 8), .words = words};
}

void smmu_reset(struct smmu *smmu)
{
	*smmu = (struct smmu){
		.commands = queue_of(2),
		.events = queue_of(4),
		.requests = queue_of(2),
	};
}

void *smmu_at(const struct guest *memory, uint64_t address, size_t length)
{
	const uint64_t offset = address - memory->address;

	if (offset > memory->size || memory->size - offset < length)
		return NULL;
	return memory->memory + offset;
}

bool smmu_read(const struct guest *memory, uint64_t address, uint64_t *words, size_t count)
{
	const void *const at = smmu_at(memory, address, count * sizeof(*words));

	if (!at)
		return false;
	memcpy(words, at, count * sizeof(*words));
	for (size_t i = 0; i < count; i++)
		words[i] = le64toh(words[i]);
	return true;
}

static uint64_t address_of(const struct smmu_queue *queue, uint32_t index)
{
	return queue->base + (uint64_t)(index & (queue->entries - 1)) * queue->words * 8;
}

uint32_t smmu_room(const struct smmu_queue *queue)
{
	const uint32_t used = queue->prod - queue->cons;

	return used < queue->entries ? queue->entries - used : 0;
}

bool smmu_put(const struct guest *memory, struct smmu_queue *queue, const uint64_t *words)
{
	uint64_t *const at = smmu_at(memory, address_of(queue, queue->prod), queue->words * 8);

	if (!at || !smmu_room(queue))
		return false;
	for (uint32_t i = 0; i < queue->words; i++)
		at[i] = htole64(words[i]);
	queue->prod++;
	return true;
}

bool smmu_peek(const struct guest *memory, const struct smmu_queue *queue, uint32_t index,
               uint64_t *words)
{
	return smmu_read(memory, address_of(queue, index), words, queue->words);
}

bool smmu_get(const struct guest *memory, struct smmu_queue *queue, uint64_t *words)
{
	if (queue->prod == queue->cons || !smmu_peek(memory, queue, queue->cons, words))
		return false;
	queue->cons++;
	return true;
}

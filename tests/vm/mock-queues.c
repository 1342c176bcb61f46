/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "mock-queues.h"

#include <errno.h>
#include <stddef.h>

#include "../../lib/base/uapi/iommufd.h"

void mock_queues_init(struct mock_queues *queues)
{
	for (size_t i = 0; i < MOCK_QUEUES; i++)
		atomic_init(&queues->queue[i].fd, -1);
}

struct mock_queue *mock_queues_find(struct mock_queues *queues, int fd)
{
	for (size_t i = 0; i < MOCK_QUEUES && fd >= 0; i++)
		if (atomic_load(&queues->queue[i].fd) == fd)
			return &queues->queue[i];
	return NULL;
}

void mock_queues_add(struct mock_queues *queues, int fd)
{
	for (size_t i = 0; i < MOCK_QUEUES; i++) {
		struct mock_queue *const queue = &queues->queue[i];

		if (atomic_load(&queue->fd) >= 0)
			continue;
		*queue = (struct mock_queue){.fd = -1};
		atomic_store(&queue->fd, fd);
		return;
	}
}

void mock_queues_remove(struct mock_queues *queues, int fd)
{
	struct mock_queue *const queue = mock_queues_find(queues, fd);

	if (queue)
		atomic_store(&queue->fd, -1);
}

void mock_queues_note_read(struct mock_queues *queues, int fd, const void *buffer, ssize_t got)
{
	struct mock_queue *const queue = got > 0 ? mock_queues_find(queues, fd) : NULL;
	const struct uapi_hwpt_pgfault *const records = buffer;
	const size_t count = queue ? (size_t)got / sizeof(*records) : 0;

	if (!count)
		return;
	atomic_fetch_add(&queue->tally.read, count);
	atomic_fetch_add(&queues->all.read, count);
	for (size_t i = count > MOCK_LAST ? count - MOCK_LAST : 0; i < count; i++) {
		const uint32_t at = queue->next++ % MOCK_LAST;

		queue->last[at].address = records[i].addr;
		queue->last[at].cookie = records[i].cookie;
	}
}

static void count_answers(struct mock_tally *tally, const struct uapi_hwpt_page_response *answers,
                          ssize_t put)
{
	for (size_t i = 0; put > 0 && i < (size_t)put / sizeof(*answers); i++)
		atomic_fetch_add(&tally->taken[answers[i].code & 1], 1);
	if (put == -EINVAL)
		atomic_fetch_add(&tally->refused[answers[0].code & 1], 1);
}

void mock_queues_note_write(struct mock_queues *queues, int fd, const void *buffer, ssize_t put)
{
	struct mock_queue *const queue = mock_queues_find(queues, fd);

	if (!queue)
		return;
	count_answers(&queue->tally, buffer, put);
	count_answers(&queues->all, buffer, put);
}

void mock_tally_get(const struct mock_tally *tally, struct mock_answers *answers)
{
	answers->read = atomic_load(&tally->read);
	for (size_t i = 0; i < 2; i++) {
		answers->taken[i] = atomic_load(&tally->taken[i]);
		answers->refused[i] = atomic_load(&tally->refused[i]);
	}
}

uint32_t mock_queue_cookie(const struct mock_queue *queue, uint64_t address)
{
	const uint32_t count = queue->next < MOCK_LAST ? queue->next : MOCK_LAST;

	for (uint32_t back = 1; back <= count; back++) {
		const uint32_t at = (queue->next - back) % MOCK_LAST;

		if (queue->last[at].address == address)
			return queue->last[at].cookie;
	}
	return 0;
}

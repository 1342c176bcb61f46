/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Reading a vIOMMU's events: what they are about, and how many were lost. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "../base/uapi/iommufd.h"
#include "vevent-batch.h"
#include "veventq.h"
#include "viommu.h"

#define SEQUENCE_MASK UINT32_C(0x7fffffff)

static uint64_t id_of(const struct veventq_layout *layout, const unsigned char *data)
{
	uint64_t wide = 0;
	uint32_t narrow = 0;

	if (layout->id_length == sizeof(wide)) {
		memcpy(&wide, data + layout->id_offset, sizeof(wide));
		return layout->little_endian ? le64toh(wide) : wide;
	}
	memcpy(&narrow, data + layout->id_offset, sizeof(narrow));
	return layout->little_endian ? le32toh(narrow) : narrow;
}

static void add(struct libiommu_veventq *queue, struct libiommu_vevent_batch *batch,
                uint32_t sequence, const unsigned char *data)
{
	struct libiommu_vevent *const event = &batch->events[batch->count++];

	*event = (struct libiommu_vevent){
		.lost = queue->lost,
		.data = data,
		.length = queue->layout.length,
		.sequence = sequence,
	};
	queue->lost = 0;
	if (!queue->layout.id_length)
		return;
	event->flags = LIBIOMMU_VEVENT_DEVICE;
	event->virt_id = id_of(&queue->layout, data);
	if (li_vdevice_table_find(li_viommu_vdevices(queue->viommu), VDEVICE_VIRT_ID,
	                          event->virt_id, &event->label))
		event->flags |= LIBIOMMU_VEVENT_LABEL;
}

/*
 * A header that tells of a loss has the number of the last event that was lost, and disappears when
 * an event follows: the gap in the numbers is what counts in either case.
 */
static int take_apart(struct libiommu_veventq *queue, struct libiommu_vevent_batch *batch,
                      size_t size, uint64_t *lost)
{
	const unsigned char *at = batch->data;
	struct uapi_vevent_header header;

	while (size >= sizeof(header)) {
		uint64_t gap;
		bool is_loss;

		memcpy(&header, at, sizeof(header));
		is_loss = header.flags & UAPI_VEVENTQ_FLAG_LOST_EVENTS;
		at += sizeof(header);
		size -= sizeof(header);
		if (header.sequence > SEQUENCE_MASK || (!is_loss && size < queue->layout.length))
			return -EPROTO;
		if (!queue->counts)
			queue->expected = header.sequence;
		queue->counts = true;
		gap = ((header.sequence - queue->expected) & SEQUENCE_MASK) + is_loss;
		queue->expected = (header.sequence + 1) & SEQUENCE_MASK;
		queue->lost += gap;
		*lost += gap;
		if (is_loss)
			continue;
		add(queue, batch, header.sequence, at);
		at += queue->layout.length;
		size -= queue->layout.length;
	}
	return size ? -EPROTO : 0;
}

static int read_some(struct libiommu_veventq *queue, struct libiommu_vevent_batch *batch,
                     uint64_t *lost, bool *nonsense)
{
	const struct libiommu_sys *const sys = li_ctx_backend(li_viommu_ctx(queue->viommu))->sys;
	const size_t length = sizeof(struct uapi_vevent_header) + queue->layout.length;
	const ssize_t got = li_sys_read(sys, queue->fd, batch->data, batch->max * length);

	int error = got < 0 ? (int)got : take_apart(queue, batch, (size_t)got, lost);

	*nonsense = got >= 0 && error;
	return error;
}

static int prepare(const struct libiommu_veventq *queue, struct libiommu_vevent_batch *batch)
{
	return li_vevent_batch_prepare(batch,
	                               sizeof(struct uapi_vevent_header) + queue->layout.length);
}

int li_veventq_read(struct libiommu_veventq *queue, struct libiommu_vevent_batch *batch,
                    uint64_t *lost)
{
	int error = prepare(queue, batch);
	bool nonsense;

	if (error)
		return error;
	pthread_mutex_lock(&queue->lock);
	error = read_some(queue, batch, lost, &nonsense);
	pthread_mutex_unlock(&queue->lock);
	return error;
}

uint64_t li_veventq_take_lost(struct libiommu_veventq *queue)
{
	uint64_t lost;

	pthread_mutex_lock(&queue->lock);
	lost = queue->lost;
	queue->lost = 0;
	pthread_mutex_unlock(&queue->lock);
	return lost;
}

int libiommu_veventq_read(struct libiommu_veventq *queue, struct libiommu_vevent_batch *batch,
                          uint64_t *lost)
{
	struct libiommu_ctx *ctx;
	uint64_t found = 0;
	int error = 0;
	bool taken, nonsense = false;

	if (!queue || !batch)
		return FAIL_NULL(queue ? li_viommu_ctx(queue->viommu) : NULL);
	ctx = li_viommu_ctx(queue->viommu);
	if (prepare(queue, batch))
		return FAIL_MEMORY(ctx);
	if (queue->fd < 0)
		return FAIL_VEVENTQ_CLOSED(queue);
	pthread_mutex_lock(&queue->lock);
	taken = queue->taken;
	if (!taken)
		error = read_some(queue, batch, &found, &nonsense);
	pthread_mutex_unlock(&queue->lock);
	if (taken)
		return FAIL_LIBRARY(ctx, __func__, -EBUSY, "a ring reads the queue",
		                    .id = queue->id);
	if (error && !nonsense)
		return FAIL_KERNEL(ctx, __func__, error, CALL_VEVENTQ, .id = queue->id);
	if (lost)
		*lost = found;
	if (error)
		return FAIL_LIBRARY(ctx, __func__, error,
		                    "the events have not the format that the queue was made with",
		                    .id = queue->id);
	return (int)batch->count;
}

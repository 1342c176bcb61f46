/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "event-source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../nest/vevent-batch.h"
#include "../nest/veventq.h"
#include "layout.h"

#define EVENTS 64 /* read at a time */

struct event_source {
	struct ring_source base; /* first */
	struct libiommu_veventq *queue;
	struct libiommu_vevent_batch *batch;
	uint64_t tag;
	size_t next;   /* of the batch; what it says to be lost is 0 once that is told */
	uint64_t lost; /* behind the batch's last */
	int error;     /* that ended the batch, not told yet */
	bool drained;  /* the last read did not fill the batch */
};

static bool is_done(const struct event_source *from)
{
	return from->next == from->batch->count && !from->lost;
}

static int take_in(struct event_source *from, uint64_t *lost)
{
	int error = from->error;

	from->error = 0;
	if (error)
		return error;
	from->next = 0;
	error = li_veventq_read(from->queue, from->batch, lost);
	if (error && !from->batch->count)
		return error;
	from->error = error;
	from->drained = !error && from->batch->count && from->batch->count < EVENTS;
	from->lost = li_veventq_take_lost(from->queue);
	return 0;
}

static struct libiommu_vevent *next_event(const struct event_source *from)
{
	return from->next < from->batch->count ? &from->batch->events[from->next] : NULL;
}

/* Records of the next group: a loss comes before its event. */
static uint32_t measure(const struct event_source *from)
{
	const struct libiommu_vevent *const event = next_event(from);

	if (!event || event->lost)
		return 1;
	return 1 + (event->length + RECORD_DATA - 1) / RECORD_DATA;
}

static void write_lost(struct event_source *from, struct libiommu_record *to, uint64_t *lost)
{
	*to = (struct libiommu_record){
		.kind = LIBIOMMU_RECORD_LOST,
		.flags = LIBIOMMU_RECORD_LAST,
		.address = *lost,
		.tag = from->tag,
		.attachment = from->queue->type,
	};
	*lost = 0;
}

static void write_event(struct event_source *from, struct libiommu_record *to)
{
	const struct libiommu_vevent *const event = next_event(from);
	const unsigned char *data = event->data;

	*to = (struct libiommu_record){
		.kind = LIBIOMMU_RECORD_VEVENT,
		.flags = event->flags & LIBIOMMU_VEVENT_LABEL ? 0 : LIBIOMMU_RECORD_UNKNOWN,
		.label = event->label,
		.address = event->virt_id,
		.tag = from->tag,
		.length = event->length,
		.group = event->sequence,
		.attachment = from->queue->type,
	};
	for (uint32_t left = event->length; left;) {
		const uint32_t part = left < RECORD_DATA ? left : RECORD_DATA;

		left -= part;
		*++to = (struct libiommu_record){
			.kind = LIBIOMMU_RECORD_DATA,
			.flags = left ? 0 : LIBIOMMU_RECORD_LAST,
		};
		memcpy((unsigned char *)to + RECORD_DATA_AT, data, part);
		data += part;
	}
	from->next++;
}

static void write_next(struct event_source *from, struct libiommu_record *to)
{
	struct libiommu_vevent *const event = next_event(from);

	if (!event)
		write_lost(from, to, &from->lost);
	else if (event->lost)
		write_lost(from, to, &event->lost);
	else
		write_event(from, to);
}

static int fetch(void *self, struct fault_out *out)
{
	struct event_source *const from = self;
	const bool drained = from->drained;

	if (is_done(from)) {
		int error;

		/* The descriptor tells when there is more: no need to ask. */
		from->drained = false;
		error = drained ? 0 : take_in(from, &out->lost);
		/* That would be about room. */
		if (error)
			return error == -ENOBUFS ? -ENOSPC : error;
	}
	while (!is_done(from)) {
		const uint32_t records = measure(from);

		if (records > out->room) {
			out->need = records;
			return out->groups ? 0 : -ENOBUFS;
		}
		write_next(from, out->records);
		fault_out_tell(out, records);
	}
	return 0;
}

/* Nothing is ever out, and nobody asks for events to be refused. */
static const struct source_ops event_ops = {.fetch = fetch};

static void end(struct ring_source *self)
{
	struct event_source *const source = (struct event_source *)self;

	li_veventq_give_back(source->queue);
	libiommu_vevent_batch_free(source->batch);
	free(source);
}

int li_event_source_new(struct libiommu_veventq *queue, uint64_t tag, struct ring_source **source)
{
	struct event_source *const made = calloc(1, sizeof(*made));
	int error = 0;

	if (!made || libiommu_vevent_batch_new(EVENTS, &made->batch))
		error = -ENOMEM;
	if (!error)
		error = li_veventq_take(queue);
	if (error) {
		if (made)
			libiommu_vevent_batch_free(made->batch);
		free(made);
		return error;
	}
	made->queue = queue;
	made->tag = tag;
	made->base = (struct ring_source){
		.source = {.ops = &event_ops, .self = made, .fd = queue->fd, .events = true},
		.of = queue,
		.end = end,
	};
	*source = &made->base;
	return 0;
}

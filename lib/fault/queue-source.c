/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "queue-source.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../object/fault-queue.h"

#define NOTICES 16

struct queue_source {
	struct source source;
	struct queue_source *next_source;
	const struct filler *filler;
	struct libiommu_fault_queue *queue;
	/* Taken from the queue and not handed on: first the notices, then the faults. */
	struct fault_notice notices[NOTICES];
	size_t next_notice;
	size_t notice_count;
	struct libiommu_fault_batch *batch;
	size_t next;
	bool drained;     /* the last read did not fill its buffer */
	atomic_bool told; /* there is a notice */
	struct libiommu_fault_response refusals[FILLER_GROUPS];
};

/* With the queue's lock held; it only writes the poke, which no reader of the ring can reach. */
static void notify(void *self)
{
	struct queue_source *const from = self;

	atomic_store(&from->told, true);
	li_filler_poke(from->filler);
}

/* Returns 0 also where there is nothing. */
static int take_in(struct queue_source *from, size_t limit)
{
	struct fault_intake intake = {
		.batch = from->batch,
		.limit = limit,
		.notices = from->notices,
		.max_notices = NOTICES,
	};
	const struct fault_outcome outcome = li_fault_queue_fetch(from->queue, &intake);

	from->next = 0;
	from->next_notice = 0;
	from->notice_count = intake.notice_count;
	from->drained = outcome.done && outcome.done < limit;
	return outcome.error;
}

static bool is_empty(const struct queue_source *from)
{
	return from->next == from->batch->count && from->next_notice == from->notice_count;
}

static size_t group_length(const struct queue_source *from)
{
	const struct libiommu_fault *const first = &from->batch->faults[from->next];
	const size_t most = from->batch->count - from->next;
	size_t length = 1;

	while (length < most && first[length].token == first->token)
		length++;
	return length;
}

static void write_detached(struct libiommu_record *to, const struct fault_notice *notice)
{
	*to = (struct libiommu_record){
		.kind = LIBIOMMU_RECORD_DETACHED,
		.flags = LIBIOMMU_RECORD_LAST | (notice->pasid ? LIBIOMMU_RECORD_PASID : 0),
		.label = notice->label,
		.tag = notice->tag,
		.vpasid = notice->vpasid,
		.attachment = notice->attachment,
	};
}

static void write_fault(struct libiommu_record *to, const struct libiommu_fault *fault, bool last)
{
	*to = (struct libiommu_record){
		.kind = LIBIOMMU_RECORD_FAULT,
		.flags = (fault->flags & LIBIOMMU_FAULT_PASID ? LIBIOMMU_RECORD_PASID : 0) |
	                 (fault->flags & LIBIOMMU_FAULT_UNKNOWN ? LIBIOMMU_RECORD_UNKNOWN : 0) |
	                 (fault->flags & LIBIOMMU_FAULT_SHARED_GROUP ? LIBIOMMU_RECORD_SHARED_GROUP
	                                                             : 0) |
	                 (last ? LIBIOMMU_RECORD_LAST : 0),
		.permissions = (uint16_t)fault->permissions,
		.label = fault->label,
		.address = fault->address,
		.tag = fault->tag,
		.length = fault->length,
		.vpasid = fault->vpasid,
		.group = fault->group,
		.attachment = fault->generation,
	};
}

static int fetch(void *self, struct source_fetch *fetch)
{
	struct queue_source *const from = self;
	size_t used = 0, groups = 0;
	int error;

	if (is_empty(from)) {
		const bool drained = from->drained && !atomic_exchange(&from->told, false);

		/* The descriptor tells when there is more: no need to ask. */
		from->drained = false;
		if (drained)
			return 0;
		error = take_in(from,
		                fetch->room < fetch->max_groups ? fetch->room : fetch->max_groups);
		/* That the queue is full of unanswered groups is nothing that room would help. */
		if (error && !from->notice_count)
			return error == -ENOBUFS ? -ENOSPC : error;
		/* Otherwise it comes again, when the notices have been handed on. */
	}
	while (from->next_notice < from->notice_count && groups < fetch->max_groups &&
	       used < fetch->room) {
		write_detached(&fetch->records[used++], &from->notices[from->next_notice++]);
		fetch->groups[groups++] = (struct source_group){.records = 1, .detached = true};
	}
	if (from->next_notice < from->notice_count)
		return (int)groups;
	while (from->next < from->batch->count && groups < fetch->max_groups) {
		const size_t length = group_length(from);
		const struct libiommu_fault *const faults = &from->batch->faults[from->next];

		if (length > fetch->room - used) {
			fetch->need = length;
			return groups ? (int)groups : -ENOBUFS;
		}
		for (size_t i = 0; i < length; i++)
			write_fault(&fetch->records[used + i], &faults[i], i + 1 == length);
		fetch->groups[groups++] = (struct source_group){
			.cookie = faults->token,
			.records = (uint32_t)length,
			.answer = true,
		};
		from->next += length;
		used += length;
	}
	return (int)groups;
}

static int answer(void *self, const struct libiommu_fault_response *answers, size_t count)
{
	const struct queue_source *const from = self;
	const struct fault_outcome outcome = li_fault_queue_answer(from->queue, answers, count);

	return outcome.error ? outcome.error : (int)outcome.stale;
}

static bool wants(void *self, uint64_t cookie)
{
	const struct queue_source *const from = self;

	return li_fault_queue_wants(from->queue, cookie);
}

/* Groups that were taken in, @max of them; how many. An error does not bring them back. */
static int refuse_taken(struct queue_source *from, size_t max)
{
	size_t count = 0;
	int error;

	while (from->next < from->batch->count && count < max && count < FILLER_GROUPS) {
		from->refusals[count++] = (struct libiommu_fault_response){
			.token = from->batch->faults[from->next].token,
			.code = LIBIOMMU_FAULT_INVALID,
		};
		from->next += group_length(from);
	}
	error = count ? answer(from, from->refusals, count) : 0;
	return error < 0 ? error : (int)count;
}

static int refuse(void *self, size_t max)
{
	struct queue_source *const from = self;
	int error = 0;

	/* Of notices there may be more than are taken at a time: faults come when all are. */
	while (!error && is_empty(from)) {
		error = take_in(from, max);
		if (!from->notice_count)
			break;
		/* Nobody has seen the attachments that they are about. */
		from->next_notice = from->notice_count;
	}
	from->next_notice = from->notice_count;
	return error ? error : refuse_taken(from, max);
}

static const struct source_ops queue_ops = {
	.fetch = fetch,
	.answer = answer,
	.wants = wants,
	.refuse = refuse,
};

int li_queue_source_new(struct filler *filler, struct libiommu_fault_queue *queue,
                        struct queue_source **source)
{
	struct queue_source *const made = calloc(1, sizeof(*made));
	const struct fault_listener listener = {notify, made};
	int error;

	if (!made || libiommu_fault_batch_new(FILLER_GROUPS, &made->batch)) {
		free(made);
		return -ENOMEM;
	}
	made->filler = filler;
	made->queue = queue;
	error = li_fault_queue_listen(queue, &listener);
	if (error) {
		libiommu_fault_batch_free(made->batch);
		free(made);
		return error;
	}
	made->source = (struct source){
		.ops = &queue_ops,
		.self = made,
		.fd = li_fault_queue_descriptor(queue),
	};
	*source = made;
	return 0;
}

void li_queue_source_free(struct queue_source *source)
{
	if (!source)
		return;
	while (source->next < source->batch->count)
		refuse_taken(source, FILLER_GROUPS);
	li_fault_queue_unlisten(source->queue);
	libiommu_fault_batch_free(source->batch);
	free(source);
}

struct source *li_queue_source(struct queue_source *source)
{
	return &source->source;
}

const struct libiommu_fault_queue *li_queue_source_queue(const struct queue_source *source)
{
	return source->queue;
}

struct queue_source **li_queue_source_next(struct queue_source *source)
{
	return &source->next_source;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "queue-source.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../object/fault-queue.h"

#define NOTICES 16

struct queue_source {
	struct ring_source base; /* first */
	struct filler *filler;
	struct libiommu_fault_queue *queue;
	struct libiommu_fault_batch *batch;
	bool drained;     /* the last read did not fill its buffer */
	atomic_bool told; /* there is a notice */
	bool fed;
	struct libiommu_fault_response refusals[FILLER_GROUPS];
};

/* With the queue's lock held; it only writes the poke, which no reader of the ring can reach. */
static void notify(void *self)
{
	struct queue_source *const from = self;

	atomic_store(&from->told, true);
	li_filler_poke(from->filler);
}

/* With nothing held. Returns 0 also where there is nothing. */
static int take_in(struct queue_source *from, struct fault_intake *intake)
{
	struct fault_outcome outcome;

	intake->batch = from->batch;
	outcome = li_fault_queue_fetch(from->queue, intake);
	/* With a feed it can be the end of a buffer. */
	from->drained = !from->fed && !intake->more && outcome.done && outcome.done < intake->limit;
	return outcome.error;
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

/* What was read before there was room for it. */
static int fetch_held(struct queue_source *from, struct fault_out *out)
{
	struct libiommu_fault_batch *const batch = from->batch;

	while (!fault_batch_is_done(batch) && out->groups < out->max_groups) {
		const struct fault_run *const run = fault_batch_run(batch);

		if (run->faults > out->room) {
			out->need = run->faults;
			return out->groups ? 0 : -ENOBUFS;
		}
		memcpy(out->records, batch->faults + batch->next,
		       run->faults * sizeof(*out->records));
		fault_out_put(out, run->token, run->faults);
		fault_batch_advance(batch);
	}
	return 0;
}

static int fetch_new(struct queue_source *from, struct fault_out *out)
{
	struct fault_notice notices[NOTICES];
	struct fault_intake intake = {
		.limit = out->room < out->max_groups ? out->room : out->max_groups,
		.out = out,
		.notices = notices,
		.max_notices = out->room < NOTICES ? out->room : NOTICES,
	};
	const int error = take_in(from, &intake);

	/* That the queue is full of unanswered groups is nothing that room would help. */
	if (error)
		return error == -ENOBUFS ? -ENOSPC : error;
	for (size_t i = 0; i < intake.notice_count; i++) {
		write_detached(out->records, &notices[i]);
		fault_out_tell(out, 1);
		out->ended++;
	}
	return fetch_held(from, out);
}

static int fetch(void *self, struct fault_out *out)
{
	struct queue_source *const from = self;
	const bool drained = from->drained && !atomic_exchange(&from->told, false);

	/* An end needs no place, and must not wait for groups that it has ended. */
	if (!out->max_groups)
		li_fault_queue_skip_ended(from->queue, from->batch);
	if (!fault_batch_is_done(from->batch))
		return fetch_held(from, out);
	/* The descriptor tells when there is more: no need to ask. */
	from->drained = false;
	return drained ? 0 : fetch_new(from, out);
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

/* Groups that are held, @max of them; how many. They no longer are, whatever comes of it. */
static int refuse_held(struct queue_source *from, size_t max)
{
	size_t count = 0;
	int error;

	while (!fault_batch_is_done(from->batch) && count < max && count < FILLER_GROUPS) {
		from->refusals[count++] = (struct libiommu_fault_response){
			.token = fault_batch_run(from->batch)->token,
			.code = LIBIOMMU_FAULT_INVALID,
		};
		fault_batch_advance(from->batch);
	}
	error = count ? answer(from, from->refusals, count) : 0;
	return error < 0 ? error : (int)count;
}

static int refuse(void *self, size_t max)
{
	struct queue_source *const from = self;
	struct fault_notice notices[NOTICES];
	struct fault_intake intake = {
		.limit = max,
		.notices = notices,
		.max_notices = NOTICES,
	};
	int error = 0;

	if (!max)
		li_fault_queue_forget_ends(from->queue);
	/* Of ends nobody need be told who has not seen the beginning. */
	while (!error && max && fault_batch_is_done(from->batch)) {
		error = take_in(from, &intake);
		if (!intake.notice_count)
			break;
	}
	return error ? error : refuse_held(from, max);
}

static const struct source_ops queue_ops = {
	.fetch = fetch,
	.answer = answer,
	.wants = wants,
	.refuse = refuse,
};

static void end(struct ring_source *self)
{
	struct queue_source *const source = (struct queue_source *)self;

	while (!fault_batch_is_done(source->batch))
		refuse_held(source, FILLER_GROUPS);
	li_fault_queue_unlisten(source->queue);
	libiommu_fault_batch_free(source->batch);
	free(source);
}

int li_queue_source_new(struct filler *filler, struct libiommu_fault_queue *queue, bool *feed,
                        struct ring_source **source)
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
	error = li_fault_queue_listen(queue, &listener, *feed);
	if (error) {
		libiommu_fault_batch_free(made->batch);
		free(made);
		return error;
	}
	made->base = (struct ring_source){
		.source = {.ops = &queue_ops,
	                   .self = made,
	                   .fd = li_fault_queue_input(queue, &made->fed)},
		.of = queue,
		.end = end,
	};
	*feed = made->fed;
	*source = &made->base;
	return 0;
}

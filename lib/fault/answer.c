/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The way back: from completions, deadlines and the ends of readers to answers. */
#include "filler.h"

#include <errno.h>

static int flush(struct filler *filler, struct filler_input *input)
{
	const size_t count = input->pending;
	int result;

	if (!count)
		return 0;
	input->pending = 0;
	result = input->source->ops->answer(input->source->self, input->answers, count);
	if (result > 0)
		filler->counters[LIBIOMMU_RING_STALE] += (uint64_t)result;
	return result < 0 ? result : 0;
}

int li_filler_flush(struct filler *filler)
{
	int first = 0;

	if (!filler->pending)
		return 0;
	filler->pending = false;
	for (size_t i = 0; i < filler->used; i++) {
		const int error = filler->inputs[i] ? flush(filler, filler->inputs[i]) : 0;

		if (!first)
			first = error;
	}
	return first;
}

/* Once: the slot is given back, so that no token names it any more. */
static inline int answer(struct filler *filler, struct slot *slot, uint32_t code)
{
	struct filler_input *const input = filler->inputs[slot->source];
	struct libiommu_fault_response *const to = &input->answers[input->pending];

	to->token = slot->cookie;
	to->code = code;
	slots_give(&filler->slots, slot);
	filler->pending = true;
	return ++input->pending == FILLER_GROUPS ? flush(filler, input) : 0;
}

static void note_wait(struct filler *filler, uint64_t published)
{
	const uint64_t waited = filler->now > published ? filler->now - published : 0;

	if (waited > filler->counters[LIBIOMMU_RING_LONGEST])
		filler->counters[LIBIOMMU_RING_LONGEST] = waited;
}

static_assert(LIBIOMMU_RING_INVALID - LIBIOMMU_RING_SUCCESS ==
                      LIBIOMMU_FAULT_INVALID - LIBIOMMU_FAULT_SUCCESS,
              "a code chooses its counter");

int li_filler_take(struct filler *filler, uint32_t made)
{
	struct session *const session = filler->session;
	const struct ring_completion *const completions = session->memory.completions;
	const uint32_t mask = session->memory.completion_capacity - 1;
	uint64_t oldest = UINT64_MAX;
	int first = 0;

	if (session->taken == made)
		return 0;
	li_session_busy(session);
	filler->done += made - session->taken;
	for (uint32_t at = session->taken; at != made; at++) {
		struct libiommu_completion done;
		struct slot *slot;
		int error;

		ring_completion_load(&completions[at & mask], &done);
		slot = slots_find(&filler->slots, done.token, done.queue);
		if (!slot) {
			filler->counters[LIBIOMMU_RING_STALE]++;
			continue;
		}
		if (done.code > LIBIOMMU_FAULT_INVALID) {
			filler->counters[LIBIOMMU_RING_BAD_CODE]++;
			done.code = LIBIOMMU_FAULT_INVALID;
		}
		filler->counters[LIBIOMMU_RING_SUCCESS + done.code]++;
		oldest = slot->published < oldest ? slot->published : oldest;
		error = answer(filler, slot, done.code);
		if (error && !first)
			first = error;
	}
	note_wait(filler, oldest);
	session->taken = made;
	/* Its places may be written again. */
	atomic_store_explicit(&session->memory.a->taken, made, memory_order_release);
	return first;
}

/* False: a group is late that the reader has not even released. */
bool li_filler_expire(struct filler *filler)
{
	const struct session *const session = filler->session;
	struct slot *slot;

	while (filler->choices.deadline && (slot = slots_oldest(&filler->slots)) != NULL) {
		if (filler->now < slot->published + filler->choices.deadline)
			return true;
		/* Indices go round: what is between cons and prod is not released. */
		if (session->prod - slot->end < session->prod - session->cons)
			return false;
		filler->counters[LIBIOMMU_RING_EXPIRED]++;
		note_wait(filler, slot->published);
		answer(filler, slot, LIBIOMMU_FAULT_INVALID);
	}
	return true;
}

static void abandon(struct filler *filler, struct slot *slot)
{
	filler->counters[LIBIOMMU_RING_ABANDONED]++;
	note_wait(filler, slot->published);
	answer(filler, slot, LIBIOMMU_FAULT_INVALID);
}

void li_filler_condemn(struct filler *filler)
{
	struct session *const session = filler->session;
	struct slot *slot;

	filler->counters[LIBIOMMU_RING_CONDEMNED]++;
	while ((slot = slots_oldest(&filler->slots)) != NULL)
		abandon(filler, slot);
	/* Whoever sees the end sees what it came to. */
	li_filler_show_counters(filler);
	if (li_session_condemn(session))
		li_session_wake(session);
	filler->session = NULL;
	filler->refusing = true;
	li_session_put(session);
}

void li_filler_drop_unwanted(struct filler *filler, uint32_t source)
{
	const struct source *const from = filler->inputs[source]->source;
	struct slots *const slots = &filler->slots;

	for (struct slot *slot = slots_oldest(slots), *newer; slot; slot = newer) {
		newer = slots_newer(slots, slot);
		if (slot->source != source || from->ops->wants(from->self, slot->cookie))
			continue;
		filler->counters[LIBIOMMU_RING_DROPPED]++;
		slots_give(slots, slot);
	}
}

void li_filler_drop_source(struct filler *filler, uint32_t source)
{
	const struct slots *const slots = &filler->slots;

	for (struct slot *slot = slots_oldest(slots), *newer; slot; slot = newer) {
		newer = slots_newer(slots, slot);
		if (slot->source == source)
			abandon(filler, slot);
	}
}

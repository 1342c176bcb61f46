/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The way back: from completions, deadlines and the ends of readers to answers. */
#include "filler.h"

#include <errno.h>
#include <string.h>

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

	for (size_t i = 0; i < filler->used; i++) {
		const int error = filler->inputs[i] ? flush(filler, filler->inputs[i]) : 0;

		if (!first)
			first = error;
	}
	return first;
}

/* Once: the slot is given back, so that no token names it any more. */
static int answer(struct filler *filler, uint32_t index, uint32_t code)
{
	const struct slot *const slot = &filler->slots.slot[index];
	struct filler_input *const input = filler->inputs[slot->source];
	const uint64_t waited = filler->now > slot->published ? filler->now - slot->published : 0;

	input->answers[input->pending++] =
		(struct libiommu_fault_response){.token = slot->cookie, .code = code};
	if (waited > filler->counters[LIBIOMMU_RING_LONGEST])
		filler->counters[LIBIOMMU_RING_LONGEST] = waited;
	slots_give(&filler->slots, index);
	return input->pending == FILLER_GROUPS ? flush(filler, input) : 0;
}

int li_filler_take(struct filler *filler, uint32_t made)
{
	struct session *const session = filler->session;
	const uint32_t mask = session->memory.a->completion_capacity - 1;
	int first = 0;

	if (session->taken == made)
		return 0;
	for (; session->taken != made; session->taken++) {
		struct ring_completion *const from =
			&session->memory.completions[session->taken & mask];
		uint32_t words[2], code, queue, index;
		uint64_t token;
		int error;

		/* Each word once: the reader may be changing them. */
		words[0] = atomic_load_explicit(&from->token_words[0], memory_order_relaxed);
		words[1] = atomic_load_explicit(&from->token_words[1], memory_order_relaxed);
		code = atomic_load_explicit(&from->code, memory_order_relaxed);
		queue = atomic_load_explicit(&from->queue, memory_order_relaxed);
		memcpy(&token, words, sizeof(token));
		index = slots_find(&filler->slots, token, queue);
		if (index == SLOT_NONE) {
			filler->counters[LIBIOMMU_RING_STALE]++;
			continue;
		}
		if (code > LIBIOMMU_FAULT_INVALID) {
			filler->counters[LIBIOMMU_RING_BAD_CODE]++;
			code = LIBIOMMU_FAULT_INVALID;
		}
		filler->counters[code == LIBIOMMU_FAULT_SUCCESS ? LIBIOMMU_RING_SUCCESS
		                                                : LIBIOMMU_RING_INVALID]++;
		error = answer(filler, index, code);
		if (!first)
			first = error;
	}
	/* Its places may be written again. */
	atomic_store_explicit(&session->memory.a->taken, session->taken, memory_order_release);
	return first;
}

/* False: a group is late that the reader has not even released. */
bool li_filler_expire(struct filler *filler)
{
	struct slots *const slots = &filler->slots;
	const struct session *const session = filler->session;

	while (filler->choices.deadline && slots->oldest != SLOT_NONE) {
		const struct slot *const slot = &slots->slot[slots->oldest];

		if (filler->now < slot->published + filler->choices.deadline)
			return true;
		/* Indices go round: what is between cons and prod is not released. */
		if (session->prod - slot->end < session->prod - session->cons)
			return false;
		filler->counters[LIBIOMMU_RING_EXPIRED]++;
		answer(filler, slots->oldest, LIBIOMMU_FAULT_INVALID);
	}
	return true;
}

void li_filler_condemn(struct filler *filler)
{
	struct session *const session = filler->session;

	filler->counters[LIBIOMMU_RING_CONDEMNED]++;
	while (filler->slots.oldest != SLOT_NONE) {
		filler->counters[LIBIOMMU_RING_ABANDONED]++;
		answer(filler, filler->slots.oldest, LIBIOMMU_FAULT_INVALID);
	}
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
	const struct slots *const slots = &filler->slots;

	for (uint32_t i = slots->oldest, newer; i != SLOT_NONE; i = newer) {
		newer = slots->slot[i].newer;
		if (slots->slot[i].source != source ||
		    from->ops->wants(from->self, slots->slot[i].cookie))
			continue;
		filler->counters[LIBIOMMU_RING_DROPPED]++;
		slots_give(&filler->slots, i);
	}
}

void li_filler_drop_source(struct filler *filler, uint32_t source)
{
	const struct slots *const slots = &filler->slots;

	for (uint32_t i = slots->oldest, newer; i != SLOT_NONE; i = newer) {
		newer = slots->slot[i].newer;
		if (slots->slot[i].source != source)
			continue;
		filler->counters[LIBIOMMU_RING_ABANDONED]++;
		answer(filler, i, LIBIOMMU_FAULT_INVALID);
	}
}

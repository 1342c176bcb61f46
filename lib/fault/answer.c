/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The way back: from completions, deadlines and the ends of readers to answers. */
#include "filler.h"

#include <errno.h>

static int flush(struct filler *filler, uint32_t number)
{
	struct filler_input *const input = filler->inputs[number];
	const size_t count = input->pending;
	int result;

	input->pending = 0;
	filler->due &= ~filler_bit(number);
	filler->owing &= ~filler_bit(number);
	result = input->source->ops->answer(input->source->self, input->answers, count);
	if (result < 0) {
		filler->owing |= filler_bit(number);
		return result;
	}
	filler->counters[LIBIOMMU_RING_STALE] += (uint64_t)result;
	return 0;
}

int li_filler_flush(struct filler *filler)
{
	int first = 0;

	for (uint64_t left = filler->due; left; left &= left - 1) {
		const int error = flush(filler, filler_first(left));

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
	filler->due |= filler_bit(slot->source);
	slots_give(&filler->slots, slot);
	return ++input->pending == FILLER_GROUPS ? flush(filler, slot->source) : 0;
}

static uint64_t waited(const struct filler *filler, uint64_t published)
{
	return filler->now > published ? filler->now - published : 0;
}

static void note_wait(struct filler *filler, uint64_t published)
{
	const uint64_t wait = waited(filler, published);

	if (wait > filler->counters[LIBIOMMU_RING_LONGEST])
		filler->counters[LIBIOMMU_RING_LONGEST] = wait;
}

/* As one number, which is nearly always the expected one. */
static inline uint64_t verdict(uint32_t queue, uint32_t code)
{
	return (uint64_t)queue << 32 | code;
}

/* Whether some group has waited longer than any before, if it is answered now. */
static bool may_be_longest(const struct filler *filler)
{
	const struct slot *const oldest = slots_oldest(&filler->slots);

	return oldest &&
	       waited(filler, oldest->published) > filler->counters[LIBIOMMU_RING_LONGEST];
}

/* Of the slots that were given back last, which keep it until they are taken. */
static void note_waits(struct filler *filler, uint32_t count)
{
	const struct slot *slot = filler->slots.free;

	for (; count; count--, slot = slot->newer)
		note_wait(filler, slot->published);
}

/*
 * Completions that follow each other in memory, as long as they are of one source, good and say
 * success: how many. If these are not all, the next one is @odd. Each is copied once.
 */
__attribute__((noinline)) static uint32_t take_good(struct filler *filler,
                                                    struct filler_input *input,
                                                    const struct ring_completion *from,
                                                    uint32_t count, struct libiommu_completion *odd)
{
	const uint32_t source = filler->home;
	struct libiommu_fault_response *const answers = &input->answers[input->pending];
	const struct slots slots = {.slot = filler->slots.slot, .mask = filler->slots.mask};
	const bool noting = may_be_longest(filler);
	struct slots_run run = slots_run_begin(&filler->slots);
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct libiommu_completion done;
		struct slot *slot;

		ring_completion_load(&from[i], &done);
		slot = slots_find(&slots, done.token, source);
		if (!slot || verdict(done.queue, done.code) != verdict(source, 0)) {
			*odd = done;
			break;
		}
		answers[i].token = slot->cookie;
		answers[i].code = LIBIOMMU_FAULT_SUCCESS;
		slots_run_give(&run, slot);
	}
	slots_end_giving(&filler->slots, &run, i);
	filler->counters[LIBIOMMU_RING_SUCCESS] += i;
	input->pending += i;
	if (noting)
		note_waits(filler, i);
	return i;
}

/* Any completion, whatever it says. */
static int take_odd(struct filler *filler, const struct libiommu_completion *done)
{
	struct slot *const slot = slots_find(&filler->slots, done->token, done->queue);
	const bool success = done->code == LIBIOMMU_FAULT_SUCCESS;

	if (!slot) {
		filler->counters[LIBIOMMU_RING_STALE]++;
		return 0;
	}
	filler->home = slot->source;
	filler->counters[success ? LIBIOMMU_RING_SUCCESS : LIBIOMMU_RING_INVALID]++;
	if (done->code > LIBIOMMU_FAULT_INVALID)
		filler->counters[LIBIOMMU_RING_BAD_CODE]++;
	note_wait(filler, slot->published);
	return answer(filler, slot, success ? LIBIOMMU_FAULT_SUCCESS : LIBIOMMU_FAULT_INVALID);
}

/* As many as there are in one piece of memory, and places for their answers. */
static int take_some(struct filler *filler, uint32_t *at, uint32_t made)
{
	const struct ring_memory *const memory = &filler->session->memory;
	const uint32_t place = *at & (memory->completion_capacity - 1);
	const struct ring_completion *const from = &memory->completions[place];
	struct filler_input *const input = filler->inputs[filler->home];
	uint32_t count = made - *at, good = 0;
	struct libiommu_completion odd;

	/* One alone is not worth the preparations. */
	if (count > 1 && input) {
		if (count > memory->completion_capacity - place)
			count = memory->completion_capacity - place;
		if (count > FILLER_GROUPS - input->pending)
			count = (uint32_t)(FILLER_GROUPS - input->pending);
		good = take_good(filler, input, from, count, &odd);
		*at += good;
		if (good)
			filler->due |= filler_bit(filler->home);
		if (good == count)
			return input->pending == FILLER_GROUPS ? flush(filler, filler->home) : 0;
	} else {
		ring_completion_load(from, &odd);
	}
	++*at;
	return take_odd(filler, &odd);
}

int li_filler_take(struct filler *filler, uint32_t made)
{
	struct session *const session = filler->session;
	uint32_t at = session->taken;
	int first = 0;

	if (at == made)
		return 0;
	session_busy(session);
	filler->done += made - at;
	while (at != made) {
		const int error = take_some(filler, &at, made);

		if (error && !first)
			first = error;
	}
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

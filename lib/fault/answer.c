/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The way back: from completions, deadlines and the ends of readers to answers. */
#include "filler.h"

#include <errno.h>

#define LINE 64 /* bytes that processors exchange at a time */

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

/* Once: the place is given back, so that no token names it any more. */
static inline int answer(struct filler *filler, struct place *place, uint32_t code)
{
	const uint32_t source = place_source(place);
	struct filler_input *const input = filler->inputs[source];
	struct libiommu_fault_response *const to = &input->answers[input->pending];

	to->token = place->cookie;
	to->code = code;
	filler->due |= filler_bit(source);
	places_give(&filler->places, place);
	return ++input->pending == FILLER_GROUPS ? flush(filler, source) : 0;
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
	const struct place *const oldest = places_oldest(&filler->places);

	return oldest &&
	       waited(filler, oldest->published) > filler->counters[LIBIOMMU_RING_LONGEST];
}

/* Of the places that were given back last, which keep it until they are taken. */
static void note_waits(struct filler *filler, uint32_t count)
{
	const struct place *place = filler->places.free;

	for (; count; count--, place = place->newer)
		note_wait(filler, place->published);
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
	struct libiommu_fault_response *answers = &input->answers[input->pending];
	const struct ring_completion *const first = from;
	const struct places places = {.place = filler->places.place, .mask = filler->places.mask};
	const bool noting = may_be_longest(filler);
	struct places_run run = places_run_begin(&filler->places);

	for (; count; count--, from++, answers++) {
		struct libiommu_completion done;
		struct place *place;

		ring_completion_load(from, &done);
		place = places_find(&places, done.token, source);
		if (!place || verdict(done.queue, done.code) != verdict(source, 0)) {
			*odd = done;
			break;
		}
		answers->token = place->cookie;
		answers->code = LIBIOMMU_FAULT_SUCCESS;
		places_run_give(&run, place);
	}
	count = (uint32_t)(from - first);
	places_end_giving(&filler->places, &run, count);
	filler->counters[LIBIOMMU_RING_SUCCESS] += count;
	input->pending += count;
	if (noting)
		note_waits(filler, count);
	return count;
}

/* Any completion, whatever it says. */
static int take_odd(struct filler *filler, const struct libiommu_completion *done)
{
	struct place *const place = places_find(&filler->places, done->token, done->queue);
	const bool success = done->code == LIBIOMMU_FAULT_SUCCESS;

	if (!place) {
		filler->counters[LIBIOMMU_RING_STALE]++;
		return 0;
	}
	filler->home = place_source(place);
	filler->counters[success ? LIBIOMMU_RING_SUCCESS : LIBIOMMU_RING_INVALID]++;
	if (done->code > LIBIOMMU_FAULT_INVALID)
		filler->counters[LIBIOMMU_RING_BAD_CODE]++;
	note_wait(filler, place->published);
	return answer(filler, place, success ? LIBIOMMU_FAULT_SUCCESS : LIBIOMMU_FAULT_INVALID);
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

/* All of these lines come from the reader. One by one, each would be waited for. */
static void ask_for(const struct ring_memory *memory, uint32_t at, uint32_t made)
{
	const uint32_t mask = memory->completion_capacity - 1;
	const uint32_t step = LINE / sizeof(memory->completions[0]);
	const uint32_t count = made - at < FILLER_GROUPS ? made - at : FILLER_GROUPS;

	for (uint32_t i = step; i < count; i += step)
		__builtin_prefetch(&memory->completions[(at + i) & mask]);
}

int li_filler_take(struct filler *filler, uint32_t made)
{
	struct session *const session = filler->session;
	uint32_t at = session->taken;
	int first = 0;

	session_busy(session);
	ask_for(&session->memory, at, made);
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

/* False: a group is late that the reader has not even released, or what it says cannot be. */
bool li_filler_expire(struct filler *filler)
{
	struct session *const session = filler->session;
	struct place *place;

	while (filler->choices.deadline && (place = places_oldest(&filler->places)) != NULL) {
		if (filler->now < place->published + filler->choices.deadline)
			return true;
		if (li_session_look_room(session))
			return false;
		/* Indices go round: what is between cons and prod is not released. */
		if (session->prod - place_end(place) < session->prod - session->cons)
			return false;
		filler->counters[LIBIOMMU_RING_EXPIRED]++;
		note_wait(filler, place->published);
		answer(filler, place, LIBIOMMU_FAULT_INVALID);
	}
	return true;
}

static void abandon(struct filler *filler, struct place *place)
{
	filler->counters[LIBIOMMU_RING_ABANDONED]++;
	note_wait(filler, place->published);
	answer(filler, place, LIBIOMMU_FAULT_INVALID);
}

void li_filler_condemn(struct filler *filler)
{
	struct session *const session = filler->session;
	struct place *place;

	filler->counters[LIBIOMMU_RING_CONDEMNED]++;
	while ((place = places_oldest(&filler->places)) != NULL)
		abandon(filler, place);
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
	struct places *const places = &filler->places;

	for (struct place *place = places_oldest(places), *newer; place; place = newer) {
		newer = places_newer(places, place);
		if (place_source(place) != source || from->ops->wants(from->self, place->cookie))
			continue;
		filler->counters[LIBIOMMU_RING_DROPPED]++;
		places_give(places, place);
	}
}

void li_filler_drop_source(struct filler *filler, uint32_t source)
{
	const struct places *const places = &filler->places;

	for (struct place *place = places_oldest(places), *newer; place; place = newer) {
		newer = places_newer(places, place);
		if (place_source(place) == source)
			abandon(filler, place);
	}
}

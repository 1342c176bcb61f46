/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The way there: from the sources to the records of a ring. */
#include "filler.h"

#include <errno.h>

/* Where records go from @out's end on: what is free in one piece of memory. False: nothing. */
static inline bool aim(const struct filler *filler, struct fault_out *out)
{
	const struct session *const session = filler->session;
	const uint32_t capacity = filler->choices.capacity;
	const uint32_t place = out->end & (capacity - 1);
	const uint32_t free = capacity - (out->end - session->cons);
	const uint32_t room = capacity - place < free ? capacity - place : free;
	/* More than that would depend on where the ring is; see refuse_large(). */
	const uint32_t half = capacity / 2;

	out->records = &session->memory.records[place];
	out->room = room < half ? room : half;
	out->lost = 0;
	return room;
}

/* A group did not fit in one piece. False: nor does it behind the end of the memory. */
static bool pad(const struct filler *filler, struct fault_out *out)
{
	const uint32_t capacity = filler->choices.capacity;
	const uint32_t here = capacity - (out->end & (capacity - 1));

	if (here >= capacity - (out->end - filler->session->cons))
		return false;
	*out->records = (struct libiommu_record){.kind = LIBIOMMU_RECORD_PAD};
	out->end += here;
	return true;
}

/* A group that might not fit into an empty ring, depending on where it is; 1: it is gone. */
static int refuse_large(struct filler *filler, const struct source *source)
{
	const int refused = source->ops->refuse(source->self, 1);

	if (refused > 0)
		filler->counters[LIBIOMMU_RING_TOO_LARGE] += (uint64_t)refused;
	/* It may have ended meanwhile. */
	return refused < 0 ? refused : 1;
}

/* What went. */
static inline void settle(struct filler *filler, const struct source *source,
                          const struct fault_out *out, uint32_t begin)
{
	uint64_t *const counters = filler->counters;

	places_end_taking(&filler->places, &out->places, out->answers);
	counters[LIBIOMMU_RING_RECORDS] += out->end - begin;
	counters[LIBIOMMU_RING_GROUPS] += out->groups;
	if (source->events)
		counters[LIBIOMMU_RING_EVENTS] += out->groups;
	if (!out->ended)
		return;
	counters[LIBIOMMU_RING_DETACHED] += out->ended;
	li_filler_drop_unwanted(filler, out->source);
}

/* What keeps a source from handing over more. */
enum lack { LACK_NOTHING, LACK_PLACES, LACK_ROOM };

/* What one source has now, as far as there is room: how many groups went. */
static inline int fetch(struct filler *filler, const struct source *source, struct fault_out *out,
                        enum lack *lack)
{
	const uint32_t places = filler->places.count - filler->places.busy;

	fault_out_begin(out, &filler->places, places < FILLER_GROUPS ? places : FILLER_GROUPS);
	while (aim(filler, out)) {
		const uint32_t begin = out->end;
		const int error = source->ops->fetch(source->self, out);

		filler->counters[LIBIOMMU_RING_EVENTS_LOST] += out->lost;
		if (!error) {
			settle(filler, source, out, begin);
			/* Only an end of an attachment came without a place, if there was one. */
			if (!out->groups && !places && !source->events)
				*lack = LACK_PLACES;
			return (int)out->groups;
		}
		if (error != -ENOBUFS)
			return error;
		/* One at a time: there may be others behind it. */
		if (out->need > filler->choices.capacity / 2)
			return refuse_large(filler, source);
		if (!pad(filler, out))
			break;
	}
	*lack = LACK_ROOM;
	return 0;
}

static uint32_t next_in_turn(uint64_t inputs, uint32_t turn)
{
	const uint64_t behind = inputs >> turn << turn;

	return filler_first(behind ? behind : inputs);
}

/* One after the other and only once, so that each has its turn and nothing waits for the next. */
static inline void fetch_all(struct filler *filler, struct fault_out *out, int *first)
{
	const uint32_t turn = filler->turn;
	bool scarce = false, full = false;

	for (uint64_t left = filler->ready; left && !full;) {
		const struct source *source;
		enum lack lack = LACK_NOTHING;
		int count;

		out->source = next_in_turn(left, turn);
		left &= ~filler_bit(out->source);
		source = filler->inputs[out->source]->source;
		count = fetch(filler, source, out, &lack);
		if (count > 0) {
			filler->done += (uint32_t)count;
			if (source->fd >= 0)
				filler->done += FILLER_CALL;
			continue;
		}
		if (lack && !scarce)
			filler->turn = out->source;
		scarce = scarce || lack;
		full = lack == LACK_ROOM;
		/* What failed is tried again: the descriptor does not tell of all there is. */
		if (!count && !lack)
			filler->ready &= ~filler_bit(out->source);
		if (count < 0 && !source->events)
			filler->owing |= filler_bit(out->source); /* perhaps: it refused one */
		if (count < 0 && !*first)
			*first = count;
	}
	if (scarce && !filler->scarce)
		filler->counters[LIBIOMMU_RING_FULL]++;
	filler->scarce = scarce;
	filler->full = full;
}

/* Where little is left, the next pass might lack what the reader has given back meanwhile. */
static inline bool is_ample(const struct filler *filler)
{
	return filler->places.busy < filler->places.count &&
	       filler->session->prod - filler->session->cons <= filler->choices.capacity / 2;
}

int li_filler_fetch(struct filler *filler)
{
	struct session *const session = filler->session;
	const uint32_t enough = filler->done + FILLER_FETCH;
	struct fault_out out;
	int first = 0;

	out.time = filler->now;
	out.end = session->prod;
	for (;;) {
		fetch_all(filler, &out, &first);
		if (out.end == session->prod)
			return first;
		session_busy(session);
		filler->waking = session_publish(session, out.end);
		if (filler->done >= enough || filler->waking || first || !is_ample(filler))
			return first;
		/* As much work as a round. */
		filler->age++;
	}
}

int li_filler_refuse(struct filler *filler)
{
	/* The first reader gets what waits for it; of ends before its time it is not told. */
	const size_t max = filler->refusing ? FILLER_GROUPS : 0;
	int first = 0;

	for (uint64_t left = filler->ready; left; left &= left - 1) {
		const uint32_t i = filler_first(left);
		const struct source *const source = filler->inputs[i]->source;
		int refused;

		if (source->events)
			continue;
		refused = source->ops->refuse(source->self, max);
		if (!refused)
			filler->ready &= ~filler_bit(i);
		if (refused > 0) {
			filler->counters[LIBIOMMU_RING_REFUSED] += (uint64_t)refused;
			filler->done += (uint32_t)refused;
		}
		if (refused < 0)
			filler->owing |= filler_bit(i);
		if (refused < 0 && !first)
			first = refused;
	}
	return first;
}

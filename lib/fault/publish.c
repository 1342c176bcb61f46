/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The way there: from the sources to the records of a ring. */
#include "filler.h"

#include <errno.h>

/* Where the next records go, ahead of what is published. */
struct pen {
	uint32_t at;    /* the index */
	uint32_t place; /* in memory */
	uint32_t free;  /* places that the reader has released */
	uint32_t room;  /* of them, those in one piece */
};

static struct pen pen_at(const struct filler *filler, uint32_t at)
{
	const struct session *const session = filler->session;
	const uint32_t capacity = filler->choices.capacity;
	struct pen pen = {.at = at, .place = at & (capacity - 1)};

	pen.free = capacity - (at - session->cons);
	pen.room = capacity - pen.place;
	if (pen.room > pen.free)
		pen.room = pen.free;
	return pen;
}

/* What went. */
static void settle(struct filler *filler, const struct fault_out *out, uint32_t number)
{
	uint64_t *const counters = filler->counters;

	places_end_taking(&filler->places, &out->places, out->answers);
	counters[LIBIOMMU_RING_GROUPS] += out->groups;
	if (filler->inputs[number]->source->events)
		counters[LIBIOMMU_RING_EVENTS] += out->groups;
	if (!out->ended)
		return;
	counters[LIBIOMMU_RING_DETACHED] += out->ended;
	li_filler_drop_unwanted(filler, number);
}

/* A group that might not fit into an empty ring, depending on where it is; 1: it is gone. */
static int refuse_large(struct filler *filler, const struct source *source)
{
	const int refused = source->ops->refuse(source->self, 1);

	if (refused > 0)
		filler->counters[LIBIOMMU_RING_TOO_LARGE] += (uint64_t)refused;
	/* It may have ended meanwhile; there may be others behind it. */
	return refused < 0 ? refused : 1;
}

/* A group did not fit in one piece. False: nor does it behind the end of the memory. */
static bool pad(struct filler *filler, struct pen *pen)
{
	if (pen->room == pen->free)
		return false;
	filler->session->memory.records[pen->place] =
		(struct libiommu_record){.kind = LIBIOMMU_RECORD_PAD};
	*pen = pen_at(filler, pen->at + pen->room);
	return true;
}

/* What keeps a source from handing over more. */
enum lack { LACK_NOTHING, LACK_PLACES, LACK_ROOM };

/* What one source has now, as far as there is room: how many groups went. */
static int fetch(struct filler *filler, uint32_t number, uint32_t *at, enum lack *lack)
{
	const struct source *const source = filler->inputs[number]->source;
	struct pen pen = pen_at(filler, *at);

	for (;;) {
		const uint32_t places = filler->places.count - filler->places.busy;
		/* More than that would depend on where the ring is; see refuse_large(). */
		const uint32_t half = filler->choices.capacity / 2;
		struct fault_out out = {
			.records = &filler->session->memory.records[pen.place],
			.room = pen.room < half ? pen.room : half,
			.max_groups = places < FILLER_GROUPS ? places : FILLER_GROUPS,
			.places = places_run_begin(&filler->places),
			.time = filler->now,
			.source = number,
			.end = pen.at,
		};
		int error;

		*at = pen.at;
		*lack = pen.room ? LACK_NOTHING : LACK_ROOM;
		if (*lack)
			return 0;
		error = source->ops->fetch(source->self, &out);
		filler->counters[LIBIOMMU_RING_EVENTS_LOST] += out.lost;
		/* One a round, however many there are. */
		if (error == -ENOBUFS && out.need > half)
			return refuse_large(filler, source);
		if (error == -ENOBUFS && pad(filler, &pen))
			continue;
		if (error == -ENOBUFS) {
			*lack = LACK_ROOM;
			return 0;
		}
		filler->counters[LIBIOMMU_RING_RECORDS] += out.end - pen.at;
		*at = out.end;
		/* Only an end of an attachment came without a place, if there was one. */
		*lack = places || out.groups || error || source->events ? LACK_NOTHING
		                                                        : LACK_PLACES;
		settle(filler, &out, number);
		return error ? error : (int)out.groups;
	}
}

static uint32_t next_in_turn(uint64_t inputs, uint32_t turn)
{
	const uint64_t behind = inputs >> turn << turn;

	return filler_first(behind ? behind : inputs);
}

/* One after the other and only once, so that each has its turn and nothing waits for the next. */
int li_filler_fetch(struct filler *filler)
{
	struct session *const session = filler->session;
	const uint32_t turn = filler->turn;
	uint32_t at = session->prod;
	enum lack lack = LACK_NOTHING;
	bool scarce = false;
	int first = 0;

	for (uint64_t left = filler->ready; left && lack != LACK_ROOM;) {
		const uint32_t i = next_in_turn(left, turn);
		const struct source *const source = filler->inputs[i]->source;
		const int count = fetch(filler, i, &at, &lack);

		left &= ~filler_bit(i);
		if (lack && !scarce)
			filler->turn = i;
		scarce = scarce || lack;
		if (count > 0) {
			filler->done += (uint32_t)count;
			filler->age += source->fd >= 0 ? FILLER_CALL_AGE : 0;
			continue;
		}
		/* What failed is tried again: the descriptor does not tell of all there is. */
		if (!count && !lack)
			filler->ready &= ~filler_bit(i);
		if (count < 0 && !source->events)
			filler->owing |= filler_bit(i); /* perhaps: it refused one */
		if (count < 0 && !first)
			first = count;
	}
	if (scarce && !filler->scarce)
		filler->counters[LIBIOMMU_RING_FULL]++;
	filler->scarce = scarce;
	filler->full = lack == LACK_ROOM;
	if (at == session->prod)
		return first;
	session_busy(session);
	if (li_session_publish(session, at))
		filler->waking = true;
	return first;
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

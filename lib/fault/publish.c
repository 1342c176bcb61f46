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

/* Complete the records that a source has written. They are not read: only written. */
static uint32_t register_groups(struct filler *filler, uint32_t source, int count, uint32_t at)
{
	const uint32_t mask = filler->choices.capacity - 1;

	for (int i = 0; i < count; i++) {
		const struct source_group *const group = &filler->groups[i];
		uint64_t token = 0;

		if (group->detached) {
			filler->counters[LIBIOMMU_RING_DETACHED]++;
			li_filler_drop_unwanted(filler, source);
		}
		if (group->answer) {
			const uint32_t index = slots_take(&filler->slots);
			struct slot *const slot = &filler->slots.slot[index];

			slot->cookie = group->cookie;
			slot->published = filler->now;
			slot->source = source;
			slot->end = at + group->records;
			token = slots_token(&filler->slots, index);
		}
		for (uint32_t end = at + group->records; at != end; at++) {
			struct libiommu_record *const record =
				&filler->session->memory.records[at & mask];

			record->queue = source;
			record->time = filler->now;
			record->token = token;
		}
		filler->counters[LIBIOMMU_RING_RECORDS] += group->records;
	}
	filler->counters[LIBIOMMU_RING_GROUPS] += (uint64_t)count;
	return at;
}

/*
 * A group did not fit in one piece. 1: it does now, behind padding or because it is gone; 0: only
 * when the reader has released more.
 */
static int make_room(struct filler *filler, const struct source *source, size_t need,
                     struct pen *pen)
{
	const uint32_t capacity = filler->choices.capacity;

	/* Larger ones might not fit into an empty ring, depending on where it is. */
	if (need > capacity / 2) {
		const int refused = source->ops->refuse(source->self, 1);

		if (refused > 0)
			filler->counters[LIBIOMMU_RING_TOO_LARGE] += (uint64_t)refused;
		return refused < 0 ? refused : 1;
	}
	if (pen->room == pen->free)
		return 0;
	/* The end of the memory is in the way. */
	filler->session->memory.records[pen->place] =
		(struct libiommu_record){.kind = LIBIOMMU_RECORD_PAD};
	*pen = pen_at(filler, pen->at + pen->room);
	return 1;
}

/* From one source all there is, or all there is room for: 1 if room ran out. */
static int fetch(struct filler *filler, uint32_t number, uint32_t *at)
{
	const struct source *const source = filler->inputs[number]->source;
	struct pen pen = pen_at(filler, *at);

	for (;;) {
		struct source_fetch fetch = {.groups = filler->groups};
		uint32_t slots = filler->slots.count - filler->slots.busy;
		int count;

		*at = pen.at;
		if (!slots || !pen.room)
			return 1;
		fetch.records = &filler->session->memory.records[pen.place];
		/* More than that would depend on where the ring is; see make_room(). */
		fetch.room = pen.room < filler->choices.capacity / 2 ? pen.room
		                                                     : filler->choices.capacity / 2;
		fetch.max_groups = slots < FILLER_GROUPS ? slots : FILLER_GROUPS;
		count = source->ops->fetch(source->self, &fetch);
		if (count == -ENOBUFS) {
			count = make_room(filler, source, fetch.need, &pen);
			if (count == 1)
				continue;
			return count ? count : 1;
		}
		if (count <= 0)
			return count;
		pen = pen_at(filler, register_groups(filler, number, count, pen.at));
	}
}

int li_filler_fetch(struct filler *filler)
{
	struct session *const session = filler->session;
	uint32_t at = session->prod;
	bool scarce = false;
	int first = 0;

	for (uint32_t n = 0; n < filler->used && !scarce; n++) {
		const uint32_t i = (filler->turn + n) % filler->used;
		struct filler_input *const input = filler->inputs[i];
		int result;

		if (!input || !input->ready)
			continue;
		result = fetch(filler, i, &at);
		if (result == 1) {
			scarce = true;
			filler->turn = i + 1;
		} else {
			input->ready = false;
		}
		if (result < 0 && !first)
			first = result;
	}
	if (scarce && !filler->scarce)
		filler->counters[LIBIOMMU_RING_FULL]++;
	filler->scarce = scarce;
	if (at != session->prod && li_session_publish(session, at))
		filler->waking = true;
	return first;
}

int li_filler_refuse(struct filler *filler)
{
	int first = 0;

	for (uint32_t i = 0; i < filler->used; i++) {
		struct filler_input *const input = filler->inputs[i];
		int refused;

		if (!input || !input->ready)
			continue;
		/* A device may ask faster than this: what is left has its turn the next time. */
		refused = input->source->ops->refuse(input->source->self, FILLER_GROUPS);
		if (refused > 0)
			filler->counters[LIBIOMMU_RING_REFUSED] += (uint64_t)refused;
		input->ready = refused > 0;
		if (input->ready)
			li_filler_poke(filler);
		if (refused < 0 && !first)
			first = refused;
	}
	return first;
}

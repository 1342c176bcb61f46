/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Groups on their way into a ring: where their records go, and the places of those that are to be
 * answered. Inline: each group goes through here.
 */
#ifndef LIBIOMMU_OBJECT_FAULT_OUT_H
#define LIBIOMMU_OBJECT_FAULT_OUT_H

#include <stddef.h>
#include <stdint.h>

#include <libiommu/reader.h>

#include "../base/places.h"

struct fault_out {
	struct libiommu_record *records; /* the next, in shared memory: written, never read back */
	size_t room;                     /* for so many */
	size_t max_groups;               /* there are places for */
	struct places_run places;
	uint64_t time;   /* ns, of all that go now */
	uint32_t source; /* the ring's number for whoever they come from */
	uint32_t end;    /* the index of the next record */
	/* What went: */
	uint32_t groups;
	uint32_t answers; /* of them, those that are to be answered, and have places */
	uint32_t ended;   /* of the others, those that say that some need no answer any more */
	/* What did not: */
	size_t need;   /* with -ENOBUFS: records of the group that does not fit */
	uint64_t lost; /* events that are known to be lost now */
};

/* Takes the place of a group that its source knows by @cookie; see place_origin(). */
static inline uint64_t fault_place_take(struct places_run *places, uint64_t cookie, uint64_t time,
                                        uint64_t origin)
{
	struct place *const place = places_run_take(places);

	place->cookie = cookie;
	place->published = time;
	place->origin = origin;
	return place->token;
}

/* Before the first group of a source. */
static inline void fault_out_begin(struct fault_out *out, const struct places *places,
                                   size_t max_groups)
{
	out->max_groups = max_groups;
	out->places = places_run_begin(places);
	out->groups = 0;
	out->answers = 0;
	out->ended = 0;
}

/* So many groups and records are complete. */
static inline void fault_out_count(struct fault_out *out, uint32_t groups, uint32_t records)
{
	out->records += records;
	out->room -= records;
	out->end += records;
	out->groups += groups;
}

/* The records are not read: only written. */
static inline void fault_out_complete(struct fault_out *out, uint32_t records, uint64_t token)
{
	for (uint32_t i = 0; i < records; i++) {
		out->records[i].queue = out->source;
		out->records[i].time = out->time;
		out->records[i].token = token;
	}
	fault_out_count(out, 1, records);
}

/* The next group, which is to be answered: all of its records is written but what the ring says. */
static inline void fault_out_put(struct fault_out *out, uint64_t cookie, uint32_t records)
{
	out->answers++;
	fault_out_complete(out, records,
	                   fault_place_take(&out->places, cookie, out->time,
	                                    place_origin(out->source, out->end + records)));
}

/* The same for one that nobody need answer. */
static inline void fault_out_tell(struct fault_out *out, uint32_t records)
{
	fault_out_complete(out, records, 0);
}

#endif

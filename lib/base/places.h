/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The groups that a reader has and has not completed, by token and from the oldest on. Inline: each
 * group goes through here twice.
 */
#ifndef LIBIOMMU_BASE_PLACES_H
#define LIBIOMMU_BASE_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_BITS  20
#define PLACE_INDEX ((UINT64_C(1) << PLACE_BITS) - 1)
/* One of them. Those of groups are odd: no token is 0, which is for what nobody need complete. */
#define PLACE_GENERATION (UINT64_C(1) << PLACE_BITS)

struct place {
	uint64_t token; /* its index, and 44 bits that change when it is taken or given */
	uint64_t cookie;
	uint64_t published; /* ns */
	uint64_t origin;    /* its source, and in the upper half where its records end */
	struct place *older;
	struct place *newer; /* or the next free one */
};

struct places {
	struct place *place;
	uint32_t count; /* a power of two */
	uint32_t mask;
	uint32_t busy;
	struct place *free;
	/* No place, but what the oldest and the newest are next to: there is always a neighbour. */
	struct place ends;
};

int li_places_init(struct places *places, uint32_t count);
void li_places_free(struct places *places);

static inline uint64_t place_origin(uint32_t source, uint32_t end)
{
	return (uint64_t)end << 32 | source;
}

static inline uint32_t place_source(const struct place *place)
{
	return (uint32_t)place->origin;
}

static inline uint32_t place_end(const struct place *place)
{
	return (uint32_t)(place->origin >> 32);
}

/* NULL where all are free. */
static inline struct place *places_oldest(const struct places *places)
{
	return places->busy ? places->ends.newer : NULL;
}

static inline struct place *places_newer(const struct places *places, const struct place *place)
{
	return place->newer == &places->ends ? NULL : place->newer;
}

/*
 * Many are taken or given in a row. What changes with each is copied meanwhile, as the compiler
 * cannot know that no place is where it is kept.
 */
struct places_run {
	struct place *free;
	struct place *newest; /* while taking: what comes behind it is not said yet */
};

static inline struct places_run places_run_begin(const struct places *places)
{
	return (struct places_run){.free = places->free, .newest = places->ends.older};
}

/* There must be a free one. It becomes the newest. */
static inline struct place *places_run_take(struct places_run *run)
{
	struct place *const place = run->free;

	run->free = place->newer;
	place->token += PLACE_GENERATION;
	place->older = run->newest;
	run->newest->newer = place;
	run->newest = place;
	return place;
}

static inline void places_end_taking(struct places *places, const struct places_run *run,
                                     uint32_t count)
{
	run->newest->newer = &places->ends;
	places->ends.older = run->newest;
	places->free = run->free;
	places->busy += count;
}

/* No token names it any more. */
static inline void places_run_give(struct places_run *run, struct place *place)
{
	place->older->newer = place->newer;
	place->newer->older = place->older;
	place->token += PLACE_GENERATION;
	place->newer = run->free;
	run->free = place;
}

static inline void places_end_giving(struct places *places, const struct places_run *run,
                                     uint32_t count)
{
	places->free = run->free;
	places->busy -= count;
}

static inline struct place *places_take(struct places *places)
{
	struct places_run run = places_run_begin(places);
	struct place *const place = places_run_take(&run);

	places_end_taking(places, &run, 1);
	return place;
}

static inline void places_give(struct places *places, struct place *place)
{
	struct places_run run = places_run_begin(places);

	places_run_give(&run, place);
	places_end_giving(places, &run, 1);
}

/* The place that a token from an untrusted place names, NULL where it is none that is out. */
static inline struct place *places_find(const struct places *places, uint64_t token,
                                        uint32_t source)
{
	struct place *const place = &places->place[token & places->mask];

	if (place->token != token || place_source(place) != source || !(token & PLACE_GENERATION))
		return NULL;
	return place;
}

#endif

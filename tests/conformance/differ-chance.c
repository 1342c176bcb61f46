/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What moves draw. */
#include "differ.h"

#include <poll.h>
#include <string.h>

#define NOBODY UINT32_C(0x7ffffff0)

static struct differ_thing nothing = {.id = NOBODY, .fd = -1};

static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

void differ_seed(struct differ *d, uint64_t seed)
{
	d->state = mix(seed + UINT64_C(0x9e3779b97f4a7c15));
}

uint32_t differ_draw(struct differ *d, uint32_t end)
{
	d->state += UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(mix(d->state) >> 32) % end;
}

/* Each place has its own chance: what is at the others changes nothing, unless it wins. */
static uint64_t chance(uint32_t drawn, size_t place)
{
	return mix((uint64_t)drawn << 8 | place);
}

struct differ_thing *differ_pick(struct differ *d, enum differ_kind kind)
{
	const bool wrong = !differ_draw(d, 16);
	const uint32_t drawn = differ_draw(d, UINT32_MAX);
	struct differ_thing *found = &nothing;
	uint64_t best = 0;

	for (size_t i = 0; i < DIFFER_THINGS; i++) {
		struct differ_thing *const thing = &d->things[i];

		if (!thing->kind || (wrong ? thing->kind == DIFFER_DRIVER : thing->kind != kind))
			continue;
		if (chance(drawn, i) >= best) {
			best = chance(drawn, i);
			found = thing;
		}
	}
	return found;
}

struct differ_thing *differ_pick_suited(struct differ *d, enum differ_kind kind,
                                        bool (*suit)(const struct differ *d,
                                                     const struct differ_thing *thing))
{
	struct differ_thing *thing = differ_pick(d, kind);

	for (int i = 0; i < 4 && !suit(d, thing); i++)
		thing = differ_pick(d, kind);
	return thing;
}

bool differ_is_ready(const struct differ *d, const struct differ_thing *thing)
{
	struct pollfd pollfd = {.fd = thing->fd, .events = POLLIN};

	(void)d;
	return thing->fd >= 0 && poll(&pollfd, 1, 0) == 1;
}

struct differ_thing *differ_place(struct differ *d)
{
	const uint32_t drawn = differ_draw(d, UINT32_MAX);
	struct differ_thing *found = NULL;
	uint64_t best = 0;

	for (size_t i = 0; i < DIFFER_THINGS; i++)
		if (!d->things[i].kind && chance(drawn, i) >= best) {
			best = chance(drawn, i);
			found = &d->things[i];
		}
	return found;
}

int differ_name(const struct differ *d, const struct differ_thing *thing)
{
	return thing == &nothing ? -1 : (int)(thing - d->things);
}

int differ_base(const struct differ *d, const struct differ_thing *thing)
{
	for (int i = 0; i < 4 && thing != &nothing; i++) {
		if (thing->kind == DIFFER_IOAS)
			return differ_name(d, thing);
		if (thing->on < 0)
			return -1;
		thing = &d->things[thing->on];
	}
	return -1;
}

const struct differ_mapping *differ_mapping(struct differ *d, int in)
{
	const uint32_t drawn = differ_draw(d, UINT32_MAX);
	const struct differ_mapping *found = NULL;
	uint64_t best = 0;

	for (uint32_t i = 0; i < DIFFER_MAPPINGS && i < d->mappings; i++) {
		const uint64_t luck = chance(drawn, i) / 2;
		const uint64_t score = d->mapped[i].in == in ? luck + UINT64_MAX / 2 : luck;

		if (score >= best) {
			best = score;
			found = &d->mapped[i];
		}
	}
	return found;
}

void differ_remember(struct differ *d, int in, uint64_t iova, uint64_t length, uint64_t page)
{
	d->mapped[d->mappings++ % DIFFER_MAPPINGS] =
		(struct differ_mapping){.iova = iova, .length = length, .page = page, .in = in};
}

/* Where page tables reach, mostly. */
uint64_t differ_iova(struct differ *d, int in)
{
	static const uint64_t odd[] = {0,
	                               1,
	                               2048,
	                               4096,
	                               MOCK_APERTURE - 4096,
	                               MOCK_APERTURE_LAST,
	                               MOCK_APERTURE_LAST + 1,
	                               UINT64_MAX};
	uint64_t iova = MOCK_APERTURE + (uint64_t)differ_draw(d, 32) * DIFFER_PAGE;
	const struct differ_mapping *const mapping = differ_mapping(d, in);
	const bool there = differ_draw(d, 2);

	if (there && mapping)
		iova = mapping->iova;
	if (!differ_draw(d, 20))
		return odd[differ_draw(d, 8)];
	if (!differ_draw(d, 10))
		iova += MOCK_PAGE;
	return iova;
}

uint64_t differ_length(struct differ *d)
{
	static const uint64_t odd[] = {0, 1, 2048, 6144, UINT64_MAX, UINT64_C(1) << 40};

	if (!differ_draw(d, 16))
		return odd[differ_draw(d, 6)];
	return (uint64_t)(1 + differ_draw(d, differ_draw(d, 4) ? 4 : 24)) * DIFFER_PAGE;
}

static const struct differ_move *const all[] = {differ_spaces, differ_tables, differ_guests,
                                                differ_compat};

#define FAMILIES (sizeof(all) / sizeof(all[0]))

const struct differ_move *differ_find_move(const char *name)
{
	for (size_t i = 0; i < FAMILIES; i++)
		for (const struct differ_move *move = all[i]; move->name; move++)
			if (!strcmp(move->name, name))
				return move;
	return NULL;
}

const struct differ_move *differ_draw_move(struct differ *d)
{
	uint32_t total = 0, drawn;

	for (size_t i = 0; i < FAMILIES; i++)
		for (const struct differ_move *move = all[i]; move->name; move++)
			total += move->weight;
	drawn = differ_draw(d, total);
	for (size_t i = 0;; i++)
		for (const struct differ_move *move = all[i]; move->name; move++) {
			if (drawn < move->weight)
				return move;
			drawn -= move->weight;
		}
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "differ.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../lib/base/uapi/iommufd.h"

/* The same address everywhere: the kernel chooses IOVAs by it. */
#define MEMORY UINT64_C(0x7eb000000000) /* where no sanitizer has anything of its own */
#define NOBODY UINT32_C(0x7ffffff0)

/* Of the memory: not there; not to be written. */
enum { HOLE = 40, READ_ONLY = 48 };

static struct differ_thing nothing = {.id = NOBODY, .fd = -1};

uint32_t differ_draw(struct differ *d, uint32_t end)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (uint32_t)((d->state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % end;
}

struct differ_thing *differ_pick(struct differ *d, enum differ_kind kind)
{
	const bool wrong = !differ_draw(d, 16);
	struct differ_thing *found = &nothing;
	uint32_t count = 0;

	for (size_t i = 0; i < DIFFER_THINGS; i++) {
		struct differ_thing *const thing = &d->things[i];

		if (!thing->kind || (wrong ? thing->kind == DIFFER_DRIVER : thing->kind != kind))
			continue;
		if (!differ_draw(d, ++count))
			found = thing;
	}
	return found;
}

struct differ_thing *differ_place(struct differ *d)
{
	for (size_t i = 0; i < DIFFER_THINGS; i++)
		if (!d->things[i].kind)
			return &d->things[i];
	return NULL;
}

int differ_name(const struct differ *d, const struct differ_thing *thing)
{
	return thing == &nothing ? -1 : (int)(thing - d->things);
}

/* Where page tables reach, mostly; often the same places. */
uint64_t differ_iova(struct differ *d)
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

	if (differ_draw(d, 2))
		iova = d->mapped[differ_draw(d, 8)];
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

void differ_keep(struct differ *d, struct differ_thing *place, enum differ_kind kind, uint32_t id,
                 int fd, int error)
{
	printf(" = %d", error < 0 ? error : 0);
	if (error < 0)
		return;
	*place = (struct differ_thing){.kind = kind, .id = id, .fd = fd};
	printf(" thing %d", differ_name(d, place));
}

uint32_t differ_sum(const void *data, size_t length)
{
	const uint8_t *const bytes = data;
	uint32_t sum = 1;

	for (size_t i = 0; i < length; i++)
		sum = sum * 31 + bytes[i];
	return sum;
}

static void prepare_memory(struct differ *d)
{
	uint8_t *const at = mmap((void *)MEMORY, DIFFER_PAGES * DIFFER_PAGE, PROT_READ | PROT_WRITE,
	                         MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (at != (void *)MEMORY)
		abort();
	for (size_t i = 0; i < DIFFER_PAGES; i++)
		memset(at + i * DIFFER_PAGE, (int)i, DIFFER_PAGE);
	munmap(at + HOLE * DIFFER_PAGE, DIFFER_PAGE);
	mprotect(at + READ_ONLY * DIFFER_PAGE, DIFFER_PAGE, PROT_READ);
	d->memory = at;
}

static const struct differ_move *const all[] = {differ_spaces, differ_tables, differ_guests};

/* Something to play with, so that not most moves are about nothing. */
static void begin(struct differ *d)
{
	static const char *const names[] = {"alloc", "alloc",  "device", "device", "queue",
	                                    "table", "table",  "table",  "table",  "nested",
	                                    "map",   "viommu", "driver", "driver"};

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		for (size_t i = 0; i < 3; i++)
			for (const struct differ_move *move = all[i]; move->name; move++)
				if (!strcmp(move->name, names[k])) {
					printf("begin %s", move->name);
					move->play(d);
					printf("\n");
				}
}

static void play_one(struct differ *d)
{
	uint32_t total = 0, drawn;

	for (size_t i = 0; i < 3; i++)
		for (const struct differ_move *move = all[i]; move->name; move++)
			total += move->weight;
	drawn = differ_draw(d, total);
	for (size_t i = 0; i < 3; i++)
		for (const struct differ_move *move = all[i]; move->name; move++) {
			if (drawn < move->weight) {
				printf("%s", move->name);
				move->play(d);
				printf("\n");
				return;
			}
			drawn -= move->weight;
		}
}

static void give_back(struct differ *d)
{
	for (size_t i = 0; i < DIFFER_THINGS; i++)
		if (d->things[i].kind == DIFFER_DRIVER)
			world_access_end(d->world, d->things[i].fd);
	for (size_t i = 0; i < DIFFER_THINGS; i++)
		if (d->things[i].dev)
			libiommu_device_revoke(d->things[i].dev);
	for (size_t i = 0; i < DIFFER_THINGS; i++) {
		struct differ_thing *const thing = &d->things[i];

		if (thing->dev)
			libiommu_device_destroy(thing->dev);
		else if (thing->kind != DIFFER_DRIVER && thing->fd > 0)
			world_close(d->world, thing->fd);
	}
	libiommu_ctx_destroy(d->ctx);
}

int main(int argc, char **argv)
{
	const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	const uint64_t games = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	const uint64_t moves = argc > 3 ? strtoull(argv[3], NULL, 0) : 200;
	struct differ d = {.world = world_new()};

	if (!d.world)
		return 77;
	prepare_memory(&d);
	for (uint64_t game = seed; game < seed + games; game++) {
		memset(d.things, 0, sizeof(d.things));
		memset(d.mapped, 0, sizeof(d.mapped));
		memset(d.pages, 0, sizeof(d.pages));
		d.mappings = 0;
		d.state = game * UINT64_C(0x9e3779b97f4a7c15) + 1;
		d.ctx = world_ctx(d.world);
		begin(&d);
		for (uint64_t i = 0; i < moves; i++) {
			printf("%llu.%llu ", (unsigned long long)game, (unsigned long long)i);
			play_one(&d);
		}
		give_back(&d);
	}
	world_free(d.world);
	return 0;
}

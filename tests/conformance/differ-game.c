/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A game: what it begins with, its moves, and its end. */
#include "differ.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The same address everywhere: the kernel chooses IOVAs by it. */
#define MEMORY UINT64_C(0x7eb000000000) /* where no sanitizer has anything of its own */
#define LENGTH ((size_t)DIFFER_PAGES * DIFFER_PAGE)

/* Of the memory: not there; not to be written. */
enum { HOLE = 40, READ_ONLY = 48 };

static uint8_t *map(uint8_t *at, size_t length)
{
	uint8_t *const got = mmap(at, length, PROT_READ | PROT_WRITE,
	                          MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (got != at)
		abort();
	return got;
}

/* Other memory for each game, which no game has touched. */
static void prepare_memory(struct differ *d)
{
	d->memory = map((uint8_t *)MEMORY, LENGTH);
	for (size_t i = 0; i < DIFFER_PAGES; i++)
		memset(d->memory + i * DIFFER_PAGE, (int)i, DIFFER_PAGE);
	munmap(d->memory + (size_t)HOLE * DIFFER_PAGE, DIFFER_PAGE);
	mprotect(d->memory + (size_t)READ_ONLY * DIFFER_PAGE, DIFFER_PAGE, PROT_READ);
	d->page = map(d->memory + 2 * LENGTH, DIFFER_PAGE);
}

uint32_t differ_sum(const void *data, size_t length)
{
	const uint8_t *const bytes = data;
	uint32_t sum = 1;

	for (size_t i = 0; i < length; i++)
		sum = sum * 31 + bytes[i];
	return sum;
}

uint32_t differ_sum_memory(const struct differ *d)
{
	uint64_t sum = 1, word;

	for (size_t i = 0; i < LENGTH; i += sizeof(word)) {
		if (i / DIFFER_PAGE == HOLE)
			continue;
		memcpy(&word, d->memory + i, sizeof(word));
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	}
	return (uint32_t)(sum >> 32);
}

void differ_keep(struct differ *d, struct differ_thing *place, enum differ_kind kind, uint32_t id,
                 int fd, int error)
{
	fprintf(d->out, " = %d", error < 0 ? error : 0);
	if (error < 0)
		return;
	*place = (struct differ_thing){.kind = kind, .id = id, .fd = fd};
	fprintf(d->out, " thing %d", differ_name(d, place));
}

void differ_play(struct differ *d, const struct differ_move *move, uint32_t seed)
{
	fprintf(d->out, "%s %08x:", move->name, seed);
	differ_seed(d, seed);
	move->play(d);
	fprintf(d->out, "\n");
}

void differ_begin(struct differ *d, const char *name)
{
	memset(d->things, 0, sizeof(d->things));
	memset(d->mapped, 0, sizeof(d->mapped));
	memset(&d->written, 0, sizeof(d->written));
	d->mappings = 0;
	prepare_memory(d);
	d->ctx = world_ctx(d->world);
	fprintf(d->out, "game %s\n", name);
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

void differ_end(struct differ *d)
{
	const uint32_t sum = differ_sum_memory(d);
	int held = 0;

	give_back(d);
	/* Somebody's context answers for all. */
	d->ctx = world_ctx(d->world);
	for (size_t i = 0; i < DIFFER_PAGES; i++)
		if (i != HOLE)
			held += !!world_check_pins(d->world, d->memory + i * DIFFER_PAGE,
			                           DIFFER_PAGE, 0);
	libiommu_ctx_destroy(d->ctx);
	fprintf(d->out, "end: memory %#x held %d\n", sum, held);
	munmap(d->memory, LENGTH);
	munmap(d->page, DIFFER_PAGE);
}

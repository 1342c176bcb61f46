/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Calls at random, the same for the same seed in every world. What a world answers is printed, in
 * terms that do not depend on it: two worlds that are the same kernel print the same.
 */
#ifndef DIFFER_H
#define DIFFER_H

#include "world.h"

enum differ_kind {
	DIFFER_NOTHING,
	DIFFER_IOAS,
	DIFFER_DEVICE,
	DIFFER_HWPT,
	DIFFER_NESTED,
	DIFFER_FAULTS,
	DIFFER_VIOMMU,
	DIFFER_VDEVICE,
	DIFFER_VEVENTQ,
	DIFFER_HW_QUEUE,
	DIFFER_DRIVER,
	DIFFER_KINDS
};

enum { DIFFER_THINGS = 48, DIFFER_PAGES = 64, DIFFER_PAGE = 4096 };

/* Known by its place, whatever its id is. */
struct differ_thing {
	enum differ_kind kind;
	uint32_t id;
	int fd; /* or a driver's number */
	struct libiommu_device *dev;
	uint32_t item; /* of a driver: what it has pinned last; of a device: its kind */
};

struct differ {
	struct world *world;
	struct libiommu_ctx *ctx;
	uint64_t state; /* of chance */
	uint8_t *memory;
	struct differ_thing things[DIFFER_THINGS];
	/* What was mapped last: where, and which page of the memory. */
	uint64_t mapped[8], pages[8];
	uint32_t mappings;
};

/* Below @end. */
uint32_t differ_draw(struct differ *d, uint32_t end);
/* Mostly one of the kind; else any other, or one that there is not. */
struct differ_thing *differ_pick(struct differ *d, enum differ_kind kind);
/* NULL: there is no place. */
struct differ_thing *differ_place(struct differ *d);
/* The place as it is printed; -1: none. */
int differ_name(const struct differ *d, const struct differ_thing *thing);
uint64_t differ_iova(struct differ *d);
uint64_t differ_length(struct differ *d);
/* One that is there keeps the place, whose number is printed; what was answered, too. */
void differ_keep(struct differ *d, struct differ_thing *place, enum differ_kind kind, uint32_t id,
                 int fd, int error);
uint32_t differ_sum(const void *data, size_t length);

struct differ_move {
	const char *name;
	void (*play)(struct differ *d);
	unsigned int weight;
};

extern const struct differ_move differ_spaces[], differ_tables[], differ_guests[];

#endif

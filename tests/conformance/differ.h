/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Calls at random, the same for the same seed in every world. What a world answers is printed, in
 * terms that do not depend on it: two worlds that are the same kernel print the same.
 *
 * A game is a list of moves. Each has a seed of its own, and what it picks depends little on the
 * others: without some of them, the rest does mostly what it did.
 */
#ifndef DIFFER_H
#define DIFFER_H

#include <stdio.h>

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

enum { DIFFER_THINGS = 48, DIFFER_PAGES = 64, DIFFER_PAGE = 4096, DIFFER_MAPPINGS = 12 };

/* Known by its place, whatever its id is. */
struct differ_thing {
	enum differ_kind kind;
	uint32_t id;
	int fd; /* or a driver's number */
	struct libiommu_device *dev;
	/*
	 * Of a driver: what it has pinned last; of a device: its kind; of an address space: whether
	 * its page tables may have large pages; of a page table: its flags; of a fault queue: the
	 * cookie that it has given last.
	 */
	uint32_t item;
	int on; /* the place of what it stands on, or a device was attached to last */
};

struct differ_mapping {
	uint64_t iova, length, page; /* and which page of the memory it begins with */
	int in;                      /* the place of the address space */
};

struct differ {
	struct world *world;
	struct libiommu_ctx *ctx;
	FILE *out;
	uint64_t state; /* of chance */
	uint8_t *memory;
	uint8_t *page; /* of commands; behind it there is nothing */
	struct differ_thing things[DIFFER_THINGS];
	struct differ_mapping mapped[DIFFER_MAPPINGS]; /* what was mapped last */
	uint32_t mappings;
	struct differ_mapping written; /* what hardware has written last: in a page table */
};

/* Chance: all that follows it is drawn from @seed. */
void differ_seed(struct differ *d, uint64_t seed);
/* Below @end. */
uint32_t differ_draw(struct differ *d, uint32_t end);
/* Mostly one of the kind; else any other, or one that there is not. */
struct differ_thing *differ_pick(struct differ *d, enum differ_kind kind);
/* Another, some times, while this one does not @suit. */
struct differ_thing *differ_pick_suited(struct differ *d, enum differ_kind kind,
                                        bool (*suit)(const struct differ *d,
                                                     const struct differ_thing *thing));
/* A descriptor with something to read. */
bool differ_is_ready(const struct differ *d, const struct differ_thing *thing);
/* NULL: there is no place. */
struct differ_thing *differ_place(struct differ *d);
/* The place as it is printed; -1: none. */
int differ_name(const struct differ *d, const struct differ_thing *thing);
/* The place of the address space that it stands on; -1: none. */
int differ_base(const struct differ *d, const struct differ_thing *thing);
/* One of those that were made last, in this address space if there is one; NULL: none at all. */
const struct differ_mapping *differ_mapping(struct differ *d, int in);
void differ_remember(struct differ *d, int in, uint64_t iova, uint64_t length, uint64_t page);
/* Often where something is mapped there; -1: anywhere. */
uint64_t differ_iova(struct differ *d, int in);
uint64_t differ_length(struct differ *d);
/* One that is there keeps the place, whose number is printed; what was answered, too. */
void differ_keep(struct differ *d, struct differ_thing *place, enum differ_kind kind, uint32_t id,
                 int fd, int error);
uint32_t differ_sum(const void *data, size_t length);
/* Of the whole memory, whoever has written it. */
uint32_t differ_sum_memory(const struct differ *d);

/* A command, which is sometimes spoiled: of another size, with other fields, at a bad address. */
int differ_call(struct differ *d, unsigned long request, void *cmd);

struct differ_move {
	const char *name;
	void (*play)(struct differ *d);
	unsigned int weight;
};

/* Each ends with a move without a name. */
extern const struct differ_move differ_spaces[], differ_tables[], differ_guests[], differ_compat[];

/* NULL: no move has the name. */
const struct differ_move *differ_find_move(const char *name);
/* By their weights. */
const struct differ_move *differ_draw_move(struct differ *d);

/* One line: the move, its seed, what it did and what was answered. */
void differ_play(struct differ *d, const struct differ_move *move, uint32_t seed);
void differ_begin(struct differ *d, const char *name);
/* All is given back; whether nothing is held then. */
void differ_end(struct differ *d);

#endif

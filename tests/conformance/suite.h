/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The suite: themes of behaviours, each of them a test for every one of its variants. A test has a
 * rig: a context of its own in the world, and what it has made, which is given back after it
 * whether it has ended well or not; then nothing may be left.
 */
#ifndef SUITE_H
#define SUITE_H

#include "../vm/vm.h"
#include "world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	PAGE = 4096,
	PAGES = 16,
	LENGTH = PAGES * PAGE, /* of the rig's memory */
	HUGE_PAGE = 2 << 20
};

/* What a behaviour is tried with; a field that it does not use is 0. */
struct variant {
	const char *name;
	unsigned int tables;   /* page tables of the rig's address space */
	uint32_t memory_limit; /* bytes; 0: what the world has */
	uint32_t needs;
	uint32_t flags;
	uint64_t size;
};

struct rig;

struct behaviour {
	const char *name;
	void (*run)(struct rig *rig);
	uint32_t needs; /* WORLD_ */
	const struct variant *variants;
	size_t count; /* of them; 0: there are none, and one test */
};

struct theme {
	const char *name;
	const struct behaviour *behaviours;
	size_t count;
};

#define THEME(symbol, text)                                                                        \
	const struct theme symbol = {.name = (text),                                               \
	                             .behaviours = behaviours,                                     \
	                             .count = sizeof(behaviours) / sizeof(behaviours[0])}
/* In a table of behaviours. */
#define PROVES(text, function) .name = (text), .run = (function)
#define VARIANTS(array)        .variants = (array), .count = sizeof(array) / sizeof((array)[0])

/* Without a page table; with one; with two; with one and little memory for the kernel's work. */
extern const struct variant shapes[4];
#define SHAPES .variants = shapes, .count = 4
/* Those with page tables. */
#define TABLE_SHAPES .variants = shapes + 1, .count = 3

enum { RIG_TABLES = 2, RIG_THINGS = 96 };

struct thing {
	enum {
		THING_IOAS,
		THING_DEVICE,
		THING_HWPT,
		THING_VIOMMU,
		THING_VDEVICE,
		THING_VEVENTQ,
		THING_HW_QUEUE,
		THING_FAULT_QUEUE,
		THING_ACCESS,
		THING_FD,
		THING_MEMORY
	} kind;
	void *handle;
	int number;
	size_t length;
};

struct rig {
	struct world *world;
	const struct variant *variant;
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_device *dev;              /* NULL without page tables */
	struct libiommu_hwpt *tables[RIG_TABLES]; /* of the address space */
	uint64_t base;                            /* first IOVA that can be used */
	uint8_t *memory;                          /* LENGTH, shared, at a multiple of HUGE_PAGE */
	unsigned int fds;
	struct thing things[RIG_THINGS];
	size_t count;
};

/* The rest of the rig's life is its behaviour's. */
struct rig *rig_new(struct world *world, const struct variant *variant);
/* 0, or -1 and says what was left. */
int rig_free(struct rig *rig);

/* What these make is given back by rig_end(), or when the test ends; the last first. */
struct libiommu_ioas *rig_ioas(struct rig *rig);
struct libiommu_device *rig_device(struct rig *rig, uint64_t label, uint32_t kind);
/* LIBIOMMU_HWPT_ flags. */
struct libiommu_hwpt *rig_table(struct rig *rig, struct libiommu_device *dev,
                                struct libiommu_ioas *ioas, uint32_t flags);
/* Anonymous and shared; huge pages where asked for. */
void *rig_memory(struct rig *rig, size_t length, bool huge);
/* A file of memory, with its descriptor. */
void *rig_file(struct rig *rig, size_t length, bool huge, int *fd);
int rig_access(struct rig *rig, struct libiommu_ioas *ioas, bool pins);
/* Something of the caller's own. */
void rig_keep(struct rig *rig, int kind, void *handle);
void rig_keep_number(struct rig *rig, int kind, int number);
void rig_keep_fd(struct rig *rig, int fd);
/* Gives back one thing now: what its destructor says, and 0 for what cannot fail. */
int rig_end(struct rig *rig, const void *handle);
void rig_end_access(struct rig *rig, int access);
/* Gives back all but the first @count things: 0, or -1 and says what could not be. */
int rig_unwind(struct rig *rig, size_t count);

/* Every page table of the address space has this there. */
void rig_check_map(struct rig *rig, uint64_t iova, const void *memory, uint64_t length);
/* What a call past the library says. */
#define RAW(wanted, call) vm_expect((call), (wanted), #call, __FILE__, __LINE__)

uint32_t ioas_id(const struct libiommu_ioas *ioas);
uint32_t hwpt_id(const struct libiommu_hwpt *hwpt);
uint32_t device_id(const struct libiommu_device *dev);
void reserve(struct rig *rig, uint64_t start, uint64_t length);

void fill_random(void *memory, size_t length);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The sides of what bench-ring compares: the same work through the library, and through what
 * somebody would write instead.
 */
#ifndef LIBIOMMU_BENCH_RING_H
#define LIBIOMMU_BENCH_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <libiommu.h>

#define MAX_BATCH 32

/* Groups of one record each. */
struct work {
	uint32_t batch; /* at most MAX_BATCH */
	uint32_t groups;
	bool one_way;   /* nothing is completed */
	bool ordered;   /* bare: a publication looks whether the other side sleeps, as ours does */
	bool untrusted; /* ours: the reader is, and is woken over its socket */
	/* In one thread only: what the filler calls each time round, for the reader's part. */
	void (*turn)(const struct work *work);
};

/* Each is run by a thread of its own, and returns when its part is done. */
struct pair {
	void (*fill)(const struct work *work);
	void (*read)(const struct work *work);
	/* What there is to read at once, up to a batch. */
	void (*read_some)(const struct work *work);
};

extern const struct pair bare_pair;
extern const struct pair library_pair;
/* With one group out at a time: each side sleeps in the kernel until the other is done. */
extern const struct pair bare_asleep;
extern const struct pair library_asleep;
/* A word that each side writes when the other has. */
extern const struct pair line_pair;

void open_bare(void);
void open_library(void);
/* Another reader in place of the one there is, which is trusted at first; nothing is under way. */
void join_library(bool trusted);
void close_library(void);

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * All of a record, in the order of its fields: whether a compiler keeps that order makes a ring up
 * to twice as slow or fast, and is nothing to compare.
 */
static inline void write_record(volatile struct libiommu_record *to, uint64_t number,
                                uint32_t queue, uint64_t time, uint64_t token)
{
	to->kind = LIBIOMMU_RECORD_FAULT;
	to->flags = LIBIOMMU_RECORD_LAST;
	to->permissions = LIBIOMMU_FAULT_READ;
	to->queue = queue;
	to->label = 7;
	to->time = time;
	to->token = token;
	to->address = number << 12;
	to->tag = 9;
	to->length = 4096;
	to->vpasid = 0;
	to->group = (uint32_t)number;
	to->attachment = 1;
}

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the two sides of vm-ring-many share: the one that raises faults, and the one that reads
 * them, in another thread or another process. A fault says by its address which one it is, and all
 * else about it follows from that number and from where its pair was attached then.
 */
#ifndef RING_MANY_H
#define RING_MANY_H

#include <stdatomic.h>

#include <libiommu.h>

enum { MANY_DEVICES = 8, MANY_PASIDS = 8, MANY_PAIRS = MANY_DEVICES * MANY_PASIDS };

#define MANY_LABEL UINT64_C(0xfeed00000000)
#define MANY_PAGE  UINT64_C(4096)

/* In memory that both have mapped. */
struct many {
	uint32_t numbers; /* faults have numbers below this */
	uint32_t faults;  /* and from this on pairs that are moved raise none */
	atomic_uint alone, moved, ends;
	atomic_uint came[2]; /* faults, by table */
	/* What must never be: the reader says more about it. */
	atomic_uint untrue, twice, late, lost;
	atomic_ushort *epoch; /* of each fault's pair when it was raised */
	/* The first epoch of a pair that has not ended; said here before one does. */
	atomic_uint lasting[MANY_PAIRS];
};

/*
 * vPASIDs that no other device has, in no order. Half of them are larger than any PASID, and have
 * one that other devices' have too.
 */
static inline uint32_t many_vpasid(uint32_t pair)
{
	return 1 + pair * 37 % MANY_PAIRS * 4099;
}

enum { MANY_PASID_BITS = 17 };

static inline bool many_is_identity(uint32_t pair)
{
	return many_vpasid(pair) < 1U << MANY_PASID_BITS;
}

/* The odd ones are moved about. */
static inline bool many_is_moved(uint32_t pair)
{
	return pair % 2;
}

/* Each attachment of a pair is an epoch of it; this is its table, which has a queue of its own. */
static inline uint32_t many_table(uint32_t pair, uint32_t epoch)
{
	return (pair / 2 + epoch) % 2;
}

static inline uint64_t many_tag(uint32_t pair, uint32_t epoch)
{
	return (uint64_t)epoch << 8 | pair;
}

static inline uint32_t many_permissions(uint32_t number)
{
	return 1 + number % 3;
}

/* Reads and answers until the ring is at its end; 0 or -errno. */
int many_read(struct many *many, struct libiommu_reader *reader);

#endif

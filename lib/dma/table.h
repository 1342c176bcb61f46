/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The table from addresses to IOVAs, and the one back, in a memory that other processes can map:
 *
 *   0       a page of zeros, which stands for each node that is not there
 *   4 KiB   the header
 *   2 MiB   root by address: an entry for each GiB
 *   4 MiB   root by IOVA: likewise
 *   6 MiB   nodes of 512 entries, one after the other; they stay where they are once made
 *
 * An entry of a root is the offset of a node with an entry for each 2 MiB. Such an entry is all of
 * the 2 MiB, or with ENTRY_NODE the offset of a node with an entry for each 4 KiB. An entry is one
 * word, so that a reader sees all of it or nothing, and it says how many pages follow each other
 * from there on: a lookup is three loads whatever the table has. The memory is as large as it can
 * ever be and has pages where something was written only, so that nobody maps it anew.
 */
#ifndef LIBIOMMU_DMA_TABLE_H
#define LIBIOMMU_DMA_TABLE_H

#include <stdatomic.h>

#include <libiommu/translate.h>

#include "../base/sys.h"

#define TABLE_MAGIC   UINT64_C(0x6c627461616d6469) /* "idmaatbl" */
#define TABLE_VERSION 1

#define TABLE_PAGE     UINT64_C(4096)
#define TABLE_BLOCK    (UINT64_C(1) << 21)
#define TABLE_KEY_BITS 48
#define TABLE_HEADER   TABLE_PAGE
#define TABLE_NODES    (UINT64_C(6) << 20)
/* A power of two, so that the mask of offsets keeps whatever the memory has inside of it. */
#define TABLE_SIZE (sizeof(void *) == 8 ? UINT64_C(1) << 32 : UINT64_C(1) << 25)

enum table_root {
	BY_ADDRESS = 2 << 20,
	BY_IOVA = 4 << 20,
};

/* The low bits of an entry. */
#define ENTRY_VALID UINT64_C(1)
#define ENTRY_NODE  UINT64_C(2)
#define ENTRY_GONE  UINT64_C(4) /* not valid, but was once */
/* Of a node: where it is. */
#define ENTRY_OFFSET ((TABLE_SIZE - 1) & ~(TABLE_PAGE - 1))
/* Else: where the entry's first byte is, and above it how many pages go on from there. */
#define ENTRY_TO        UINT64_C(0xfffffffff000)
#define ENTRY_RUN_SHIFT 48
#define ENTRY_MOST      UINT64_C(0xffff)

struct table_header {
	uint64_t magic;
	uint32_t version;
	uint32_t page_shift;
	uint64_t size;
	atomic_uint_least64_t generation;
	atomic_uint_least32_t closed;
};

/* In a page that a forked child finds zeroed. */
struct libiommu_dma_table {
	unsigned char *base; /* NULL: this is such a child */
	struct libiommu_sys *sys;
	int fd;             /* -1: it was somebody else's */
	uint64_t next;      /* the owner's: where the next node goes, ... */
	uint64_t populated; /* ... and up to where there is memory */
};

/* The owner's. 0 or -errno. */
int li_table_memory_new(const struct libiommu_sys *sys, struct libiommu_dma_table **table);
void li_table_memory_free(struct libiommu_dma_table *table);

/*
 * For the owner, one thread at a time. Keys, values and lengths are multiples of a page, keys and
 * values below 2^48. Preparing makes the nodes of a range, 0 or -ENOMEM; setting what was
 * prepared, and clearing it, cannot fail.
 */
int li_table_prepare(struct libiommu_dma_table *table, enum table_root root, uint64_t key,
                     uint64_t length);
void li_table_set(struct libiommu_dma_table *table, enum table_root root, uint64_t key,
                  uint64_t value, uint64_t length);
void li_table_clear(struct libiommu_dma_table *table, enum table_root root, uint64_t key,
                    uint64_t length);
/* Readers that keep what they have found are to look again. */
void li_table_tell(struct libiommu_dma_table *table);

static inline struct table_header *table_header(const struct libiommu_dma_table *table)
{
	return (struct table_header *)(void *)(table->base + TABLE_HEADER);
}

static inline _Atomic(uint64_t) *table_entry(unsigned char *base, uint64_t offset, uint64_t index)
{
	return (_Atomic(uint64_t) *)(void *)(base + offset) + index;
}

static inline uint64_t table_load(unsigned char *base, uint64_t offset, uint64_t index)
{
	unsigned char *at = base + index * sizeof(uint64_t);

	/* The offset is what a lookup waits for: no sum is to come between it and the load. */
	__asm__("" : "+r"(at));
	return atomic_load_explicit((_Atomic(uint64_t) *)(void *)(at + offset),
	                            memory_order_acquire);
}

/* The entry that has @key, which has no more bits than a key has; @in: how far in it. */
static inline uint64_t table_find(unsigned char *base, enum table_root root, uint64_t key,
                                  uint64_t *in)
{
	const uint64_t node = table_load(base, root, key >> 30) & ENTRY_OFFSET;
	uint64_t entry = table_load(base, node, key >> 21 & 511);

	*in = key & (TABLE_BLOCK - 1);
	/* Small buffers are what there are many of. */
	if (__builtin_expect(!!(entry & ENTRY_NODE), 1)) {
		entry = table_load(base, entry & ENTRY_OFFSET, key >> 12 & 511);
		*in = key & (TABLE_PAGE - 1);
	}
	return entry;
}

/* How many bytes go on from a valid entry's first. */
static inline uint64_t table_run(uint64_t entry)
{
	return (entry >> ENTRY_RUN_SHIFT) * TABLE_PAGE;
}

/* What is @in bytes behind what a valid entry leads to. */
static inline uint64_t table_value(uint64_t entry, uint64_t in)
{
	return (entry & ENTRY_TO) + in;
}

/*
 * How many bytes go on from there; 0 if the entry is not valid, or none that the library has made:
 * another process's table may be anything.
 */
static inline uint64_t table_room(uint64_t entry, uint64_t in)
{
	return entry & ENTRY_VALID && table_run(entry) > in ? table_run(entry) - in : 0;
}

#endif

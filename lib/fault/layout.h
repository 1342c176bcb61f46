/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The shared memory of a fault ring, as doc/fault-ring.md describes it: an ABI. Memory A is written
 * by the filler, memory B by the reader; no word has two writers, and neither side believes what it
 * reads in the other's.
 */
#ifndef LIBIOMMU_FAULT_LAYOUT_H
#define LIBIOMMU_FAULT_LAYOUT_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <libiommu/reader.h>
#include <libiommu/ring.h>

#include "../base/places.h"

#define RING_MAGIC    UINT64_C(0x6c69626f66617571) /* also tells the byte order */
#define RING_MAJOR    1
#define RING_MINOR    0
#define RING_HEADER   4096                /* bytes before the records and before the completions */
#define RING_COUNTERS 32                  /* places */
#define RING_MIN      1024                /* records: the fewest */
#define RING_MAX      (UINT32_C(1) << 24) /* records: the most */
#define RING_MAX_OUT  (UINT32_C(1) << PLACE_BITS) /* groups */

#define RING_COUNTERS_KNOWN (LIBIOMMU_RING_EVENTS_LOST + 1)

/* Where an event goes on in a record of kind LIBIOMMU_RECORD_DATA, and how far. */
#define RECORD_DATA_AT offsetof(struct libiommu_record, address)
#define RECORD_DATA    ((uint32_t)(sizeof(struct libiommu_record) - RECORD_DATA_AT))

/* The reader is woken by a message on the socket rather than by its eventfd. */
#define RING_FEATURE_SOCKET_BELL (UINT64_C(1) << 0)

/*
 * What is written all the time begins and ends with so many bytes that nobody uses: two that are
 * neighbours in memory may be used by two threads, and must not share a cache line, nor a pair of
 * lines that a processor fetches together.
 */
struct apart {
	uint8_t unused[128];
};

enum ring_state {
	RING_OPEN = 1,
	RING_CONDEMNED = 2,
};

/* Bit 0 of a wait word: also for room, the filler's for records, the reader's for completions. */
#define RING_WAIT_SCARCE 1U

struct ring_a {
	uint64_t magic;
	uint16_t major;
	uint16_t minor;
	uint32_t record_offset;
	uint32_t record_size;
	uint32_t capacity;
	uint32_t completion_size;
	uint32_t completion_capacity;
	uint32_t completion_offset;
	uint32_t max_outstanding;
	uint64_t features;
	uint64_t epoch;
	uint8_t pad0[128 - 56];
	atomic_uint_least32_t prod;
	atomic_uint_least32_t state;
	uint8_t pad1[128 - 8];
	atomic_uint_least32_t taken;
	uint8_t pad2[128 - 4];
	/* Read by the reader after each step of its own: nothing that changes as often is near. */
	atomic_uint_least32_t wait;
	uint8_t pad3[128 - 4];
	atomic_uint_least64_t counters[RING_COUNTERS];
	uint8_t pad4[RING_HEADER - 512 - 8 * RING_COUNTERS];
};

struct ring_b {
	atomic_uint_least32_t cons;
	uint8_t pad0[128 - 4];
	atomic_uint_least32_t made;
	uint8_t pad1[128 - 4];
	atomic_uint_least32_t wait;
	uint8_t pad2[RING_HEADER - 256 - 4];
};

/* A completion as machine words: each is loaded once, whatever the writer does meanwhile. */
#define RING_COMPLETION_WORDS (16 / sizeof(uintptr_t))
struct ring_completion {
	atomic_uintptr_t words[RING_COMPLETION_WORDS];
};

/* The first and only message from the filler; with it come A, B, the bell and the kick. */
struct ring_hello {
	uint64_t magic;
	uint16_t major;
	uint16_t minor;
	uint32_t descriptors;
};

enum { HELLO_A, HELLO_B, HELLO_BELL, HELLO_KICK, HELLO_FDS };

#define AT(type, field, offset) static_assert(offsetof(type, field) == (offset), "part of the ABI")
AT(struct ring_a, record_offset, 12);
AT(struct ring_a, max_outstanding, 36);
AT(struct ring_a, features, 40);
AT(struct ring_a, epoch, 48);
AT(struct ring_a, prod, 128);
AT(struct ring_a, state, 132);
AT(struct ring_a, taken, 256);
AT(struct ring_a, wait, 384);
AT(struct ring_a, counters, 512);
AT(struct ring_b, made, 128);
AT(struct ring_b, wait, 256);
AT(struct libiommu_record, label, 8);
AT(struct libiommu_record, token, 24);
AT(struct libiommu_record, address, 32);
AT(struct libiommu_record, length, 48);
AT(struct libiommu_record, attachment, 60);
AT(struct libiommu_completion, code, 8);
#undef AT
static_assert(sizeof(struct ring_a) == RING_HEADER && sizeof(struct ring_b) == RING_HEADER, "ABI");
static_assert(RING_COUNTERS_KNOWN <= RING_COUNTERS, "each has its place");
static_assert(sizeof(struct libiommu_record) == 64, "part of the ABI");
static_assert(sizeof(struct libiommu_completion) == 16, "part of the ABI");
static_assert(sizeof(struct ring_completion) == 16, "another view of the same");

static inline void ring_completion_load(const struct ring_completion *from,
                                        struct libiommu_completion *to)
{
	uintptr_t words[RING_COMPLETION_WORDS];

	for (size_t i = 0; i < RING_COMPLETION_WORDS; i++)
		words[i] = atomic_load_explicit(&from->words[i], memory_order_relaxed);
	memcpy(to, words, sizeof(*to));
}

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The SMMUv3 that the guest has: registers, and what stands in the guest's memory beside tables.
 * The guest writes to it, and the VMM is it.
 */
#ifndef SMMU_H
#define SMMU_H

#include "smmuv3-tables.h"

/* Of a command's first word. */
enum smmu_opcode {
	SMMU_CFGI_STE = 0x03,
	SMMU_CFGI_ALL = 0x04,
	SMMU_CFGI_CD = 0x05,
	SMMU_CFGI_CD_ALL = 0x06,
	SMMU_TLBI_NH_ALL = 0x10,
	SMMU_TLBI_NH_ASID = 0x11,
	SMMU_TLBI_NH_VA = 0x12,
	SMMU_TLBI_NH_VAA = 0x13,
	SMMU_TLBI_NSNH_ALL = 0x30,
	SMMU_ATC_INV = 0x40,
	SMMU_PRI_RESP = 0x41,
	SMMU_SYNC = 0x46
};

/* Of commands, events and page requests alike. */
#define SMMU_OPCODE(word) ((word)&0xff)
#define SMMU_STREAM(word) ((uint32_t)((word) >> 32))

#define SMMU_SSV          (UINT64_C(1) << 11)
#define SMMU_SSID(word)   ((uint32_t)((word) >> 12) & 0xfffff)
#define SMMU_ASID(word)   ((uint16_t)((word) >> 48))
#define SMMU_ADDRESS      (~UINT64_C(0xfff))
#define SMMU_LEAF         UINT64_C(1)
#define SMMU_GROUP(word)  ((uint32_t)(word)&0x1ff)
#define SMMU_ANSWER_SHIFT 12

enum smmu_answer { SMMU_DENY = 0, SMMU_FAIL = 1, SMMU_SUCCESS = 2 };

/* Of an event's first word. */
enum smmu_event { SMMU_F_UUT = 0x01, SMMU_C_BAD_STE = 0x04, SMMU_F_TRANSLATION = 0x10 };

/* Of a page request: words that are laid out otherwise than those above. */
#define SMMU_REQUEST_STREAM(word) ((uint32_t)(word))
#define SMMU_REQUEST_SSID(word)   ((uint32_t)((word) >> 32) & 0xfffff)
#define SMMU_REQUEST_PRIVILEGED   (UINT64_C(1) << 58)
#define SMMU_REQUEST_EXEC         (UINT64_C(1) << 59)
#define SMMU_REQUEST_READ         (UINT64_C(1) << 60)
#define SMMU_REQUEST_WRITE        (UINT64_C(1) << 61)
#define SMMU_REQUEST_LAST         (UINT64_C(1) << 62)
#define SMMU_REQUEST_HAS_SSID     (UINT64_C(1) << 63)

enum {
	SMMU_STREAMS = 64, /* in a stream table of one level */
	SMMU_STE_SIZE = 64,
	SMMU_CD_SIZE = 64,
	SMMU_GROUPS = 512, /* that a page request's group number can tell apart */
	SMMU_MOST_WORDS = 4
};

/*
 * A page of them. Indices run free; the hardware's have a wrap bit instead. The base is the guest's
 * to set, and one of the indices.
 */
struct smmu_queue {
	uint64_t base;
	uint32_t entries; /* a power of two */
	uint32_t words;   /* of an entry, SMMU_MOST_WORDS at most */
	uint32_t prod;
	uint32_t cons;
	uint32_t overflows;
};

struct smmu {
	/* What the guest finds: SSIDs, a device's own cache, page requests. */
	unsigned int ssid_bits;
	bool has_ats;
	bool has_pri;
	/* What the guest sets. */
	uint64_t stream_table;
	struct smmu_queue commands;
	struct smmu_queue events;
	struct smmu_queue requests;
	/* The command at commands.cons is refused, and those behind it wait until this is false. */
	bool error;
};

void smmu_reset(struct smmu *smmu);

/* Where an address of the guest's is in this process; NULL unless all of it is memory. */
void *smmu_at(const struct guest *memory, uint64_t address, size_t length);

/* Words of the guest's memory as numbers, read once: it may change them meanwhile. */
bool smmu_read(const struct guest *memory, uint64_t address, uint64_t *words, size_t count);

uint32_t smmu_room(const struct smmu_queue *queue);
/* False where the queue is full, or is not memory. */
bool smmu_put(const struct guest *memory, struct smmu_queue *queue, const uint64_t *words);
/* The entry at an index, which is not taken from the queue. */
bool smmu_peek(const struct guest *memory, const struct smmu_queue *queue, uint32_t index,
               uint64_t *words);
bool smmu_get(const struct guest *memory, struct smmu_queue *queue, uint64_t *words);

#endif

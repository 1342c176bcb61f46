/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The reader's side of a ring that is fed with any bytes: groups taken one by one or by handlers,
 * answered once, twice or never, while somebody watches.
 */
#ifndef LIBIOMMU_TESTS_FAULT_READER_H
#define LIBIOMMU_TESTS_FAULT_READER_H

#include "fault-kernel.h"

enum { FUZZ_DEVICES = 2, FUZZ_TOKENS = 4096 };

/* Those that were given out, each with its attachment's tag. */
struct tokens {
	uint32_t count;
	uint64_t token[FUZZ_TOKENS];
	uint64_t tag[FUZZ_TOKENS];
};

/* A token that nobody has had before. */
void note_token(struct tokens *tokens, uint64_t token, uint64_t tag);

void fuzz_reader_init(struct libiommu_ring *ring);
/* In the place of the one that there may be: none, or one anew. */
void fuzz_reader_change(bool open);
/* @last_tag is the largest that was used. */
void fuzz_reader_use(uint32_t choice, uint64_t last_tag);
void fuzz_reader_handle(uint32_t choice, uint64_t last_tag);
/* What can be seen from outside holds. */
void fuzz_reader_watch(void);

#endif

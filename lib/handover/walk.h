/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Numbers to bytes and back, little-endian, without padding. One function for each record says its
 * fields once, and walks over them in either direction.
 */
#ifndef LIBIOMMU_HANDOVER_WALK_H
#define LIBIOMMU_HANDOVER_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct walk {
	bool writes;
	bool failed; /* writing: no memory; reading: beyond the end */
	unsigned char *bytes;
	size_t size; /* reading: where they end; writing: so far */
	size_t room; /* writing */
	size_t at;   /* reading */
};

/* Reads what is at @bytes, which stays the caller's. */
struct walk li_walk_reader(const void *bytes, size_t size);
/* Writes into memory that grows. */
struct walk li_walk_writer(void);
void li_walk_free(struct walk *walk);

void li_walk_u32(struct walk *walk, uint32_t *value);
void li_walk_u64(struct walk *walk, uint64_t *value);
void li_walk_bytes(struct walk *walk, void *bytes, size_t size);

/* Reading: how much is left. */
size_t li_walk_left(const struct walk *walk);
/* Writing: another value where one was written. */
void li_walk_patch_u32(struct walk *walk, size_t at, uint32_t value);
void li_walk_patch_u64(struct walk *walk, size_t at, uint64_t value);
/* Reading: the next @size bytes alone, past which this one goes on. */
struct walk li_walk_part(struct walk *walk, size_t size);

#endif

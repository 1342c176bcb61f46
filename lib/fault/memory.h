/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The two shared memories of a ring, as each side makes or finds them. */
#ifndef LIBIOMMU_FAULT_MEMORY_H
#define LIBIOMMU_FAULT_MEMORY_H

#include "../base/sys.h"
#include "layout.h"

struct ring_shape {
	uint32_t capacity;            /* records, a power of two */
	uint32_t completion_capacity; /* a power of two, at least twice the next */
	uint32_t max_outstanding;
	uint64_t features;
	uint64_t epoch;
};

struct ring_memory {
	struct ring_a *a;
	struct ring_b *b;
	struct libiommu_record *records;
	struct ring_completion *completions;
	size_t a_size;
	size_t b_size;
	/* Copies: the other side is not trusted to leave alone what it wrote once. */
	uint32_t capacity; /* in records */
	uint32_t completion_capacity;
	int a_fd; /* -1: closed already */
	int b_fd;
};

/* The filler's: made, mapped (A to write, B to read), then sealed. */
int li_memory_new(const struct libiommu_sys *sys, const struct ring_shape *shape,
                  struct ring_memory *memory);
/*
 * The reader's, from descriptors that stay the caller's: -EPROTO where anything is not as the ABI
 * has it, -EPROTONOSUPPORT where it is a later ABI.
 */
int li_memory_open(const struct libiommu_sys *sys, int a_fd, int b_fd, struct ring_memory *memory);
void li_memory_free(const struct libiommu_sys *sys, struct ring_memory *memory);

/* A monitor's: the header of A alone, errors as above. A forked child inherits it. */
int li_memory_watch(const struct libiommu_sys *sys, int fd, const struct ring_a **a);
void li_memory_unwatch(const struct libiommu_sys *sys, const struct ring_a *a);

#endif

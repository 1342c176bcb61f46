/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What the two halves of a reader share: taking and answering, and sleeping. */
#ifndef LIBIOMMU_FAULT_READER_H
#define LIBIOMMU_FAULT_READER_H

#include <libiommu/reader.h>

#include "../base/failure.h"
#include "../base/guard.h"
#include "memory.h"

struct libiommu_reader {
	struct apart before;
	struct libiommu_sys *sys;
	const volatile uint32_t *guard;
	struct ring_memory memory;
	uint32_t mask; /* of indices of records */
	int socket;
	bool own_socket;
	int bell;
	int kick;
	int epoll;
	uint32_t seen;     /* prod, as last loaded */
	uint32_t next;     /* what is taken next */
	uint32_t released; /* cons */
	uint32_t made;
	uint32_t taken; /* as last loaded */
	bool scarce;    /* there was no room for a completion */
	bool gone;      /* the filler is, without having said so in its memory */
	uint32_t seq;
	uint32_t kicked;
	struct apart behind;
};

/* The public functions of these names, without a word about what fails. */
int li_reader_next(struct libiommu_reader *reader, const struct libiommu_record **records,
                   size_t *count);
void li_reader_release(struct libiommu_reader *reader);
int li_reader_complete(struct libiommu_reader *reader,
                       const struct libiommu_completion *completions, size_t count);

/* The filler has said so, or its end of the socket was found to be closed. */
static inline bool reader_ended(const struct libiommu_reader *reader)
{
	return reader->gone ||
	       atomic_load_explicit(&reader->memory.a->state, memory_order_acquire) != RING_OPEN;
}

/* How many completions there is room for now. */
static inline uint32_t reader_room(struct libiommu_reader *reader)
{
	const uint32_t taken = atomic_load(&reader->memory.a->taken);
	const uint32_t room = reader->memory.completion_capacity - (reader->made - taken);

	/* More than there can be: the filler writes nonsense, which next() will say. */
	if (room > reader->memory.completion_capacity)
		return 0;
	reader->taken = taken;
	return room;
}

#define READER_FAIL(error, text)                                                                   \
	li_failure_library(NULL, __func__, error, text, &(const struct failure_detail){0})
#define READER_FAIL_NULL()   READER_FAIL(-EINVAL, "a handle or a result pointer is NULL")
#define READER_FAIL_FORKED() READER_FAIL(-ECHILD, "a forked child has no part in its parent's ring")
#define READER_FAIL_END()    READER_FAIL(-EPIPE, "the filler is gone, or has given this reader up")
#define READER_FAIL_NONSENSE(error)                                                                \
	READER_FAIL(error, "the filler's indices or records are nonsense")

#endif

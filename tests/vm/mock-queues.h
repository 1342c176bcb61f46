/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What the door has seen go over the descriptors of fault queues. */
#ifndef MOCK_QUEUES_H
#define MOCK_QUEUES_H

#include <stdatomic.h>
#include <sys/types.h>

#include "mock.h"

enum { MOCK_QUEUES = 16, MOCK_LAST = 8 };

struct mock_tally {
	atomic_uint_least64_t read;
	atomic_uint_least64_t taken[2];
	atomic_uint_least64_t refused[2];
};

struct mock_queue {
	atomic_int fd; /* -1: free */
	struct mock_tally tally;
	/* The records that were read last; who reads has the library's lock of the queue. */
	struct {
		uint64_t address;
		uint32_t cookie;
	} last[MOCK_LAST];
	uint32_t next; /* of these */
};

struct mock_queues {
	struct mock_queue queue[MOCK_QUEUES];
	struct mock_tally all; /* also of those that are gone */
};

void mock_queues_init(struct mock_queues *queues);
/* Its descriptor is there, and is not any more; one that is no queue's is nothing. */
void mock_queues_add(struct mock_queues *queues, int fd);
void mock_queues_remove(struct mock_queues *queues, int fd);
/* What a read or write of any descriptor came to: bytes or -errno. */
void mock_queues_note_read(struct mock_queues *queues, int fd, const void *buffer, ssize_t got);
void mock_queues_note_write(struct mock_queues *queues, int fd, const void *buffer, ssize_t put);

/* NULL: it is no queue's. */
struct mock_queue *mock_queues_find(struct mock_queues *queues, int fd);
void mock_tally_get(const struct mock_tally *tally, struct mock_answers *answers);
uint32_t mock_queue_cookie(const struct mock_queue *queue, uint64_t address);

#endif

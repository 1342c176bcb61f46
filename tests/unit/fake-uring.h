/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A kernel with one fault queue and one io_uring, in memory: faults are raised, and the kernel
 * reads them by itself when the test lets it run.
 */
#ifndef LIBIOMMU_TESTS_FAKE_URING_H
#define LIBIOMMU_TESTS_FAKE_URING_H

#include "script.h"

#include "../../lib/base/sys.h"
#include "../../lib/base/uapi/io-uring.h"

#define FAKE_FD    700 /* of the queue */
#define FAKE_RING  701
#define FAKE_EPOLL 702

struct fake_uring {
	/* What the kernel is like. */
	uint32_t features;
	uint8_t operations; /* how many it knows */
	bool known;         /* the one that is wanted */
	bool refuses;       /* to take a submission: -EAGAIN */
	bool lies;          /* about one that it took: -EINTR */
	int cancel_error;   /* what it says, after it cancelled */
	int read_error;     /* of read(2) */
	bool stuck;         /* the thread that a read is armed in is busy: nothing completes */
	unsigned int waits; /* until it is no longer stuck; 0 for never */
	bool refills;       /* it runs once more before it cancels */
	uint64_t now;

	/* What has become of it. */
	bool armed;
	bool cancelled;
	bool nonblock;
	bool watched; /* the queue's descriptor, by the epoll */
	unsigned int arms;
	unsigned int reads;
	unsigned int cancels;
	int fds;
	int maps;
	int forkable; /* maps that a child would find */
	size_t left;  /* records that nobody has read */
};

extern struct fake_uring fake_uring;

/* A door to it; freed by fake_uring_end(), which checks that all is closed and unmapped. */
struct libiommu_sys *fake_uring_begin(void);
void fake_uring_end(void);
/* The @nth call that can fail from now on fails with -EIO; 0 ends that. Whether it came to that. */
void fake_uring_fail_nth(unsigned int nth);
bool fake_uring_failed(void);

/* A group of @records with this cookie is raised. Each record has the next address, from 0 on. */
void fake_uring_raise(uint32_t cookie, uint32_t records);
/* The armed read is woken. */
void fake_uring_run(void);
/* A completion of its own making: the read ends with this. */
void fake_uring_finish(int result);
/* Any completion at all. */
void fake_uring_post(int result, uint32_t flags);
/* The epoll is readable. */
bool fake_uring_ready(void);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * An io_uring for one read that stays armed: the kernel reads by itself whenever there is something
 * to read, each time into the next of some buffers, and completes. Needs Linux 6.7. One caller at a
 * time.
 */
#ifndef LIBIOMMU_BASE_URING_H
#define LIBIOMMU_BASE_URING_H

#include <stdatomic.h>
#include <stdbool.h>

#include "sys.h"
#include "uapi/io-uring.h"

#define URING_BUFFERS 64U

struct uring {
	const struct libiommu_sys *sys;
	int fd; /* readable as long as there are completions */
	struct {
		void *at; /* NULL: not mapped */
		size_t length;
	} maps[3];
	struct uapi_io_uring_sqe *sqe;
	_Atomic uint32_t *sq_head;
	_Atomic uint32_t *sq_tail;
	_Atomic uint32_t *cq_head;
	_Atomic uint32_t *cq_tail;
	const struct uapi_io_uring_cqe *cqes;
	uint32_t cq_mask;
	struct uapi_io_uring_buf *places;
	_Atomic uint16_t *tail; /* of the places */
	size_t size;            /* of a buffer */
};

struct uring_done {
	const void *data; /* in a buffer, or NULL */
	size_t length;    /* of that, 0 without any */
	int error;        /* 0 or -errno */
	bool end;         /* the read is no longer armed */
};

/*
 * With buffers of @size bytes, a multiple of 8. -errno, and nothing is left behind: -EOPNOTSUPP
 * where the kernel is too old, what the kernel says where there is no io_uring or no memory.
 */
int li_uring_open(struct uring *ring, const struct libiommu_sys *sys, size_t size);
/* With @busy the kernel may still fill the buffers: they stay mapped for ever. */
void li_uring_close(struct uring *ring, bool busy);

/* Arms the read; it is tied to this thread, whose end ends it with a completion. */
int li_uring_arm(struct uring *ring, int fd);
/* The oldest completion; false without any. */
bool li_uring_peek(const struct uring *ring, struct uring_done *done);
/* It is done with: its buffer can be filled again. */
void li_uring_pop(struct uring *ring);

/* Among the completions is the one that ends the read. */
bool li_uring_ended(const struct uring *ring);
/* Tells the read to end; -errno where that is not possible. Its last completion may come later. */
int li_uring_cancel(struct uring *ring);
/* Waits for one more completion, but not for long; -errno. */
int li_uring_wait(struct uring *ring);

#endif

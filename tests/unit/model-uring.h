/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Io_urings for the queues of a model: a read that is armed takes at once what is raised, into the
 * library's own buffers. The model's lock is held in all of it.
 */
#ifndef LIBIOMMU_TESTS_MODEL_URING_H
#define LIBIOMMU_TESTS_MODEL_URING_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../../lib/base/sys.h"

/* Reads a queue, as read(2) does. */
typedef ssize_t (*model_uring_read_fn)(int fd, void *buffer, size_t size);

/* Puts it into the door, in front of @below. */
void model_uring_install(struct libiommu_sys *door, const struct libiommu_sys *below,
                         pthread_mutex_t *lock, model_uring_read_fn read);
/* The queue has something to read. */
void model_uring_run(int fd);
void model_uring_close(int fd);
/* Their descriptors are readable as long as there are completions, which nobody calls to take. */
void model_uring_refresh(void);
/* That many calls from now on one fails: -EIO. 0: none. Whether it came to that. */
void model_uring_fail_nth(unsigned int nth);
bool model_uring_failed(void);
/* A read that is cancelled ends only when its end is waited for. */
void model_uring_linger(bool on);
/* The sandbox has none. */
void model_uring_forbid(bool on);
/* Reads that are armed now. */
unsigned int model_uring_armed(void);

#endif

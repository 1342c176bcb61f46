/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A vIOMMU's event queue, for those that make it and those that read it. */
#ifndef LIBIOMMU_NEST_VEVENTQ_H
#define LIBIOMMU_NEST_VEVENTQ_H

#include <pthread.h>
#include <stdbool.h>

#include <libiommu/veventq.h>

struct veventq_layout {
	uint32_t length;
	uint32_t id_offset;
	uint32_t id_length; /* 0, 4 or 8 */
	bool little_endian;
};

struct libiommu_veventq {
	struct libiommu_viommu *viommu;
	uint32_t id;
	uint32_t type;
	int fd; /* -1 once it is closed */
	bool own_fd;
	bool own_id;
	struct veventq_layout layout;
	pthread_mutex_t lock; /* of what follows, and of reading */
	bool taken;           /* a ring reads it, and nobody else */
	bool counts;          /* false until the first event of one that was adopted */
	uint32_t expected;
	uint64_t lost; /* since the last event */
};

/*
 * The handle of a queue that the kernel has; its descriptor is the handle's. 0, -ENOMEM, or -EINVAL
 * for one that cannot be.
 */
int li_veventq_restore(const struct libiommu_veventq *like, struct libiommu_veventq **queue);

#define FAIL_VEVENTQ_CLOSED(queue)                                                                 \
	FAIL_LIBRARY(li_viommu_ctx((queue)->viommu), __func__, -EBADF,                             \
	             "the queue's descriptor was closed by a destroy that failed",                 \
	             .id = (queue)->id)

/* For a ring, which then reads it alone: 0, -EBUSY where one does already, -EBADF. */
int li_veventq_take(struct libiommu_veventq *queue);
void li_veventq_give_back(struct libiommu_veventq *queue);
/* As libiommu_veventq_read(), for the ring; -EPROTO with what came before in the batch. */
int li_veventq_read(struct libiommu_veventq *queue, struct libiommu_vevent_batch *batch,
                    uint64_t *lost);
/* How many were lost since the last event that was read; the next one does not tell it again. */
uint64_t li_veventq_take_lost(struct libiommu_veventq *queue);

#endif

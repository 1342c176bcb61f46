/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Inside of a fault queue: groups that wait to be read, and those that wait for an answer. */
#ifndef EMU_FAULT_QUEUE_H
#define EMU_FAULT_QUEUE_H

#include "fault.h"
#include "queue.h"

struct emu_fault_group {
	struct emu_fault_group *next, **link; /* while it waits to be read */
	struct emu_dev *dev;
	const struct emu_device *device; /* of the attachment that it came by */
	uint32_t at;                     /* the PASID of that attachment */
	uint32_t dev_id;
	uint32_t cookie; /* once it is read */
	emu_answer_fn answer;
	void *user;
	size_t count;
	struct emu_page_request requests[];
};

struct emu_fault_queue {
	struct emu_queue queue;
	struct emu_fault_group *first, **last; /* wait to be read */
	struct emu_ids read;                   /* by cookie */
};

/* The queue's own from now on. */
void emu_fault_queue_add(struct emu_fault_queue *queue, struct emu_fault_group *group);
/* Takes the first of those that wait, which gets a cookie: 0 or -ENOMEM. */
int emu_fault_queue_take(struct emu_fault_queue *queue);
/* It waits again, in front of all others. */
void emu_fault_queue_put_back(struct emu_fault_queue *queue, struct emu_fault_group *group);
/* What came by this attachment is answered INVALID; @device NULL: what came by any. */
void emu_fault_queue_flush(struct emu_fault_queue *queue, const struct emu_device *device,
                           uint32_t pasid);
/* The group is nobody's any more, and is answered. */
void emu_fault_group_answer(struct emu_fault_group *group, uint32_t code);

extern const struct emu_file_ops emu_fault_file_ops;

#endif

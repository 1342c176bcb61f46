/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fault-queue.h"

#include <errno.h>
#include <stddef.h>

#include "../lib/base/uapi/iommufd.h"
#include "heap.h"

struct emu_object *emu_fault_queue_object(struct emu_fault_queue *queue)
{
	return &queue->queue.object;
}

struct emu_fault_queue *emu_fault_queue_of(struct emu_object *object)
{
	return (struct emu_fault_queue *)object;
}

static void append(struct emu_fault_group ***last, struct emu_fault_group *group)
{
	group->next = NULL;
	group->link = *last;
	**last = group;
	*last = &group->next;
}

static void take_out(struct emu_fault_queue *queue, struct emu_fault_group *group)
{
	*group->link = group->next;
	if (group->next)
		group->next->link = group->link;
	else
		queue->last = group->link;
}

void emu_fault_queue_add(struct emu_fault_queue *queue, struct emu_fault_group *group)
{
	append(&queue->last, group);
	emu_queue_set_ready(&queue->queue, true);
}

int emu_fault_queue_take(struct emu_fault_queue *queue)
{
	struct emu_fault_group *const group = queue->first;

	if (emu_ids_add(&queue->read, group, &group->cookie))
		return -ENOMEM;
	take_out(queue, group);
	return 0;
}

void emu_fault_queue_put_back(struct emu_fault_queue *queue, struct emu_fault_group *group)
{
	emu_ids_remove(&queue->read, group->cookie, false);
	group->next = queue->first;
	group->link = &queue->first;
	if (group->next)
		group->next->link = &group->next;
	else
		queue->last = &group->next;
	queue->first = group;
}

void emu_fault_group_answer(struct emu_fault_group *group, uint32_t code)
{
	const struct emu_page_request *const last = &group->requests[group->count - 1];

	if (group->answer)
		group->answer(group->user, group->dev, last->pasid, last->group, code);
	emu_release(group);
}

static bool came_by(const struct emu_fault_group *group, const struct emu_device *device,
                    uint32_t pasid)
{
	return !device || (group->device == device && group->at == pasid);
}

/* Who is answered may ask for pages again at once, which then wait behind: they come last. */
static void flush_waiting(struct emu_fault_queue *queue, const struct emu_device *device,
                          uint32_t pasid)
{
	struct emu_fault_group *flushed = NULL, **last = &flushed;
	struct emu_fault_group *next;

	for (struct emu_fault_group *group = queue->first; group; group = next) {
		next = group->next;
		if (!came_by(group, device, pasid))
			continue;
		take_out(queue, group);
		append(&last, group);
	}
	for (struct emu_fault_group *group = flushed; group; group = next) {
		next = group->next;
		emu_fault_group_answer(group, UAPI_PAGE_RESP_INVALID);
	}
}

static void flush_read(struct emu_fault_queue *queue, const struct emu_device *device,
                       uint32_t pasid)
{
	for (uint32_t cookie = 0; cookie < queue->read.room; cookie++) {
		struct emu_fault_group *const group = emu_ids_find(&queue->read, cookie);

		if (!group || !came_by(group, device, pasid))
			continue;
		emu_ids_remove(&queue->read, cookie, false);
		emu_fault_group_answer(group, UAPI_PAGE_RESP_INVALID);
	}
}

void emu_fault_queue_flush(struct emu_fault_queue *queue, const struct emu_device *device,
                           uint32_t pasid)
{
	flush_waiting(queue, device, pasid);
	flush_read(queue, device, pasid);
	emu_queue_set_ready(&queue->queue, queue->first);
}

static void fault_queue_destroy(struct emu_object *object)
{
	struct emu_fault_queue *const queue = emu_fault_queue_of(object);

	emu_fault_queue_flush(queue, NULL, 0);
	emu_ids_free(&queue->read);
	emu_release(queue);
}

static const struct emu_object_ops fault_queue_ops = {
	.type = EMU_FAULT_QUEUE,
	.destroy = fault_queue_destroy,
};

int emu_fault_alloc(struct emu_call *call)
{
	struct uapi_fault_alloc *const cmd = call->cmd;
	struct emu_fault_queue *queue;
	int error;

	if (cmd->flags)
		return -EOPNOTSUPP;
	queue = emu_alloc(sizeof(*queue));
	if (!queue || emu_object_add(call->ctx, &queue->queue.object, &fault_queue_ops)) {
		emu_release(queue);
		return -ENOMEM;
	}
	queue->last = &queue->first;
	error = emu_queue_open(&queue->queue, &emu_fault_file_ops, call, &cmd->out_fault_id,
	                       &cmd->out_fault_fd);
	if (error)
		emu_object_remove(&queue->queue.object, false);
	return error;
}

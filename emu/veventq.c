/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Queues of events for a guest. */
#include <errno.h>
#include <string.h>

#include "../lib/base/uapi/iommufd.h"
#include "heap.h"
#include "veventq.h"

#define MOST_DEPTH (1U << 19)

static struct emu_veventq *find(const struct emu_viommu *viommu, uint32_t type)
{
	struct emu_veventq *veventq = viommu->queues;

	while (veventq && veventq->type != type)
		veventq = veventq->next;
	return veventq;
}

/* Whatever comes takes away the mark that was the last. */
static uint32_t number(struct emu_veventq *veventq)
{
	const uint32_t sequence = veventq->sequence;

	veventq->sequence = (sequence + 1) & INT32_MAX;
	veventq->lost = false;
	return sequence;
}

static void lose(struct emu_veventq *veventq)
{
	veventq->lost_sequence = number(veventq);
	veventq->lost = true;
}

static int add(struct emu_veventq *veventq, const void *data, size_t length)
{
	struct emu_event *const event = emu_alloc(sizeof(*event) + length);

	if (!event || veventq->count == veventq->depth) {
		lose(veventq);
		emu_release(event);
		return event ? 0 : -ENOMEM;
	}
	memcpy(event->data, data, length);
	event->length = length;
	event->sequence = number(veventq);
	*veventq->last = event;
	veventq->last = &event->next;
	veventq->count++;
	return 0;
}

int emu_viommu_event(struct emu_viommu *viommu, uint32_t type, const void *data, size_t length)
{
	struct emu_veventq *veventq;
	int error;

	if (!data || !length)
		return -EINVAL;
	veventq = find(viommu, type);
	if (!veventq)
		return -EOPNOTSUPP;
	error = add(veventq, data, length);
	emu_queue_set_ready(&veventq->queue, true);
	return error;
}

static int put_header(const struct emu_task *task, uintptr_t to, uint32_t flags, uint32_t sequence)
{
	const struct uapi_vevent_header header = {.flags = flags, .sequence = sequence};

	return emu_put(task, to, &header, sizeof(header));
}

static void remove_first(struct emu_veventq *veventq)
{
	struct emu_event *const event = veventq->first;

	veventq->first = event->next;
	if (!veventq->first)
		veventq->last = &veventq->first;
	veventq->count--;
	emu_release(event);
}

/* The first event, or the mark: its length, or -errno. */
static ssize_t read_one(struct emu_veventq *veventq, const struct emu_task *task, uintptr_t to,
                        size_t room)
{
	const size_t header = sizeof(struct uapi_vevent_header);
	const struct emu_event *const event = veventq->first;
	const size_t length = header + (event ? event->length : 0);

	if (room < length)
		return -EINVAL;
	if (!event) {
		if (put_header(task, to, UAPI_VEVENTQ_FLAG_LOST_EVENTS, veventq->lost_sequence))
			return -EFAULT;
		veventq->lost = false;
		return (ssize_t)length;
	}
	if (put_header(task, to, 0, event->sequence) ||
	    emu_put(task, to + header, event->data, event->length))
		return -EFAULT;
	remove_first(veventq);
	return (ssize_t)length;
}

static ssize_t veventq_read(struct emu_file *file, const struct emu_task *task, uintptr_t buffer,
                            size_t size)
{
	struct emu_veventq *const veventq = (struct emu_veventq *)emu_queue_of(file);
	size_t done = 0;
	ssize_t got = 1;

	if (size < sizeof(struct uapi_vevent_header))
		return -EINVAL;
	while ((veventq->first || veventq->lost) && got > 0) {
		got = read_one(veventq, task, buffer + done, size - done);
		if (got > 0)
			done += (size_t)got;
	}
	emu_queue_set_ready(&veventq->queue, veventq->first || veventq->lost);
	return done || got > 0 ? (ssize_t)done : got;
}

/* Not written, to which it is no different from a file that cannot be. */
static const struct emu_file_ops veventq_file_ops = {
	.name = "anon_inode:[iommufd-viommu-event]",
	.read = veventq_read,
	.pread = emu_queue_pread,
	.pwrite = emu_queue_pread,
	.release = emu_queue_release,
};

static void veventq_destroy(struct emu_object *object)
{
	struct emu_veventq *const veventq = (struct emu_veventq *)object;
	struct emu_veventq **link = &veventq->viommu->queues;

	while (veventq->first)
		remove_first(veventq);
	while (*link != veventq)
		link = &(*link)->next;
	*link = veventq->next;
	emu_object_unuse(&veventq->viommu->object);
	emu_release(veventq);
}

static const struct emu_object_ops veventq_ops = {
	.type = EMU_VEVENTQ,
	.destroy = veventq_destroy,
};

static int make(struct emu_call *call, struct emu_viommu *viommu)
{
	struct uapi_veventq_alloc *const cmd = call->cmd;
	struct emu_veventq *const veventq = emu_alloc(sizeof(*veventq));
	int error;

	if (!veventq || emu_object_add(call->ctx, &veventq->queue.object, &veventq_ops)) {
		emu_release(veventq);
		return -ENOMEM;
	}
	veventq->last = &veventq->first;
	veventq->type = cmd->type;
	veventq->depth = cmd->veventq_depth;
	veventq->viommu = viommu;
	emu_object_use(&viommu->object);
	veventq->next = viommu->queues;
	viommu->queues = veventq;
	error = emu_queue_open(&veventq->queue, &veventq_file_ops, call, &cmd->out_veventq_id,
	                       &cmd->out_veventq_fd);
	if (error)
		emu_object_remove(&veventq->queue.object, false);
	return error;
}

int emu_veventq_alloc(struct emu_call *call)
{
	const struct uapi_veventq_alloc *const cmd = call->cmd;
	struct emu_viommu *viommu;

	if (cmd->flags || cmd->reserved || cmd->type == UAPI_VEVENTQ_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	if (!cmd->veventq_depth || cmd->veventq_depth > MOST_DEPTH)
		return -EINVAL;
	viommu = emu_viommu_get(call->ctx, cmd->viommu_id);
	if (!viommu)
		return -ENOENT;
	return find(viommu, cmd->type) ? -EEXIST : make(call, viommu);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "queue.h"

#include <errno.h>
#include <stddef.h>

#include "machine.h"

static int open_file(struct emu_queue *queue, const struct emu_file_ops *ops)
{
	struct emu_ctx *const ctx = queue->object.ctx;
	const int fd = emu_file_open(ctx->file.emu, &queue->file, ops);

	if (fd < 0)
		return fd;
	emu_ctx_hold(ctx);
	emu_object_use(&queue->object);
	queue->open = true;
	return fd;
}

static void closed(struct emu_queue *queue)
{
	queue->open = false;
	emu_object_unuse(&queue->object);
	emu_ctx_let_go(queue->object.ctx);
}

int emu_queue_open(struct emu_queue *queue, const struct emu_file_ops *ops, struct emu_call *call,
                   uint32_t *id, uint32_t *out_fd)
{
	const int fd = open_file(queue, ops);

	if (fd < 0)
		return fd;
	*id = queue->object.id;
	*out_fd = (uint32_t)fd;
	if (!emu_call_respond(call))
		return 0;
	emu_file_undo(&queue->file, fd);
	closed(queue);
	return -EFAULT;
}

struct emu_queue *emu_queue_of(struct emu_file *file)
{
	return (struct emu_queue *)((char *)file - offsetof(struct emu_queue, file));
}

void emu_queue_set_ready(struct emu_queue *queue, bool ready)
{
	if (queue->open)
		emu_file_set_ready(&queue->file, ready);
}

void emu_queue_release(struct emu_file *file)
{
	closed(emu_queue_of(file));
}

/* It has no position. */
ssize_t emu_queue_pread(struct emu_file *file, const struct emu_task *task, uintptr_t buffer,
                        size_t size, uint64_t offset)
{
	(void)file;
	(void)task;
	(void)buffer;
	(void)size;
	(void)offset;
	return -ESPIPE;
}

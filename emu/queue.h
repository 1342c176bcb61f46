/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Objects with a descriptor of their own, in which something waits to be read. */
#ifndef EMU_QUEUE_H
#define EMU_QUEUE_H

#include "ctx.h"

/* The first member of each. Its open descriptor is a user of it, and holds the context. */
struct emu_queue {
	struct emu_object object;
	struct emu_file file;
	bool open;
};

/* The queue is an object already; the caller is told of it and its new descriptor: 0 or -errno. */
int emu_queue_open(struct emu_queue *queue, const struct emu_file_ops *ops, struct emu_call *call,
                   uint32_t *id, uint32_t *out_fd);
struct emu_queue *emu_queue_of(struct emu_file *file);
/* Whether something waits. */
void emu_queue_set_ready(struct emu_queue *queue, bool ready);

/* Of its emu_file_ops. */
void emu_queue_release(struct emu_file *file);
ssize_t emu_queue_pread(struct emu_file *file, const struct emu_task *task, uintptr_t buffer,
                        size_t size, uint64_t offset);

#endif

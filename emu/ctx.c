/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ctx.h"

#include <errno.h>
#include <string.h>

#include "command.h"
#include "heap.h"
#include "machine.h"
#include "viommu.h"

int emu_call_respond(const struct emu_call *call)
{
	return emu_put(call->task, call->user, call->cmd,
	               call->user_size < call->size ? call->user_size : call->size);
}

static int ctx_ioctl(struct emu_file *file, const struct emu_task *task, unsigned long request,
                     uintptr_t arg)
{
	return emu_command((struct emu_ctx *)file, task, request, arg);
}

static int ctx_mmap(struct emu_file *file, size_t length, int prot, int flags, uint64_t offset,
                    struct emu_backing *backing)
{
	return emu_viommu_mmap((struct emu_ctx *)file, length, prot, flags, offset, backing);
}

static void ctx_release(struct emu_file *file)
{
	emu_ctx_let_go((struct emu_ctx *)file);
}

static const struct emu_file_ops ctx_ops = {
	.name = "/dev/iommu",
	.ioctl = ctx_ioctl,
	.mmap = ctx_mmap,
	.release = ctx_release,
};

int emu_ctx_open(struct libiommu_emu *emu)
{
	struct emu_ctx *const ctx = emu_alloc(sizeof(*ctx));
	int fd;

	if (!ctx)
		return -ENOMEM;
	ctx->holders = 1;
	fd = emu_file_open(emu, &ctx->file, &ctx_ops);
	if (fd < 0)
		emu_release(ctx);
	return fd;
}

struct emu_ctx *emu_ctx_of(struct libiommu_emu *emu, int fd)
{
	struct emu_file *const file = emu_file_find(emu, fd, false);

	return file && file->ops == &ctx_ops ? (struct emu_ctx *)file : NULL;
}

void emu_ctx_hold(struct emu_ctx *ctx)
{
	ctx->holders++;
}

void emu_ctx_let_go(struct emu_ctx *ctx)
{
	if (--ctx->holders)
		return;
	emu_objects_end(ctx);
	emu_release(ctx);
}

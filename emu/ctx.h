/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * An open /dev/iommu. Files that hold objects of it (devices, queues of faults and events) hold it
 * too, so that it outlives its own descriptor.
 */
#ifndef EMU_CTX_H
#define EMU_CTX_H

#include "file.h"
#include "object.h"

struct emu_ioas;
struct emu_published;

struct emu_ctx {
	struct emu_file file;
	struct emu_objects objects;
	struct emu_ioas *vfio_ioas;      /* of the legacy VFIO calls; may be NULL */
	struct emu_published *published; /* what vIOMMUs have for mmap() */
	bool charge_process;             /* UAPI_OPTION_RLIMIT_MODE */
	bool noiommu;                    /* the legacy calls are about a device without an IOMMU */
	unsigned int holders;            /* its own file, and others */
};

/* One command: the structure as the kernel knows it, and where the caller's lies. */
struct emu_call {
	struct emu_ctx *ctx;
	const struct emu_task *task;
	uintptr_t user;
	size_t user_size;
	size_t size; /* of the kernel's structure */
	void *cmd;
};

/* Copies the structure back, as much of it as the caller knows: 0 or -EFAULT. */
int emu_call_respond(const struct emu_call *call);

/* A new descriptor of a new context, or -errno. */
int emu_ctx_open(struct libiommu_emu *emu);
/* The context of an open descriptor; NULL: it is none. */
struct emu_ctx *emu_ctx_of(struct libiommu_emu *emu, int fd);
void emu_ctx_hold(struct emu_ctx *ctx);
/* The last one ends it. */
void emu_ctx_let_go(struct emu_ctx *ctx);

#endif

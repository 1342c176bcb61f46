/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Objects of an iommufd: what has an id. Ids are the lowest that are free, from 1, and used again
 * at once, as the kernel's are.
 */
#ifndef EMU_OBJECT_H
#define EMU_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ids.h"

struct emu_ctx;
struct emu_object;

enum emu_type {
	EMU_ANY, /* of a search */
	EMU_IOAS,
	EMU_DEVICE,
	EMU_HWPT_PAGING,
	EMU_HWPT_NESTED,
	EMU_FAULT_QUEUE,
	EMU_VIOMMU,
	EMU_VDEVICE,
	EMU_VEVENTQ,
	EMU_HW_QUEUE,
	EMU_ACCESS,
	EMU_TEST_DEVICE
};

struct emu_object_ops {
	enum emu_type type;
	/* Nobody uses it; it has its id no more. Frees it. */
	void (*destroy)(struct emu_object *object);
};

/* The first member of each object. */
struct emu_object {
	const struct emu_object_ops *ops;
	struct emu_ctx *ctx;
	uint32_t id;
	uint32_t users; /* objects and files that need it */
};

struct emu_objects {
	struct emu_ids ids;
	size_t count; /* tombstones are none */
};

/* The object, whose memory is the caller's, gets an id: 0 or -ENOMEM. */
int emu_object_add(struct emu_ctx *ctx, struct emu_object *object,
                   const struct emu_object_ops *ops);
/* Gives an id back, and does nothing else: for what failed while it was made. */
void emu_object_drop(struct emu_object *object);
/* NULL: no such id, or another type. It is not counted as a user. */
struct emu_object *emu_object_find(struct emu_ctx *ctx, uint32_t id, enum emu_type type);
void emu_object_use(struct emu_object *object);
void emu_object_unuse(struct emu_object *object);
/* Destroys it: 0, or -EBUSY while it has users. With @tombstone nobody gets its id again. */
int emu_object_remove(struct emu_object *object, bool tombstone);

/* When the context ends: those without users first, until none is left. */
void emu_objects_end(struct emu_ctx *ctx);

#endif

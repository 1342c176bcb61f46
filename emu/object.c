/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "object.h"

#include <errno.h>

#include "ctx.h"

int emu_object_add(struct emu_ctx *ctx, struct emu_object *object, const struct emu_object_ops *ops)
{
	if (emu_ids_add(&ctx->objects.ids, object, &object->id))
		return -ENOMEM;
	object->ops = ops;
	object->ctx = ctx;
	object->users = 0;
	ctx->objects.count++;
	return 0;
}

static void take_out(struct emu_object *object, bool tombstone)
{
	emu_ids_remove(&object->ctx->objects.ids, object->id, tombstone);
	object->ctx->objects.count--;
}

void emu_object_drop(struct emu_object *object)
{
	take_out(object, false);
}

struct emu_object *emu_object_find(struct emu_ctx *ctx, uint32_t id, enum emu_type type)
{
	struct emu_object *const object = emu_ids_find(&ctx->objects.ids, id);

	return object && (type == EMU_ANY || object->ops->type == type) ? object : NULL;
}

void emu_object_use(struct emu_object *object)
{
	object->users++;
}

void emu_object_unuse(struct emu_object *object)
{
	object->users--;
}

static void end(struct emu_object *object, bool tombstone)
{
	take_out(object, tombstone);
	object->ops->destroy(object);
}

int emu_object_remove(struct emu_object *object, bool tombstone)
{
	if (object->users)
		return -EBUSY;
	end(object, tombstone);
	return 0;
}

void emu_objects_end(struct emu_ctx *ctx)
{
	struct emu_objects *const objects = &ctx->objects;
	size_t before = SIZE_MAX;

	while (objects->count && objects->count < before) {
		before = objects->count;
		for (size_t id = 0; id < objects->ids.room; id++) {
			struct emu_object *const object = objects->ids.slots[id];

			if (object && !object->users)
				end(object, false);
		}
	}
	emu_ids_free(&objects->ids);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "object.h"

#include <errno.h>
#include <string.h>

#include "ctx.h"
#include "heap.h"

static int make_room(struct emu_objects *objects)
{
	const size_t room = objects->room ? 2 * objects->room : 64;
	struct emu_object **const slots =
		emu_grow(objects->slots, room * sizeof(struct emu_object *));
	uint64_t *taken;

	if (!slots)
		return -ENOMEM;
	objects->slots = slots;
	taken = emu_grow(objects->taken, room / 8);
	if (!taken)
		return -ENOMEM;
	objects->taken = taken;
	memset(slots + objects->room, 0, (room - objects->room) * sizeof(slots[0]));
	memset(taken + objects->room / 64, 0, (room - objects->room) / 8);
	if (!objects->room)
		taken[0] = 1; /* no object has the id 0 */
	objects->room = room;
	return 0;
}

static size_t lowest_free(const struct emu_objects *objects)
{
	for (size_t word = objects->lowest / 64; word < objects->room / 64; word++)
		if (~objects->taken[word])
			return word * 64 + (size_t)__builtin_ctzll(~objects->taken[word]);
	return objects->room;
}

int emu_object_add(struct emu_ctx *ctx, struct emu_object *object, const struct emu_object_ops *ops)
{
	struct emu_objects *const objects = &ctx->objects;
	size_t id = lowest_free(objects);

	if (id == objects->room) {
		if (make_room(objects))
			return -ENOMEM;
		id = lowest_free(objects);
	}
	object->ops = ops;
	object->ctx = ctx;
	object->id = (uint32_t)id;
	object->users = 0;
	objects->slots[id] = object;
	objects->taken[id / 64] |= UINT64_C(1) << id % 64;
	objects->lowest = id + 1;
	objects->count++;
	return 0;
}

static void take_out(struct emu_object *object, bool tombstone)
{
	struct emu_objects *const objects = &object->ctx->objects;

	objects->slots[object->id] = NULL;
	objects->count--;
	if (tombstone)
		return;
	objects->taken[object->id / 64] &= ~(UINT64_C(1) << object->id % 64);
	if (object->id < objects->lowest)
		objects->lowest = object->id;
}

void emu_object_drop(struct emu_object *object)
{
	take_out(object, false);
}

struct emu_object *emu_object_find(struct emu_ctx *ctx, uint32_t id, enum emu_type type)
{
	struct emu_object *const object = id < ctx->objects.room ? ctx->objects.slots[id] : NULL;

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

int emu_object_remove(struct emu_object *object, bool tombstone)
{
	if (object->users)
		return -EBUSY;
	take_out(object, tombstone);
	object->ops->destroy(object);
	return 0;
}

void emu_objects_end(struct emu_ctx *ctx)
{
	struct emu_objects *const objects = &ctx->objects;
	size_t before = SIZE_MAX;

	while (objects->count && objects->count < before) {
		before = objects->count;
		for (size_t id = 0; id < objects->room; id++)
			if (objects->slots[id])
				emu_object_remove(objects->slots[id], false);
	}
	emu_release(objects->slots);
	emu_release(objects->taken);
}

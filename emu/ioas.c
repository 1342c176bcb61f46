/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ioas.h"

#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "access.h"
#include "area.h"
#include "dev.h"
#include "heap.h"
#include "map.h"

/* Nobody may use it. */
struct reserved {
	struct emu_range range;
	const void *owner;
};

static struct reserved *reserved_of(struct emu_range *range)
{
	return range ? EMU_OF(struct reserved, range, range) : NULL;
}

static void free_ranges(struct emu_ranges *set)
{
	struct emu_range *range;

	while ((range = emu_ranges_first(set))) {
		emu_ranges_remove(set, range);
		emu_release(reserved_of(range));
	}
}

static void ioas_destroy(struct emu_object *object)
{
	struct emu_ioas *const ioas = emu_ioas_of(object);

	if (object->ctx->vfio_ioas == ioas)
		object->ctx->vfio_ioas = NULL;
	emu_unmap_range(ioas, 0, UINT64_MAX, NULL);
	free_ranges(&ioas->reserved);
	emu_allowed_end(&ioas->allowed);
	emu_release(ioas->domains);
	emu_release(ioas);
}

static const struct emu_object_ops ioas_ops = {
	.type = EMU_IOAS,
	.destroy = ioas_destroy,
};

int emu_ioas_new(struct emu_ctx *ctx, struct emu_ioas **ioas)
{
	struct emu_ioas *const made = emu_alloc(sizeof(*made));

	if (!made || emu_object_add(ctx, &made->object, &ioas_ops)) {
		emu_release(made);
		return -ENOMEM;
	}
	made->alignment = 1;
	emu_account_ask(ctx->file.emu);
	*ioas = made;
	return 0;
}

struct emu_object *emu_ioas_object(struct emu_ioas *ioas)
{
	return &ioas->object;
}

struct emu_ioas *emu_ioas_of(struct emu_object *object)
{
	return (struct emu_ioas *)object;
}

struct emu_ioas *emu_ioas_find(struct emu_ctx *ctx, uint32_t id)
{
	return emu_ioas_of(emu_object_find(ctx, id, EMU_IOAS));
}

uint64_t emu_ioas_alignment(const struct emu_ioas *ioas)
{
	return ioas->alignment;
}

bool emu_ioas_huge(const struct emu_ioas *ioas)
{
	return !ioas->small_pages;
}

struct emu_hwpt **emu_ioas_hwpts(struct emu_ioas *ioas)
{
	return &ioas->hwpts;
}

int emu_ioas_alloc(struct emu_call *call)
{
	struct uapi_ioas_alloc *const cmd = call->cmd;
	struct emu_ioas *ioas;
	int error;

	if (cmd->flags)
		return -EOPNOTSUPP;
	error = emu_ioas_new(call->ctx, &ioas);
	if (error)
		return error;
	cmd->out_ioas_id = ioas->object.id;
	error = emu_call_respond(call);
	if (error)
		emu_object_remove(&ioas->object, false);
	return error;
}

int emu_ioas_reserve(struct emu_ioas *ioas, uint64_t start, uint64_t last, const void *owner)
{
	struct reserved *reserved;

	if (emu_ranges_meet_one(&ioas->areas, start, last) ||
	    emu_ranges_meet_one(&ioas->allowed, start, last))
		return -EADDRINUSE;
	reserved = emu_alloc(sizeof(*reserved));
	if (!reserved)
		return -ENOMEM;
	reserved->range.start = start;
	reserved->range.last = last;
	reserved->owner = owner;
	emu_ranges_add(&ioas->reserved, &reserved->range);
	return 0;
}

void emu_ioas_unreserve(struct emu_ioas *ioas, const void *owner)
{
	struct emu_range *range = emu_ranges_first(&ioas->reserved), *next;

	for (; range; range = next) {
		next = emu_ranges_next(range);
		if (reserved_of(range)->owner == owner) {
			emu_ranges_remove(&ioas->reserved, range);
			emu_release(reserved_of(range));
		}
	}
}

int emu_ioas_reserve_for(struct emu_ioas *ioas, struct emu_dev *dev)
{
	struct emu_reserved range;
	int error = 0;

	for (size_t i = 0; !error && emu_dev_reserved(dev, i, &range); i++)
		error = emu_ioas_reserve(ioas, range.start, range.last, dev);
	if (error)
		emu_ioas_unreserve(ioas, dev);
	return error;
}

bool emu_ioas_usable(const struct emu_ioas *ioas, uint64_t from, uint64_t *start, uint64_t *last)
{
	const struct emu_range *above;
	uint64_t reach;

	while (emu_ranges_cover(&ioas->reserved, from, &reach)) {
		if (reach == UINT64_MAX)
			return false;
		from = reach + 1;
	}
	above = emu_ranges_above(&ioas->reserved, from);
	*start = from;
	*last = above ? above->start - 1 : UINT64_MAX;
	return true;
}

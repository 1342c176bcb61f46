/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Which pages were written. The kernel keeps a part of the caller's bitmap at hand and goes on from
 * there; what does not lie in it is not told, and no error either, but the pages are clean then.
 */
#include <errno.h>
#include <string.h>

#include "../lib/base/uapi/iommufd.h"
#include "heap.h"
#include "hwpt.h"
#include "ioas.h"

#define PAGE       4096U
#define NO_PAGE    1U
#define MOST_PAGES 512U /* of the bitmap at a time */

struct bitmap {
	const struct emu_task *task;
	uintptr_t address;
	uint64_t iova, length;
	unsigned int shift; /* log2 of what a bit stands for */
	uint64_t bytes;
	/* What is at hand: from where, how many pages of it, and which IOVAs those are. */
	uint64_t base, pages, first, reach;
	/* Bits that a page of the caller's, which is there, is to get, and between which bytes. */
	uintptr_t page;
	unsigned int from, to;
	uint8_t bits[PAGE];
};

/* Nothing of the page but what lies between bits is touched: the rest may be anything. */
static void store(struct bitmap *bitmap)
{
	const size_t size = bitmap->to - bitmap->from;
	uint8_t there[PAGE];

	if (bitmap->from < bitmap->to &&
	    !emu_get(bitmap->task, there, bitmap->page + bitmap->from, size)) {
		for (size_t i = 0; i < size; i++)
			there[i] |= bitmap->bits[bitmap->from + i];
		emu_put(bitmap->task, bitmap->page + bitmap->from, there, size);
	}
	memset(bitmap->bits, 0, sizeof(bitmap->bits));
	bitmap->page = NO_PAGE;
	bitmap->from = PAGE;
	bitmap->to = 0;
}

/* Whether the byte, and with it its page, is there and can be written. */
static bool load(struct bitmap *bitmap, uintptr_t at)
{
	uint8_t byte;

	if (bitmap->page == at - at % PAGE)
		return true;
	store(bitmap);
	if (emu_get(bitmap->task, &byte, at, 1) || emu_put(bitmap->task, at, &byte, 1))
		return false;
	bitmap->page = at - at % PAGE;
	return true;
}

/* From the byte on that has the address; its page must be there. */
static bool advance(struct bitmap *bitmap, uint64_t iova)
{
	const uint64_t base = (iova - bitmap->iova) >> bitmap->shift >> 3;
	const uint64_t into = (bitmap->address + base) % PAGE;
	uint64_t covered;

	bitmap->pages = 0;
	if (base >= bitmap->bytes || !load(bitmap, bitmap->address + base))
		return false;
	bitmap->base = base;
	bitmap->pages = (bitmap->bytes - base + PAGE - 1) / PAGE + (into ? 1 : 0);
	if (bitmap->pages > MOST_PAGES)
		bitmap->pages = MOST_PAGES;
	covered = bitmap->pages * PAGE - into;
	if (covered > bitmap->bytes - base)
		covered = bitmap->bytes - base;
	bitmap->first = bitmap->iova + (base << 3 << bitmap->shift);
	bitmap->reach = bitmap->first + (covered << 3 << bitmap->shift) - 1;
	if (bitmap->reach > bitmap->iova + (bitmap->length - 1))
		bitmap->reach = bitmap->iova + (bitmap->length - 1);
	return true;
}

/* From the beginning of the first page at hand; how many are set, if not all can be. */
static uint64_t set_bits(struct bitmap *bitmap, uint64_t bit, uint64_t count)
{
	const uintptr_t start = bitmap->address + bitmap->base;
	uint64_t done = 0;

	for (; done < count; done++) {
		const uint64_t byte = (bit + done) / 8;
		const unsigned int in_page = byte % PAGE;

		if (byte / PAGE >= bitmap->pages || !load(bitmap, start - start % PAGE + byte))
			break;
		bitmap->bits[in_page] |= (uint8_t)(1U << (bit + done) % 8);
		if (in_page < bitmap->from)
			bitmap->from = in_page;
		if (in_page >= bitmap->to)
			bitmap->to = in_page + 1;
	}
	return done;
}

/* Where a page reaches further than what was asked for, so do the bits, as far as pages go. */
static int record(void *user, uint64_t iova, uint64_t size)
{
	struct bitmap *const bitmap = user;

	while (size) {
		uint64_t first, count, done;

		if ((!bitmap->pages || iova < bitmap->first || iova + (size - 1) > bitmap->reach) &&
		    !advance(bitmap, iova))
			break;
		first = (iova - bitmap->first) >> bitmap->shift;
		count = ((iova + (size - 1) - bitmap->first) >> bitmap->shift) - first + 1;
		done = set_bits(bitmap, (bitmap->address + bitmap->base) % PAGE * 8 + first, count);
		if (done == count)
			break;
		iova += size - ((count - done) << bitmap->shift);
		size = (count - done) << bitmap->shift;
		bitmap->pages = 0;
	}
	return 0;
}

static int check_range(const struct emu_ioas *ioas, const struct uapi_hwpt_get_dirty_bitmap *cmd)
{
	const uint64_t unit = emu_ioas_alignment(ioas);
	const uint64_t end = cmd->iova + cmd->length; /* 0: of all addresses */

	if (!cmd->length)
		return -EINVAL;
	if (cmd->iova + (cmd->length - 1) < cmd->iova)
		return -EOVERFLOW;
	if (!cmd->page_size || (cmd->iova | end) & (unit - 1) ||
	    (cmd->iova | end) & (cmd->page_size - 1))
		return -EINVAL;
	return 0;
}

static int read_dirty(const struct emu_call *call, const struct emu_hwpt *hwpt)
{
	const struct uapi_hwpt_get_dirty_bitmap *const cmd = call->cmd;
	struct emu_domain *const domain = hwpt->domain;
	struct bitmap *bitmap;

	if (!domain->ops->read_dirty || !domain->dirty_supported)
		return -EOPNOTSUPP;
	bitmap = emu_alloc(sizeof(*bitmap));
	if (!bitmap)
		return -ENOMEM;
	bitmap->task = call->task;
	bitmap->address = (uintptr_t)cmd->data;
	bitmap->iova = cmd->iova;
	bitmap->length = cmd->length;
	bitmap->shift = (unsigned int)__builtin_ctzll(cmd->page_size);
	bitmap->bytes = ((cmd->length - 1) >> bitmap->shift >> 3) + 1;
	store(bitmap);
	/* That something is not mapped, or that the bitmap is not there, is not told. */
	domain->ops->read_dirty(domain, cmd->iova, cmd->length,
	                        !(cmd->flags & UAPI_HWPT_GET_DIRTY_BITMAP_NO_CLEAR), record,
	                        bitmap);
	store(bitmap);
	emu_release(bitmap);
	return 0;
}

int emu_hwpt_get_dirty_bitmap(struct emu_call *call)
{
	const struct uapi_hwpt_get_dirty_bitmap *const cmd = call->cmd;
	struct emu_object *object;
	int error;

	if (cmd->flags & ~(uint32_t)UAPI_HWPT_GET_DIRTY_BITMAP_NO_CLEAR || cmd->reserved)
		return -EOPNOTSUPP;
	object = emu_object_find(call->ctx, cmd->hwpt_id, EMU_HWPT_PAGING);
	if (!object)
		return -ENOENT;
	error = check_range(emu_hwpt_of(object)->ioas, cmd);
	return error ? error : read_dirty(call, emu_hwpt_of(object));
}

int emu_hwpt_set_dirty_tracking(struct emu_call *call)
{
	const struct uapi_hwpt_set_dirty_tracking *const cmd = call->cmd;
	struct emu_object *object;
	struct emu_domain *domain;
	int error;

	if (cmd->flags & ~(uint32_t)UAPI_HWPT_DIRTY_TRACKING_ENABLE)
		return -EOPNOTSUPP;
	object = emu_object_find(call->ctx, cmd->hwpt_id, EMU_HWPT_PAGING);
	if (!object)
		return -ENOENT;
	domain = emu_hwpt_of(object)->domain;
	if (!domain->ops->set_dirty || !domain->dirty_supported)
		return -EOPNOTSUPP;
	error = domain->ops->set_dirty(domain, cmd->flags & UAPI_HWPT_DIRTY_TRACKING_ENABLE);
	if (!error)
		domain->tracking = cmd->flags & UAPI_HWPT_DIRTY_TRACKING_ENABLE;
	return error;
}

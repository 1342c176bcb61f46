/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "map.h"

#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "access.h"
#include "area.h"
#include "heap.h"
#include "source.h"

/* How often those who hold what is to be unmapped are told so. */
#define MOST_TRIES 100

/* Where the part goes; nobody sees it yet. */
static int insert(struct emu_ioas *ioas, struct emu_part *part, uint64_t iova, unsigned int access)
{
	struct emu_area *const area = part->area;
	struct emu_pages *const pages = part->pages;

	if ((access & EMU_WRITE) && !pages->writable)
		return -EPERM;
	area->offset = part->byte % EMU_PAGE;
	if (area->offset % ioas->alignment)
		return -EINVAL;
	if (iova + part->length - 1 < iova || part->byte + part->length - 1 < part->byte)
		return -EOVERFLOW;
	area->access = access;
	area->iova.start = iova;
	area->iova.last = iova + part->length - 1;
	area->index.start = part->byte / EMU_PAGE;
	area->index.last = (part->byte + part->length - 1) / EMU_PAGE;
	area->pages = pages;
	area->ioas = ioas;
	emu_ranges_add(&ioas->areas, &area->iova);
	return 0;
}

static int insert_all(struct emu_ioas *ioas, struct emu_part *parts, size_t count, uint64_t iova,
                      unsigned int access)
{
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		error = insert(ioas, &parts[i], iova, access);
		iova += parts[i].length;
	}
	return error;
}

static int find_place(struct emu_ioas *ioas, const struct emu_part *parts, uint64_t length,
                      uint64_t *iova, bool choose)
{
	if (length % ioas->alignment || !length)
		return -EINVAL;
	return choose ? emu_iova_choose(ioas, parts[0].pages->start + parts[0].byte, length, iova)
	              : emu_iova_check(ioas, *iova, length);
}

/* It was inserted, and domains have it no more. */
static void drop_area(struct emu_area *area)
{
	if (area->ioas)
		emu_ranges_remove(&area->ioas->areas, &area->iova);
	emu_release(area);
}

static int fill_all(struct emu_part *parts, size_t count)
{
	size_t done = 0;
	int error = 0;

	while (done < count && !error)
		error = emu_area_fill(parts[done++].area);
	if (error)
		for (done--; done; done--)
			emu_area_unfill(parts[done - 1].area);
	return error;
}

static int make_areas(struct emu_part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		parts[i].area = emu_alloc(sizeof(*parts[i].area));
		if (!parts[i].area)
			return -ENOMEM;
	}
	return 0;
}

int emu_map_parts(struct emu_ioas *ioas, struct emu_part *parts, size_t count, uint64_t *iova,
                  unsigned int access, bool choose)
{
	uint64_t length = 0, place = *iova;
	int error = make_areas(parts, count);

	for (size_t i = 0; i < count; i++)
		length += parts[i].length;
	if (!error)
		error = find_place(ioas, parts, length, &place, choose);
	if (!error)
		error = insert_all(ioas, parts, count, place, access);
	if (!error)
		error = fill_all(parts, count);
	for (size_t i = 0; i < count; i++) {
		if (!error)
			emu_pages_use(parts[i].pages);
		else if (parts[i].area)
			drop_area(parts[i].area);
	}
	if (!error)
		*iova = place;
	return error;
}

int emu_map_pages(struct emu_ctx *ctx, struct emu_ioas *ioas, struct emu_part *part, uint64_t *iova,
                  unsigned int access, bool choose)
{
	int error;

	if (ctx->charge_process)
		emu_pages_charge_process(part->pages);
	error = emu_map_parts(ioas, part, 1, iova, access, choose);
	emu_pages_let_go(part->pages);
	return error;
}

int emu_map_process(struct emu_ctx *ctx, const struct emu_task *task, struct emu_ioas *ioas,
                    uint64_t address, uint64_t length, uint64_t *iova, unsigned int access,
                    bool choose)
{
	struct emu_part part = {.byte = address % EMU_PAGE, .length = length};
	int error;

	error = emu_source_process(ctx->file.emu, task, address, length, access & EMU_WRITE,
	                           &part.pages);
	return error ? error : emu_map_pages(ctx, ioas, &part, iova, access, choose);
}

/* Those who hold a part of the area give it back; an error: they do not. */
static int revoke(struct emu_ioas *ioas, struct emu_area *area)
{
	const uint64_t start = area->iova.start, length = emu_area_length(area);
	struct emu_access *access, *next;

	area->closed = true;
	for (unsigned int tries = 0; area->accesses; tries++) {
		if (tries > MOST_TRIES)
			return -EDEADLOCK;
		for (access = ioas->accesses; access; access = next) {
			next = access->next;
			if (access->revoke)
				access->revoke(access->user, start, length);
		}
	}
	return 0;
}

static void unmap_area(struct emu_area *area)
{
	struct emu_pages *const pages = area->pages;

	emu_area_unfill(area);
	drop_area(area);
	emu_pages_let_go(pages);
}

int emu_unmap_range(struct emu_ioas *ioas, uint64_t start, uint64_t last, uint64_t *unmapped)
{
	struct emu_area *area, *next;
	uint64_t bytes = 0;
	int error = 0;

	for (area = emu_area_at(ioas, start, last); area; area = next) {
		next = emu_area_next(area);
		if (area->iova.start > last)
			break;
		if (area->locks)
			error = -EBUSY;
		else if (area->iova.start < start || area->iova.last > last)
			error = -ENOENT;
		else
			error = revoke(ioas, area);
		if (error)
			break;
		bytes += emu_area_length(area);
		unmap_area(area);
	}
	if (unmapped)
		*unmapped = bytes;
	return error;
}

int emu_unmap_iova(struct emu_ioas *ioas, uint64_t iova, uint64_t length, uint64_t *unmapped)
{
	const uint64_t last = iova + length - 1;

	if (!length)
		return -EINVAL;
	if (last < iova)
		return -EOVERFLOW;
	return emu_unmap_range(ioas, iova, last, unmapped);
}

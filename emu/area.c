/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "area.h"

#include <errno.h>

#include "heap.h"
#include "source.h"

static struct emu_area *area_of(struct emu_range *range)
{
	return range ? EMU_OF(struct emu_area, iova, range) : NULL;
}

struct emu_area *emu_area_at(const struct emu_ioas *ioas, uint64_t start, uint64_t last)
{
	return area_of(emu_ranges_meet_one(&ioas->areas, start, last));
}

struct emu_area *emu_area_next(const struct emu_area *area)
{
	return area_of(emu_ranges_next(&area->iova));
}

uint64_t emu_area_length(const struct emu_area *area)
{
	return area->iova.last - area->iova.start + 1;
}

uint64_t emu_area_byte(const struct emu_area *area, uint64_t iova)
{
	return area->index.start * EMU_PAGE + area->offset + (iova - area->iova.start);
}

struct emu_walk emu_walk_begin(const struct emu_ioas *ioas, uint64_t iova, uint64_t last)
{
	return (struct emu_walk){.ioas = ioas, .next = iova, .last = last};
}

bool emu_walk_next(struct emu_walk *walk)
{
	struct emu_area *area;
	uint64_t last;

	if (walk->done)
		return false;
	area = emu_area_at(walk->ioas, walk->next, walk->next);
	if (!area)
		return false;
	last = area->iova.last < walk->last ? area->iova.last : walk->last;
	walk->area = area;
	walk->iova = walk->next;
	walk->length = last - walk->iova + 1;
	walk->first_page = emu_area_byte(area, walk->iova) / EMU_PAGE;
	walk->last_page = emu_area_byte(area, last) / EMU_PAGE;
	walk->done = last == walk->last;
	walk->next = last + 1;
	return true;
}

static void unmap(const struct emu_area *area, struct emu_domain *domain)
{
	if (!area->pages->revoked)
		domain->ops->unmap(domain, area->iova.start, emu_area_length(area));
}

/* Where mappings may be cut, each page is mapped by itself. */
static int map(const struct emu_area *area, struct emu_domain *domain)
{
	const uint64_t length = emu_area_length(area);
	const uint64_t piece = area->ioas->small_pages ? EMU_PAGE : length;
	const emu_phys phys = area->pages->phys + area->index.start * EMU_PAGE + area->offset;
	const uint64_t iova = area->iova.start;
	uint64_t done;
	int error = 0;

	if (area->pages->revoked)
		return 0;
	/* No page table knows of memory that is not to be read nor written. */
	if (!area->access)
		return -EINVAL;
	for (done = 0; done < length; done += piece) {
		error = domain->ops->map(domain, iova + done, phys + done, piece, area->access);
		if (error)
			break;
	}
	if (error && done)
		domain->ops->unmap(domain, iova, done);
	return error;
}

static void cover(struct emu_area *area)
{
	emu_ranges_add(&area->pages->mapped, &area->index);
	area->filled = true;
}

static void uncover(struct emu_area *area)
{
	emu_ranges_remove(&area->pages->mapped, &area->index);
	area->filled = false;
	emu_pages_unpin(area->pages, area->index.start, area->index.last);
}

int emu_area_fill(struct emu_area *area)
{
	const struct emu_ioas *const ioas = area->ioas;
	size_t i;
	int error;

	if (!ioas->domain_count)
		return 0;
	error = emu_pages_pin(area->pages, area->index.start, area->index.last);
	if (error)
		return error;
	cover(area);
	for (i = 0; i < ioas->domain_count && !error; i++)
		error = map(area, ioas->domains[i]);
	if (!error)
		return 0;
	while (--i)
		unmap(area, ioas->domains[i - 1]);
	uncover(area);
	return error;
}

void emu_area_unmap_domains(const struct emu_area *area)
{
	for (size_t i = 0; i < area->ioas->domain_count; i++)
		unmap(area, area->ioas->domains[i]);
}

void emu_area_unfill(struct emu_area *area)
{
	if (!area->filled)
		return;
	emu_area_unmap_domains(area);
	uncover(area);
}

int emu_area_fill_domain(struct emu_area *area, struct emu_domain *domain)
{
	const bool first = !area->filled;
	int error = 0;

	if (first)
		error = emu_pages_pin(area->pages, area->index.start, area->index.last);
	if (error)
		return error;
	if (first)
		cover(area);
	error = map(area, domain);
	if (error && first)
		uncover(area);
	return error;
}

void emu_area_unfill_domain(struct emu_area *area, struct emu_domain *domain, bool last)
{
	unmap(area, domain);
	if (last)
		uncover(area);
}

static void add(struct emu_area *area)
{
	emu_ranges_add(&area->ioas->areas, &area->iova);
	if (area->filled)
		emu_ranges_add(&area->pages->mapped, &area->index);
}

static void take(struct emu_area *area)
{
	emu_ranges_remove(&area->ioas->areas, &area->iova);
	if (area->filled)
		emu_ranges_remove(&area->pages->mapped, &area->index);
}

static int check_split(const struct emu_area *area, uint64_t start)
{
	if (area->closed)
		return -EBUSY;
	if (area->pages->source->is_device)
		return -EOPNOTSUPP;
	if ((start | emu_area_byte(area, start)) % area->ioas->alignment)
		return -EINVAL;
	return 0;
}

int emu_area_split(struct emu_area *area, uint64_t last)
{
	const uint64_t start = last + 1;
	struct emu_area *rest;
	uint64_t byte;
	int error;

	/* The kernel does not look at a cut behind the first byte either. */
	if (last == area->iova.start || last == area->iova.last)
		return 0;
	error = check_split(area, start);
	if (error)
		return error;
	rest = emu_alloc(sizeof(*rest));
	if (!rest)
		return -ENOMEM;
	if (area->accesses) {
		emu_release(rest);
		return -EINVAL;
	}
	byte = emu_area_byte(area, start);
	take(area);
	*rest = *area;
	rest->iova.start = start;
	rest->index.start = byte / EMU_PAGE;
	rest->offset = byte % EMU_PAGE;
	area->iova.last = last;
	area->index.last = (byte - 1) / EMU_PAGE;
	emu_pages_use(area->pages);
	add(area);
	add(rest);
	return 0;
}

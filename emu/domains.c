/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The page tables of an address space, and what they ask of all that is in it. */
#include <errno.h>

#include "access.h"
#include "area.h"
#include "heap.h"

static uint64_t smallest_page(const struct emu_domain *domain)
{
	return domain->page_sizes & -domain->page_sizes;
}

bool emu_ioas_is_aligned(const struct emu_ioas *ioas, uint64_t alignment)
{
	const struct emu_area *area = NULL;

	if (alignment > ioas->alignment)
		area = emu_area_at(ioas, 0, UINT64_MAX);
	for (; area; area = emu_area_next(area))
		if ((area->iova.start | emu_area_length(area) | area->offset) % alignment)
			return false;
	return true;
}

static void at_least(uint64_t *value, uint64_t least)
{
	if (*value < least)
		*value = least;
}

int emu_ioas_align(struct emu_ioas *ioas)
{
	uint64_t alignment = ioas->small_pages ? EMU_PAGE : 1;

	for (size_t i = 0; i < ioas->domain_count; i++)
		at_least(&alignment, smallest_page(ioas->domains[i]));
	for (const struct emu_access *access = ioas->accesses; access; access = access->next)
		at_least(&alignment, access->alignment);
	if (!emu_ioas_is_aligned(ioas, alignment))
		return -EADDRINUSE;
	ioas->alignment = alignment;
	return 0;
}

int emu_ioas_set_small_pages(struct emu_ioas *ioas)
{
	int error;

	if (ioas->small_pages)
		return 0;
	if (ioas->domain_count && ioas->areas.root)
		return -EINVAL;
	ioas->small_pages = true;
	error = emu_ioas_align(ioas);
	if (error)
		ioas->small_pages = false;
	return error;
}

static int make_room(struct emu_ioas *ioas)
{
	const size_t room = ioas->domain_room ? 2 * ioas->domain_room : 4;
	struct emu_domain **grown;

	if (ioas->domain_count < ioas->domain_room)
		return 0;
	grown = emu_grow(ioas->domains, room * sizeof(struct emu_domain *));
	if (!grown)
		return -ENOMEM;
	ioas->domains = grown;
	ioas->domain_room = room;
	return 0;
}

/* All areas below @end, which may be NULL. */
static void unfill(struct emu_ioas *ioas, struct emu_domain *domain, const struct emu_area *end)
{
	struct emu_area *area = emu_area_at(ioas, 0, UINT64_MAX);

	for (; area != end; area = emu_area_next(area))
		emu_area_unfill_domain(area, domain, !ioas->domain_count);
}

static int fill(struct emu_ioas *ioas, struct emu_domain *domain)
{
	struct emu_area *area = emu_area_at(ioas, 0, UINT64_MAX);
	int error = 0;

	for (; area; area = emu_area_next(area)) {
		error = emu_area_fill_domain(area, domain);
		if (error)
			break;
	}
	if (error)
		unfill(ioas, domain, area);
	return error;
}

/* What is outside of its aperture is nobody's. */
static int reserve_outside(struct emu_ioas *ioas, const struct emu_domain *domain)
{
	int error = 0;

	if (domain->first)
		error = emu_ioas_reserve(ioas, 0, domain->first - 1, domain);
	if (!error && domain->last != UINT64_MAX)
		error = emu_ioas_reserve(ioas, domain->last + 1, UINT64_MAX, domain);
	return error;
}

int emu_ioas_add_domain(struct emu_ioas *ioas, struct emu_domain *domain)
{
	uint64_t alignment = ioas->alignment;
	int error;

	at_least(&alignment, smallest_page(domain));
	if (alignment > EMU_PAGE)
		return -EINVAL;
	if (!emu_ioas_is_aligned(ioas, alignment))
		return -EADDRINUSE;
	error = reserve_outside(ioas, domain);
	if (!error)
		error = make_room(ioas);
	if (!error)
		error = fill(ioas, domain);
	if (error) {
		emu_ioas_unreserve(ioas, domain);
		return error;
	}
	ioas->alignment = alignment;
	ioas->domains[ioas->domain_count++] = domain;
	return 0;
}

void emu_ioas_remove_domain(struct emu_ioas *ioas, struct emu_domain *domain)
{
	size_t i = 0;

	while (ioas->domains[i] != domain)
		i++;
	ioas->domains[i] = ioas->domains[--ioas->domain_count];
	unfill(ioas, domain, NULL);
	emu_ioas_unreserve(ioas, domain);
	emu_ioas_align(ioas);
}

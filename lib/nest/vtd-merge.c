/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vtd-merge.h"

#include <stdlib.h>

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_place(const void *left, const void *right)
{
	const struct vtd_request *const a = left;
	const struct vtd_request *const b = right;

	/* Two handles of one page table have one id. */
	if (a->hwpt_id != b->hwpt_id)
		return compare(a->hwpt_id, b->hwpt_id);
	if (a->leaf != b->leaf)
		return a->leaf - b->leaf;
	return compare(a->first, b->first);
}

static int by_order(const void *left, const void *right)
{
	const struct vtd_request *const a = left;
	const struct vtd_request *const b = right;

	return compare(a->order, b->order);
}

void li_vtd_sort(struct vtd_request *requests, size_t count)
{
	qsort(requests, count, sizeof(*requests), by_place);
}

void li_vtd_sort_by_order(struct vtd_request *requests, size_t count)
{
	qsort(requests, count, sizeof(*requests), by_order);
}

static void put(struct uapi_hwpt_vtd_s1_invalidate *entry, uint64_t first, uint64_t last, bool leaf)
{
	entry->addr = first << VTD_PAGE_SHIFT;
	entry->npages = last - first == VTD_LAST_PAGE ? UINT64_MAX : last - first + 1;
	entry->flags = leaf ? UAPI_VTD_INV_FLAGS_LEAF : 0;
	entry->reserved = 0;
}

static uint64_t first_of(const struct uapi_hwpt_vtd_s1_invalidate *entry)
{
	return entry->addr >> VTD_PAGE_SHIFT;
}

static uint64_t last_of(const struct uapi_hwpt_vtd_s1_invalidate *entry)
{
	return entry->npages == UINT64_MAX ? VTD_LAST_PAGE : first_of(entry) + entry->npages - 1;
}

/* Makes the last entry longer, if what comes next begins in it or right behind it. */
static bool extend(struct uapi_hwpt_vtd_s1_invalidate *entry, const struct vtd_request *request)
{
	const uint64_t last = last_of(entry);

	if (last != VTD_LAST_PAGE && request->first > last + 1)
		return false;
	if (request->last > last)
		put(entry, first_of(entry), request->last, request->leaf);
	return true;
}

size_t li_vtd_merge(struct vtd_request *requests, size_t count,
                    struct uapi_hwpt_vtd_s1_invalidate *entries)
{
	size_t begin = 0;    /* of the entries of this kind */
	size_t whole = 0;    /* entries that are not leaves */
	size_t covering = 0; /* the last of those that begins before the request does */
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		struct vtd_request *const request = &requests[i];

		if (request->leaf && (!i || !requests[i - 1].leaf))
			begin = whole = used;
		while (covering + 1 < whole && first_of(&entries[covering + 1]) <= request->first)
			covering++;
		/* What drops more drops this too. */
		if (covering < whole && first_of(&entries[covering]) <= request->first &&
		    request->last <= last_of(&entries[covering])) {
			request->entry = (uint32_t)covering;
			continue;
		}
		if (used == begin || !extend(&entries[used - 1], request))
			put(&entries[used++], request->first, request->last, request->leaf);
		request->entry = (uint32_t)used - 1;
	}
	return used;
}

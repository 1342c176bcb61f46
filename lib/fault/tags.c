/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "tags.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_BITS 4

/*
 * Tags are numbers that count up, or pointers: what tells them apart is anywhere. 2^64 divided by
 * the golden ratio spreads both over the upper bits of the product.
 */
static size_t home(const struct tags *tags, uint64_t tag)
{
	return (size_t)(tag * UINT64_C(0x9e3779b97f4a7c15) >> (64 - tags->bits));
}

static size_t mask(const struct tags *tags)
{
	return ((size_t)1 << tags->bits) - 1;
}

/* Where the tag is, or else the free entry where it would go. At least half of them are free. */
static size_t place(const struct tags *tags, uint64_t tag)
{
	size_t at = home(tags, tag);

	while (tags->entries[at].handler.handle && tags->entries[at].tag != tag)
		at = (at + 1) & mask(tags);
	return at;
}

static int grow(struct tags *tags)
{
	struct tags larger = {.used = tags->used};

	larger.bits = tags->entries ? tags->bits + 1 : FIRST_BITS;
	larger.entries = calloc((size_t)1 << larger.bits, sizeof(*larger.entries));
	if (!larger.entries)
		return -ENOMEM;
	for (size_t i = 0; tags->entries && i <= mask(tags); i++)
		if (tags->entries[i].handler.handle)
			larger.entries[place(&larger, tags->entries[i].tag)] = tags->entries[i];
	free(tags->entries);
	*tags = larger;
	return 0;
}

void li_tags_free(struct tags *tags)
{
	free(tags->entries);
}

int li_tags_set(struct tags *tags, uint64_t tag, const struct handler *handler)
{
	struct handler old;
	size_t at;

	if (!li_tags_find(tags, tag, &old)) {
		if (!tags->entries || 2 * (tags->used + 1) > mask(tags) + 1) {
			const int error = grow(tags);

			if (error)
				return error;
		}
		tags->used++;
	}
	at = place(tags, tag);
	tags->entries[at] = (struct tag_entry){.tag = tag, .handler = *handler};
	return 0;
}

bool li_tags_find(const struct tags *tags, uint64_t tag, struct handler *handler)
{
	size_t at;

	if (!tags->entries)
		return false;
	at = place(tags, tag);
	*handler = tags->entries[at].handler;
	return handler->handle;
}

/*
 * The entries behind it move up as far as their homes allow: a search stops at the first free
 * entry, and marks of what was there once would pile up.
 */
bool li_tags_remove(struct tags *tags, uint64_t tag)
{
	struct handler old;
	size_t hole, at;

	if (!li_tags_find(tags, tag, &old))
		return false;
	hole = place(tags, tag);
	for (at = (hole + 1) & mask(tags); tags->entries[at].handler.handle;
	     at = (at + 1) & mask(tags)) {
		const size_t from = home(tags, tags->entries[at].tag);

		/* Its home is behind the hole: it has to stay. */
		if (((at - from) & mask(tags)) < ((at - hole) & mask(tags)))
			continue;
		tags->entries[hole] = tags->entries[at];
		hole = at;
	}
	tags->entries[hole].handler.handle = NULL;
	tags->used--;
	return true;
}

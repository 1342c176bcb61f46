/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Tags of 64 bits to handlers: a hash table whose lookups look at one or two entries however many
 * there are. An entry is found as a copy, since what the caller does with it may change the table.
 */
#ifndef LIBIOMMU_FAULT_TAGS_H
#define LIBIOMMU_FAULT_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libiommu/handlers.h>

struct handler {
	libiommu_handlers_handle_fn handle; /* NULL: an entry that is free */
	libiommu_handlers_release_fn release;
	void *user;
};

struct tag_entry {
	uint64_t tag;
	struct handler handler;
};

struct tags {
	struct tag_entry *entries;
	size_t used;
	unsigned int bits; /* 2^bits entries; none at all before the first tag */
};

/* A table of zeroes is empty. */
void li_tags_free(struct tags *tags);
/* In place of what the tag had; -ENOMEM with nothing changed. */
int li_tags_set(struct tags *tags, uint64_t tag, const struct handler *handler);
/* False: the tag has none. */
bool li_tags_remove(struct tags *tags, uint64_t tag);
bool li_tags_find(const struct tags *tags, uint64_t tag, struct handler *handler);

#endif

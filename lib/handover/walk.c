/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "walk.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 1024

struct walk li_walk_reader(const void *bytes, size_t size)
{
	struct walk walk = {.size = size};

	/* It is never written to. */
	memcpy(&walk.bytes, &bytes, sizeof(bytes));
	return walk;
}

struct walk li_walk_writer(void)
{
	return (struct walk){.writes = true};
}

void li_walk_free(struct walk *walk)
{
	if (walk->writes)
		free(walk->bytes);
	walk->bytes = NULL;
}

static bool reserve(struct walk *walk, size_t size)
{
	size_t room = walk->room ? walk->room : FIRST_ROOM;
	void *grown;

	while (room - walk->size < size)
		room *= 2;
	if (room == walk->room)
		return true;
	grown = realloc(walk->bytes, room);
	if (!grown)
		return false;
	walk->bytes = grown;
	walk->room = room;
	return true;
}

void li_walk_bytes(struct walk *walk, void *bytes, size_t size)
{
	if (walk->failed || !size)
		return;
	if (walk->writes ? !reserve(walk, size) : size > li_walk_left(walk)) {
		walk->failed = true;
		return;
	}
	if (walk->writes) {
		memcpy(walk->bytes + walk->size, bytes, size);
		walk->size += size;
	} else {
		memcpy(bytes, walk->bytes + walk->at, size);
		walk->at += size;
	}
}

void li_walk_u32(struct walk *walk, uint32_t *value)
{
	uint32_t raw = htole32(*value);

	li_walk_bytes(walk, &raw, sizeof(raw));
	if (!walk->writes && !walk->failed)
		*value = le32toh(raw);
}

void li_walk_u64(struct walk *walk, uint64_t *value)
{
	uint64_t raw = htole64(*value);

	li_walk_bytes(walk, &raw, sizeof(raw));
	if (!walk->writes && !walk->failed)
		*value = le64toh(raw);
}

size_t li_walk_left(const struct walk *walk)
{
	return walk->size - walk->at;
}

void li_walk_patch_u32(struct walk *walk, size_t at, uint32_t value)
{
	const uint32_t raw = htole32(value);

	if (!walk->failed)
		memcpy(walk->bytes + at, &raw, sizeof(raw));
}

void li_walk_patch_u64(struct walk *walk, size_t at, uint64_t value)
{
	const uint64_t raw = htole64(value);

	if (!walk->failed)
		memcpy(walk->bytes + at, &raw, sizeof(raw));
}

struct walk li_walk_part(struct walk *walk, size_t size)
{
	struct walk part = {.failed = walk->failed || size > li_walk_left(walk)};

	if (part.failed) {
		walk->failed = true;
		return part;
	}
	part = li_walk_reader(walk->bytes + walk->at, size);
	walk->at += size;
	return part;
}

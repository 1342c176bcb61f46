/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "maps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool parse(const char *line, struct emu_vma *vma)
{
	char read, write, shared;
	uint64_t end;

	if (sscanf(line,
	           "%" SCNx64 "-%" SCNx64 " %c%c%*c%c %" SCNx64 " %" SCNx32 ":%" SCNx32 " %" SCNu64,
	           &vma->start, &end, &read, &write, &shared, &vma->home.offset,
	           &vma->home.device_major, &vma->home.device_minor, &vma->home.inode) != 9)
		return false;
	vma->last = end - 1;
	vma->read = read == 'r';
	vma->write = write == 'w';
	vma->shared = shared == 's';
	return true;
}

bool emu_maps_search(pid_t pid, emu_vma_fn fn, void *user)
{
	char path[40] = "/proc/self/maps";
	struct emu_vma vma;
	char *line = NULL;
	size_t room = 0;
	bool found = false;
	FILE *file;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getline(&line, &room, file) > 0)
		found = parse(line, &vma) && fn(user, &vma);
	free(line);
	fclose(file);
	return found;
}

struct place {
	uint64_t address;
	struct emu_vma *vma;
};

static bool has_address(void *user, const struct emu_vma *vma)
{
	const struct place *const place = user;

	if (place->address < vma->start || place->address > vma->last)
		return false;
	*place->vma = *vma;
	return true;
}

bool emu_maps_find(pid_t pid, uint64_t address, struct emu_vma *vma)
{
	struct place place = {address, vma};

	return emu_maps_search(pid, has_address, &place);
}

bool emu_home_is_same(const struct emu_home *home, const struct emu_home *other)
{
	return home->inode && home->inode == other->inode &&
	       home->device_major == other->device_major &&
	       home->device_minor == other->device_minor;
}

struct search {
	const struct emu_home *home;
	uint64_t length;
	uintptr_t address;
};

static bool has_home(void *user, const struct emu_vma *vma)
{
	struct search *const search = user;
	const uint64_t offset = search->home->offset - vma->home.offset;
	const uint64_t size = vma->last - vma->start + 1;

	if (!vma->shared || !emu_home_is_same(&vma->home, search->home) ||
	    search->home->offset < vma->home.offset || offset >= size ||
	    search->length > size - offset)
		return false;
	search->address = (uintptr_t)(vma->start + offset);
	return true;
}

uintptr_t emu_maps_locate(const struct emu_home *home, uint64_t length)
{
	struct search search = {.home = home, .length = length};

	emu_maps_search(0, has_home, &search);
	return search.address;
}

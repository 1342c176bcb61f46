/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A page that this process has at several addresses, or that a file has. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "machine.h"
#include "phys.h"

/* What a page is a part of. */
struct place {
	dev_t dev;
	ino_t inode;
	uint64_t offset;
};

/* Where the kernel that is not emulated says that it is; only what is shared has a place. */
static bool place_of_address(uintptr_t address, struct place *place)
{
	uint64_t start, end, offset, inode;
	unsigned int high, low;
	bool found = false;
	char line[512], share;
	FILE *const maps = fopen("/proc/self/maps", "re");

	while (maps && !found && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*3c%c %" SCNx64 " %x:%x %" SCNu64,
		           &start, &end, &share, &offset, &high, &low, &inode) != 7)
			continue;
		if (address < start || address >= end)
			continue;
		found = true;
		*place = (struct place){makedev(high, low), inode, offset + address - start};
	}
	if (maps)
		fclose(maps);
	return found && share == 's' && inode;
}

static bool place_of_window(struct libiommu_emu *emu, emu_phys at, struct place *place)
{
	const struct emu_range *const range = emu_ranges_meet(&emu->windows, at, at);
	const struct emu_window *const window = (const struct emu_window *)range;
	struct stat stat;

	if (!range || !window->of_file || fstat(window->file, &stat))
		return false;
	*place = (struct place){stat.st_dev, stat.st_ino, window->file_offset + at - range->start};
	return true;
}

bool emu_phys_is(struct libiommu_emu *emu, emu_phys at, uintptr_t address)
{
	struct place one, other;

	if (at == address)
		return true;
	if (at == EMU_PHYS_NONE || !place_of_address(address, &other))
		return false;
	if (at >= EMU_PHYS_WINDOW ? !place_of_window(emu, at, &one)
	                          : !place_of_address((uintptr_t)at, &one))
		return false;
	return one.dev == other.dev && one.inode == other.inode && one.offset == other.offset;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* SPDK's memory map, as it is installed: an entry for each 2 MiB, then one for each 4 KiB. */
#include <stdio.h>

#include <spdk/stdinc.h>

#include <spdk/env.h>

#include "peer.h"

#define PAGE    UINT64_C(4096)
#define NOTHING UINT64_MAX

static struct spdk_mem_map *map;

static bool open_spdk(void)
{
	const uint64_t probe = UINT64_C(1) << 40;

	/* Nobody tells it of registrations, so that SPDK's environment need not run. */
	map = spdk_mem_map_alloc(NOTHING, NULL, NULL);
	if (map && !spdk_mem_map_set_translation(map, probe, PAGE, PAGE))
		return true;
	printf("skipped: this SPDK has no table of 4 KiB pages\n");
	return false;
}

static bool add(void *address, uint64_t length, uint64_t iova)
{
	for (uint64_t done = 0; done < length; done += PAGE)
		if (spdk_mem_map_set_translation(map, (uintptr_t)address + done, PAGE, iova + done))
			return false;
	return true;
}

static uint64_t find(void *address)
{
	uint64_t size = PAGE;
	const uint64_t page = spdk_mem_map_translate(map, (uintptr_t)address, &size);

	return page == NOTHING ? 0 : page + ((uintptr_t)address & (PAGE - 1));
}

const struct peer peer = {"SPDK", 1.1, 0, 1000000, open_spdk, add, find};

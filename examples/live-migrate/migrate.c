/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "migrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "device.h"

/* Rounds in a row without less to do than ever before. */
enum { PATIENCE = 3, WORD = 64 };

static bool complain(const char *what)
{
	char text[512];

	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "live-migrate: %s: %s\n", what, text);
	return false;
}

static size_t words_of(const struct migration *migration)
{
	return (migration->pages + WORD - 1) / WORD;
}

/* The pages that the bits are set for, which are cleared: how many, or -1. */
static int64_t send_dirty(struct migration *migration, uint64_t *bits)
{
	int64_t count = 0;

	for (uint64_t page = 0; page < migration->pages; page++) {
		uint64_t *const word = &bits[page / WORD];
		const uint64_t bit = UINT64_C(1) << page % WORD;

		if (!(*word & bit))
			continue;
		*word &= ~bit;
		if (!migration->target.send(migration->target.user, page,
		                            migration->memory + page * migration->page))
			return -1;
		count++;
	}
	migration->sent += (uint64_t)count;
	return count;
}

/*
 * Which pages were written since they were read last: adds their bits. Reading clears them in the
 * page table before the pages are sent, so that what is written during that is sent again.
 */
static bool read_dirty(const struct migration *migration, uint64_t *bits)
{
	uint64_t done;

	return !libiommu_hwpt_get_dirty_bitmap(migration->hwpt, migration->iova,
	                                       migration->pages * migration->page, migration->page,
	                                       0, bits, words_of(migration), &done) ||
	       complain("the dirty pages are not told");
}

static uint64_t count_bits(const struct migration *migration, const uint64_t *bits)
{
	uint64_t count = 0;

	for (size_t i = 0; i < words_of(migration); i++)
		for (uint64_t word = bits[i]; word; word &= word - 1)
			count++;
	return count;
}

/* While the device works. What is left at the end is in the bits. */
static bool copy_running(struct migration *migration, uint64_t *bits)
{
	uint64_t least = migration->pages;
	int without_progress = 0;

	for (;;) {
		const int64_t sent = send_dirty(migration, bits);
		uint64_t dirty;

		if (sent < 0)
			return false;
		device_work();
		if (!read_dirty(migration, bits))
			return false;
		dirty = count_bits(migration, bits);
		printf("round %u: %" PRId64 " pages sent, %" PRIu64 " written meanwhile\n",
		       migration->rounds++, sent, dirty);
		migration->converged = dirty <= migration->limit;
		without_progress = dirty < least ? 0 : without_progress + 1;
		least = dirty < least ? dirty : least;
		if (migration->converged || without_progress == PATIENCE)
			return true;
	}
}

/* With the device stopped: the last writes may have come after the bits were read. */
static bool copy_rest(struct migration *migration, uint64_t *bits)
{
	int64_t sent;

	printf("%s\n", migration->converged ? "so little is left that the device is stopped"
	                                    : "it does not get less: the device is stopped");
	if (!device_stop() || !read_dirty(migration, bits))
		return false;
	sent = send_dirty(migration, bits);
	migration->left = sent > 0 ? (uint64_t)sent : 0;
	return sent >= 0;
}

bool migrate(struct migration *migration)
{
	uint64_t *const bits = calloc(words_of(migration), sizeof(*bits));
	bool done;

	if (!bits) {
		perror("live-migrate");
		return false;
	}
	if (libiommu_hwpt_set_dirty_tracking(migration->hwpt, true)) {
		free(bits);
		return complain("writes are not tracked");
	}
	/* Only now: whatever is written from here on is noticed. */
	for (uint64_t page = 0; page < migration->pages; page++)
		bits[page / WORD] |= UINT64_C(1) << page % WORD;
	done = copy_running(migration, bits) && copy_rest(migration, bits);
	libiommu_hwpt_set_dirty_tracking(migration->hwpt, false);
	free(bits);
	return done;
}

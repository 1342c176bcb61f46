/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fault-reader.h"

#include <errno.h>
#include <string.h>

#define RING_COUNTERS (LIBIOMMU_RING_OLDEST + 1)

static struct {
	struct libiommu_ring *ring;
	struct libiommu_reader *reader;
	struct libiommu_handlers *handlers;
	struct libiommu_monitor *monitor;
	uint64_t seen[RING_COUNTERS]; /* by the monitor, last time */
	struct tokens tokens;
	size_t records; /* that the ring's readers have seen */
	uint64_t last_tag;
	uint32_t choice; /* what the handlers do */
	bool handling;
} side;

void note_token(struct tokens *tokens, uint64_t token, uint64_t tag)
{
	check(token);
	for (uint32_t i = 0; i < tokens->count; i++)
		check(tokens->token[i] != token);
	if (tokens->count == FUZZ_TOKENS)
		return;
	tokens->token[tokens->count] = token;
	tokens->tag[tokens->count++] = tag;
}

void fuzz_reader_init(struct libiommu_ring *ring)
{
	memset(&side, 0, sizeof(side));
	side.ring = ring;
}

static void close_all(void)
{
	libiommu_handlers_free(side.handlers);
	libiommu_reader_free(side.reader);
	libiommu_monitor_free(side.monitor);
	side.handlers = NULL;
	side.reader = NULL;
	side.monitor = NULL;
}

void fuzz_reader_change(bool open)
{
	int fd;

	close_all();
	if (!open || libiommu_ring_open_reader(side.ring, &side.reader))
		return;
	fd = libiommu_ring_monitor(side.ring);
	check(fd >= 0);
	check(!libiommu_monitor_open(NULL, fd, LIBIOMMU_FD_OWN, &side.monitor));
	memset(side.seen, 0, sizeof(side.seen));
}

static void check_group(const struct libiommu_record *records, size_t count)
{
	check(count);
	for (size_t i = 0; i < count; i++) {
		check(records[i].label <= FUZZ_DEVICES && records[i].tag <= side.last_tag);
		check(records[i].token == records[0].token);
	}
	check((records[0].kind == LIBIOMMU_RECORD_DETACHED) == !records[0].token);
	side.records += records[0].token ? count : 0;
	check(side.records <= kernel_records());
	if (records[0].token)
		note_token(&side.tokens, records[0].token, 0);
}

/* One of before, out or not. */
static struct libiommu_completion any_answer(uint32_t choice)
{
	struct libiommu_completion answer = {.code = choice >> 3 & 3};

	if (side.tokens.count)
		answer.token = side.tokens.token[choice % side.tokens.count];
	answer.queue = 1 + choice % KERNEL_QUEUES;
	return answer;
}

void fuzz_reader_use(uint32_t choice, uint64_t last_tag)
{
	struct libiommu_completion answer = any_answer(choice);
	const struct libiommu_record *records;
	size_t count;

	side.last_tag = last_tag;
	if (!side.reader)
		return;
	/* What handlers have, they take themselves. */
	if (!side.handlers && libiommu_reader_next(side.reader, &records, &count) == 1) {
		check_group(records, count);
		answer.token = records[0].token;
		answer.queue = records[0].queue;
	} else if (!side.tokens.count) {
		return;
	}
	if (choice & 1)
		libiommu_reader_complete(side.reader, &answer, 1);
	if (!side.handlers && choice & 2)
		libiommu_reader_release(side.reader);
}

static int handle(void *user, const struct libiommu_record *records, size_t count)
{
	const struct libiommu_completion answer = any_answer(side.choice);

	check(user == &side && side.handling && records[0].token);
	check_group(records, count);
	check(libiommu_handlers_dispatch(side.handlers) == -EBUSY);
	if (side.choice & 4)
		libiommu_handlers_remove(side.handlers, records[0].tag);
	if (side.choice & 8)
		libiommu_reader_complete(side.reader, &answer, 1);
	/* An answer of either kind, none, or one later. */
	return (int)(side.choice++ % 4) - 1;
}

static void release(void *user, const struct libiommu_record *record)
{
	check(user == &side && side.handling);
	check_group(record, 1);
	check(record->kind == LIBIOMMU_RECORD_DETACHED);
	if (side.choice & 8)
		libiommu_handlers_set(side.handlers, record->tag + 1, handle, NULL, &side);
}

static void dispatch(void)
{
	uint64_t before, after, kept;
	const size_t records = side.records;
	int got;

	check(!libiommu_handlers_counter(side.handlers, LIBIOMMU_HANDLERS_GROUPS, &before));
	side.handling = true;
	got = libiommu_handlers_dispatch(side.handlers);
	side.handling = false;
	check(!libiommu_handlers_counter(side.handlers, LIBIOMMU_HANDLERS_GROUPS, &after));
	check(!libiommu_handlers_counter(side.handlers, LIBIOMMU_HANDLERS_KEPT, &kept));
	check(kept <= after && after >= before);
	check(got > 0 || side.records == records);
}

void fuzz_reader_handle(uint32_t choice, uint64_t last_tag)
{
	const uint64_t tag = last_tag - (choice >> 2 & 1);

	side.last_tag = last_tag;
	side.choice = choice;
	if (!side.reader)
		return;
	if (!side.handlers) {
		if (libiommu_handlers_new(side.reader, &side.handlers))
			side.handlers = NULL;
	} else if (choice % 4 == 0) {
		libiommu_handlers_set(side.handlers, tag, handle, choice & 8 ? release : NULL,
		                      &side);
	} else if (choice % 4 == 1) {
		libiommu_handlers_set_default(side.handlers, choice & 8 ? NULL : handle, release,
		                              &side);
	} else if (choice == 2) {
		libiommu_handlers_set_batch(side.handlers, 1);
	} else if (choice == 6) {
		libiommu_handlers_free(side.handlers);
		side.handlers = NULL;
	} else {
		dispatch();
	}
}

/* Those of what ends, of which nothing is taken back. */
static const enum libiommu_ring_counter ends[] = {
	LIBIOMMU_RING_SUCCESS,   LIBIOMMU_RING_INVALID, LIBIOMMU_RING_EXPIRED,
	LIBIOMMU_RING_ABANDONED, LIBIOMMU_RING_DROPPED, LIBIOMMU_RING_DETACHED,
};

static uint64_t watch(enum libiommu_ring_counter which)
{
	uint64_t value;

	check(!libiommu_monitor_counter(side.monitor, which, &value));
	return value;
}

void fuzz_reader_watch(void)
{
	uint64_t sum = 0;

	if (!side.monitor)
		return;
	check(libiommu_monitor_state(side.monitor) > 0);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const uint64_t value = watch(ends[i]);

		check(value >= side.seen[ends[i]]);
		side.seen[ends[i]] = value;
		sum += value;
	}
	check(watch(LIBIOMMU_RING_GROUPS) == sum + watch(LIBIOMMU_RING_OUTSTANDING));
}

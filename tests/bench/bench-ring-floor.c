/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The least that the contract of a fault ring costs for many groups at a time: the bare pair of
 * rings, and what no ring can do without that keeps the promises of doc/fault-ring.md.
 *
 * - The device's name of a group is kept, and its token names it: a place and a generation. What is
 *   in a completion is copied once and checked, as nothing that the reader writes is trusted: each
 *   group is answered once and by its own name.
 * - For the deadline it is known when a group was published, where it ends, and which one is the
 *   oldest. The clock is read as often as the library does, every fourth batch.
 * - Each publication looks whether the other side sleeps. The reader looks for padding and for the
 *   ends of groups.
 *
 * Nothing else is there: one source, which writes straight into the ring and takes each answer
 * where it is found; no lock, no call, no error, no counter that is not needed for one of these.
 */
#include "bench-ring.h"

#include <stdlib.h>
#include <time.h>

#include "../../lib/fault/layout.h"

/* The library's defaults. */
#define RECORDS     4096
#define SLOTS       1024
#define COMPLETIONS (2 * SLOTS)
#define GENERATION  (UINT64_C(1) << PLACE_BITS)

static struct {
	_Alignas(4096) struct ring_a a;
	struct libiommu_record records[RECORDS];
	struct ring_b b;
	struct ring_completion completions[COMPLETIONS];
} ring;

struct slot {
	uint64_t token; /* odd generations are out */
	uint64_t cookie;
	uint64_t published;
	uint64_t end;
	struct slot *older;
	struct slot *newer; /* or the next free one */
};

static struct {
	_Alignas(128) uint32_t prod;
	uint32_t cons;
	uint32_t taken;
	uint32_t out;
	uint64_t cookie;
	uint64_t longest;
	uint64_t stale;
	uint64_t sum;
	struct slot *free;
	struct slot ends; /* next to the oldest and to the newest */
	struct slot slots[SLOTS];
} filler;

static struct {
	_Alignas(128) uint32_t prod;
	uint32_t cons;
	uint32_t made;
	uint32_t taken;
	uint64_t sum;
} reader;

static void store(atomic_uint_least32_t *index, uint32_t value,
                  const atomic_uint_least32_t *other_waits)
{
	atomic_store(index, value);
	if (atomic_load(other_waits))
		abort();
}

static uint64_t clock_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Each completion is copied, then checked; what is good becomes an answer. */
static void take_completions(uint64_t now)
{
	const uint32_t made = atomic_load_explicit(&ring.b.made, memory_order_acquire);
	const bool noting = filler.out && now - filler.ends.newer->published > filler.longest;
	struct slot *free = filler.free;
	uint32_t stale = 0;
	uint64_t sum = 0;

	if (made - filler.taken > COMPLETIONS)
		abort();
	for (uint32_t at = filler.taken; at != made; at++) {
		struct libiommu_completion done;
		struct slot *slot;

		ring_completion_load(&ring.completions[at % COMPLETIONS], &done);
		slot = &filler.slots[done.token % SLOTS];
		if (slot->token != done.token || done.queue || !(done.token & GENERATION)) {
			stale++;
			continue;
		}
		if (noting && now - slot->published > filler.longest)
			filler.longest = now - slot->published;
		/* The device's part. */
		sum += slot->cookie + (done.code ? LIBIOMMU_FAULT_INVALID : 0);
		slot->older->newer = slot->newer;
		slot->newer->older = slot->older;
		slot->token = done.token + GENERATION;
		slot->newer = free;
		free = slot;
	}
	filler.free = free;
	filler.sum += sum;
	filler.stale += stale;
	filler.out -= made - filler.taken - stale;
	if (made == filler.taken)
		return;
	filler.taken = made;
	atomic_store_explicit(&ring.a.taken, made, memory_order_release);
}

/* Slots for so many groups: the first; each leads to the next. */
static const struct slot *take_slots(uint32_t count, uint64_t now)
{
	struct slot *newest = filler.ends.older, *free = filler.free;
	const struct slot *const first = free;

	for (uint32_t i = 0; i < count; i++) {
		struct slot *const slot = free;

		free = slot->newer;
		slot->token += GENERATION;
		slot->cookie = filler.cookie + i;
		slot->published = now;
		slot->end = filler.prod + i + 1;
		slot->older = newest;
		newest->newer = slot;
		newest = slot;
	}
	newest->newer = &filler.ends;
	filler.ends.older = newest;
	filler.free = free;
	filler.out += count;
	return first;
}

/* The records in a loop of their own: nothing else is written while their lines come. */
static void publish(uint32_t count, uint64_t now, bool answer)
{
	struct libiommu_record *record = &ring.records[filler.prod % RECORDS];
	const struct slot *slot = answer ? take_slots(count, now) : NULL;

	for (const struct libiommu_record *const end = record + count; record != end; record++) {
		write_record(record, filler.cookie++);
		record->queue = 0;
		record->time = now;
		record->token = answer ? slot->token : 0;
		slot = answer ? slot->newer : NULL;
	}
	filler.prod += count;
	store(&ring.a.prod, filler.prod, &ring.b.wait);
}

/* For how many groups there is room. */
static uint32_t find_room(const struct work *work)
{
	uint32_t room = RECORDS - (filler.prod - filler.cons);

	if (room < work->batch) {
		filler.cons = atomic_load_explicit(&ring.b.cons, memory_order_acquire);
		room = RECORDS - (filler.prod - filler.cons);
	}
	if (!work->one_way && room > SLOTS - filler.out)
		room = SLOTS - filler.out;
	/* In one piece. */
	if (room > RECORDS - filler.prod % RECORDS)
		room = RECORDS - filler.prod % RECORDS;
	return room < work->batch ? room : work->batch;
}

static void fill(const struct work *work)
{
	const uint32_t end = filler.prod + work->groups;
	uint64_t now = 0;

	for (uint32_t round = 0; filler.prod != end || filler.out; round++) {
		uint32_t count;

		if (round % 4 == 0)
			now = clock_now();
		if (!work->one_way)
			take_completions(now);
		count = find_room(work);
		if (count > end - filler.prod)
			count = end - filler.prod;
		if (work->turn)
			work->turn(work);
		if (!count) {
			relax();
			continue;
		}
		publish(count, now, !work->one_way);
	}
}

/* In a loop of their own, as the records. */
static void complete(const struct libiommu_completion *done, uint32_t count)
{
	struct libiommu_completion *const to = (void *)ring.completions;

	for (uint32_t i = 0; i < count; i++)
		to[(reader.made + i) % COMPLETIONS] = done[i];
}

static void read_some(const struct work *work)
{
	struct libiommu_completion done[MAX_BATCH];
	uint32_t count;

	if (reader.prod == reader.cons)
		reader.prod = atomic_load_explicit(&ring.a.prod, memory_order_acquire);
	count = reader.prod - reader.cons;
	if (!count) {
		relax();
		return;
	}
	if (count > work->batch)
		count = work->batch;
	if (reader.made + count - reader.taken > COMPLETIONS)
		reader.taken = atomic_load_explicit(&ring.a.taken, memory_order_acquire);
	if (reader.made + count - reader.taken > COMPLETIONS)
		return;
	for (uint32_t i = 0; i < count; i++) {
		const struct libiommu_record *const record =
			&ring.records[(reader.cons + i) % RECORDS];

		/* Padding, or a group of more records. */
		if (record->kind == LIBIOMMU_RECORD_PAD || !(record->flags & LIBIOMMU_RECORD_LAST))
			abort();
		reader.sum += record->address;
		if (!work->one_way)
			done[i] = (struct libiommu_completion){.token = record->token,
			                                       .queue = record->queue};
	}
	reader.cons += count;
	store(&ring.b.cons, reader.cons, &ring.a.wait);
	if (work->one_way)
		return;
	complete(done, count);
	reader.made += count;
	store(&ring.b.made, reader.made, &ring.a.wait);
}

static void read_all(const struct work *work)
{
	const uint32_t end = reader.cons + work->groups;

	while (reader.cons != end)
		read_some(work);
}

const struct pair floor_pair = {.fill = fill, .read = read_all, .read_some = read_some};

void open_floor(void)
{
	filler.ends.older = &filler.ends;
	filler.ends.newer = &filler.ends;
	for (uint32_t i = 0; i < SLOTS; i++) {
		filler.slots[i].token = i;
		filler.slots[i].newer = filler.free;
		filler.free = &filler.slots[i];
	}
}

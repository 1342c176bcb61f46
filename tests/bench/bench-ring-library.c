/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The library's side: a source that has groups as long as it is asked, a ring that is dispatched,
 * and a reader.
 */
#include "bench-ring.h"

#include <poll.h>
#include <sys/socket.h>

#include "../../lib/fault/ring.h"
#include "../must.h"
#include "door.h"

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;
static const struct work none;
/* Of the reader's thread: what the other one uses is on other cache lines. */
static struct {
	_Alignas(128) uint64_t sum;
} seen;

/* What a device would be. */
static struct {
	_Alignas(128) struct source source;
	const struct work *work;
	uint32_t left; /* groups to be fetched */
	uint64_t number;
	uint64_t answered;
	uint64_t sum;
} load;

/* Places for groups of one record each: the first; it leads to the next. */
static const struct place *take_places(struct fault_out *out, uint64_t number, uint32_t count)
{
	struct places_run places = out->places;
	const struct place *const first = places.free;

	for (uint32_t i = 0; i < count; i++)
		fault_place_take(&places, number + i, out->time,
		                 place_origin(out->source, out->end + i + 1));
	out->places = places;
	out->answers += count;
	return first;
}

/* How many groups there are now; then what they are. */
static uint32_t take_due(const struct fault_out *out)
{
	const struct work *const work = load.work;
	uint32_t count = work->batch;

	if (work->turn)
		work->turn(work);
	if (count > load.left)
		count = load.left;
	if (count > out->room)
		count = (uint32_t)out->room;
	load.left -= count;
	return count;
}

/* As a fault queue does it. */
static int put(void *self, struct fault_out *out)
{
	const uint32_t due = take_due(out);
	const uint32_t count = due < out->max_groups ? due : (uint32_t)out->max_groups;
	const struct place *place = take_places(out, load.number, count);
	struct libiommu_record *to = out->records;
	const uint32_t source = out->source;
	const uint64_t time = out->time;
	uint64_t number = load.number;

	(void)self;
	load.left += due - count;
	load.number += count;
	for (const struct libiommu_record *const end = to + count; to != end; to++) {
		write_record(to, number++, source, time, place->token);
		place = place->newer;
	}
	fault_out_count(out, count, count);
	return 0;
}

/* The same, with no answer wanted. */
static int tell(void *self, struct fault_out *out)
{
	const uint32_t count = take_due(out);
	struct libiommu_record *to = out->records;
	const uint32_t source = out->source;
	const uint64_t time = out->time;
	uint64_t number = load.number;

	(void)self;
	load.number += count;
	for (const struct libiommu_record *const end = to + count; to != end; to++)
		write_record(to, number++, source, time, 0);
	fault_out_count(out, count, count);
	return 0;
}

static int answer(void *self, const struct libiommu_fault_response *answers, size_t count)
{
	(void)self;
	for (size_t i = 0; i < count; i++)
		load.sum += answers[i].token + answers[i].code;
	load.answered += count;
	return 0;
}

static bool wants(void *self, uint64_t cookie)
{
	(void)self;
	(void)cookie;
	return true;
}

static int refuse(void *self, size_t max)
{
	(void)self;
	(void)max;
	return 0;
}

static const struct source_ops faults = {
	.fetch = put,
	.answer = answer,
	.wants = wants,
	.refuse = refuse,
};
static const struct source_ops events = {
	.fetch = tell,
	.answer = answer,
	.wants = wants,
	.refuse = refuse,
};

static void fill(const struct work *work)
{
	const uint64_t end = load.answered + (work->one_way ? 0 : work->groups);

	load.work = work;
	load.left = work->groups;
	load.source.ops = work->one_way ? &events : &faults;
	li_filler_poke(li_ring_filler(ring));
	while (load.left || load.answered != end)
		MUST(libiommu_ring_dispatch(ring));
}

static void complete(const struct libiommu_completion *done, uint32_t count)
{
	uint32_t sent = 0;

	while (sent < count) {
		const int result = libiommu_reader_complete(reader, done + sent, count - sent);

		if (result > 0)
			sent += (uint32_t)result;
	}
}

/* As many groups as there are, up to a batch: how many. Each is one record. */
static uint32_t take(const struct work *work)
{
	struct libiommu_completion done[MAX_BATCH];
	const struct libiommu_record *records;
	uint64_t sum = 0;
	size_t count;
	int got;

	got = work->batch == 1 ? libiommu_reader_next(reader, &records, &count)
	                       : libiommu_reader_next_span(reader, work->batch, &records, &count);
	MUST(got);
	if (!got)
		return 0;
	for (size_t i = 0; i < count; i++) {
		sum += records[i].address;
		if (!work->one_way)
			done[i] = (struct libiommu_completion){
				.token = records[i].token,
				.queue = records[i].queue,
				.code = LIBIOMMU_FAULT_SUCCESS,
			};
	}
	seen.sum += sum;
	MUST(libiommu_reader_release(reader));
	if (!work->one_way)
		complete(done, (uint32_t)count);
	return (uint32_t)count;
}

static void read_some(const struct work *work)
{
	take(work);
}

static void read_all(const struct work *work)
{
	for (uint32_t i = 0; i < work->groups;) {
		const uint32_t count = take(work);

		if (!count)
			relax();
		i += count;
	}
}

/* A ring needs nothing of the kernel that is not there. */
void open_library(void)
{
	ctx = bench_ctx(NULL);
	MUST(libiommu_ring_new(ctx, NULL, &ring));
	load.work = &none;
	load.source = (struct source){.ops = &faults, .fd = -1};
	MUST(li_filler_add(li_ring_filler(ring), &load.source));
	join_library(true);
}

void join_library(bool trusted)
{
	int ends[2];

	libiommu_reader_free(reader);
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	MUST(libiommu_ring_join(ring, ends[0], LIBIOMMU_FD_OWN,
	                        trusted ? LIBIOMMU_RING_TRUSTED : 0));
	MUST(libiommu_reader_open(NULL, ends[1], LIBIOMMU_FD_OWN, &reader));
	MUST(libiommu_ring_dispatch(ring));
}

const struct pair library_pair = {.fill = fill, .read = read_all, .read_some = read_some};

static void fill_asleep(const struct work *work)
{
	struct pollfd polled = {.fd = libiommu_ring_fd(ring), .events = POLLIN};

	load.work = work;
	for (uint32_t i = 0; i < work->groups; i++) {
		const uint64_t before = load.answered;

		/* What a device does that has a new fault when the last one is answered. */
		load.left = 1;
		li_filler_poke(li_ring_filler(ring));
		while (load.answered == before) {
			while (poll(&polled, 1, -1) < 1)
				;
			MUST(libiommu_ring_dispatch(ring));
		}
	}
}

static void read_asleep(const struct work *work)
{
	for (uint32_t i = 0; i < work->groups;) {
		const uint32_t count = take(work);

		if (!count)
			libiommu_reader_sleep(reader, -1);
		i += count;
	}
}

const struct pair library_asleep = {.fill = fill_asleep, .read = read_asleep};

void close_library(void)
{
	libiommu_reader_free(reader);
	libiommu_ring_destroy(ring);
	libiommu_ctx_destroy(ctx);
}

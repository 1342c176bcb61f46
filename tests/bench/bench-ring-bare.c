/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What somebody would write: a ring of 64-byte records there and one of 16-byte completions back,
 * each with one producer. Each index is on a cache line of its own and copied by the side that does
 * not write it, which looks again only when its copy says that there is nothing, or no room. It
 * trusts the other side, keeps nothing about groups that are out, and never sleeps.
 */
#include "bench-ring.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The library's defaults. */
#define RECORDS     4096
#define COMPLETIONS 1024 /* groups that may be out */

static struct {
	_Alignas(128) atomic_uint prod;
	_Alignas(128) atomic_uint filler_waits;
	_Alignas(128) atomic_uint cons;
	_Alignas(128) atomic_uint made;
	_Alignas(128) atomic_uint reader_waits;
	_Alignas(4096) struct libiommu_record records[RECORDS];
	_Alignas(4096) struct libiommu_completion completions[COMPLETIONS];
} ring;

/* What each side keeps for itself, and does not share a cache line of either. */
static struct {
	_Alignas(128) uint32_t prod;
	uint32_t cons, taken, out;
	uint64_t sum;
} filler;
static struct {
	_Alignas(128) uint32_t prod;
	uint32_t cons, made;
	uint64_t sum;
} reader;

static void publish(atomic_uint *index, uint32_t value, atomic_uint *other_waits, bool ordered)
{
	if (!ordered) {
		atomic_store_explicit(index, value, memory_order_release);
		return;
	}
	atomic_store(index, value);
	if (atomic_load(other_waits))
		abort();
}

static void take_completions(void)
{
	const uint32_t made = atomic_load_explicit(&ring.made, memory_order_acquire);

	filler.out -= made - filler.taken;
	for (; filler.taken != made; filler.taken++) {
		const struct libiommu_completion *const done =
			&ring.completions[filler.taken % COMPLETIONS];

		filler.sum += done->token + done->code;
	}
}

/* For how many groups there is room. */
static uint32_t find_room(const struct work *work)
{
	uint32_t room = RECORDS - (filler.prod - filler.cons);

	if (room < work->batch) {
		filler.cons = atomic_load_explicit(&ring.cons, memory_order_acquire);
		room = RECORDS - (filler.prod - filler.cons);
	}
	if (!work->one_way && room > COMPLETIONS - filler.out)
		room = COMPLETIONS - filler.out;
	return room < work->batch ? room : work->batch;
}

static void fill(const struct work *work)
{
	const uint32_t end = filler.prod + work->groups;

	while (filler.prod != end || filler.out) {
		uint32_t count;

		if (!work->one_way)
			take_completions();
		count = find_room(work);
		if (count > end - filler.prod)
			count = end - filler.prod;
		if (work->turn)
			work->turn(work);
		if (!count) {
			relax();
			continue;
		}
		for (uint32_t i = 0; i < count; i++, filler.prod++) {
			write_record(&ring.records[filler.prod % RECORDS], filler.prod, 0, 0,
			             filler.prod);
		}
		if (!work->one_way)
			filler.out += count;
		publish(&ring.prod, filler.prod, &ring.reader_waits, work->ordered);
	}
}

static void read_some(const struct work *work)
{
	uint32_t count;

	if (reader.prod == reader.cons)
		reader.prod = atomic_load_explicit(&ring.prod, memory_order_acquire);
	count = reader.prod - reader.cons;
	if (!count) {
		relax();
		return;
	}
	if (count > work->batch)
		count = work->batch;
	for (uint32_t i = 0; i < count; i++) {
		const struct libiommu_record *const record =
			&ring.records[(reader.cons + i) % RECORDS];

		reader.sum += record->address;
		if (!work->one_way)
			ring.completions[(reader.made + i) % COMPLETIONS] =
				(struct libiommu_completion){.token = record->token};
	}
	reader.cons += count;
	publish(&ring.cons, reader.cons, &ring.filler_waits, work->ordered);
	if (work->one_way)
		return;
	reader.made += count;
	publish(&ring.made, reader.made, &ring.filler_waits, work->ordered);
}

static void read_all(const struct work *work)
{
	const uint32_t end = reader.cons + work->groups;

	while (reader.cons != end)
		read_some(work);
}

const struct pair bare_pair = {.fill = fill, .read = read_all, .read_some = read_some};

static struct {
	_Alignas(128) atomic_uint word;
	_Alignas(128) char behind;
} line;

static void exchange(const struct work *work, unsigned int own, unsigned int other)
{
	for (uint32_t i = 0; i < work->groups; i++) {
		while (atomic_load(&line.word) != other)
			relax();
		atomic_store(&line.word, own);
	}
}

static void fill_line(const struct work *work)
{
	exchange(work, 1, 0);
}

static void read_line(const struct work *work)
{
	exchange(work, 0, 1);
}

const struct pair line_pair = {.fill = fill_line, .read = read_line};

static int there, back;

static void ring_bell(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void wait_for(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	uint64_t value;

	while (poll(&polled, 1, -1) < 1)
		;
	if (read(fd, &value, sizeof(value)) != sizeof(value))
		abort();
}

static void fill_asleep(const struct work *work)
{
	for (uint32_t i = 0; i < work->groups; i++) {
		ring_bell(there);
		wait_for(back);
	}
}

static void read_asleep(const struct work *work)
{
	for (uint32_t i = 0; i < work->groups; i++) {
		wait_for(there);
		ring_bell(back);
	}
}

const struct pair bare_asleep = {.fill = fill_asleep, .read = read_asleep};

void open_bare(void)
{
	there = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	back = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (there < 0 || back < 0)
		abort();
}

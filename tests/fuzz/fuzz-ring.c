/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Bytes as a program that both uses a ring and writes what it likes into its shared memory, as a
 * reader would into B, and as a filler would into A. Whatever it does, no memory is touched that
 * should not be, nothing loops, and each group that was fetched is answered exactly once.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/fault/filler.h"
#include "../../lib/fault/reader.h"

#define GROUPS   512
#define RECORDS  1024
#define DEADLINE 1000

struct input {
	const uint8_t *data;
	size_t size;
};

struct fuzzed {
	struct source source;
	uint32_t raised;
	uint32_t fetched;
	uint16_t records[GROUPS];
	uint8_t detached[GROUPS];
	uint8_t answers[GROUPS];
};

static uint64_t now;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool right)
{
	if (!right)
		abort();
}

static uint32_t take(struct input *input, size_t bytes)
{
	uint32_t value = 0;

	if (bytes > input->size)
		bytes = input->size;
	memcpy(&value, input->data, bytes);
	input->data += bytes;
	input->size -= bytes;
	return value;
}

static int get_clock(void *user, uint64_t *ns)
{
	(void)user;
	*ns = now;
	return 0;
}

static int fetch(void *self, struct fault_out *out)
{
	struct fuzzed *const from = self;

	while (from->fetched < from->raised && out->groups < out->max_groups) {
		const uint32_t number = from->fetched;
		const uint32_t records = from->records[number];

		if (records > out->room) {
			out->need = records;
			return out->groups ? 0 : -ENOBUFS;
		}
		for (uint32_t i = 0; i < records; i++)
			out->records[i] = (struct libiommu_record){
				.kind = from->detached[number] ? LIBIOMMU_RECORD_DETACHED
			                                       : LIBIOMMU_RECORD_FAULT,
				.flags = i + 1 == records ? LIBIOMMU_RECORD_LAST : 0,
			};
		if (from->detached[number])
			fault_out_tell(out, records);
		else
			fault_out_put(out, number, records);
		out->ended += from->detached[number];
		/* What is detached is answered by the source: all groups that are out, here. */
		if (from->detached[number])
			for (uint32_t i = 0; i < number; i++)
				from->answers[i] = 1;
		from->fetched++;
	}
	return 0;
}

static int answer(void *self, const struct libiommu_fault_response *answers, size_t count)
{
	struct fuzzed *const from = self;

	for (size_t i = 0; i < count; i++) {
		check(answers[i].token < from->fetched);
		check(answers[i].code <= LIBIOMMU_FAULT_INVALID);
		check(!from->answers[answers[i].token]++);
	}
	return 0;
}

static bool wants(void *self, uint64_t cookie)
{
	const struct fuzzed *const from = self;

	return !from->answers[cookie];
}

static int refuse(void *self, size_t max)
{
	struct fuzzed *const from = self;
	int count = 0;

	for (; from->fetched < from->raised && max; max--) {
		from->answers[from->fetched++] = 1;
		count++;
	}
	return count;
}

static const struct source_ops ops = {
	.fetch = fetch,
	.answer = answer,
	.wants = wants,
	.refuse = refuse,
};

static struct libiommu_reader *join(const struct libiommu_sys *sys, struct filler *filler)
{
	struct libiommu_reader *reader = NULL;
	int ends[2];

	check(!li_sys_socketpair(sys, ends));
	check(!li_filler_join(filler, ends[0], true, 0));
	check(!libiommu_reader_open(sys, ends[1], LIBIOMMU_FD_OWN, &reader));
	return reader;
}

/* A group as the reader sees it: all of it must be there to be read. */
static void use_reader(struct libiommu_reader *reader, uint32_t choice)
{
	struct libiommu_completion done = {.code = choice >> 4 & 3};
	const struct libiommu_record *records;
	uint64_t sum = 0;
	size_t count;
	int got;

	if (choice & 8)
		got = libiommu_reader_next_span(reader, choice >> 2, &records, &count);
	else
		got = libiommu_reader_next(reader, &records, &count);
	if (got == 1) {
		for (size_t i = 0; i < count; i++)
			sum += records[i].address;
		done.token = records[count - 1].token + sum % 2;
		done.queue = records[0].queue;
		if (choice & 1)
			libiommu_reader_complete(reader, &done, 1);
	}
	if (choice & 2)
		libiommu_reader_release(reader);
	if (choice & 4 && libiommu_reader_arm(reader) == 0)
		libiommu_reader_disarm(reader);
}

/* The words that matter, and any other. */
static void write_b(struct input *input, struct libiommu_reader *reader)
{
	struct ring_memory *const memory = &reader->memory;
	const uint32_t where = take(input, 2), value = take(input, 4);
	atomic_uint_least32_t *const words[] = {&memory->b->cons, &memory->b->made,
	                                        &memory->b->wait};

	if (where % 8 < 3)
		atomic_fetch_add(words[where % 8], where & 64 ? value : value % 4);
	else
		atomic_store((atomic_uint_least32_t *)memory->b + where % (memory->b_size / 4),
		             value);
}

/* Through the filler's mapping, since nobody else has one to write. */
static void write_a(struct input *input, struct filler *filler)
{
	struct ring_a *const a = filler->session ? filler->session->memory.a : NULL;
	const uint32_t where = take(input, 2), value = take(input, 4);

	if (!a)
		return;
	if (where % 4 == 0)
		atomic_fetch_add(&a->prod, value);
	else if (where % 4 == 1)
		atomic_fetch_add(&a->taken, value);
	else if (where % 4 == 2)
		atomic_store(&a->wait, value);
	else
		memcpy((char *)a + RING_HEADER + where % (RECORDS * 4) * 16, &value, sizeof(value));
}

static void step(struct input *input, const struct libiommu_sys *sys, struct filler *filler,
                 struct fuzzed *source, struct libiommu_reader **reader)
{
	const uint32_t choice = take(input, 1);

	switch (choice & 7) {
	case 0:
	case 1:
		if (source->raised == GROUPS)
			break;
		source->records[source->raised] =
			(uint16_t)(choice & 8 ? take(input, 2) % 1100 + 1 : choice / 16 + 1);
		source->detached[source->raised] = (choice & 0xf0) == 0xf0;
		if (source->detached[source->raised])
			source->records[source->raised] = 1;
		source->raised++;
		li_filler_poke(filler);
		break;
	case 2:
		li_filler_dispatch(filler);
		break;
	case 3:
		if (*reader)
			use_reader(*reader, choice >> 3);
		break;
	case 4:
		if (*reader)
			write_b(input, *reader);
		break;
	case 5:
		write_a(input, filler);
		break;
	case 6:
		now += choice * 4;
		break;
	case 7:
		libiommu_reader_free(*reader);
		*reader = NULL;
		if (choice & 8)
			*reader = join(sys, filler);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct filler_choices choices = {
		.capacity = RECORDS, .max_outstanding = 64, .deadline = DEADLINE};
	struct input input = {data, size};
	struct libiommu_reader *reader;
	struct libiommu_sys *sys;
	struct fuzzed *const source = calloc(1, sizeof(*source));
	struct filler *filler;

	now = 1;
	check(source && !libiommu_sys_new(&sys));
	libiommu_sys_set_clock(sys, get_clock);
	source->source = (struct source){.ops = &ops, .self = source, .fd = -1};
	check(!li_filler_new(sys, &choices, &filler));
	check(!li_filler_add(filler, &source->source));
	reader = join(sys, filler);
	while (input.size)
		step(&input, sys, filler, source, &reader);
	li_filler_dispatch(filler);
	libiommu_reader_free(reader);
	li_filler_free(filler);
	for (uint32_t i = 0; i < source->fetched; i++)
		check(source->answers[i] == 1 || source->detached[i]);
	libiommu_sys_free(sys);
	free(source);
	return 0;
}

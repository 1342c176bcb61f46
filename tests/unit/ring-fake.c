/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ring-door.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct libiommu_ring *ring_make(struct libiommu_ctx *ctx, uint32_t records, uint32_t groups,
                                uint64_t deadline)
{
	struct libiommu_ring_config *config;
	struct libiommu_ring *ring;

	assert_int_equal(libiommu_ring_config_new(&config), 0);
	assert_int_equal(libiommu_ring_config_set_records(config, records), 0);
	assert_int_equal(libiommu_ring_config_set_outstanding(config, groups), 0);
	assert_int_equal(libiommu_ring_config_set_deadline(config, deadline), 0);
	assert_int_equal(libiommu_ring_new(ctx, config, &ring), 0);
	libiommu_ring_config_free(config);
	return ring;
}

uint64_t ring_count(struct libiommu_ring *ring, enum libiommu_ring_counter which)
{
	uint64_t value = UINT64_MAX;

	assert_int_equal(libiommu_ring_counter(ring, which, &value), 0);
	return value;
}

void ring_check(struct libiommu_ring *ring)
{
	static const enum libiommu_ring_counter parts[] = {
		LIBIOMMU_RING_SUCCESS,     LIBIOMMU_RING_INVALID, LIBIOMMU_RING_EXPIRED,
		LIBIOMMU_RING_ABANDONED,   LIBIOMMU_RING_DROPPED, LIBIOMMU_RING_DETACHED,
		LIBIOMMU_RING_OUTSTANDING, LIBIOMMU_RING_EVENTS,
	};
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		sum += ring_count(ring, parts[i]);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_GROUPS), sum);
	assert_int_equal(!ring_count(ring, LIBIOMMU_RING_OLDEST),
	                 !ring_count(ring, LIBIOMMU_RING_OUTSTANDING));
}

bool ring_ready(const struct libiommu_ring *ring)
{
	struct pollfd fd = {.fd = libiommu_ring_fd(ring), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

/* Readable while there is something, as a fault queue's descriptor is. */
static void set_level(const struct fake *fake)
{
	uint64_t value = 1;

	if (fake->raised != fake->fetched)
		assert_int_equal(write(fake->source.fd, &value, 8), 8);
	else
		assert_true(read(fake->source.fd, &value, 8) == 8 || errno == EAGAIN);
}

static void write_group(const struct fake *fake, struct libiommu_record *to)
{
	const uint32_t number = fake->fetched;
	uint8_t kind = fake->groups[number].kind;

	if (!kind)
		kind = fake->groups[number].detached ? LIBIOMMU_RECORD_DETACHED
		                                     : LIBIOMMU_RECORD_FAULT;
	for (uint32_t i = 0; i < fake->groups[number].records; i++) {
		const bool last = i + 1 == fake->groups[number].records;

		to[i] = (struct libiommu_record){
			.kind = kind,
			.flags = last ? LIBIOMMU_RECORD_LAST : 0,
			.label = LIBIOMMU_RECORD_LAST,
			.address = ((uint64_t)number << 32) + i,
			.tag = fake->groups[number].tag,
			.group = number,
			.attachment = fake->groups[number].attachment,
		};
	}
}

static int fake_fetch(void *self, struct fault_out *out)
{
	struct fake *const fake = self;
	int error = fake->error;

	fake->error = 0;
	if (error)
		return error;
	while (fake->fetched != fake->raised && out->groups < out->max_groups) {
		const uint32_t number = fake->fetched;

		if (fake->groups[number].records > out->room) {
			out->need = fake->groups[number].records;
			error = out->groups ? 0 : -ENOBUFS;
			break;
		}
		write_group(fake, out->records);
		out->ended += fake->groups[number].detached;
		if (fake->groups[number].detached)
			fault_out_tell(out, fake->groups[number].records);
		else
			fault_out_put(out, number, fake->groups[number].records);
		fake->fetched++;
	}
	set_level(fake);
	return error;
}

static int fake_answer(void *self, const struct libiommu_fault_response *answers, size_t count)
{
	struct fake *const fake = self;
	const int error = fake->error;
	int stale = 0;

	fake->error = 0;
	for (size_t i = 0; i < count; i++) {
		const uint32_t number = (uint32_t)answers[i].token;

		assert_true(number < fake->fetched);
		fake->groups[number].answers++;
		fake->groups[number].code = answers[i].code;
		stale += fake->groups[number].stale;
	}
	return error ? error : stale;
}

/* The groups of an attachment that was detached before have got their answers from the kernel. */
static bool fake_wants(void *self, uint64_t cookie)
{
	const struct fake *const fake = self;

	for (uint32_t i = (uint32_t)cookie; i < fake->fetched; i++)
		if (fake->groups[i].detached &&
		    fake->groups[i].attachment == fake->groups[cookie].attachment)
			return false;
	return true;
}

static int fake_refuse(void *self, size_t max)
{
	struct fake *const fake = self;
	const int error = fake->error;
	int refused = 0;

	fake->error = 0;
	if (error)
		return error;
	for (; fake->fetched != fake->raised && max; max--) {
		if (!fake->groups[fake->fetched].detached) {
			fake->groups[fake->fetched].answers++;
			fake->groups[fake->fetched].code = LIBIOMMU_FAULT_INVALID;
		}
		fake->fetched++;
		refused++;
	}
	set_level(fake);
	return refused;
}

static const struct source_ops fake_ops = {
	.fetch = fake_fetch,
	.answer = fake_answer,
	.wants = fake_wants,
	.refuse = fake_refuse,
};

void fake_init(struct fake *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->source = (struct source){.ops = &fake_ops, .self = fake};
	fake->source.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(fake->source.fd >= 0);
}

void fake_close(struct fake *fake)
{
	close(fake->source.fd);
}

static uint32_t add(struct fake *fake, uint32_t records, uint32_t attachment, bool detached)
{
	assert_true(fake->raised < FAKE_GROUPS);
	fake->groups[fake->raised].records = records;
	fake->groups[fake->raised].attachment = attachment;
	fake->groups[fake->raised].detached = detached;
	fake->raised++;
	set_level(fake);
	return fake->raised - 1;
}

uint32_t fake_raise(struct fake *fake, uint32_t records, uint32_t attachment)
{
	return add(fake, records, attachment, false);
}

uint32_t fake_detach(struct fake *fake, uint32_t attachment)
{
	return add(fake, 1, attachment, true);
}

void fake_check(const struct fake *fake)
{
	for (uint32_t i = 0; i < fake->fetched; i++)
		if (fake->groups[i].answers != !fake->groups[i].detached)
			fail_msg("group %u was answered %u times", i, fake->groups[i].answers);
}

uint32_t reader_take(struct libiommu_reader *reader, struct libiommu_completion *completion)
{
	const struct libiommu_record *records;
	size_t count;

	assert_int_equal(libiommu_reader_next(reader, &records, &count), 1);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(records[i].address, ((uint64_t)records[0].group << 32) + i);
		assert_int_equal(records[i].token, records[0].token);
		assert_int_equal(!!(records[i].flags & LIBIOMMU_RECORD_LAST), i + 1 == count);
	}
	*completion = (struct libiommu_completion){
		.token = records[0].token,
		.queue = records[0].queue,
		.code = LIBIOMMU_FAULT_SUCCESS,
	};
	return records[0].group;
}

int reader_none(struct libiommu_reader *reader)
{
	const struct libiommu_record *records;
	size_t count;

	return libiommu_reader_next(reader, &records, &count);
}

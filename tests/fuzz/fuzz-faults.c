/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Bytes as what the kernel says of faults, and as a program that attaches, detaches, reads and
 * answers meanwhile, by itself or through a ring, which read() or io_uring feeds and from which
 * handlers may take. The kernel keeps none of its promises: records
 * are any bytes, reads end anywhere, cookies repeat, calls fail. Whatever it does, no memory is
 * touched that should not be, no token is given out twice, and a cookie is answered at most once
 * for each time that it was given out.
 */
#include <errno.h>
#include <string.h>

#include "fault-reader.h"

#define DEADLINE 1000

enum {
	DEVICES = FUZZ_DEVICES,
	QUEUES = KERNEL_QUEUES,
	TABLES = QUEUES + 1, /* one for each queue, and one without */
	PASIDS = 3,
};

struct attachment {
	uint64_t tag;
	const struct libiommu_hwpt *table; /* NULL: there is none */
};

static struct {
	struct libiommu_ctx *ctx;
	struct libiommu_device *device[DEVICES];
	struct libiommu_fault_queue *queue[QUEUES];
	struct libiommu_hwpt *table[TABLES];
	struct libiommu_fault_batch *batch;
	struct libiommu_ring *ring;
	struct attachment attached[DEVICES][PASIDS];
	uint64_t tag;      /* the last that was used */
	bool read[QUEUES]; /* by the program itself */
	struct tokens tokens[QUEUES];
} user;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* None of these names a group that could be answered: all are stale, and the kernel sees none. */
static void check_stale(unsigned int queue, const struct libiommu_fault_response *responses,
                        size_t count)
{
	const unsigned int writes = kernel_writes();
	size_t stale = 0;
	const int done = libiommu_fault_queue_respond(user.queue[queue], responses, count, &stale);

	check(done == -EBUSY || ((size_t)done == count && stale == count));
	check(kernel_writes() == writes);
}

/* A fault that came over a queue which its page table has not is nobody's business here. */
static void check_ended(const struct attachment *attachment)
{
	for (unsigned int i = 0; i < QUEUES; i++) {
		const struct tokens *const tokens = &user.tokens[i];

		for (uint32_t j = 0; attachment->table == user.table[i] && j < tokens->count; j++) {
			const struct libiommu_fault_response one = {.token = tokens->token[j]};

			if (tokens->tag[j] == attachment->tag)
				check_stale(i, &one, 1);
		}
	}
}

static void change_pasid(struct attachment *attachment, struct libiommu_device *dev,
                         uint32_t vpasid, struct libiommu_hwpt *table, uint32_t what)
{
	const struct attachment before = *attachment;
	const uint64_t tag = ++user.tag;
	uint32_t pasid;
	int error;

	if (what < 2)
		error = libiommu_pasid_attach(dev, vpasid, table, tag, &pasid);
	else if (what < 4)
		error = libiommu_pasid_replace(dev, vpasid, table, tag);
	else
		error = libiommu_pasid_detach(dev, vpasid);
	if (error)
		return;
	*attachment = what < 4 ? (struct attachment){tag, table} : (struct attachment){0, NULL};
	/* By itself is no end. */
	if (before.table != attachment->table)
		check_ended(&before);
}

/* Ends them all. */
static void revoke(uint32_t number)
{
	if (libiommu_device_revoke(user.device[number]))
		return;
	for (uint32_t i = 0; i < PASIDS; i++) {
		check_ended(&user.attached[number][i]);
		user.attached[number][i].table = NULL;
	}
}

static void change_attachment(struct input *input)
{
	const uint32_t choice = input_take(input, 1);
	const uint32_t number = choice % DEVICES, vpasid = choice / 8 % 4, what = choice / 32;
	struct libiommu_device *const dev = user.device[number];
	struct libiommu_hwpt *const table = user.table[choice / 2 % TABLES];

	if (choice == 255)
		revoke(number);
	else if (what >= 6)
		libiommu_device_set_tag(dev, ++user.tag);
	else if (vpasid)
		change_pasid(&user.attached[number][vpasid - 1], dev, vpasid, table, what);
	else if (what < 2)
		libiommu_device_attach_hwpt(dev, table);
	else if (what < 4)
		libiommu_device_replace_hwpt(dev, table);
	else
		libiommu_device_detach(dev);
}

/* In the program's terms. */
static void check_fault(const struct libiommu_record *fault)
{
	check(fault->label <= DEVICES && fault->tag <= user.tag);
	check(!(fault->permissions & ~0xfU));
	check(fault->flags & LIBIOMMU_RECORD_UNKNOWN ? !fault->tag : fault->label);
}

static void read_faults(unsigned int number)
{
	const int got = libiommu_fault_queue_read(user.queue[number], user.batch);

	if (got == -EBUSY)
		return;
	check(got <= 0 || (size_t)got == libiommu_fault_batch_count(user.batch));
	check(got > 0 || !libiommu_fault_batch_count(user.batch));
	for (int i = 0; i < got; i++) {
		const struct libiommu_record *const fault =
			libiommu_fault_batch_get(user.batch, (size_t)i);

		check_fault(fault);
		if (!i || fault->token != fault[-1].token)
			note_token(&user.tokens[number], fault->token, fault->tag);
		user.read[number] = true;
	}
}

static void respond(struct input *input, unsigned int number)
{
	const struct tokens *const tokens = &user.tokens[number];
	struct libiommu_fault_response responses[8];
	const uint32_t choice = input_take(input, 1);
	const size_t count = choice % 8 + 1;
	unsigned int writes;
	size_t stale = 0;
	int done;

	for (size_t i = 0; i < count; i++) {
		const uint32_t which = input_take(input, 2);

		responses[i] = (struct libiommu_fault_response){.code = which >> 14 & 1};
		if (which & 0x8000)
			responses[i].token = (uint64_t)input_take(input, 3) << 12 | (which & 0xfff);
		else if (tokens->count)
			responses[i].token = tokens->token[(which & 0x3fff) % tokens->count];
		if (choice == 255)
			responses[i].code = which;
	}
	writes = kernel_writes();
	done = libiommu_fault_queue_respond(user.queue[number], responses, count, &stale);
	check(done <= (int)count && (done < 0 || stale <= (size_t)done));
	if (done == (int)count) {
		check_stale(number, responses, count);
	} else if (kernel_writes() != writes) {
		/* It failed in between: what is left can be answered now. */
		writes = kernel_writes();
		done = libiommu_fault_queue_respond(user.queue[number], responses, count, &stale);
		check(done == (int)count && kernel_writes() > writes);
	}
}

/* What the ring has read is all answered then, one way or another. */
static void leave_ring(unsigned int number)
{
	if (!libiommu_ring_remove_queue(user.ring, user.queue[number]))
		check(user.read[number] || kernel_has_failed() || kernel_is_answered(number));
}

static void change_ring(uint32_t choice)
{
	if (choice & 1) {
		libiommu_ring_add_queue(user.ring, user.queue[choice >> 1 & 1],
		                        choice & 8 ? LIBIOMMU_RING_IO_URING : 0);
	} else if (choice & 4) {
		leave_ring(choice >> 1 & 1);
	} else {
		fuzz_reader_change(choice & 2);
	}
}

static void step(struct input *input)
{
	const uint32_t choice = input_take(input, 1), what = choice % 16, more = choice >> 4;

	if (what < 3)
		kernel_raise(input, more & 1);
	else if (what < 5)
		read_faults(more & 1);
	else if (what < 7)
		respond(input, more & 1);
	else if (what < 9)
		change_attachment(input);
	else if (what < 10)
		kernel_fail_next(input);
	else if (what < 11)
		kernel_wait(more * 64);
	else if (what < 12)
		change_ring(more);
	else if (what < 14)
		libiommu_ring_dispatch(user.ring);
	else if (what < 15)
		fuzz_reader_use(more, user.tag);
	else
		fuzz_reader_handle(more, user.tag);
	fuzz_reader_watch();
}

static void begin(void)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ring_config *shape;
	struct libiommu_sys *sys;

	memset(&user, 0, sizeof(user));
	check(!libiommu_sys_new(&sys));
	kernel_init(sys);
	check(!libiommu_ctx_config_new(&config));
	check(!libiommu_ctx_config_set_sys(config, sys));
	check(!libiommu_ctx_new(config, &user.ctx));
	libiommu_ctx_config_free(config);
	libiommu_sys_free(sys);
	for (uint32_t i = 0; i < DEVICES; i++) {
		check(!libiommu_device_open_node(user.ctx, "device", &user.device[i]));
		check(!libiommu_device_bind(user.device[i], 1 + i, NULL, 0));
	}
	for (uint32_t i = 0; i < TABLES; i++)
		check(!libiommu_hwpt_adopt(user.ctx, 20 + i, LIBIOMMU_ID_BORROW, &user.table[i]));
	for (uint32_t i = 0; i < QUEUES; i++) {
		check(!libiommu_fault_queue_alloc(user.ctx, &user.queue[i]));
		check(!libiommu_hwpt_name_fault_queue(user.table[i], user.queue[i]));
	}
	check(!libiommu_fault_batch_new(4, &user.batch));
	check(!libiommu_ring_config_new(&shape));
	check(!libiommu_ring_config_set_records(shape, 1024));
	check(!libiommu_ring_config_set_outstanding(shape, 16));
	check(!libiommu_ring_config_set_deadline(shape, DEADLINE));
	check(!libiommu_ring_new(user.ctx, shape, &user.ring));
	libiommu_ring_config_free(shape);
	fuzz_reader_init(user.ring);
}

static void end(void)
{
	kernel_mend();
	fuzz_reader_change(false);
	for (unsigned int i = 0; i < QUEUES; i++)
		leave_ring(i);
	check(!libiommu_ring_destroy(user.ring));
	for (uint32_t i = 0; i < DEVICES; i++)
		check(!libiommu_device_destroy(user.device[i]));
	for (uint32_t i = 0; i < TABLES; i++)
		check(!libiommu_hwpt_destroy(user.table[i]));
	for (uint32_t i = 0; i < QUEUES; i++)
		check(!libiommu_fault_queue_destroy(user.queue[i]));
	libiommu_fault_batch_free(user.batch);
	check(!libiommu_ctx_destroy(user.ctx));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	begin();
	while (input.size)
		step(&input);
	end();
	return 0;
}

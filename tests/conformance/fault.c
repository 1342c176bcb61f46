/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page requests: each read once, in the caller's terms, and answered once. */
#include "suite.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"

#define LABEL UINT64_C(0xfeed00000001)

enum { OWN_TAG = 70, TAG = 75, OTHER_TAG = 76, PASID = 5 };

struct faults {
	struct rig *rig;
	struct libiommu_device *dev;
	struct libiommu_fault_queue *queue, *other_queue;
	struct libiommu_hwpt *parent;              /* NULL where the page tables are not nested */
	struct libiommu_hwpt *own, *table, *other; /* of queue, queue, and other_queue */
	struct libiommu_record last;
};

static struct libiommu_fault_queue *make_queue(struct rig *rig)
{
	struct libiommu_fault_queue *queue;

	OK(libiommu_fault_queue_alloc(rig->ctx, &queue));
	rig_keep(rig, THING_FAULT_QUEUE, queue);
	return queue;
}

static struct libiommu_hwpt *make_table(struct faults *f, struct libiommu_fault_queue *queue,
                                        uint32_t flags)
{
	const struct mock_hwpt_data data = {.value = MOCK_CACHED};
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *table;
	int error;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, flags));
	OK(libiommu_hwpt_config_set_fault_queue(config, queue));
	if (f->parent)
		OK(libiommu_hwpt_config_set_data(config, MOCK_HWPT_DATA, &data,
		                                 sizeof(data.value)));
	error = f->parent ? libiommu_hwpt_alloc_nested(f->dev, f->parent, config, &table)
	                  : libiommu_hwpt_alloc(f->dev, f->rig->ioas, config, &table);
	libiommu_hwpt_config_free(config);
	OK(error);
	rig_keep(f->rig, THING_HWPT, table);
	return table;
}

/* Of a variant: its page tables are nested. */
enum { NESTED = 1 };

/* A device on a page table of a queue; and, with PASIDs, at one of them another. */
static struct faults begin(struct rig *rig, bool pasids)
{
	const uint32_t flags = pasids ? LIBIOMMU_HWPT_PASID : 0;
	struct faults f = {.rig = rig};
	uint32_t pasid;

	f.dev = rig_device(rig, LABEL, pasids ? WORLD_DEV_PASIDS : 0);
	if (rig->variant->flags & NESTED)
		f.parent = rig_table(rig, f.dev, rig->ioas, LIBIOMMU_HWPT_NEST_PARENT | flags);
	f.queue = make_queue(rig);
	f.other_queue = make_queue(rig);
	f.own = make_table(&f, f.queue, flags);
	f.table = make_table(&f, f.queue, flags);
	f.other = make_table(&f, f.other_queue, flags);
	OK(libiommu_device_set_tag(f.dev, OWN_TAG));
	OK(libiommu_device_attach_hwpt(f.dev, f.own));
	if (pasids)
		OK(libiommu_pasid_attach(f.dev, PASID, f.table, TAG, &pasid));
	return f;
}

static void trigger(struct faults *f, uint32_t pasid, uint64_t address)
{
	RAW(0, world_fault(f->rig->world, f->dev, pasid, 17, LIBIOMMU_FAULT_WRITE, address));
}

static int read_one(struct faults *f, struct libiommu_fault_queue *from)
{
	struct libiommu_fault_batch *batch;
	int got;

	OK(libiommu_fault_batch_new(1, &batch));
	got = libiommu_fault_queue_read(from, batch);
	if (got == 1)
		f->last = *libiommu_fault_batch_get(batch, 0);
	libiommu_fault_batch_free(batch);
	return got;
}

static uint64_t trigger_and_read(struct faults *f, struct libiommu_fault_queue *from,
                                 uint32_t pasid, uint64_t address)
{
	trigger(f, pasid, address);
	assert_int_equal(libiommu_fault_queue_wait(from, 10000), 1);
	assert_int_equal(read_one(f, from), 1);
	assert_true(f->last.address == address);
	return f->last.token;
}

/* How many of one answer came too late. */
static size_t respond(struct libiommu_fault_queue *to, uint64_t token, uint32_t code)
{
	const struct libiommu_fault_response response = {.token = token, .code = code};
	size_t stale;

	assert_int_equal(libiommu_fault_queue_respond(to, &response, 1, &stale), 1);
	return stale;
}

static void without_pasid(struct rig *rig)
{
	struct faults f = begin(rig, false);
	uint64_t token;

	assert_int_equal(libiommu_fault_queue_wait(f.queue, 0), 0);
	assert_int_equal(read_one(&f, f.queue), 0);
	token = trigger_and_read(&f, f.queue, 0, 0x1234000);
	assert_true(f.last.label == LABEL);
	assert_int_equal(f.last.vpasid, 0);
	assert_int_equal(f.last.tag, OWN_TAG);
	assert_int_equal(f.last.group, 17);
	assert_int_equal(f.last.permissions, LIBIOMMU_FAULT_WRITE);
	assert_int_equal(f.last.flags, LIBIOMMU_RECORD_LAST);
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_SUCCESS), 0);
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_int_equal(read_one(&f, f.queue), 0);
}

static void with_pasid(struct rig *rig)
{
	struct faults f = begin(rig, true);
	uint64_t token;

	token = trigger_and_read(&f, f.queue, PASID, 0x1234000);
	assert_true(f.last.label == LABEL);
	assert_int_equal(f.last.vpasid, PASID);
	assert_int_equal(f.last.tag, TAG);
	assert_int_equal(f.last.flags, LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_LAST);
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_INVALID), 0);
	/* Nothing is attached there, and the device's own page table is no nested one. */
	trigger(&f, PASID + 1, 0x2000);
	assert_int_equal(read_one(&f, f.queue), 0);
}

/* Answered in any order, in one write; more than any buffer has room for at first. */
static void many(struct rig *rig)
{
	enum { MANY = 5000 };
	struct libiommu_fault_response *const responses = calloc(MANY, sizeof(*responses));
	struct faults f = begin(rig, false);
	struct libiommu_fault_batch *batch;
	size_t stale = 99, count;
	int got, all = 0;

	assert_non_null(responses);
	for (uint64_t i = 0; i < MANY; i++)
		trigger(&f, 0, i * PAGE);
	OK(libiommu_fault_batch_new(0, &batch));
	while ((got = libiommu_fault_queue_read(f.queue, batch)) > 0)
		for (int i = 0; i < got; i++, all++) {
			const struct libiommu_record *const fault =
				libiommu_fault_batch_get(batch, (size_t)i);

			assert_true(fault->address == (uint64_t)all * PAGE);
			responses[MANY - 1 - all].token = fault->token;
		}
	assert_int_equal(got, 0);
	assert_int_equal(all, MANY);
	OK(libiommu_fault_queue_outstanding(f.queue, &count));
	assert_int_equal(count, MANY);
	assert_int_equal(libiommu_fault_queue_respond(f.queue, responses, MANY, &stale), MANY);
	assert_int_equal(stale, 0);
	libiommu_fault_batch_free(batch);
	free(responses);
}

/* After each end of the attachment the kernel gives the cookie to the next fault. */
static void late_answers(struct rig *rig)
{
	struct faults f = begin(rig, false);
	uint64_t late, next;

	late = trigger_and_read(&f, f.queue, 0, 0x1000);
	OK(libiommu_device_replace_hwpt(f.dev, f.table));
	next = trigger_and_read(&f, f.queue, 0, 0x2000);
	assert_int_equal(respond(f.queue, late, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_int_equal(respond(f.queue, next, LIBIOMMU_FAULT_SUCCESS), 0);
	late = trigger_and_read(&f, f.queue, 0, 0x3000);
	OK(libiommu_device_detach(f.dev));
	OK(libiommu_device_attach_hwpt(f.dev, f.other));
	next = trigger_and_read(&f, f.other_queue, 0, 0x4000);
	assert_int_equal(respond(f.queue, late, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_int_equal(respond(f.other_queue, next, LIBIOMMU_FAULT_SUCCESS), 0);
}

static void late_answers_with_pasid(struct rig *rig)
{
	struct faults f = begin(rig, true);
	uint64_t late, next;
	uint32_t pasid;

	late = trigger_and_read(&f, f.queue, PASID, 0x1000);
	OK(libiommu_pasid_detach(f.dev, PASID));
	next = trigger_and_read(&f, f.queue, 0, 0x2000);
	assert_int_equal(respond(f.queue, late, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_int_equal(respond(f.queue, next, LIBIOMMU_FAULT_SUCCESS), 0);
	OK(libiommu_pasid_attach(f.dev, PASID, f.table, TAG, &pasid));
	late = trigger_and_read(&f, f.queue, PASID, 0x3000);
	OK(libiommu_pasid_replace(f.dev, PASID, f.other, OTHER_TAG));
	next = trigger_and_read(&f, f.other_queue, PASID, 0x4000);
	assert_int_equal(f.last.tag, OTHER_TAG);
	assert_int_equal(respond(f.queue, late, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_int_equal(respond(f.other_queue, next, LIBIOMMU_FAULT_SUCCESS), 0);
}

/* With the same page table nothing changes hands: the kernel goes on waiting for the answer. */
static void replacement_by_itself(struct rig *rig)
{
	struct faults f = begin(rig, true);
	const uint64_t token = trigger_and_read(&f, f.queue, PASID, 0x1000);

	OK(libiommu_pasid_replace(f.dev, PASID, f.table, OTHER_TAG));
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_SUCCESS), 0);
	trigger_and_read(&f, f.queue, PASID, 0x2000);
	assert_int_equal(f.last.tag, OTHER_TAG);
	assert_int_equal(respond(f.queue, f.last.token, LIBIOMMU_FAULT_INVALID), 0);
}

static void revoked_device(struct rig *rig)
{
	struct faults f = begin(rig, false);
	const uint64_t token = trigger_and_read(&f, f.queue, 0, 0x1000);
	size_t count;

	/* One that nobody has read. */
	trigger(&f, 0, 0x3000);
	OK(libiommu_device_revoke(f.dev));
	OK(libiommu_fault_queue_outstanding(f.queue, &count));
	assert_int_equal(count, 0);
	assert_int_equal(read_one(&f, f.queue), 0);
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_SUCCESS), 1);
}

/* The descriptor, past the library: records and answers come whole, and only those are taken. */
static void descriptor(struct rig *rig)
{
	struct faults f = begin(rig, false);
	const int fd = libiommu_fault_queue_fd(f.queue);
	struct pollfd ready = {.fd = fd, .events = POLLIN | POLLOUT};
	struct uapi_hwpt_pgfault faults[2];
	struct uapi_hwpt_page_response answers[3] = {{0}};

	assert_int_equal(read(fd, faults, sizeof(faults)), 0);
	assert_int_equal(poll(&ready, 1, 0), 1);
	assert_int_equal(ready.revents, POLLOUT);
	trigger(&f, 0, 0x1000);
	trigger(&f, 0, 0x2000);
	assert_int_equal(poll(&ready, 1, 0), 1);
	assert_int_equal(ready.revents, POLLIN | POLLOUT);
	assert_true(read(fd, faults, sizeof(faults) - 1) == -1 && errno == ESPIPE);
	assert_int_equal(read(fd, faults, sizeof(faults)), sizeof(faults));
	assert_int_equal(faults[0].length, 0);
	assert_true(faults[0].cookie && faults[1].cookie != faults[0].cookie);
	answers[0].cookie = faults[0].cookie;
	answers[1].cookie = faults[0].cookie; /* not any more, by then */
	answers[2].cookie = faults[1].cookie;
	assert_true(write(fd, answers, sizeof(answers) - 1) == -1 && errno == ESPIPE);
	assert_int_equal(write(fd, answers, sizeof(answers)), sizeof(answers[0]));
	assert_true(write(fd, answers + 1, sizeof(answers[0])) == -1 && errno == EINVAL);
	answers[2].code = 9;
	assert_true(write(fd, answers + 2, sizeof(answers[0])) == -1 && errno == EINVAL);
	answers[2].code = UAPI_PAGE_RESP_INVALID;
	assert_int_equal(write(fd, answers + 2, sizeof(answers[0])), sizeof(answers[0]));
}

static const struct variant tables[] = {
	{.name = "a page table", .needs = WORLD_PLAIN_FAULTS},
	{.name = "a nested page table", .flags = NESTED},
};

/* A PASID with nothing attached is one of the guest's: its faults come to the guest. */
static void pasid_of_nobody(struct rig *rig)
{
	struct faults f = begin(rig, true);
	uint64_t token;

	token = trigger_and_read(&f, f.queue, PASID + 1, 0x9000);
	assert_int_equal(f.last.vpasid, PASID + 1);
	assert_int_equal(f.last.tag, OWN_TAG);
	assert_int_equal(f.last.flags, LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_LAST);
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_INVALID), 0);
	/* They end with the device's own page table. */
	token = trigger_and_read(&f, f.queue, PASID + 1, 0xa000);
	OK(libiommu_device_replace_hwpt(f.dev, f.other));
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_SUCCESS), 1);
}

/* Those that wait when something is attached there stay the device's own. */
static void pasid_before_it_is_attached(struct rig *rig)
{
	struct faults f = begin(rig, true);
	const uint64_t address[] = {0x1000, 0x2000, 0x3000};
	const uint64_t tag[] = {OWN_TAG, OTHER_TAG, OWN_TAG};
	uint32_t pasid;

	trigger(&f, PASID + 1, address[0]);
	assert_int_equal(libiommu_fault_queue_wait(f.queue, 10000), 1);
	OK(libiommu_pasid_attach(f.dev, PASID + 1, f.table, OTHER_TAG, &pasid));
	trigger(&f, PASID + 1, address[1]);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(libiommu_fault_queue_wait(f.queue, 10000), 1);
		assert_int_equal(read_one(&f, f.queue), 1);
		assert_true(f.last.address == address[i] && f.last.tag == tag[i]);
		assert_int_equal(respond(f.queue, f.last.token, LIBIOMMU_FAULT_SUCCESS), 0);
		if (i == 1) {
			OK(libiommu_pasid_detach(f.dev, PASID + 1));
			trigger(&f, PASID + 1, address[2]);
		}
	}
	/* Nobody gets those whose page table has ended by then. */
	trigger(&f, PASID + 1, address[0]);
	assert_int_equal(libiommu_fault_queue_wait(f.queue, 10000), 1);
	OK(libiommu_pasid_attach(f.dev, PASID + 1, f.table, OTHER_TAG, &pasid));
	OK(libiommu_device_replace_hwpt(f.dev, f.other));
	assert_int_equal(read_one(&f, f.queue), 0);
}

static const struct behaviour behaviours[] = {
	{PROVES("in the caller's terms", without_pasid), VARIANTS(tables)},
	{PROVES("in the caller's terms, at a PASID", with_pasid), .needs = WORLD_PASIDS},
	{PROVES("a PASID with nothing attached comes through the nested table", pasid_of_nobody),
         .needs = WORLD_PASIDS, .variants = tables + 1, .count = 1},
	{PROVES("those of a PASID before it is attached stay the device's",
                pasid_before_it_is_attached),
         .needs = WORLD_PASIDS, .variants = tables + 1, .count = 1},
	{PROVES("five thousand, answered at once in another order", many), VARIANTS(tables)},
	{PROVES("an answer after the end answers nobody", late_answers), VARIANTS(tables)},
	{PROVES("an answer after the end answers nobody, at a PASID", late_answers_with_pasid),
         .needs = WORLD_PASIDS},
	{PROVES("a replacement by itself ends nothing", replacement_by_itself),
         .needs = WORLD_PASIDS},
	{PROVES("a device that is revoked asks no more", revoked_device), VARIANTS(tables)},
	{PROVES("the descriptor takes and gives what is whole", descriptor), VARIANTS(tables)},
};

THEME(faults, "page requests");

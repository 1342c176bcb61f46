/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page requests: each read once, in the caller's terms, and answered once. */
#include "faults.h"

#include <stdlib.h>

#include "../../lib/base/uapi/iommufd.h"

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
	faults_trigger(f, pasid, address);
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
	struct faults f = faults_begin(rig, false);
	uint64_t token;

	assert_int_equal(libiommu_fault_queue_wait(f.queue, 0), 0);
	assert_int_equal(read_one(&f, f.queue), 0);
	token = trigger_and_read(&f, f.queue, 0, 0x1234000);
	assert_true(f.last.label == FAULTS_LABEL);
	assert_int_equal(f.last.vpasid, 0);
	assert_int_equal(f.last.tag, OWN_TAG);
	assert_int_equal(f.last.group, 17);
	assert_int_equal(f.last.permissions, LIBIOMMU_FAULT_WRITE);
	assert_int_equal(f.last.flags, LIBIOMMU_RECORD_LAST);
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_SUCCESS), 0);
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_int_equal(read_one(&f, f.queue), 0);
}

static void permissions(struct rig *rig)
{
	const uint32_t all = LIBIOMMU_FAULT_READ | LIBIOMMU_FAULT_WRITE | LIBIOMMU_FAULT_EXEC |
	                     LIBIOMMU_FAULT_PRIVILEGED;
	struct faults f = faults_begin(rig, false);

	for (uint32_t asked = 0; asked <= all; asked++) {
		RAW(0, world_fault(rig->world, f.dev, 0, asked, asked, asked * PAGE));
		assert_int_equal(read_one(&f, f.queue), 1);
		assert_int_equal(f.last.permissions, asked);
		assert_int_equal(f.last.group, asked);
		assert_true(f.last.address == asked * PAGE);
	}
}

static void with_pasid(struct rig *rig)
{
	struct faults f = faults_begin(rig, true);
	uint64_t token;

	token = trigger_and_read(&f, f.queue, PASID, 0x1234000);
	assert_true(f.last.label == FAULTS_LABEL);
	assert_int_equal(f.last.vpasid, PASID);
	assert_int_equal(f.last.tag, TAG);
	assert_int_equal(f.last.flags, LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_LAST);
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_INVALID), 0);
	/* Nothing is attached there, and the device's own page table is no nested one. */
	faults_trigger(&f, PASID + 1, 0x2000);
	assert_int_equal(read_one(&f, f.queue), 0);
}

/* Answered in any order, in one write; more than any buffer has room for at first. */
static void many(struct rig *rig)
{
	enum { MANY = 5000 };
	struct libiommu_fault_response *const responses = calloc(MANY, sizeof(*responses));
	struct faults f = faults_begin(rig, false);
	struct libiommu_fault_batch *batch;
	size_t stale = 99, count;
	int got, all = 0;

	assert_non_null(responses);
	for (uint64_t i = 0; i < MANY; i++)
		faults_trigger(&f, 0, i * PAGE);
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

/* An answer past the library: whether the kernel takes it. */
static bool answer_raw(struct faults *f, uint32_t cookie)
{
	const struct uapi_hwpt_page_response answer = {.cookie = cookie,
	                                               .code = UAPI_PAGE_RESP_SUCCESS};
	const ssize_t put = world_write_fd(f->rig->world, libiommu_fault_queue_fd(f->queue),
	                                   &answer, sizeof(answer));

	assert_true(put == sizeof(answer) || put == -EINVAL);
	return put > 0;
}

/* The cookie that the kernel gives to the next fault of the queue: seen past the library. */
static uint32_t next_cookie(struct faults *f)
{
	const int fd = libiommu_fault_queue_fd(f->queue);
	struct uapi_hwpt_pgfault fault;

	faults_trigger(f, 0, 0x9000);
	assert_int_equal(world_read_fd(f->rig->world, fd, &fault, sizeof(fault)), sizeof(fault));
	assert_true(fault.addr == 0x9000);
	assert_true(answer_raw(f, fault.cookie));
	return fault.cookie;
}

/*
 * There is one fault that is not answered, and @late was told of another one, which had this cookie
 * and whose attachment has ended.
 */
static void answer_late(struct faults *f, uint32_t cookie, uint64_t late)
{
	uint64_t next;

	assert_int_equal(next_cookie(f), cookie);
	next = trigger_and_read(f, f->queue, 0, 0x2000);
	assert_int_equal(respond(f->queue, late, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_int_equal(respond(f->queue, next, LIBIOMMU_FAULT_SUCCESS), 0);
	/* Past the library it would have been taken for the answer to that. */
	next = trigger_and_read(f, f->queue, 0, 0x2000);
	assert_int_equal(respond(f->queue, late, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_true(answer_raw(f, cookie));
	assert_int_equal(respond(f->queue, next, LIBIOMMU_FAULT_SUCCESS), 1);
}

/* After each end of the attachment the kernel gives the cookie to the next fault. */
static void late_answers(struct rig *rig)
{
	struct faults f = faults_begin(rig, false);
	const uint32_t cookie = next_cookie(&f);
	uint64_t late;

	late = trigger_and_read(&f, f.queue, 0, 0x1000);
	OK(libiommu_device_replace_hwpt(f.dev, f.table));
	answer_late(&f, cookie, late);
	late = trigger_and_read(&f, f.queue, 0, 0x3000);
	OK(libiommu_device_detach(f.dev));
	OK(libiommu_device_attach_hwpt(f.dev, f.own));
	answer_late(&f, cookie, late);
}

/* The next fault is the device's own: that of the PASID would be another queue's, with its own. */
static void late_answers_with_pasid(struct rig *rig)
{
	struct faults f = faults_begin(rig, true);
	const uint32_t cookie = next_cookie(&f);
	uint64_t late, next;
	uint32_t pasid;

	late = trigger_and_read(&f, f.queue, PASID, 0x1000);
	OK(libiommu_pasid_detach(f.dev, PASID));
	answer_late(&f, cookie, late);
	OK(libiommu_pasid_attach(f.dev, PASID, f.table, TAG, &pasid));
	late = trigger_and_read(&f, f.queue, PASID, 0x3000);
	OK(libiommu_pasid_replace(f.dev, PASID, f.other, OTHER_TAG));
	answer_late(&f, cookie, late);
	next = trigger_and_read(&f, f.other_queue, PASID, 0x4000);
	assert_int_equal(f.last.tag, OTHER_TAG);
	assert_int_equal(respond(f.queue, late, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_int_equal(respond(f.other_queue, next, LIBIOMMU_FAULT_SUCCESS), 0);
}

/* With the same page table nothing changes hands: the kernel goes on waiting for the answer. */
static void replacement_by_itself(struct rig *rig)
{
	struct faults f = faults_begin(rig, true);
	const uint64_t token = trigger_and_read(&f, f.queue, PASID, 0x1000);

	OK(libiommu_pasid_replace(f.dev, PASID, f.table, OTHER_TAG));
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_SUCCESS), 0);
	trigger_and_read(&f, f.queue, PASID, 0x2000);
	assert_int_equal(f.last.tag, OTHER_TAG);
	assert_int_equal(respond(f.queue, f.last.token, LIBIOMMU_FAULT_INVALID), 0);
}

static void revoked_device(struct rig *rig)
{
	struct faults f = faults_begin(rig, false);
	const uint64_t token = trigger_and_read(&f, f.queue, 0, 0x1000);
	size_t count;

	/* One that nobody has read. */
	faults_trigger(&f, 0, 0x3000);
	OK(libiommu_device_revoke(f.dev));
	OK(libiommu_fault_queue_outstanding(f.queue, &count));
	assert_int_equal(count, 0);
	assert_int_equal(read_one(&f, f.queue), 0);
	assert_int_equal(respond(f.queue, token, LIBIOMMU_FAULT_SUCCESS), 1);
}

/* A PASID with nothing attached is one of the guest's: its faults come to the guest. */
static void pasid_of_nobody(struct rig *rig)
{
	struct faults f = faults_begin(rig, true);
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
	struct faults f = faults_begin(rig, true);
	const uint64_t address[] = {0x1000, 0x2000, 0x3000};
	const uint64_t tag[] = {OWN_TAG, OTHER_TAG, OWN_TAG};
	uint32_t pasid;

	faults_trigger(&f, PASID + 1, address[0]);
	assert_int_equal(libiommu_fault_queue_wait(f.queue, 10000), 1);
	OK(libiommu_pasid_attach(f.dev, PASID + 1, f.table, OTHER_TAG, &pasid));
	faults_trigger(&f, PASID + 1, address[1]);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(libiommu_fault_queue_wait(f.queue, 10000), 1);
		assert_int_equal(read_one(&f, f.queue), 1);
		assert_true(f.last.address == address[i] && f.last.tag == tag[i]);
		assert_int_equal(respond(f.queue, f.last.token, LIBIOMMU_FAULT_SUCCESS), 0);
		if (i == 1) {
			OK(libiommu_pasid_detach(f.dev, PASID + 1));
			faults_trigger(&f, PASID + 1, address[2]);
		}
	}
	/* Nobody gets those whose page table has ended by then. */
	faults_trigger(&f, PASID + 1, address[0]);
	assert_int_equal(libiommu_fault_queue_wait(f.queue, 10000), 1);
	OK(libiommu_pasid_attach(f.dev, PASID + 1, f.table, OTHER_TAG, &pasid));
	OK(libiommu_device_replace_hwpt(f.dev, f.other));
	assert_int_equal(read_one(&f, f.queue), 0);
}

static const struct behaviour behaviours[] = {
	{PROVES("in the caller's terms", without_pasid), FAULT_TABLES},
	{PROVES("whatever a device asks for", permissions), FAULT_TABLES},
	{PROVES("in the caller's terms, at a PASID", with_pasid), .needs = WORLD_PASIDS},
	{PROVES("a PASID with nothing attached comes through the nested table", pasid_of_nobody),
         .needs = WORLD_PASIDS, .variants = fault_tables + 1, .count = 1},
	{PROVES("those of a PASID before it is attached stay the device's",
                pasid_before_it_is_attached),
         .needs = WORLD_PASIDS, .variants = fault_tables + 1, .count = 1},
	{PROVES("five thousand, answered at once in another order", many), FAULT_TABLES},
	{PROVES("an answer after the end answers nobody", late_answers), FAULT_TABLES},
	{PROVES("an answer after the end answers nobody, at a PASID", late_answers_with_pasid),
         .needs = WORLD_PASIDS},
	{PROVES("a replacement by itself ends nothing", replacement_by_itself),
         .needs = WORLD_PASIDS},
	{PROVES("a device that is revoked asks no more", revoked_device), FAULT_TABLES},
};

THEME(faults, "page requests");

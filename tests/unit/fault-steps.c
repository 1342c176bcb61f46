/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fault-steps.h"

#include "../../lib/object/fault-groups.h"
#include "../../lib/object/fault-queue.h"

struct libiommu_ctx *fault_ctx;
struct libiommu_device *fault_dev;
struct libiommu_fault_queue *fault_queue;
struct libiommu_hwpt *fault_own;
struct libiommu_hwpt *fault_pt;
struct libiommu_fault_batch *fault_batch;

struct libiommu_fault_queue *script_fault_queue(struct libiommu_ctx *ctx, uint32_t id, int fd)
{
	struct libiommu_fault_queue *queue;

	EXPECT_IOCTL(CTX_FD, FAULT_QUEUE_ALLOC,
	             IN(struct uapi_fault_alloc, .size = sizeof(struct uapi_fault_alloc)),
	             OUT(struct uapi_fault_alloc, .size = sizeof(struct uapi_fault_alloc),
	                 .out_fault_id = id, .out_fault_fd = (uint32_t)fd),
	             .opens = fd);
	assert_int_equal(libiommu_fault_queue_alloc(ctx, &queue), 0);
	return queue;
}

struct libiommu_hwpt *fault_hwpt(uint32_t id, struct libiommu_fault_queue *queue)
{
	struct libiommu_hwpt *const hwpt = borrowed_hwpt(fault_ctx, id);

	assert_int_equal(libiommu_hwpt_name_fault_queue(hwpt, queue), 0);
	return hwpt;
}

int fault_setup(void **state)
{
	uint32_t pasid;

	script_setup(state);
	fault_ctx = script_ctx();
	fault_dev = script_device(fault_ctx);
	fault_queue = script_fault_queue(fault_ctx, QUEUE_ID, QUEUE_FD);
	fault_own = fault_hwpt(OWN_PT, fault_queue);
	fault_pt = fault_hwpt(PASID_PT, fault_queue);
	assert_int_equal(libiommu_fault_batch_new(BATCH, &fault_batch), 0);
	assert_int_equal(libiommu_device_set_tag(fault_dev, 70), 0);
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_ATTACH_IOMMUFD_PT, .result = 0);
	assert_int_equal(libiommu_device_attach_hwpt(fault_dev, fault_own), 0);
	expect_pasid_width(DEVICE_ID, 20, 0);
	/* Both are of one queue: whose is what waits is told apart now. */
	expect_faults_room(64, NULL, 0);
	expect_pasid_attach(DEVICE_FD, 5, PASID_PT, 0);
	assert_int_equal(libiommu_pasid_attach(fault_dev, 5, fault_pt, 75, &pasid), 0);
	script_done();
	return 0;
}

/* What a test has left unanswered on purpose, so that its end is the same for all. */
static void forget_groups(void)
{
	struct fault_groups *const groups = &li_fault_queue_state(fault_queue)->groups;

	for (uint32_t i = 0; i < groups->room; i++)
		if (fault_group_is_outstanding(&groups->groups[i]))
			li_fault_groups_retire(groups, i);
}

int fault_teardown(void **state)
{
	uint32_t pasid;

	if (fault_queue)
		forget_groups();

	if (fault_dev && !libiommu_pasid_find(fault_dev, 5, &pasid))
		expect_pasid_detach(DEVICE_FD, 5, 0);
	script_device_close(fault_dev);
	assert_int_equal(libiommu_hwpt_destroy(fault_own), 0);
	assert_int_equal(libiommu_hwpt_destroy(fault_pt), 0);
	if (fault_queue) {
		EXPECT_CLOSE(QUEUE_FD);
		expect_destroy(QUEUE_ID, 0);
	}
	assert_int_equal(libiommu_fault_queue_destroy(fault_queue), 0);
	libiommu_fault_batch_free(fault_batch);
	script_ctx_close(fault_ctx);
	return script_teardown(state);
}

struct uapi_hwpt_pgfault fault_record(uint32_t pasid, uint32_t cookie)
{
	return (struct uapi_hwpt_pgfault){
		.flags =
			UAPI_PGFAULT_FLAGS_LAST_PAGE | (pasid ? UAPI_PGFAULT_FLAGS_PASID_VALID : 0),
		.dev_id = DEVICE_ID,
		.pasid = pasid,
		.grpid = 900 + cookie,
		.perm = UAPI_PGFAULT_PERM_READ,
		.addr = UINT64_C(0x1000) * cookie,
		.cookie = cookie,
	};
}

void expect_faults_room(size_t room, const struct uapi_hwpt_pgfault *records, size_t count)
{
	EXPECT(READ, .fd = QUEUE_FD, .length = room * RECORD, .out = records,
	       .out_size = count * RECORD, .result = (ssize_t)(count * RECORD));
}

void expect_faults(const struct uapi_hwpt_pgfault *records, size_t count)
{
	expect_faults_room(BATCH, records, count);
}

void expect_faults_error(size_t room, int error)
{
	EXPECT(READ, .fd = QUEUE_FD, .length = room * RECORD, .result = error);
}

void expect_answers(const struct uapi_hwpt_page_response *answers, size_t count, ssize_t taken)
{
	EXPECT(WRITE, .fd = QUEUE_FD, .in = answers, .in_size = count * sizeof(*answers),
	       .result = taken < 0 ? taken : taken * (ssize_t)sizeof(*answers));
}

void expect_answer(uint32_t cookie, uint32_t code, ssize_t taken)
{
	expect_answers(&(const struct uapi_hwpt_page_response){cookie, code}, 1, taken);
}

uint64_t read_token(uint32_t pasid, uint32_t cookie)
{
	const struct uapi_hwpt_pgfault record = fault_record(pasid, cookie);

	expect_faults(&record, 1);
	assert_int_equal(libiommu_fault_queue_read(fault_queue, fault_batch), 1);
	return libiommu_fault_batch_get(fault_batch, 0)->token;
}

size_t respond(uint64_t token, uint32_t code)
{
	const struct libiommu_fault_response response = {.token = token, .code = code};
	size_t stale = 99;

	assert_int_equal(libiommu_fault_queue_respond(fault_queue, &response, 1, &stale), 1);
	return stale;
}

size_t outstanding(void)
{
	size_t count = 99;

	assert_int_equal(libiommu_fault_queue_outstanding(fault_queue, &count), 0);
	return count;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The descriptor of a fault queue, read and written past the library: what this can rely on. */
#include "faults.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"

#define RECORD sizeof(struct uapi_hwpt_pgfault)

static int get(struct rig *rig, int fd, struct uapi_hwpt_pgfault *faults, size_t bytes)
{
	return (int)world_read_fd(rig->world, fd, faults, bytes);
}

static int put(struct rig *rig, int fd, const struct uapi_hwpt_page_response *answers, size_t bytes)
{
	return (int)world_write_fd(rig->world, fd, answers, bytes);
}

static void trigger_many(struct faults *f, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		faults_trigger(f, 0, i * PAGE);
}

static int ready(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN | POLLOUT};

	assert_int_equal(poll(&pollfd, 1, 0), 1);
	return pollfd.revents;
}

static void never_waits(struct rig *rig)
{
	struct faults f = faults_begin(rig, false);
	const int fd = libiommu_fault_queue_fd(f.queue);
	const int flags = fcntl(fd, F_GETFL);
	struct uapi_hwpt_pgfault fault;

	assert_int_equal(fcntl(fd, F_SETFL, flags & ~O_NONBLOCK), 0);
	assert_int_equal(get(rig, fd, &fault, RECORD), 0);
	assert_int_equal(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	assert_int_equal(get(rig, fd, &fault, RECORD), 0);
	assert_int_equal(fcntl(fd, F_SETFL, flags), 0);
}

/* It can always be written to; it is not said that there is an end. */
static void ready_for(struct rig *rig)
{
	struct faults f = faults_begin(rig, false);
	const int fd = libiommu_fault_queue_fd(f.queue);

	assert_int_equal(ready(fd), POLLOUT);
	faults_trigger(&f, 0, PAGE);
	assert_int_equal(ready(fd), POLLIN | POLLOUT);
	OK(libiommu_device_detach(f.dev));
	assert_int_equal(ready(fd), POLLOUT);
	OK(rig_end(rig, f.own));
	OK(rig_end(rig, f.table));
	assert_int_equal(ready(fd), POLLOUT);
}

static void whole_and_in_order(struct rig *rig)
{
	struct faults f = faults_begin(rig, false);
	const int fd = libiommu_fault_queue_fd(f.queue);
	struct uapi_hwpt_pgfault faults[4];

	assert_int_equal(get(rig, fd, faults, 0), 0);
	trigger_many(&f, 3);
	for (size_t bytes = 1; bytes < 2 * RECORD; bytes += RECORD - 2)
		assert_int_equal(get(rig, fd, faults, bytes), -ESPIPE);
	/* No room for the first of them is not the same as nothing to read. */
	assert_int_equal(get(rig, fd, faults, 0), -EINVAL);
	assert_int_equal(get(rig, fd, faults, 2 * RECORD), 2 * RECORD);
	assert_int_equal(get(rig, fd, faults + 2, 2 * RECORD), RECORD);
	for (uint64_t i = 0; i < 3; i++)
		assert_true(faults[i].addr == i * PAGE);
	assert_int_equal(get(rig, fd, faults, 0), 0);
}

/* A cookie is given when it is read, and is another one than those that are not answered. */
static void what_a_record_says(struct rig *rig)
{
	struct faults f = faults_begin(rig, false);
	const int fd = libiommu_fault_queue_fd(f.queue);
	struct uapi_hwpt_page_response answer = {.code = UAPI_PAGE_RESP_SUCCESS};
	struct uapi_hwpt_pgfault faults[2];
	const uint32_t defined = UAPI_PGFAULT_FLAGS_PASID_VALID | UAPI_PGFAULT_FLAGS_LAST_PAGE;

	trigger_many(&f, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(get(rig, fd, &faults[i], RECORD), RECORD);
		assert_int_equal(faults[i].flags & defined, UAPI_PGFAULT_FLAGS_LAST_PAGE);
		assert_int_equal(faults[i].dev_id, device_id(f.dev));
		assert_int_equal(faults[i].perm, UAPI_PGFAULT_PERM_WRITE);
		assert_int_equal(faults[i].grpid, 17);
		assert_int_equal(faults[i].length, 0);
		assert_int_not_equal(faults[i].cookie, 0);
	}
	assert_int_not_equal(faults[1].cookie, faults[0].cookie);
	answer.cookie = faults[0].cookie;
	assert_int_equal(put(rig, fd, &answer, sizeof(answer)), sizeof(answer));
	faults_trigger(&f, 0, PAGE);
	assert_int_equal(get(rig, fd, &faults[1], RECORD), RECORD);
	print_message("# a cookie that was answered is %s\n", faults[1].cookie == answer.cookie
	                                                              ? "given again at once"
	                                                              : "not given again yet");
}

/* Those before one that is wrong are taken, and each is taken once. */
static void answers(struct rig *rig)
{
	struct faults f = faults_begin(rig, false);
	const int fd = libiommu_fault_queue_fd(f.queue);
	struct uapi_hwpt_page_response responses[3] = {{0}};
	struct uapi_hwpt_pgfault faults[2];

	trigger_many(&f, 2);
	assert_int_equal(get(rig, fd, faults, sizeof(faults)), sizeof(faults));
	responses[0].cookie = faults[0].cookie;
	responses[1].cookie = faults[0].cookie; /* not any more, by then */
	responses[2].cookie = faults[1].cookie;
	assert_int_equal(put(rig, fd, responses, sizeof(responses) - 1), -ESPIPE);
	assert_int_equal(put(rig, fd, responses, sizeof(responses)), sizeof(responses[0]));
	assert_int_equal(put(rig, fd, responses + 1, sizeof(responses[0])), -EINVAL);
	responses[2].code = 9;
	assert_int_equal(put(rig, fd, responses + 2, sizeof(responses[0])), -EINVAL);
	responses[2].code = UAPI_PAGE_RESP_INVALID;
	assert_int_equal(put(rig, fd, responses + 2, sizeof(responses[0])), sizeof(responses[0]));
	assert_int_equal(put(rig, fd, responses, 0), 0);
}

/* More than any bound that a queue of hardware has. */
static void twenty_thousand(struct rig *rig)
{
	enum { MANY = 20000 };
	struct uapi_hwpt_page_response *const responses = calloc(MANY, sizeof(*responses));
	struct uapi_hwpt_pgfault *const faults = calloc(MANY, sizeof(*faults));
	struct faults f = faults_begin(rig, false);
	const int fd = libiommu_fault_queue_fd(f.queue);

	assert_true(responses && faults);
	trigger_many(&f, MANY);
	assert_int_equal(get(rig, fd, faults, MANY * RECORD), MANY * RECORD);
	for (size_t i = 0; i < MANY; i++) {
		assert_true(faults[i].addr == i * PAGE);
		responses[i].cookie = faults[MANY - 1 - i].cookie;
	}
	assert_int_equal(put(rig, fd, responses, MANY * sizeof(*responses)),
	                 MANY * sizeof(*responses));
	assert_int_equal(put(rig, fd, responses, MANY * sizeof(*responses)), -EINVAL);
	free(faults);
	free(responses);
}

/* The kernel answers what was read and what was not; of another attachment nothing. */
static void ends_with_the_attachment(struct rig *rig)
{
	struct faults f = faults_begin(rig, false);
	const int fd = libiommu_fault_queue_fd(f.queue);
	struct uapi_hwpt_page_response answer = {.code = UAPI_PAGE_RESP_SUCCESS};
	struct uapi_hwpt_pgfault fault;

	for (int replaced = 1; replaced >= 0; replaced--) {
		trigger_many(&f, 2);
		assert_int_equal(get(rig, fd, &fault, RECORD), RECORD);
		answer.cookie = fault.cookie;
		if (replaced)
			OK(libiommu_device_replace_hwpt(f.dev, f.table));
		else
			OK(libiommu_device_detach(f.dev));
		assert_int_equal(put(rig, fd, &answer, sizeof(answer)), -EINVAL);
		assert_int_equal(get(rig, fd, &fault, RECORD), 0);
	}
}

/* Nobody can read from it any more; it is there as long as its page tables are. */
static void outlives_its_descriptor(struct rig *rig)
{
	struct uapi_fault_alloc cmd = {.size = sizeof(cmd)};
	struct faults f = faults_begin(rig, false);
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *table;
	struct uapi_destroy destroy = {.size = sizeof(destroy)};

	RAW(0, world_ioctl(rig->world, UAPI_IOC_FAULT_QUEUE_ALLOC, &cmd));
	destroy.id = cmd.out_fault_id;
	OK(libiommu_fault_queue_adopt(rig->ctx, cmd.out_fault_id, LIBIOMMU_ID_BORROW,
	                              (int)cmd.out_fault_fd, LIBIOMMU_FD_BORROW, &queue));
	table = faults_table(&f, queue, 0);
	OK(libiommu_device_replace_hwpt(f.dev, table));
	close((int)cmd.out_fault_fd);
	faults_trigger(&f, 0, PAGE);
	RAW(-EBUSY, world_ioctl(rig->world, UAPI_IOC_DESTROY, &destroy));
	OK(libiommu_device_detach(f.dev));
	RAW(-EBUSY, world_ioctl(rig->world, UAPI_IOC_DESTROY, &destroy));
	OK(rig_end(rig, table));
	RAW(0, world_ioctl(rig->world, UAPI_IOC_DESTROY, &destroy));
	OK(libiommu_fault_queue_destroy(queue));
}

static const struct behaviour behaviours[] = {
	{PROVES("a read never waits", never_waits), FAULT_TABLES},
	{PROVES("ready to be written to at any time, and never at an end", ready_for),
         FAULT_TABLES},
	{PROVES("records come whole, and in their order", whole_and_in_order), FAULT_TABLES},
	{PROVES("what a record says", what_a_record_says), FAULT_TABLES},
	{PROVES("answers are taken up to the first that is wrong", answers), FAULT_TABLES},
	{PROVES("twenty thousand read at once, and answered at once", twenty_thousand),
         FAULT_TABLES},
	{PROVES("all end with the attachment", ends_with_the_attachment), FAULT_TABLES},
	{PROVES("a queue outlives its descriptor", outlives_its_descriptor), FAULT_TABLES},
};

THEME(fault_descriptors, "fault queues");

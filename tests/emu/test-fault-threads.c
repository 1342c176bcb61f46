/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Devices ask for pages, programs answer, and page tables are exchanged, all at once: each request
 * is answered once.
 */
#include "hw-rig.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "../../emu/machine.h"

enum { REQUESTS = 4000, DEVICES = 2, QUEUES = 2, BATCH = 16, EXCHANGES = 200 };

static const enum hw_dev devices[DEVICES] = {HW_PLAIN, HW_NO_DIRTY};

static struct hw_rig *rig;
static int fds[QUEUES];
static uint32_t tables[QUEUES];
static atomic_bool over;

struct counts {
	enum hw_dev dev;
	unsigned long sent, answered, success;
	bool failed; /* to send, or to get an answer */
};

static void *reader(void *argument)
{
	const int fd = *(const int *)argument;
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	struct uapi_hwpt_pgfault faults[BATCH];

	while (!atomic_load(&over)) {
		ssize_t size;

		poll(&pollfd, 1, 10);
		size = libiommu_emu_read(rig->emu, fd, faults, sizeof(faults));
		for (ssize_t i = 0; i * (ssize_t)sizeof(faults[0]) < size; i++) {
			const struct uapi_hwpt_page_response response = {faults[i].cookie,
			                                                 UAPI_PAGE_RESP_SUCCESS};

			if (faults[i].flags & UAPI_PGFAULT_FLAGS_LAST_PAGE)
				libiommu_emu_write(rig->emu, fd, &response, sizeof(response));
		}
	}
	return NULL;
}

/* A group of one to three pages. */
static void ask(struct libiommu_emu_device *dev, struct counts *counts, uint32_t group)
{
	for (uint32_t page = group % 3; page; page--)
		counts->failed |=
			libiommu_emu_request_page(dev, LIBIOMMU_EMU_REQUEST_READ, 0, group, page);
	if (libiommu_emu_request_page(dev, LIBIOMMU_EMU_REQUEST_LAST, 0, group, 0))
		counts->failed = true;
	else
		counts->sent++;
}

static void take(struct libiommu_emu_device *dev, struct counts *counts)
{
	uint32_t code;

	if (libiommu_emu_request_answer(dev, 60000, NULL, NULL, &code)) {
		counts->failed = true;
		return;
	}
	counts->answered++;
	counts->success += code == LIBIOMMU_EMU_ANSWER_SUCCESS;
}

static void *device(void *argument)
{
	struct counts *const counts = argument;
	struct libiommu_emu_device *const dev =
		(struct libiommu_emu_device *)rig->devs[counts->dev];

	for (uint32_t i = 0; i < REQUESTS && !counts->failed; i++) {
		ask(dev, counts, i);
		if (i % BATCH == BATCH - 1 && !counts->failed)
			take(dev, counts);
	}
	while (counts->answered < counts->sent && !counts->failed)
		take(dev, counts);
	return NULL;
}

static uint32_t table(size_t queue)
{
	struct uapi_fault_alloc fault = {.size = sizeof(fault)};
	struct uapi_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = UAPI_HWPT_FAULT_ID_VALID,
		.dev_id = rig->bound[HW_PLAIN]->object.id,
		.pt_id = rig->ioas,
	};

	assert_int_equal(hw_ioctl(rig, UAPI_IOC_FAULT_QUEUE_ALLOC, &fault), 0);
	fds[queue] = (int)fault.out_fault_fd;
	cmd.fault_id = fault.out_fault_id;
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_HWPT_ALLOC, &cmd), 0);
	return cmd.out_hwpt_id;
}

static void exchange(size_t dev, uint32_t pt_id)
{
	int error;

	emu_lock(rig->emu);
	error = emu_device_attach(rig->bound[devices[dev]], NULL, &pt_id);
	emu_unlock(rig->emu);
	assert_int_equal(error, 0);
}

static void begin(void)
{
	rig = hw_new();
	for (size_t i = 0; i < DEVICES; i++)
		hw_bind(rig, devices[i]);
	for (size_t i = 0; i < QUEUES; i++)
		tables[i] = table(i);
	for (size_t i = 0; i < DEVICES; i++)
		exchange(i, tables[0]);
}

static void answered_once(void **state)
{
	struct counts counts[DEVICES] = {{.dev = devices[0]}, {.dev = devices[1]}};
	pthread_t readers[QUEUES], threads[DEVICES];
	struct pollfd nothing = {.fd = -1};
	unsigned long success = 0;

	(void)state;
	begin();
	for (size_t i = 0; i < QUEUES; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, reader, &fds[i]), 0);
	for (size_t i = 0; i < DEVICES; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, device, &counts[i]), 0);
	for (size_t i = 0; i < EXCHANGES; i++) {
		exchange(i % DEVICES, tables[i / DEVICES % QUEUES]);
		poll(&nothing, 1, 1);
	}
	for (size_t i = 0; i < DEVICES; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&over, true);
	for (size_t i = 0; i < QUEUES; i++)
		pthread_join(readers[i], NULL);
	for (size_t i = 0; i < DEVICES; i++) {
		struct libiommu_emu_device *const dev =
			(struct libiommu_emu_device *)rig->devs[devices[i]];
		uint32_t code;

		assert_false(counts[i].failed);
		assert_int_equal(counts[i].sent, REQUESTS);
		assert_int_equal(counts[i].answered, REQUESTS);
		assert_int_equal(libiommu_emu_request_answer(dev, 0, NULL, NULL, &code),
		                 -ETIMEDOUT);
		success += counts[i].success;
	}
	print_message("# %lu of %d were answered by a program\n", success, DEVICES * REQUESTS);
	assert_true(success);
	for (size_t i = 0; i < QUEUES; i++)
		assert_int_equal(libiommu_emu_close(rig->emu, fds[i]), 0);
	hw_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answered_once),
	};

	return cmocka_run_group_tests_name("page requests in threads", tests, NULL, NULL);
}

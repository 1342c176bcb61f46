/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page requests that a device sends by hand, and virtual events, as programs script them. */
#include "nest-rig.h"

#include <poll.h>
#include <pthread.h>

#include "../../emu/fault.h"
#include "../../emu/request.h"

enum { PASID = 7, TYPE = 5 };

#define RECORD sizeof(struct uapi_hwpt_pgfault)
#define LAST   LIBIOMMU_EMU_REQUEST_LAST

/* The first device of the rig has a page table with a queue, or none. */
struct test {
	struct nest_rig *rig;
	struct libiommu_emu_device *device;
	int fd;
	struct emu_domain domain;
	struct emu_hwpt hwpt;
	struct emu_attached attached;
	struct uapi_hwpt_pgfault faults[8];
};

static void begin(struct test *t)
{
	struct uapi_fault_alloc cmd = {.size = sizeof(cmd)};

	*t = (struct test){.rig = nest_rig_new()};
	t->device = rig_device(t->rig, 0);
	assert_int_equal(rig_ioctl(t->rig, UAPI_IOC_FAULT_QUEUE_ALLOC, &cmd), 0);
	t->fd = (int)cmd.out_fault_fd;
	t->hwpt.domain = &t->domain;
	t->hwpt.queue =
		emu_fault_queue_of(emu_object_find(t->rig->ctx, cmd.out_fault_id, EMU_FAULT_QUEUE));
	t->attached = (struct emu_attached){
		.domain = &t->domain,
		.hwpt = &t->hwpt,
		.device = &t->rig->devices[0],
	};
	assert_int_equal(emu_sparse_set(&t->rig->groups[0].attached, 0, &t->attached), 0);
}

static void end(struct test *t)
{
	emu_sparse_set(&t->rig->groups[0].attached, 0, NULL);
	emu_fault_flush(t->hwpt.queue, &t->rig->devices[0], 0);
	emu_requests_forget(&t->rig->devs[0]);
	assert_int_equal(libiommu_emu_close(t->rig->emu, t->fd), 0);
	nest_rig_free(t->rig);
}

static int ask(struct test *t, uint32_t flags, uint32_t group, uint64_t address)
{
	return libiommu_emu_request_page(t->device, flags, 0, group, address);
}

static size_t got(struct test *t)
{
	const ssize_t size = libiommu_emu_read(t->rig->emu, t->fd, t->faults, sizeof(t->faults));

	assert_true(size >= 0);
	return (size_t)size / RECORD;
}

static void put(struct test *t, uint32_t cookie, uint32_t code)
{
	const struct uapi_hwpt_page_response response = {cookie, code};

	assert_int_equal(libiommu_emu_write(t->rig->emu, t->fd, &response, 8), 8);
}

static int answer(struct test *t, uint32_t *group, uint32_t *code)
{
	return libiommu_emu_request_answer(t->device, 0, NULL, group, code);
}

static void arguments(void **state)
{
	struct test t;
	uint32_t code;
	uint64_t id;

	(void)state;
	begin(&t);
	assert_int_equal(libiommu_emu_request_page(NULL, LAST, 0, 1, 0), -EINVAL);
	assert_int_equal(ask(&t, 1U << 6, 1, 0), -EINVAL);
	assert_int_equal(libiommu_emu_request_page(t.device, LAST, PASID, 1, 0), -EINVAL);
	assert_int_equal(libiommu_emu_request_answer(NULL, 0, NULL, NULL, &code), -EINVAL);
	assert_int_equal(libiommu_emu_request_answer(t.device, 0, NULL, NULL, NULL), -EINVAL);
	t.rig->devs[0].page_requests = false;
	assert_int_equal(ask(&t, LAST, 1, 0), -EOPNOTSUPP);
	t.rig->devs[0].page_requests = true;
	assert_int_equal(libiommu_emu_event_virt_id(NULL, &id), -EINVAL);
	assert_int_equal(libiommu_emu_event_virt_id(t.device, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_event_report(NULL, TYPE, &id, 1), -EINVAL);
	assert_int_equal(libiommu_emu_event_report(t.device, TYPE, NULL, 1), -EINVAL);
	assert_int_equal(libiommu_emu_event_report(t.device, TYPE, &id, 0), -EINVAL);
	end(&t);
}

/* Two groups at once, of two pages and of one, answered in the other order. */
static void groups(void **state)
{
	struct test t;
	uint32_t group, code, pasid = 1;

	(void)state;
	begin(&t);
	assert_int_equal(ask(&t, LIBIOMMU_EMU_REQUEST_WRITE, 1, 0x1000), 0);
	assert_int_equal(ask(&t, LAST | LIBIOMMU_EMU_REQUEST_EXEC, 2, 0x2000), 0);
	assert_int_equal(ask(&t, LAST | LIBIOMMU_EMU_REQUEST_READ, 1, 0x3000), 0);
	assert_int_equal(answer(&t, &group, &code), -ETIMEDOUT);
	assert_int_equal(got(&t), 3);
	assert_int_equal(t.faults[0].perm, UAPI_PGFAULT_PERM_EXEC);
	assert_int_equal(t.faults[1].perm, UAPI_PGFAULT_PERM_WRITE);
	assert_int_equal(t.faults[2].perm, UAPI_PGFAULT_PERM_READ);
	put(&t, t.faults[1].cookie, UAPI_PAGE_RESP_INVALID);
	put(&t, t.faults[0].cookie, UAPI_PAGE_RESP_SUCCESS);
	assert_int_equal(libiommu_emu_request_answer(t.device, 0, &pasid, &group, &code), 0);
	assert_int_equal(pasid, 0);
	assert_int_equal(group, 1);
	assert_int_equal(code, LIBIOMMU_EMU_ANSWER_INVALID);
	assert_int_equal(answer(&t, &group, &code), 0);
	assert_int_equal(group, 2);
	assert_int_equal(code, LIBIOMMU_EMU_ANSWER_SUCCESS);
	assert_int_equal(answer(&t, &group, &code), -ETIMEDOUT);
	end(&t);
}

static void nobody(void **state)
{
	struct test t;
	uint32_t group, code;

	(void)state;
	begin(&t);
	assert_int_equal(
		libiommu_emu_request_page(t.device, LAST | LIBIOMMU_EMU_REQUEST_PASID, PASID, 3, 0),
		0);
	assert_int_equal(answer(&t, &group, &code), 0);
	assert_int_equal(group, 3);
	assert_int_equal(code, LIBIOMMU_EMU_ANSWER_INVALID);
	assert_int_equal(
		libiommu_emu_request_page(t.device, LIBIOMMU_EMU_REQUEST_PASID, PASID, 3, 0), 0);
	assert_int_equal(answer(&t, &group, &code), -ETIMEDOUT);
	end(&t);
}

static void without_memory(void **state)
{
	struct test t;
	uint32_t group, code;

	(void)state;
	begin(&t);
	emu_heap_fail(1);
	assert_int_equal(ask(&t, 0, 1, 0x1000), -ENOMEM);
	emu_heap_fail(1);
	assert_int_equal(ask(&t, LAST, 1, 0x1000), -ENOMEM);
	assert_int_equal(answer(&t, &group, &code), -ETIMEDOUT);
	emu_heap_fail(2);
	assert_int_equal(ask(&t, LAST, 1, 0x1000), 0);
	assert_true(emu_heap_stop());
	assert_int_equal(answer(&t, &group, &code), 0);
	assert_int_equal(code, LIBIOMMU_EMU_ANSWER_FAILURE);
	assert_int_equal(got(&t), 0);
	end(&t);
}

/* Answers that are there are dropped, and those that come afterwards. */
static void removed(void **state)
{
	struct test t;
	uint32_t group, code;
	uint64_t id;

	(void)state;
	begin(&t);
	assert_int_equal(ask(&t, LAST, 1, 0x1000), 0);
	assert_int_equal(ask(&t, LAST, 2, 0x1000), 0);
	assert_int_equal(got(&t), 2);
	put(&t, t.faults[0].cookie, UAPI_PAGE_RESP_SUCCESS);
	t.rig->devs[0].removed = true;
	assert_int_equal(answer(&t, &group, &code), -ENODEV);
	emu_requests_forget(&t.rig->devs[0]);
	put(&t, t.faults[1].cookie, UAPI_PAGE_RESP_SUCCESS);
	assert_null(t.rig->devs[0].answers);
	assert_int_equal(libiommu_emu_request_answer(t.device, -1, NULL, &group, &code), -ENODEV);
	assert_int_equal(ask(&t, LAST, 1, 0x1000), -ENODEV);
	assert_int_equal(libiommu_emu_event_virt_id(t.device, &id), -ENODEV);
	assert_int_equal(libiommu_emu_event_report(t.device, TYPE, &id, 1), -ENODEV);
	end(&t);
}

static void *answer_it(void *argument)
{
	const struct uapi_hwpt_page_response response = {1, UAPI_PAGE_RESP_SUCCESS};
	struct test *const t = argument;
	struct pollfd pollfd = {.fd = t->fd, .events = POLLIN};

	poll(&pollfd, 1, 60000);
	libiommu_emu_read(t->rig->emu, t->fd, t->faults, RECORD);
	libiommu_emu_write(t->rig->emu, t->fd, &response, sizeof(response));
	return NULL;
}

static void waits(void **state)
{
	struct test t;
	pthread_t thread;
	uint32_t group, code;

	(void)state;
	begin(&t);
	assert_int_equal(libiommu_emu_request_answer(t.device, 1, NULL, &group, &code), -ETIMEDOUT);
	assert_int_equal(ask(&t, LAST, 8, 0x1000), 0);
	assert_int_equal(pthread_create(&thread, NULL, answer_it, &t), 0);
	assert_int_equal(libiommu_emu_request_answer(t.device, 60000, NULL, &group, &code), 0);
	assert_int_equal(group, 8);
	pthread_join(thread, NULL);
	end(&t);
}

static void events(void **state)
{
	struct uapi_veventq_alloc queue = {.size = sizeof(queue), .type = TYPE, .veventq_depth = 1};
	struct uapi_vdevice_alloc vdevice = {.size = sizeof(vdevice), .virt_id = 0x18};
	struct {
		struct uapi_vevent_header header;
		uint64_t data;
	} record;
	struct test t;
	uint64_t id = 0;

	(void)state;
	begin(&t);
	assert_int_equal(libiommu_emu_event_virt_id(rig_device(t.rig, 2), &id), -ENOENT);
	assert_int_equal(libiommu_emu_event_report(t.device, TYPE, &id, sizeof(id)), -ENOENT);
	vdevice.viommu_id = rig_viommu(t.rig);
	vdevice.dev_id = t.rig->devices[0].object.id;
	t.domain.viommu = emu_viommu_get(t.rig->ctx, vdevice.viommu_id);
	assert_int_equal(libiommu_emu_event_virt_id(t.device, &id), -ENOENT);
	assert_int_equal(libiommu_emu_event_report(t.device, TYPE, &id, sizeof(id)), -EOPNOTSUPP);
	assert_int_equal(rig_ioctl(t.rig, UAPI_IOC_VDEVICE_ALLOC, &vdevice), 0);
	queue.viommu_id = vdevice.viommu_id;
	assert_int_equal(rig_ioctl(t.rig, UAPI_IOC_VEVENTQ_ALLOC, &queue), 0);
	assert_int_equal(libiommu_emu_event_virt_id(t.device, &id), 0);
	assert_int_equal(id, 0x18);
	emu_heap_fail(1);
	assert_int_equal(libiommu_emu_event_report(t.device, TYPE, &id, sizeof(id)), -ENOMEM);
	assert_true(emu_heap_stop());
	assert_int_equal(libiommu_emu_event_report(t.device, TYPE, &id, sizeof(id)), 0);
	assert_int_equal(
		libiommu_emu_read(t.rig->emu, (int)queue.out_veventq_fd, &record, sizeof(record)),
		sizeof(record));
	assert_int_equal(record.header.sequence, 1);
	assert_int_equal(record.data, 0x18);
	assert_int_equal(libiommu_emu_close(t.rig->emu, (int)queue.out_veventq_fd), 0);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments), cmocka_unit_test(groups),
		cmocka_unit_test(nobody),    cmocka_unit_test(without_memory),
		cmocka_unit_test(removed),   cmocka_unit_test(waits),
		cmocka_unit_test(events),
	};

	return cmocka_run_group_tests_name("page requests by hand", tests, NULL, NULL);
}

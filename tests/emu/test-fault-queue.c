/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Fault queues: how groups wait, are read, are answered, and end. */
#include "nest-rig.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../emu/calls.h"
#include "../../emu/fault-queue.h"
#include "../../emu/memcheck.h"

#define RECORD sizeof(struct uapi_hwpt_pgfault)

struct answer {
	uint32_t pasid, group, code;
};

struct test {
	struct nest_rig *rig;
	struct emu_fault_queue *queue;
	int fd;
	struct answer answers[16];
	size_t answered;
	struct emu_fault_group *again; /* the next that is answered asks for this */
};

static void answered(void *user, struct emu_dev *dev, uint32_t pasid, uint32_t group, uint32_t code)
{
	struct test *const t = user;

	assert_ptr_equal(dev, &t->rig->devs[0]);
	if (t->answered < 16)
		t->answers[t->answered] = (struct answer){pasid, group, code};
	t->answered++;
	if (t->again)
		emu_fault_queue_add(t->queue, t->again);
	t->again = NULL;
}

static int alloc(struct nest_rig *rig, struct uapi_fault_alloc *cmd)
{
	*cmd = (struct uapi_fault_alloc){.size = sizeof(*cmd)};
	return rig_ioctl(rig, UAPI_IOC_FAULT_QUEUE_ALLOC, cmd);
}

static struct test begin(void)
{
	struct test t = {.rig = nest_rig_new()};
	struct uapi_fault_alloc cmd;

	assert_int_equal(alloc(t.rig, &cmd), 0);
	t.fd = (int)cmd.out_fault_fd;
	t.queue =
		emu_fault_queue_of(emu_object_find(t.rig->ctx, cmd.out_fault_id, EMU_FAULT_QUEUE));
	return t;
}

static void end(struct test *t)
{
	if (t->fd >= 0)
		assert_int_equal(libiommu_emu_close(t->rig->emu, t->fd), 0);
	nest_rig_free(t->rig);
}

static struct emu_fault_group *make(struct test *t, uint32_t device, uint32_t at, size_t pages,
                                    uint32_t number)
{
	struct emu_fault_group *const group =
		emu_alloc(sizeof(*group) + pages * sizeof(group->requests[0]));

	assert_non_null(group);
	group->dev = &t->rig->devs[0];
	group->device = &t->rig->devices[device];
	group->dev_id = t->rig->devices[device].object.id;
	group->at = at;
	group->answer = answered;
	group->user = t;
	group->count = pages;
	for (size_t i = 0; i < pages; i++)
		group->requests[i] = (struct emu_page_request){
			.address = (number * 16 + i) * EMU_PAGE,
			.pasid = at,
			.group = number,
			.permissions = UAPI_PGFAULT_PERM_WRITE,
			.internal = 4,
			.has_pasid = at,
			.last = i + 1 == pages,
		};
	return group;
}

static void add(struct test *t, size_t pages, uint32_t number)
{
	emu_fault_queue_add(t->queue, make(t, 0, 0, pages, number));
}

static ssize_t get(struct test *t, void *records, size_t size)
{
	return libiommu_emu_read(t->rig->emu, t->fd, records, size);
}

static ssize_t put(struct test *t, uint32_t cookie, uint32_t code)
{
	const struct uapi_hwpt_page_response response = {cookie, code};

	return libiommu_emu_write(t->rig->emu, t->fd, &response, sizeof(response));
}

static int ready(const struct test *t)
{
	struct pollfd pollfd = {.fd = t->fd, .events = POLLIN | POLLOUT};

	assert_int_equal(poll(&pollfd, 1, 0), 1);
	return pollfd.revents;
}

static void allocated_and_destroyed(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	struct uapi_fault_alloc cmd = {.size = sizeof(cmd), .flags = 1}, second;
	const unsigned int fds = count_fds();

	(void)state;
	assert_int_equal(rig_ioctl(rig, UAPI_IOC_FAULT_QUEUE_ALLOC, &cmd), -EOPNOTSUPP);
	cmd.flags = 0;
	assert_int_equal(rig_ioctl_lost(rig, UAPI_IOC_FAULT_QUEUE_ALLOC, &cmd, sizeof(cmd)),
	                 -EFAULT);
	assert_int_equal(count_fds(), fds);
	RIG_FAIL_EACH(rig, alloc(rig, &cmd));
	assert_int_equal(cmd.out_fault_id, 6);
	assert_int_equal(alloc(rig, &second), 0);
	assert_int_equal(second.out_fault_id, 7);
	assert_int_equal(rig_destroy(rig, 6), -EBUSY);
	assert_int_equal(libiommu_emu_close(rig->emu, (int)cmd.out_fault_fd), 0);
	assert_int_equal(rig_destroy(rig, 6), 0);
	assert_int_equal(rig_destroy(rig, 6), -ENOENT);
	assert_int_equal(libiommu_emu_close(rig->emu, (int)second.out_fault_fd), 0);
	nest_rig_free(rig);
}

static void without_a_descriptor(void **state)
{
	struct nest_rig *const rig = nest_rig_new();
	struct rlimit limit, none;
	struct uapi_fault_alloc cmd;

	(void)state;
	if (emu_memcheck_watches()) {
		print_message("skipped: valgrind has a limit of its own for descriptors\n");
		nest_rig_free(rig);
		skip();
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(alloc(rig, &cmd), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(alloc(rig, &cmd), 0);
	assert_int_equal(cmd.out_fault_id, 6);
	assert_int_equal(libiommu_emu_close(rig->emu, (int)cmd.out_fault_fd), 0);
	nest_rig_free(rig);
}

/* Its descriptor keeps all of the context. */
static void outlives_the_context(void **state)
{
	struct test t = begin();
	struct uapi_hwpt_pgfault fault;

	(void)state;
	add(&t, 1, 3);
	assert_int_equal(libiommu_emu_close(t.rig->emu, t.rig->fd), 0);
	t.rig->fd = -1;
	assert_int_equal(libiommu_emu_destroy(t.rig->emu), -EBUSY);
	assert_int_equal(get(&t, &fault, RECORD), RECORD);
	assert_int_equal(put(&t, 1, UAPI_PAGE_RESP_SUCCESS), 8);
	end(&t);
}

static void read_whole_and_in_order(void **state)
{
	struct test t = begin();
	struct uapi_hwpt_pgfault faults[8];

	(void)state;
	assert_int_equal(get(&t, faults, 0), 0);
	assert_int_equal(get(&t, faults, 2 * RECORD), 0);
	add(&t, 2, 1);
	add(&t, 3, 2);
	add(&t, 1, 3);
	assert_int_equal(get(&t, faults, 41), -ESPIPE);
	assert_int_equal(get(&t, faults, 0), -EINVAL);
	assert_int_equal(get(&t, faults, RECORD), -EINVAL);
	assert_int_equal(get(&t, faults, 4 * RECORD), 2 * RECORD);
	assert_int_equal(get(&t, faults + 2, 6 * RECORD), 4 * RECORD);
	for (size_t i = 0; i < 6; i++) {
		const uint32_t group = i < 2 ? 1 : i < 5 ? 2 : 3;
		const uint32_t page = i < 2 ? (uint32_t)i : i < 5 ? (uint32_t)i - 2 : 0;
		const bool last = i == 1 || i == 4 || i == 5;

		assert_int_equal(faults[i].flags, 4 | (last ? UAPI_PGFAULT_FLAGS_LAST_PAGE : 0));
		assert_int_equal(faults[i].dev_id, 1);
		assert_int_equal(faults[i].pasid, 0);
		assert_int_equal(faults[i].grpid, group);
		assert_int_equal(faults[i].perm, UAPI_PGFAULT_PERM_WRITE);
		assert_int_equal(faults[i].addr, (group * 16 + page) * EMU_PAGE);
		assert_int_equal(faults[i].length, 0);
		assert_int_equal(faults[i].cookie, group);
	}
	assert_int_equal(t.answered, 0);
	end(&t);
	assert_int_equal(t.answered, 3);
}

static void read_at_a_pasid(void **state)
{
	struct test t = begin();
	struct uapi_hwpt_pgfault fault;

	(void)state;
	emu_fault_queue_add(t.queue, make(&t, 1, 9, 1, 5));
	assert_int_equal(get(&t, &fault, RECORD), RECORD);
	assert_int_equal(fault.flags,
	                 4 | UAPI_PGFAULT_FLAGS_LAST_PAGE | UAPI_PGFAULT_FLAGS_PASID_VALID);
	assert_int_equal(fault.pasid, 9);
	assert_int_equal(fault.dev_id, 2);
	assert_int_equal(put(&t, fault.cookie, UAPI_PAGE_RESP_INVALID), 8);
	assert_int_equal(t.answered, 1);
	assert_int_equal(t.answers[0].pasid, 9);
	assert_int_equal(t.answers[0].group, 5);
	assert_int_equal(t.answers[0].code, UAPI_PAGE_RESP_INVALID);
	end(&t);
}

/* What has been copied before the end of the memory stays read; the group stays the first. */
static void read_into_bad_memory(void **state)
{
	struct test t = begin();
	unsigned char *const edge = edge_new();
	struct uapi_hwpt_pgfault faults[3];

	(void)state;
	add(&t, 1, 1);
	add(&t, 2, 2);
	assert_int_equal(get(&t, edge + EMU_PAGE - 10, 3 * RECORD), -EFAULT);
	assert_int_equal(ready(&t), POLLIN | POLLOUT);
	assert_int_equal(get(&t, edge + EMU_PAGE - 2 * RECORD, 3 * RECORD), RECORD);
	memcpy(faults, edge + EMU_PAGE - 2 * RECORD, 2 * RECORD);
	assert_int_equal(faults[0].cookie, 1);
	assert_int_equal(faults[1].cookie, 2);
	assert_int_equal(faults[1].addr, 32 * EMU_PAGE);
	assert_int_equal(put(&t, 2, UAPI_PAGE_RESP_SUCCESS), -EINVAL);
	add(&t, 1, 3);
	assert_int_equal(get(&t, faults, 3 * RECORD), 3 * RECORD);
	assert_int_equal(faults[0].grpid, 2);
	assert_int_equal(faults[0].cookie, 2);
	assert_int_equal(faults[2].grpid, 3);
	edge_free(edge);
	end(&t);
}

static void read_without_memory(void **state)
{
	struct test t = begin();
	struct uapi_hwpt_pgfault fault;

	(void)state;
	add(&t, 1, 1);
	for (unsigned int nth = 1; nth < 3; nth++) {
		emu_heap_fail(nth);
		assert_int_equal(get(&t, &fault, RECORD), -ENOMEM);
		assert_true(emu_heap_stop());
	}
	assert_int_equal(ready(&t), POLLIN | POLLOUT);
	assert_int_equal(get(&t, &fault, RECORD), RECORD);
	assert_int_equal(ready(&t), POLLOUT);
	end(&t);
}

static void ready_while_something_waits(void **state)
{
	struct test t = begin();
	struct uapi_hwpt_pgfault fault;

	(void)state;
	assert_int_equal(ready(&t), POLLOUT);
	add(&t, 1, 1);
	add(&t, 1, 2);
	assert_int_equal(ready(&t), POLLIN | POLLOUT);
	assert_int_equal(get(&t, &fault, RECORD), RECORD);
	assert_int_equal(ready(&t), POLLIN | POLLOUT);
	assert_int_equal(get(&t, &fault, RECORD), RECORD);
	assert_int_equal(ready(&t), POLLOUT);
	end(&t);
}

static void *wait_for_one(void *epoll)
{
	struct epoll_event event = {0};
	int count;

	do
		count = epoll_wait(*(int *)epoll, &event, 1, -1);
	while (count < 0 && errno == EINTR);
	return (void *)(intptr_t)(count == 1 ? event.data.u32 : 0);
}

/* Whoever sleeps is woken, and what was not read is told again. */
static void watched_by_epoll(void **state)
{
	struct test t = begin();
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = 77};
	struct uapi_hwpt_pgfault fault;
	void *woken = NULL;
	pthread_t thread;
	int epoll;

	(void)state;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	assert_true(epoll >= 0);
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, t.fd, &event), 0);
	assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_one, &epoll), 0);
	add(&t, 1, 1);
	assert_int_equal(pthread_join(thread, &woken), 0);
	assert_int_equal((intptr_t)woken, 77);
	assert_int_equal(epoll_wait(epoll, &event, 1, 0), 1);
	assert_int_equal(event.events, EPOLLIN);
	assert_int_equal(get(&t, &fault, RECORD), RECORD);
	assert_int_equal(epoll_wait(epoll, &event, 1, 0), 0);
	close(epoll);
	end(&t);
}

static void has_no_position(void **state)
{
	struct test t = begin();
	struct uapi_hwpt_pgfault fault;
	ssize_t result;

	(void)state;
	add(&t, 1, 1);
	assert_true(emu_pread(t.rig->emu, t.fd, (uintptr_t)&fault, RECORD, 0, &result));
	assert_int_equal(result, -ESPIPE);
	assert_true(emu_pwrite(t.rig->emu, t.fd, (uintptr_t)&fault, 8, 0, &result));
	assert_int_equal(result, -ESPIPE);
	assert_int_equal(libiommu_emu_ioctl(t.rig->emu, t.fd, UAPI_IOC_DESTROY, &fault), -ENOTTY);
	end(&t);
}

/* The lowest number that is free is given again at once. */
static void answers(void **state)
{
	struct test t = begin();
	struct uapi_hwpt_page_response responses[4] = {{2, 0}, {2, 0}, {1, 1}, {3, 9}};
	struct uapi_hwpt_pgfault faults[3];
	unsigned char *const edge = edge_new();

	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		add(&t, 1, 10 + i);
	assert_int_equal(get(&t, faults, sizeof(faults)), sizeof(faults));
	assert_int_equal(libiommu_emu_write(t.rig->emu, t.fd, responses, 0), 0);
	assert_int_equal(libiommu_emu_write(t.rig->emu, t.fd, responses, 15), -ESPIPE);
	assert_int_equal(libiommu_emu_write(t.rig->emu, t.fd, responses, 32), 8);
	assert_int_equal(put(&t, 2, 0), -EINVAL);
	assert_int_equal(put(&t, 0, 0), -EINVAL);
	assert_int_equal(put(&t, UINT32_MAX, 0), -EINVAL);
	assert_int_equal(put(&t, 3, 9), -EINVAL);
	memcpy(edge + EMU_PAGE - 8, &responses[2], 8);
	assert_int_equal(libiommu_emu_write(t.rig->emu, t.fd, edge + EMU_PAGE - 8, 16), 8);
	assert_int_equal(libiommu_emu_write(t.rig->emu, t.fd, edge + EMU_PAGE, 8), -EFAULT);
	assert_int_equal(t.answered, 2);
	assert_int_equal(t.answers[0].group, 12);
	assert_int_equal(t.answers[0].code, UAPI_PAGE_RESP_SUCCESS);
	assert_int_equal(t.answers[1].group, 11);
	assert_int_equal(t.answers[1].code, UAPI_PAGE_RESP_INVALID);
	/* The answer to 0, which is nobody's, has made that one free, as in the kernel. */
	add(&t, 1, 14);
	assert_int_equal(get(&t, faults, RECORD), RECORD);
	assert_int_equal(faults[0].cookie, 0);
	add(&t, 1, 15);
	assert_int_equal(get(&t, faults, RECORD), RECORD);
	assert_int_equal(faults[0].cookie, 1);
	edge_free(edge);
	end(&t);
}

static void many_answers_at_once(void **state)
{
	enum { MANY = 20000 };
	struct uapi_hwpt_page_response *const responses = calloc(MANY, sizeof(*responses));
	struct uapi_hwpt_pgfault *const faults = calloc(MANY, RECORD);
	struct test t = begin();

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		add(&t, 1, i);
	assert_int_equal(get(&t, faults, MANY * RECORD), MANY * RECORD);
	for (size_t i = 0; i < MANY; i++)
		responses[i].cookie = faults[MANY - 1 - i].cookie;
	assert_int_equal(libiommu_emu_write(t.rig->emu, t.fd, responses, 8 * MANY), 8 * MANY);
	assert_int_equal(t.answered, MANY);
	free(responses);
	free(faults);
	end(&t);
}

/* Of two devices and two PASIDs, waiting and read, those of one attachment end; others stay. */
static void ends_with_the_attachment(void **state)
{
	struct test t = begin();
	struct uapi_hwpt_pgfault faults[4];

	(void)state;
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 4; i++)
			emu_fault_queue_add(t.queue, make(&t, i / 2, i % 2, 1, 10 * round + i));
		if (!round)
			assert_int_equal(get(&t, faults, sizeof(faults)), sizeof(faults));
	}
	emu_fault_queue_flush(t.queue, &t.rig->devices[1], 1);
	assert_int_equal(t.answered, 2);
	assert_int_equal(t.answers[0].group, 13);
	assert_int_equal(t.answers[1].group, 3);
	assert_int_equal(t.answers[0].code, UAPI_PAGE_RESP_INVALID);
	assert_int_equal(put(&t, 4, UAPI_PAGE_RESP_SUCCESS), -EINVAL);
	assert_int_equal(get(&t, faults, sizeof(faults)), 3 * RECORD);
	assert_int_equal(faults[2].grpid, 12);
	add(&t, 1, 30);
	assert_int_equal(ready(&t), POLLIN | POLLOUT);
	emu_fault_queue_flush(t.queue, &t.rig->devices[0], 0);
	assert_int_equal(ready(&t), POLLOUT);
	end(&t);
	assert_int_equal(t.answered, 9);
}

/* Who asks again when it is told no is not told no for ever. */
static void asks_again(void **state)
{
	struct test t = begin();
	struct uapi_hwpt_pgfault fault;

	(void)state;
	add(&t, 1, 1);
	t.again = make(&t, 0, 0, 1, 2);
	emu_fault_queue_flush(t.queue, &t.rig->devices[0], 0);
	assert_int_equal(t.answered, 1);
	assert_int_equal(ready(&t), POLLIN | POLLOUT);
	assert_int_equal(get(&t, &fault, RECORD), RECORD);
	t.again = make(&t, 0, 0, 1, 3);
	assert_int_equal(put(&t, fault.cookie, UAPI_PAGE_RESP_SUCCESS), 8);
	assert_int_equal(ready(&t), POLLIN | POLLOUT);
	end(&t);
}

/* The numbers of what was its descriptors are others' by then. */
static void tells_nobody_else(void **state)
{
	struct test t = begin();
	struct pollfd others[2] = {{.events = POLLIN}, {.events = POLLIN}};
	int ends[2];

	(void)state;
	assert_int_equal(libiommu_emu_close(t.rig->emu, t.fd), 0);
	t.fd = -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	others[0].fd = ends[0];
	others[1].fd = ends[1];
	add(&t, 1, 1);
	assert_int_equal(poll(others, 2, 0), 0);
	close(ends[0]);
	close(ends[1]);
	end(&t);
}

/* Without its descriptor they are neither lost nor answered, until the queue ends. */
static void outlives_its_descriptor(void **state)
{
	struct test t = begin();
	const uint32_t id = emu_fault_queue_object(t.queue)->id;

	(void)state;
	add(&t, 1, 1);
	assert_int_equal(libiommu_emu_close(t.rig->emu, t.fd), 0);
	t.fd = -1;
	add(&t, 2, 2);
	assert_int_equal(t.answered, 0);
	assert_int_equal(rig_destroy(t.rig, id), 0);
	assert_int_equal(t.answered, 2);
	assert_int_equal(t.answers[1].group, 2);
	assert_int_equal(t.answers[1].code, UAPI_PAGE_RESP_INVALID);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocated_and_destroyed),
		cmocka_unit_test(without_a_descriptor),
		cmocka_unit_test(outlives_the_context),
		cmocka_unit_test(read_whole_and_in_order),
		cmocka_unit_test(read_at_a_pasid),
		cmocka_unit_test(read_into_bad_memory),
		cmocka_unit_test(read_without_memory),
		cmocka_unit_test(ready_while_something_waits),
		cmocka_unit_test(watched_by_epoll),
		cmocka_unit_test(has_no_position),
		cmocka_unit_test(answers),
		cmocka_unit_test(many_answers_at_once),
		cmocka_unit_test(ends_with_the_attachment),
		cmocka_unit_test(asks_again),
		cmocka_unit_test(tells_nobody_else),
		cmocka_unit_test(outlives_its_descriptor),
	};

	return cmocka_run_group_tests_name("fault queue", tests, NULL, NULL);
}

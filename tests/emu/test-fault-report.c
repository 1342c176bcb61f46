/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* To whom page requests go, in which groups, and when nobody is there for them. */
#include "nest-rig.h"

#include "../../emu/fault-queue.h"

enum { PASID = 7, OTHER = 9, NONE = 99 };

#define RECORD sizeof(struct uapi_hwpt_pgfault)

/* Two devices are a group: one has brought its page table, the other the one at PASID. */
struct test {
	struct nest_rig *rig;
	struct emu_fault_queue *queue;
	int fd;
	struct emu_domain domains[2];
	struct emu_hwpt hwpts[2];
	struct emu_attached attached[2];
	uint32_t codes[8];
	size_t answered;
	struct uapi_hwpt_pgfault faults[8];
};

static void answered(void *user, struct emu_dev *dev, uint32_t pasid, uint32_t group, uint32_t code)
{
	struct test *const t = user;

	(void)pasid;
	(void)group;
	assert_ptr_equal(dev, &t->rig->devs[0]);
	t->codes[t->answered++] = code;
}

static void attach(struct test *t, size_t i, uint32_t pasid)
{
	t->hwpts[i].domain = &t->domains[i];
	t->hwpts[i].queue = t->queue;
	t->attached[i].pasid = pasid;
	t->attached[i].domain = &t->domains[i];
	t->attached[i].hwpt = &t->hwpts[i];
	t->attached[i].device = &t->rig->devices[i];
	assert_int_equal(emu_sparse_set(&t->rig->groups[0].attached, pasid, &t->attached[i]), 0);
}

static void detach(struct test *t, size_t i)
{
	emu_sparse_set(&t->rig->groups[0].attached, t->attached[i].pasid, NULL);
	emu_fault_flush(t->queue, t->attached[i].device, t->attached[i].pasid);
}

static void begin(struct test *t)
{
	struct uapi_fault_alloc cmd = {.size = sizeof(cmd)};

	*t = (struct test){.rig = nest_rig_new()};
	assert_int_equal(rig_ioctl(t->rig, UAPI_IOC_FAULT_QUEUE_ALLOC, &cmd), 0);
	t->fd = (int)cmd.out_fault_fd;
	t->queue =
		emu_fault_queue_of(emu_object_find(t->rig->ctx, cmd.out_fault_id, EMU_FAULT_QUEUE));
	t->rig->devs[1].group = &t->rig->groups[0];
	t->rig->devs[0].sibling = &t->rig->devs[1];
	attach(t, 0, 0);
	attach(t, 1, PASID);
}

static void end(struct test *t)
{
	emu_sparse_set(&t->rig->groups[0].attached, 0, NULL);
	emu_sparse_set(&t->rig->groups[0].attached, PASID, NULL);
	emu_fault_forget(&t->rig->devs[0]);
	assert_int_equal(libiommu_emu_close(t->rig->emu, t->fd), 0);
	nest_rig_free(t->rig);
}

static int ask(struct test *t, uint32_t pasid, uint32_t group, uint64_t address, bool last)
{
	const struct emu_page_request request = {
		.address = address,
		.pasid = pasid,
		.group = group,
		.has_pasid = pasid,
		.last = last,
	};

	return emu_fault_report(&t->rig->devs[0], &request, 1, answered, t);
}

/* Pages that are there to be read. */
static size_t got(struct test *t)
{
	const ssize_t size = libiommu_emu_read(t->rig->emu, t->fd, t->faults, sizeof(t->faults));

	assert_true(size >= 0);
	return (size_t)size / RECORD;
}

static void by_pasid(void **state)
{
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(ask(&t, 0, 1, 0x1000, true), 0);
	assert_int_equal(ask(&t, PASID, 2, 0x2000, true), 0);
	assert_int_equal(got(&t), 2);
	assert_int_equal(t.faults[0].dev_id, 1);
	assert_int_equal(t.faults[1].dev_id, 2);
	assert_int_equal(t.faults[1].pasid, PASID);
	assert_int_equal(t.answered, 0);
	/* They are of the attachments that they came by. */
	detach(&t, 1);
	assert_int_equal(t.answered, 1);
	detach(&t, 0);
	assert_int_equal(t.answered, 2);
	end(&t);
}

/* The PASID 0 is that of the device without one, also where it is said to be one. */
static void pasid_of_zero(void **state)
{
	const struct emu_page_request request = {.has_pasid = true, .last = true};
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(emu_fault_report(&t.rig->devs[0], &request, 1, NULL, NULL), 0);
	assert_int_equal(got(&t), 1);
	assert_int_equal(t.faults[0].dev_id, 1);
	assert_int_equal(t.faults[0].flags,
	                 UAPI_PGFAULT_FLAGS_PASID_VALID | UAPI_PGFAULT_FLAGS_LAST_PAGE);
	end(&t);
}

static void groups_of_pages(void **state)
{
	const struct emu_page_request requests[] = {
		{.address = 0x1000, .group = 1},
		{.address = 0x2000, .group = 2, .has_pasid = true, .pasid = PASID},
		{.address = 0x3000, .group = 1, .has_pasid = true, .pasid = PASID},
		{.address = 0x4000, .group = 1, .last = true},
	};
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(emu_fault_report(&t.rig->devs[0], requests, 4, answered, &t), 0);
	assert_int_equal(got(&t), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(t.faults[i].addr, i ? 0x2000 + i * 0x1000 : 0x1000);
	/* A group is its number, whatever the PASIDs are. */
	assert_int_equal(t.faults[1].pasid, PASID);
	assert_int_equal(t.faults[1].flags, UAPI_PGFAULT_FLAGS_PASID_VALID);
	assert_int_equal(t.faults[2].flags, UAPI_PGFAULT_FLAGS_LAST_PAGE);
	assert_int_equal(ask(&t, PASID, 2, 0x5000, true), 0);
	assert_int_equal(got(&t), 2);
	assert_int_equal(t.faults[0].addr, 0x2000);
	end(&t);
}

/* What is not the last of its group ends with the last page table that has a queue. */
static void groups_that_stay_open(void **state)
{
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(ask(&t, PASID, 1, 0x1000, false), 0);
	detach(&t, 1);
	assert_int_equal(ask(&t, 0, 1, 0x2000, true), 0);
	assert_int_equal(got(&t), 2);
	assert_int_equal(ask(&t, 0, 2, 0x1000, false), 0);
	detach(&t, 0);
	attach(&t, 0, 0);
	assert_int_equal(ask(&t, 0, 2, 0x2000, true), 0);
	assert_int_equal(got(&t), 1);
	assert_int_equal(t.faults[0].addr, 0x2000);
	assert_int_equal(ask(&t, 0, 3, 0x1000, false), 0);
	end(&t);
}

static void nobody(void **state)
{
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(ask(&t, NONE, 1, 0x1000, false), -EINVAL);
	assert_int_equal(t.answered, 0);
	assert_int_equal(ask(&t, NONE, 1, 0x1000, true), -EINVAL);
	t.hwpts[0].queue = NULL;
	assert_int_equal(ask(&t, 0, 1, 0x1000, true), -EINVAL);
	t.hwpts[0].queue = t.queue;
	detach(&t, 1);
	assert_int_equal(ask(&t, PASID, 1, 0x1000, true), -EINVAL);
	assert_int_equal(t.answered, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(t.codes[i], UAPI_PAGE_RESP_INVALID);
	t.rig->groups[0].iommu = NULL;
	assert_int_equal(ask(&t, 0, 1, 0x1000, true), -EINVAL);
	t.rig->groups[0].iommu = &t.rig->iommus[0];
	assert_int_equal(got(&t), 0);
	/* One that nobody takes is no reason not to take others. */
	assert_int_equal(emu_fault_report(&t.rig->devs[0],
	                                  (struct emu_page_request[]){
						  {.has_pasid = true, .pasid = NONE, .last = true},
						  {.last = true},
					  },
	                                  2, NULL, NULL),
	                 -EINVAL);
	assert_int_equal(got(&t), 1);
	end(&t);
}

/* Where a guest has the table of PASIDs, what it alone knows goes to its own page table. */
static void pasids_of_a_guest(void **state)
{
	struct test t;

	(void)state;
	begin(&t);
	t.rig->iommus[0].guest_pasids = true;
	assert_int_equal(ask(&t, NONE, 1, 0x1000, true), -EINVAL);
	t.domains[0].parent = &t.rig->domain;
	assert_int_equal(ask(&t, NONE, 2, 0x1000, true), 0);
	assert_int_equal(ask(&t, PASID, 3, 0x1000, true), 0);
	assert_int_equal(got(&t), 2);
	assert_int_equal(t.faults[0].pasid, NONE);
	assert_int_equal(t.faults[0].dev_id, 1);
	assert_int_equal(t.faults[1].dev_id, 2);
	t.answered = 0;
	detach(&t, 0);
	assert_int_equal(t.answered, 1);
	end(&t);
}

/* A group for which there is no memory fails with what it has; a part of one is only lost. */
static void without_memory(void **state)
{
	struct test t;

	(void)state;
	begin(&t);
	emu_heap_fail(1);
	assert_int_equal(ask(&t, 0, 1, 0x1000, false), -ENOMEM);
	assert_true(emu_heap_stop());
	assert_int_equal(t.answered, 0);
	assert_int_equal(ask(&t, 0, 1, 0x2000, false), 0);
	emu_heap_fail(1);
	assert_int_equal(ask(&t, 0, 1, 0x3000, true), 0);
	assert_true(emu_heap_stop());
	assert_int_equal(t.answered, 1);
	assert_int_equal(t.codes[0], EMU_ANSWER_FAILURE);
	assert_int_equal(ask(&t, 0, 1, 0x4000, true), 0);
	assert_int_equal(got(&t), 1);
	assert_int_equal(t.faults[0].addr, 0x4000);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_pasid),        cmocka_unit_test(pasid_of_zero),
		cmocka_unit_test(groups_of_pages), cmocka_unit_test(groups_that_stay_open),
		cmocka_unit_test(nobody),          cmocka_unit_test(pasids_of_a_guest),
		cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests_name("fault reports", tests, NULL, NULL);
}

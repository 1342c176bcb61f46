/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page requests of devices that are attached, replaced, detached and unbound. */
#include "hw-rig.h"

#include <string.h>

#include "../../emu/fault.h"

enum { PASID = 7, NONE = 99 };

struct queue {
	uint32_t id;
	int fd;
};

struct test {
	struct hw_rig *rig;
	struct queue queues[2];
	uint32_t codes[8];
	size_t answered;
	bool again; /* who is answered asks again, once */
	struct uapi_hwpt_pgfault faults[8];
};

static int ask(struct test *t, enum hw_dev dev, uint32_t pasid, uint32_t group, bool last);

static void answered(void *user, struct emu_dev *dev, uint32_t pasid, uint32_t group, uint32_t code)
{
	struct test *const t = user;

	t->codes[t->answered++] = code;
	if (!t->again)
		return;
	t->again = false;
	for (int i = 0; i < HW_DEVS; i++)
		if (t->rig->devs[i] == dev)
			ask(t, (enum hw_dev)i, pasid, group + 1, true);
}

static int ask(struct test *t, enum hw_dev dev, uint32_t pasid, uint32_t group, bool last)
{
	const struct emu_page_request request = {
		.address = 0x1000,
		.pasid = pasid,
		.group = group,
		.has_pasid = pasid,
		.last = last,
	};

	return emu_fault_report(t->rig->devs[dev], &request, 1, answered, t);
}

static size_t got(struct test *t, size_t queue)
{
	const ssize_t size =
		libiommu_emu_read(t->rig->emu, t->queues[queue].fd, t->faults, sizeof(t->faults));

	assert_true(size >= 0);
	return (size_t)size / sizeof(t->faults[0]);
}

static uint32_t table(struct test *t, enum hw_dev dev, uint32_t pt_id, size_t queue, uint32_t flags)
{
	const struct emu_test_hwpt_data data = {.value = 1};
	const bool nested = pt_id != t->rig->ioas;
	struct uapi_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags | UAPI_HWPT_FAULT_ID_VALID,
		.dev_id = t->rig->bound[dev]->object.id,
		.pt_id = pt_id,
		.data_type = nested ? EMU_TEST_HWPT_DATA : UAPI_HWPT_DATA_NONE,
		.data_len = nested ? sizeof(data.value) : 0,
		.data_uptr = nested ? (uintptr_t)&data : 0,
		.fault_id = t->queues[queue].id,
	};

	assert_int_equal(hw_ioctl(t->rig, UAPI_IOC_HWPT_ALLOC, &cmd), 0);
	return cmd.out_hwpt_id;
}

static int setup(void **state)
{
	static struct test t;

	t = (struct test){.rig = hw_new()};
	for (size_t i = 0; i < 2; i++) {
		struct uapi_fault_alloc cmd = {.size = sizeof(cmd)};

		assert_int_equal(hw_ioctl(t.rig, UAPI_IOC_FAULT_QUEUE_ALLOC, &cmd), 0);
		t.queues[i] = (struct queue){cmd.out_fault_id, (int)cmd.out_fault_fd};
	}
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	struct test *const t = *state;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(libiommu_emu_close(t->rig->emu, t->queues[i].fd), 0);
	hw_free(t->rig);
	return 0;
}

/* Who asks when it is told that there is nobody is told so again. */
static void detached(void **state)
{
	struct test *const t = *state;
	struct emu_device *const device = hw_bind(t->rig, HW_PLAIN);
	const uint32_t own = table(t, HW_PLAIN, t->rig->ioas, 0, 0);

	assert_int_equal(ask(t, HW_PLAIN, 0, 1, true), -EINVAL);
	assert_int_equal(hw_attach(t->rig, HW_PLAIN, own), 0);
	t->answered = 0;
	assert_int_equal(ask(t, HW_PLAIN, 0, 1, true), 0);
	assert_int_equal(got(t, 0), 1);
	assert_int_equal(t->faults[0].dev_id, device->object.id);
	assert_int_equal(ask(t, HW_PLAIN, 0, 3, true), 0);
	assert_int_equal(ask(t, HW_PLAIN, 0, 5, false), 0);
	t->again = true;
	emu_device_detach(device, NULL);
	assert_int_equal(t->answered, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(t->codes[i], UAPI_PAGE_RESP_INVALID);
	assert_int_equal(got(t, 0), 0);
	/* What was not whole is forgotten by then. */
	assert_int_equal(hw_attach(t->rig, HW_PLAIN, own), 0);
	assert_int_equal(ask(t, HW_PLAIN, 0, 5, true), 0);
	assert_int_equal(got(t, 0), 1);
}

/* Who asks again is with the new page table's queue, what is not whole too. */
static void replaced(void **state)
{
	struct test *const t = *state;
	uint32_t own, other;

	hw_bind(t->rig, HW_PLAIN);
	own = table(t, HW_PLAIN, t->rig->ioas, 0, 0);
	other = table(t, HW_PLAIN, t->rig->ioas, 1, 0);
	assert_int_equal(hw_attach(t->rig, HW_PLAIN, own), 0);
	assert_int_equal(ask(t, HW_PLAIN, 0, 1, true), 0);
	assert_int_equal(ask(t, HW_PLAIN, 0, 5, false), 0);
	/* By itself it ends nothing. */
	assert_int_equal(hw_attach(t->rig, HW_PLAIN, own), 0);
	assert_int_equal(t->answered, 0);
	t->again = true;
	assert_int_equal(hw_attach(t->rig, HW_PLAIN, other), 0);
	assert_int_equal(t->answered, 1);
	assert_int_equal(got(t, 0), 0);
	assert_int_equal(got(t, 1), 1);
	assert_int_equal(t->faults[0].grpid, 2);
	assert_int_equal(ask(t, HW_PLAIN, 0, 5, true), 0);
	assert_int_equal(got(t, 1), 2);
	assert_int_equal(hw_destroy(t->rig, t->queues[0].id), -EBUSY);
}

/* The first of a group gives its name, and the last ends it. */
static void of_a_group(void **state)
{
	struct test *const t = *state;
	struct emu_device *const one = hw_bind(t->rig, HW_ONE);
	struct emu_device *const two = hw_bind(t->rig, HW_TWO);
	const uint32_t own = table(t, HW_ONE, t->rig->ioas, 0, 0);

	assert_int_equal(hw_attach(t->rig, HW_ONE, own), 0);
	assert_int_equal(hw_attach(t->rig, HW_TWO, own), 0);
	assert_int_equal(ask(t, HW_TWO, 0, 1, true), 0);
	assert_int_equal(got(t, 0), 1);
	assert_int_equal(t->faults[0].dev_id, one->object.id);
	emu_device_detach(two, NULL);
	assert_int_equal(t->answered, 0);
	assert_int_equal(ask(t, HW_TWO, 0, 2, true), 0);
	emu_device_detach(one, NULL);
	assert_int_equal(t->answered, 2);
}

/* A PASID has a queue of its own, and what nobody has is the guest's. */
static void at_pasids(void **state)
{
	struct test *const t = *state;
	const uint32_t pasid = PASID;
	uint32_t own, other;
	int parent;

	hw_bind(t->rig, HW_PASIDS);
	parent = hw_table(t->rig, HW_PASIDS, t->rig->ioas,
	                  UAPI_HWPT_ALLOC_NEST_PARENT | UAPI_HWPT_ALLOC_PASID);
	assert_true(parent > 0);
	own = table(t, HW_PASIDS, (uint32_t)parent, 0, UAPI_HWPT_ALLOC_PASID);
	other = table(t, HW_PASIDS, t->rig->ioas, 1, UAPI_HWPT_ALLOC_PASID);
	assert_int_equal(hw_attach(t->rig, HW_PASIDS, own), 0);
	assert_int_equal(hw_attach_pasid(t->rig, HW_PASIDS, PASID, other), 0);
	assert_int_equal(ask(t, HW_PASIDS, PASID, 1, true), 0);
	assert_int_equal(ask(t, HW_PASIDS, NONE, 2, true), 0);
	assert_int_equal(got(t, 1), 1);
	assert_int_equal(got(t, 0), 1);
	assert_int_equal(t->faults[0].pasid, NONE);
	emu_device_detach(t->rig->bound[HW_PASIDS], &pasid);
	assert_int_equal(t->answered, 1);
	/* Now the PASID is the guest's too. */
	assert_int_equal(ask(t, HW_PASIDS, PASID, 3, true), 0);
	assert_int_equal(got(t, 0), 1);
	emu_device_detach(t->rig->bound[HW_PASIDS], NULL);
	assert_int_equal(t->answered, 3);
}

static void unbound(void **state)
{
	struct test *const t = *state;
	uint32_t own;

	hw_bind(t->rig, HW_PLAIN);
	own = table(t, HW_PLAIN, t->rig->ioas, 0, 0);
	assert_int_equal(hw_attach(t->rig, HW_PLAIN, own), 0);
	assert_int_equal(ask(t, HW_PLAIN, 0, 1, true), 0);
	assert_int_equal(hw_destroy(t->rig, own), -EBUSY);
	hw_unbind(t->rig, HW_PLAIN);
	assert_int_equal(t->answered, 1);
	assert_int_equal(got(t, 0), 0);
	assert_int_equal(hw_destroy(t->rig, own), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(detached, setup, teardown),
		cmocka_unit_test_setup_teardown(replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(of_a_group, setup, teardown),
		cmocka_unit_test_setup_teardown(at_pasids, setup, teardown),
		cmocka_unit_test_setup_teardown(unbound, setup, teardown),
	};

	return cmocka_run_group_tests_name("page requests of attached devices", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Devices that are bound: who can have them, what they are attached to, and what that pins. */
#include "hw-rig.h"

#include <limits.h>
#include <string.h>

static int setup(void **state)
{
	*state = hw_new();
	return 0;
}

static int teardown(void **state)
{
	hw_free(*state);
	return 0;
}

static void binding(void **state)
{
	struct hw_rig *const rig = *state;
	struct emu_device *const device = hw_bind(rig, HW_ONE);
	struct emu_device *other = NULL;
	struct emu_ctx *ctx;
	int fd;

	assert_int_equal(device->object.id, 2);
	/* Whoever has one of a group has the group; who is bound cannot be destroyed. */
	fd = libiommu_emu_open(rig->emu, "/dev/iommu", 0);
	ctx = emu_ctx_of(rig->emu, fd);
	assert_int_equal(emu_device_bind(ctx, rig->devs[HW_TWO], &other), -EPERM);
	assert_int_equal(ctx->objects.count, 0);
	hw_bind(rig, HW_TWO);
	assert_int_equal(hw_destroy(rig, 2), -EBUSY);
	hw_unbind(rig, HW_ONE);
	assert_int_equal(emu_device_bind(ctx, rig->devs[HW_TWO], &other), -EPERM);
	hw_unbind(rig, HW_TWO);
	assert_int_equal(emu_device_bind(ctx, rig->devs[HW_TWO], &other), 0);
	/* Its id is given again; a device keeps its context. */
	assert_int_equal(other->object.id, 1);
	assert_int_equal(libiommu_emu_close(rig->emu, fd), 0);
	assert_int_equal(ctx->objects.count, 1);
	emu_device_unbind(other);
	assert_int_equal(hw_bind(rig, HW_PLAIN)->object.id, 2);
}

static void nobody_can_bind(void **state)
{
	struct libiommu_emu_iommu *iommu;
	struct hw_rig *const rig = *state;
	struct emu_device *device = NULL;

	iommu = (struct libiommu_emu_iommu *)rig->iommu;
	rig->devs[HW_TWO]->host = true;
	assert_int_equal(emu_device_bind(rig->ctx, rig->devs[HW_ONE], &device), -EPERM);
	assert_int_equal(libiommu_emu_iommu_set_unsafe_interrupts(NULL, true), -EINVAL);
	assert_int_equal(libiommu_emu_iommu_set_unsafe_interrupts(iommu, true), 0);
	assert_int_equal(emu_device_bind(rig->ctx, rig->devs[HW_PLAIN], &device), -EPERM);
	/* Where there is no IOMMU, none of that counts. */
	hw_bind(rig, HW_NOIOMMU);
	assert_int_equal(libiommu_emu_iommu_set_unsafe_interrupts(iommu, false), 0);
	hw_bind(rig, HW_PLAIN);
	for (unsigned int nth = 1; nth <= 2; nth++) {
		emu_heap_fail(nth);
		if (emu_device_bind(rig->ctx, rig->devs[HW_PASIDS], &device))
			assert_int_equal(rig->ctx->objects.count, 3);
		else
			emu_device_unbind(device);
		emu_heap_stop();
	}
}

/* Devices share the page table that is made for an address space; it ends with the last. */
static void automatic_tables(void **state)
{
	struct hw_rig *const rig = *state;
	uint32_t table = rig->ioas, same = rig->ioas;
	int manual;

	hw_bind(rig, HW_PLAIN);
	hw_bind(rig, HW_PASIDS);
	manual = hw_table(rig, HW_PLAIN, rig->ioas, 0);
	assert_int_equal(manual, 4);
	assert_int_equal(emu_device_attach(rig->bound[HW_PLAIN], NULL, &table), 0);
	assert_int_equal(table, 5);
	assert_int_equal(emu_device_attach(rig->bound[HW_PASIDS], NULL, &same), 0);
	assert_int_equal(same, table);
	assert_int_equal(hw_users(rig, table), 2);
	assert_int_equal(hw_users(rig, rig->bound[HW_PLAIN]->object.id), 2);
	assert_int_equal(hw_destroy(rig, table), -EBUSY);
	/* Once more is the same. */
	assert_int_equal(hw_attach(rig, HW_PLAIN, rig->ioas), 0);
	assert_int_equal(hw_users(rig, table), 2);
	assert_int_equal(hw_attach(rig, HW_PLAIN, (uint32_t)manual), 0);
	assert_int_equal(hw_users(rig, table), 1);
	emu_device_detach(rig->bound[HW_PASIDS], NULL);
	assert_int_equal(hw_users(rig, table), -1);
	emu_device_detach(rig->bound[HW_PASIDS], NULL);
	emu_device_detach(rig->bound[HW_PLAIN], NULL);
	assert_int_equal(hw_users(rig, (uint32_t)manual), 0);
	assert_int_equal(hw_users(rig, rig->bound[HW_PLAIN]->object.id), 1);
	assert_int_equal(hw_destroy(rig, (uint32_t)manual), 0);
	assert_int_equal(hw_users(rig, rig->ioas), 0);
}

static void what_cannot_be_attached(void **state)
{
	struct hw_rig *const rig = *state;
	uint32_t id;

	hw_bind(rig, HW_NO_DIRTY);
	hw_bind(rig, HW_PLAIN);
	id = rig->bound[HW_PLAIN]->object.id;
	assert_int_equal(hw_attach(rig, HW_PLAIN, 99), -ENOENT);
	assert_int_equal(hw_attach(rig, HW_PLAIN, id), -EINVAL);
	assert_int_equal(hw_table(rig, HW_PLAIN, rig->ioas, UAPI_HWPT_ALLOC_DIRTY_TRACKING), 4);
	assert_int_equal(hw_attach(rig, HW_NO_DIRTY, 4), -EINVAL);
	assert_int_equal(hw_at(rig, HW_NO_DIRTY, 0), 0);
	assert_int_equal(hw_attach(rig, HW_NO_DIRTY, rig->ioas), 0);
	assert_int_equal(hw_attach(rig, HW_NO_DIRTY, 4), -EINVAL);
	assert_int_equal(hw_at(rig, HW_NO_DIRTY, 0), 5);
}

/* The first brings it to all of the group, the last takes it away. Ranges are each one's. */
static void groups(void **state)
{
	struct hw_rig *const rig = *state;
	uint32_t other, table, again;

	hw_bind(rig, HW_ONE);
	hw_bind(rig, HW_TWO);
	table = (uint32_t)hw_table(rig, HW_ONE, rig->ioas, 0);
	other = (uint32_t)hw_table(rig, HW_ONE, rig->ioas, 0);
	again = (uint32_t)hw_table(rig, HW_ONE, hw_ioas(rig), 0);
	assert_int_equal(hw_attach(rig, HW_ONE, table), 0);
	assert_int_equal(hw_map(rig, rig->ioas, HW_RESERVED), 0);
	assert_int_equal(hw_at(rig, HW_TWO, 0), table);
	assert_int_equal(hw_attach(rig, HW_TWO, other), -EINVAL);
	/* Its ranges clash with what is mapped, also where the whole group moves. */
	assert_int_equal(hw_attach(rig, HW_TWO, table), -EADDRINUSE);
	assert_int_equal(hw_attach(rig, HW_ONE, again), 0);
	assert_int_equal(hw_attach(rig, HW_TWO, again), 0);
	assert_int_equal(hw_users(rig, again), 2);
	assert_int_equal(hw_attach(rig, HW_ONE, table), -EADDRINUSE);
	assert_int_equal(hw_users(rig, again), 2);
	assert_int_equal(hw_at(rig, HW_ONE, 0), again);
	assert_ptr_equal(emu_dev_at(rig->devs[HW_ONE], 0)->device, rig->bound[HW_ONE]);
	/* One goes; its name stays as long as it is bound. */
	emu_device_detach(rig->bound[HW_ONE], NULL);
	assert_int_equal(hw_users(rig, again), 1);
	assert_ptr_equal(emu_dev_at(rig->devs[HW_ONE], 0)->device, rig->bound[HW_ONE]);
	hw_unbind(rig, HW_ONE);
	assert_ptr_equal(emu_dev_at(rig->devs[HW_TWO], 0)->device, rig->bound[HW_TWO]);
	hw_unbind(rig, HW_TWO);
	assert_int_equal(hw_at(rig, HW_TWO, 0), 0);
	assert_int_equal(hw_users(rig, again), 0);
}

/*
 * A failed exchange keeps the old one. Its address space loses the reserved ranges if it is the new
 * one's too, as in the kernel.
 */
static void reserved_after_a_failed_exchange(void **state)
{
	struct hw_rig *const rig = *state;
	const uint32_t ioas = hw_ioas(rig);
	uint32_t table, tracking;

	hw_bind(rig, HW_ONE);
	hw_bind(rig, HW_TWO);
	table = (uint32_t)hw_table(rig, HW_ONE, rig->ioas, 0);
	assert_int_equal(hw_attach(rig, HW_ONE, table), 0);
	assert_int_equal(hw_attach(rig, HW_TWO, table), 0);
	assert_int_equal(hw_map(rig, rig->ioas, HW_RESERVED), -EINVAL);
	tracking = (uint32_t)hw_table(rig, HW_ONE, ioas, UAPI_HWPT_ALLOC_DIRTY_TRACKING);
	rig->devs[HW_TWO]->no_dirty = true;
	assert_int_equal(hw_attach(rig, HW_ONE, tracking), -EINVAL);
	assert_int_equal(hw_map(rig, ioas, HW_RESERVED), 0);
	assert_int_equal(hw_map(rig, rig->ioas, HW_RESERVED), -EINVAL);
	tracking = (uint32_t)hw_table(rig, HW_ONE, rig->ioas, UAPI_HWPT_ALLOC_DIRTY_TRACKING);
	assert_int_equal(hw_attach(rig, HW_ONE, tracking), -EINVAL);
	assert_int_equal(hw_at(rig, HW_ONE, 0), table);
	assert_int_equal(hw_map(rig, rig->ioas, HW_RESERVED), 0);
}

static void pasids(void **state)
{
	struct hw_rig *const rig = *state;
	uint32_t plain, table, other;

	hw_bind(rig, HW_PASIDS);
	plain = (uint32_t)hw_table(rig, HW_PASIDS, rig->ioas, 0);
	table = (uint32_t)hw_table(rig, HW_PASIDS, rig->ioas, UAPI_HWPT_ALLOC_PASID);
	other = (uint32_t)hw_table(rig, HW_PASIDS, rig->ioas, UAPI_HWPT_ALLOC_PASID);
	/* Both sides must be made for it; an address space has none that is. */
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 5, plain), -EINVAL);
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 5, rig->ioas), -EINVAL);
	assert_int_equal(hw_attach(rig, HW_PASIDS, plain), 0);
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 5, table), -EINVAL);
	emu_device_detach(rig->bound[HW_PASIDS], NULL);
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 5, table), 0);
	assert_int_equal(hw_attach(rig, HW_PASIDS, plain), -EINVAL);
	assert_int_equal(hw_attach(rig, HW_PASIDS, table), 0);
	assert_int_equal(hw_attach(rig, HW_PASIDS, plain), -EINVAL);
	assert_int_equal(hw_users(rig, table), 2);
	/* A second one replaces the first. */
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 5, other), 0);
	assert_int_equal(hw_at(rig, HW_PASIDS, 5), other);
	/* The last PASID there is; the numbers that VFIO cannot keep. */
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, (1U << 20) - 1, other), 0);
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 1U << 20, other), -EINVAL);
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 1U << 31, other), -ENOSPC);
	assert_int_equal(hw_users(rig, other), 2);
	hw_unbind(rig, HW_PASIDS);
	assert_int_equal(hw_users(rig, other), 0);
	assert_int_equal(hw_users(rig, table), 0);
}

/* It is attached, and nothing comes of it. */
static void pasids_of_a_device_without(void **state)
{
	struct hw_rig *const rig = *state;
	uint32_t table;
	char byte;

	hw_bind(rig, HW_PLAIN);
	table = (uint32_t)hw_table(rig, HW_PLAIN, rig->ioas, UAPI_HWPT_ALLOC_PASID);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	assert_int_equal(hw_attach_pasid(rig, HW_PLAIN, INT_MAX, table), 0);
	assert_int_equal(hw_users(rig, table), 1);
	assert_int_equal(
		emu_dev_dma(rig->devs[HW_PLAIN], INT_MAX, HW_IOVA, &byte, 1, EMU_READ, NULL),
		-EFAULT);
}

/* To VFIO the PASID 0 is a PASID, to the kernel it is none. */
static void pasid_zero(void **state)
{
	const uint32_t zero = 0;
	struct hw_rig *const rig = *state;

	hw_bind(rig, HW_PASIDS);
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 0, rig->ioas), 0);
	assert_int_not_equal(hw_at(rig, HW_PASIDS, 0), 0);
	assert_int_equal(hw_attach(rig, HW_PASIDS, rig->ioas), -EBUSY);
	emu_device_detach(rig->bound[HW_PASIDS], NULL);
	assert_int_not_equal(hw_at(rig, HW_PASIDS, 0), 0);
	emu_device_detach(rig->bound[HW_PASIDS], &zero);
	assert_int_equal(hw_at(rig, HW_PASIDS, 0), 0);
	assert_int_equal(rig->ctx->objects.count, 2);
}

/* PASIDs are the group's. */
static void pasids_of_a_group(void **state)
{
	const uint32_t pasid = 9;
	struct hw_rig *const rig = *state;
	char bytes[2] = "";
	uint32_t table;

	hw_bind(rig, HW_ONE);
	hw_bind(rig, HW_TWO);
	table = (uint32_t)hw_table(rig, HW_ONE, rig->ioas, UAPI_HWPT_ALLOC_PASID);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	memcpy(rig->memory, "x", 2);
	assert_int_equal(hw_attach_pasid(rig, HW_ONE, pasid, table), 0);
	assert_int_equal(emu_dev_dma(rig->devs[HW_TWO], pasid, HW_IOVA, bytes, 2, EMU_READ, NULL),
	                 0);
	assert_string_equal(bytes, "x");
	assert_int_equal(hw_attach_pasid(rig, HW_TWO, pasid, table), 0);
	emu_device_detach(rig->bound[HW_ONE], &pasid);
	assert_int_equal(hw_at(rig, HW_TWO, pasid), table);
	emu_device_detach(rig->bound[HW_TWO], &pasid);
	assert_int_equal(hw_at(rig, HW_TWO, pasid), 0);
}

/* The driver's own way to fail: the second at this PASID, then the old one is kept. */
static void the_pasid_that_fails(void **state)
{
	struct hw_rig *const rig = *state;
	uint32_t one, two;

	hw_bind(rig, HW_PASIDS);
	one = (uint32_t)hw_table(rig, HW_PASIDS, rig->ioas, UAPI_HWPT_ALLOC_PASID);
	two = (uint32_t)hw_table(rig, HW_PASIDS, rig->ioas, UAPI_HWPT_ALLOC_PASID);
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 1024, one), 0);
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 1024, two), -ENOMEM);
	assert_int_equal(hw_at(rig, HW_PASIDS, 1024), one);
	assert_int_equal(hw_users(rig, two), 0);
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 1024, two), 0);
	assert_int_equal(hw_at(rig, HW_PASIDS, 1024), two);
}

static void without_an_iommu(void **state)
{
	struct hw_rig *const rig = *state;
	const uint32_t pasid = 3;
	uint32_t table;

	hw_bind(rig, HW_NOIOMMU);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	assert_int_equal(hw_attach(rig, HW_NOIOMMU, rig->ioas), 0);
	table = hw_at(rig, HW_NOIOMMU, 0);
	assert_int_equal(hw_users(rig, table), 1);
	assert_int_equal(hw_attach_pasid(rig, HW_NOIOMMU, pasid, table), -EINVAL);
	assert_int_equal(hw_table(rig, HW_NOIOMMU, rig->ioas, UAPI_HWPT_ALLOC_PASID), -EOPNOTSUPP);
	assert_int_equal(hw_table(rig, HW_NOIOMMU, rig->ioas, UAPI_HWPT_ALLOC_DIRTY_TRACKING),
	                 -EOPNOTSUPP);
	assert_int_equal(hw_nested(rig, HW_NOIOMMU, table, 0), -EOPNOTSUPP);
	emu_device_detach(rig->bound[HW_NOIOMMU], NULL);
	assert_int_equal(hw_users(rig, table), -1);
}

/* Every allocation fails in turn: nothing has changed. */
static void allocations(void **state)
{
	struct hw_rig *const rig = *state;
	uint32_t table;

	hw_bind(rig, HW_PASIDS);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	table = (uint32_t)hw_table(rig, HW_PASIDS, hw_ioas(rig), UAPI_HWPT_ALLOC_PASID);
	for (int step = 0; step < 3; step++)
		for (unsigned int nth = 1;; nth++) {
			const size_t objects = rig->ctx->objects.count;
			const uint32_t before = hw_at(rig, HW_PASIDS, 0);
			int error;

			emu_heap_fail(nth);
			/* An address space; a page table in its place; a PASID. */
			if (step == 2)
				error = hw_attach_pasid(rig, HW_PASIDS, 7, table);
			else
				error = hw_attach(rig, HW_PASIDS, step ? table : rig->ioas);
			if (!emu_heap_stop()) {
				assert_int_equal(error, 0);
				assert_true(nth > 1 || step == 1);
				break;
			}
			assert_int_equal(error, -ENOMEM);
			assert_int_equal(rig->ctx->objects.count, objects);
			assert_int_equal(hw_at(rig, HW_PASIDS, 0), before);
			assert_int_equal(hw_at(rig, HW_PASIDS, 7), 0);
		}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(binding),
		TEST(nobody_can_bind),
		TEST(automatic_tables),
		TEST(what_cannot_be_attached),
		TEST(groups),
		TEST(reserved_after_a_failed_exchange),
		TEST(pasids),
		TEST(pasids_of_a_device_without),
		TEST(pasid_zero),
		TEST(pasids_of_a_group),
		TEST(the_pasid_that_fails),
		TEST(without_an_iommu),
		TEST(allocations),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}

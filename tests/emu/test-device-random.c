/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Devices, page tables and what hangs on them in any order, with allocations that fail now and
 * then: who uses what is always what can be counted, and in the end nothing is left.
 */
#include "hw-rig.h"

#include "../../emu/machine.h"
#include "../../emu/viommu.h"
#include "../random.h"

enum { STEPS = 16000, IDS = 64 };

static uint32_t seed = 20261121;

/* What has succeeded so often, lest all of it fails. */
static unsigned int tables, nested, viommus, vdevices, plain, pasids, shared;

static uint32_t below(uint32_t limit)
{
	return next_random(&seed) % limit;
}

/* Any object of one of two types, most of the time; 0: there is none. */
static uint32_t pick(struct hw_rig *rig, enum emu_type one, enum emu_type two)
{
	const uint32_t from = below(IDS);

	if (!below(16))
		return from;
	for (uint32_t i = 0; i < IDS; i++) {
		const uint32_t id = (from + i) % IDS;

		if (emu_object_find(rig->ctx, id, one) || emu_object_find(rig->ctx, id, two))
			return id;
	}
	return 0;
}

/* How many devices have the page table, at any PASID, each group counted once. */
static uint32_t attachments(struct hw_rig *rig, const struct emu_hwpt *hwpt)
{
	uint32_t count = 0;

	for (const struct emu_group *group = rig->emu->groups; group; group = group->next) {
		const struct emu_attached *attached;
		uint32_t pasid = 0;

		while ((attached = emu_sparse_next(&group->attached, &pasid))) {
			assert_true(attached->count > 0);
			shared += attached->count > 1;
			assert_ptr_equal(attached->domain, attached->hwpt->domain);
			if (attached->hwpt == hwpt)
				count += (uint32_t)attached->count;
			if (!++pasid)
				break;
		}
	}
	return count;
}

static uint32_t attachments_of(struct hw_rig *rig, const struct emu_device *device)
{
	const struct emu_attached *attached;
	uint32_t count = 0, pasid = 0;

	while ((attached = emu_sparse_next(&device->dev->group->attached, &pasid))) {
		for (size_t i = 0; i < attached->count; i++)
			count += attached->members[i] == device;
		pasid++;
	}
	(void)rig;
	return count;
}

/* Objects that stand on this one. */
static uint32_t children(struct hw_rig *rig, const struct emu_object *below_it)
{
	uint32_t count = 0;

	for (uint32_t id = 1; id < IDS; id++) {
		struct emu_object *const object = emu_object_find(rig->ctx, id, EMU_ANY);
		const struct emu_hwpt *const hwpt = (const struct emu_hwpt *)object;

		if (!object)
			continue;
		if (object->ops->type == EMU_HWPT_PAGING)
			count += &hwpt->ioas->object == below_it;
		else if (object->ops->type == EMU_HWPT_NESTED)
			count += (hwpt->viommu ? &hwpt->viommu->object : &hwpt->parent->object) ==
			         below_it;
		else if (object->ops->type == EMU_VIOMMU)
			count += &emu_viommu_of(object)->parent->object == below_it;
		else if (object->ops->type == EMU_VDEVICE)
			count += &((struct emu_vdevice *)object)->viommu->object == below_it;
	}
	return count;
}

static void check(struct hw_rig *rig)
{
	for (uint32_t id = 1; id < IDS; id++) {
		struct emu_object *const object = emu_object_find(rig->ctx, id, EMU_ANY);
		uint32_t users;

		if (!object)
			continue;
		users = children(rig, object);
		if (object->ops->type == EMU_DEVICE)
			users += 1 + attachments_of(rig, (struct emu_device *)object);
		else if (object->ops->type != EMU_IOAS)
			users += attachments(rig, emu_hwpt_of(object));
		assert_int_equal(object->users, users);
		/* Made by the kernel, it does not outlive who has it. */
		if (object->ops->type == EMU_HWPT_PAGING && emu_hwpt_of(object)->automatic)
			assert_true(users > 0);
	}
	for (const struct emu_group *group = rig->emu->groups; group; group = group->next) {
		unsigned int bound = 0;

		for (const struct emu_dev *dev = group->first; dev; dev = dev->sibling)
			for (enum hw_dev i = 0; i < HW_DEVS; i++)
				bound += rig->devs[i] == dev && rig->bound[i];
		if (group->iommu)
			assert_int_equal(group->owned, bound);
		assert_ptr_equal(group->owner, group->iommu && bound ? rig->ctx : NULL);
	}
}

static void bind_or_unbind(struct hw_rig *rig, enum hw_dev dev)
{
	if (rig->bound[dev])
		hw_unbind(rig, dev);
	else if (emu_device_bind(rig->ctx, rig->devs[dev], &rig->bound[dev]))
		rig->bound[dev] = NULL;
}

static void make_table(struct hw_rig *rig, enum hw_dev dev)
{
	const uint32_t pasid = below(2) * UAPI_HWPT_ALLOC_PASID;
	const uint32_t flags = pasid | below(2) * UAPI_HWPT_ALLOC_NEST_PARENT |
	                       below(4) / 3 * UAPI_HWPT_ALLOC_DIRTY_TRACKING;

	if (below(2))
		tables += hw_table(rig, dev, pick(rig, EMU_IOAS, EMU_IOAS), flags) > 0;
	else
		nested += hw_nested(rig, dev, pick(rig, EMU_HWPT_PAGING, EMU_VIOMMU), pasid) > 0;
}

static void make_viommu(struct hw_rig *rig, enum hw_dev dev)
{
	struct uapi_viommu_alloc viommu = {.size = sizeof(viommu),
	                                   .type = EMU_TEST_VIOMMU,
	                                   .dev_id = rig->bound[dev]->object.id,
	                                   .hwpt_id = pick(rig, EMU_HWPT_PAGING, EMU_HWPT_PAGING)};
	struct uapi_vdevice_alloc vdevice = {.size = sizeof(vdevice),
	                                     .dev_id = rig->bound[dev]->object.id,
	                                     .viommu_id = pick(rig, EMU_VIOMMU, EMU_VIOMMU),
	                                     .virt_id = below(4) + 1};

	if (below(2))
		viommus += !hw_ioctl(rig, UAPI_IOC_VIOMMU_ALLOC, &viommu);
	else
		vdevices += !hw_ioctl(rig, UAPI_IOC_VDEVICE_ALLOC, &vdevice);
}

static void attach_or_detach(struct hw_rig *rig, enum hw_dev dev)
{
	static const uint32_t numbers[] = {0, 1, 2, 1024, 1 << 20};
	const uint32_t pasid = numbers[below(5)];
	uint32_t pt_id = pick(rig, below(4) ? EMU_HWPT_PAGING : EMU_IOAS, EMU_HWPT_NESTED);
	const bool with = below(2);

	if (!below(3))
		emu_device_detach(rig->bound[dev], with ? &pasid : NULL);
	else if (!emu_device_attach(rig->bound[dev], with ? &pasid : NULL, &pt_id))
		*(with ? &pasids : &plain) += 1;
}

static void change_memory(struct hw_rig *rig, uint32_t ioas)
{
	const uint64_t iova = below(2) ? HW_IOVA : HW_RESERVED;
	struct uapi_ioas_unmap unmap = {
		.size = sizeof(unmap), .ioas_id = ioas, .iova = iova, .length = 16 * EMU_PAGE};

	if (hw_map(rig, ioas, iova))
		hw_ioctl(rig, UAPI_IOC_IOAS_UNMAP, &unmap);
}

static void step(struct hw_rig *rig)
{
	const enum hw_dev dev = (enum hw_dev)below(HW_DEVS);
	const uint32_t what = below(20);

	if (what == 0 || !rig->bound[dev])
		bind_or_unbind(rig, dev);
	else if (what < 5)
		make_table(rig, dev);
	else if (what < 8)
		make_viommu(rig, dev);
	else if (what < 15)
		attach_or_detach(rig, dev);
	else if (what < 17)
		change_memory(rig, 1 + below(2));
	else if (what < 18)
		hw_destroy(rig, pick(rig, EMU_VDEVICE, EMU_VIOMMU));
	else
		hw_destroy(rig, pick(rig, EMU_HWPT_NESTED, EMU_HWPT_PAGING));
}

/* Ids that a device has left behind are gone for good: a context lives so long only. */
static void run(struct hw_rig *rig, int steps)
{
	assert_int_equal(hw_ioas(rig), 2);
	for (int i = 0; i < steps; i++) {
		/* No more objects than can be looked at. */
		for (uint32_t id = 3; rig->ctx->objects.count > IDS / 2 && id < IDS; id++)
			hw_destroy(rig, id);
		if (!below(6))
			emu_heap_fail(1 + below(6));
		step(rig);
		emu_heap_stop();
		check(rig);
	}
}

static void any_order(void **state)
{
	(void)state;
	for (int i = 0; i < STEPS / 200; i++) {
		struct hw_rig *const rig = hw_new();

		run(rig, 200);
		hw_free(rig);
	}
	print_message("# %u tables, %u nested, %u vIOMMUs, %u vDEVICEs; attached %u, %u PASIDs; "
	              "shared %u\n",
	              tables, nested, viommus, vdevices, plain, pasids, shared);
	assert_true(tables > 100 && nested > 100 && viommus > 100 && vdevices > 100);
	assert_true(plain > 100 && pasids > 100 && shared > 100);
}

/* The context's descriptor is closed first: devices keep it. */
static void context_first(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct hw_rig *const rig = hw_new();

		run(rig, 100);
		assert_int_equal(libiommu_emu_close(rig->emu, rig->fd), 0);
		rig->fd = -1;
		hw_free(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order),
		cmocka_unit_test(context_first),
	};

	return cmocka_run_group_tests_name("device-random", tests, NULL, NULL);
}

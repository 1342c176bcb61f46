/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Nested page tables: what they stand on, and what is invalidated in them. */
#include "nest.h"

#include <stdlib.h>

#include "../../lib/base/uapi/iommufd.h"

/* Data of IOMMUs that the test driver is not. */
static void check_other_kinds(struct nest *n)
{
	static const uint64_t flags[] = {0, LIBIOMMU_VTD_S1_SRE, LIBIOMMU_VTD_S1_EAFE,
	                                 LIBIOMMU_VTD_S1_WPE};
	static const uint64_t dte[4] = {1};
	struct libiommu_hwpt *none = NULL;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		OK(libiommu_hwpt_config_set_vtd_s1(n->config, 0, 48, flags[i]));
		FAILS(EOPNOTSUPP, libiommu_hwpt_alloc_nested(n->dev, n->parent, n->config, &none));
	}
	OK(libiommu_hwpt_config_set_smmuv3(n->config, 1, 0));
	FAILS(EOPNOTSUPP, libiommu_hwpt_alloc_nested(n->dev, n->parent, n->config, &none));
	OK(libiommu_hwpt_config_set_amd_guest(n->config, dte));
	FAILS(EOPNOTSUPP, libiommu_hwpt_alloc_nested(n->dev, n->parent, n->config, &none));
	assert_null(none);
}

static void stand_on_parents(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_hwpt *const one = nest_table(&n);
	struct libiommu_hwpt *const two = nest_table(&n);
	struct libiommu_hwpt *plain, *none = NULL;

	nest_check_iotlb(&n, one, "1111");
	OK(libiommu_device_attach_hwpt(n.dev, one));
	OK(libiommu_device_replace_hwpt(n.dev, two));
	FAILS(EBUSY, libiommu_hwpt_destroy(n.parent));
	FAILS(EBUSY, libiommu_hwpt_destroy(two));
	OK(rig_end(rig, one));
	OK(libiommu_device_detach(n.dev));
	OK(rig_end(rig, two));
	/* No parent; no data; data of another IOMMU; a parent that is one of a vIOMMU only. */
	plain = rig_table(rig, n.dev, rig->ioas, 0);
	FAILS(EINVAL, libiommu_hwpt_alloc_nested(n.dev, plain, n.config, &none));
	FAILS(EOPNOTSUPP, libiommu_hwpt_alloc_nested(n.dev, n.parent, NULL, &none));
	assert_null(none);
	check_other_kinds(&n);
	nest_end(&n);
}

/* A page table that is nested is none to stand on, and has no memory mapped. */
static void do_not_stand_on_each_other(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_hwpt *const one = nest_table(&n);
	struct libiommu_hwpt *none = NULL;

	FAILS(EINVAL, libiommu_hwpt_alloc_nested(n.dev, one, n.config, &none));
	assert_null(none);
	FAILS(ENOENT, libiommu_hwpt_set_dirty_tracking(one, true));
	nest_end(&n);
}

static void two_devices(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_device *const other = rig_device(rig, 2, 0);
	struct libiommu_hwpt *const one = nest_table(&n);

	OK(libiommu_device_attach_hwpt(n.dev, one));
	OK(libiommu_device_attach_hwpt(other, one));
	OK(libiommu_device_detach(n.dev));
	FAILS(EBUSY, libiommu_hwpt_destroy(one));
	OK(libiommu_device_replace_hwpt(other, n.parent));
	OK(rig_end(rig, one));
	OK(libiommu_device_detach(other));
	nest_end(&n);
}

static void fault_queues(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_hwpt_config *config;
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *none = NULL;

	OK(libiommu_fault_queue_alloc(rig->ctx, &queue));
	rig_keep(rig, THING_FAULT_QUEUE, queue);
	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_NEST_PARENT));
	OK(libiommu_hwpt_config_set_fault_queue(config, queue));
	/* The kernel's, and not the driver's, to refuse: no driver has the two together. */
	FAILS(EOPNOTSUPP, libiommu_hwpt_alloc(n.dev, rig->ioas, config, &none));
	assert_null(none);
	libiommu_hwpt_config_free(config);
	/* Its children can have one. */
	OK(libiommu_hwpt_config_set_fault_queue(n.config, queue));
	nest_table(&n);
	FAILS(EBUSY, libiommu_fault_queue_destroy(queue));
	nest_end(&n);
}

static void invalidation(struct rig *rig)
{
	struct mock_hwpt_entry entries[] = {{0, 0}, {0, 2}, {2, 0}, {0, 3}};
	struct nest n = nest_begin(rig);
	struct libiommu_hwpt *const table = nest_table(&n);
	const size_t size = sizeof(entries[0]);
	size_t done = 99;
	int error;

	/* Asks for the type only. */
	OK(libiommu_hwpt_invalidate(table, MOCK_INVALIDATE, NULL, size, 0, &done));
	assert_int_equal(done, 0);
	FAILS(EINVAL, libiommu_hwpt_invalidate(table, 0, NULL, size, 0, &done));
	FAILS(EINVAL,
	      libiommu_hwpt_invalidate(table, MOCK_INVALIDATE - 1, entries, size, 1, &done));
	/* The third one has a flag that nobody knows. */
	FAILS(EOPNOTSUPP,
	      libiommu_hwpt_invalidate(table, MOCK_INVALIDATE, entries, size, 4, &done));
	assert_int_equal(done, 2);
	nest_check_iotlb(&n, table, "0101");
	/* No such value, after one that is. */
	entries[1].index = MOCK_CACHES;
	entries[0].index = 3;
	FAILS(EINVAL, libiommu_hwpt_invalidate(table, MOCK_INVALIDATE, entries, size, 2, &done));
	assert_int_equal(done, 1);
	nest_check_iotlb(&n, table, "0100");
	entries[0].flags = MOCK_ALL;
	OK(libiommu_hwpt_invalidate(table, MOCK_INVALIDATE, entries, size, 1, &done));
	assert_int_equal(done, 1);
	nest_check_iotlb(&n, table, "0000");
	/* What is not nested has nothing to invalidate; old kernels do not find it. */
	error = libiommu_hwpt_invalidate(n.parent, MOCK_INVALIDATE, entries, size, 1, &done);
	assert_true(error == -EINVAL || error == -ENOENT);
	assert_int_equal(done, 0);
	nest_end(&n);
}

/* Longer or shorter than the driver knows them: an entry is the driver's own, and not extended. */
static void entries_of_other_lengths(struct rig *rig)
{
	struct {
		struct mock_hwpt_entry known;
		uint64_t newer;
	} entries[2] = {{.known = {0, 0}}, {.known = {0, 1}}};
	struct nest n = nest_begin(rig);
	struct libiommu_hwpt *const table = nest_table(&n);
	size_t done = 99;

	FAILS(EINVAL, libiommu_hwpt_invalidate(table, MOCK_INVALIDATE, entries, sizeof(entries[0]),
	                                       2, &done));
	assert_int_equal(done, 0);
	FAILS(EINVAL, libiommu_hwpt_invalidate(table, MOCK_INVALIDATE, entries, 4, 1, &done));
	assert_int_equal(done, 0);
	nest_check_iotlb(&n, table, "1111");
	nest_end(&n);
}

static int invalidate_raw(struct nest *n, const struct libiommu_hwpt *table, const void *entries,
                          uint32_t length, uint32_t *count)
{
	struct uapi_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt_id(table),
		.data_uptr = (uintptr_t)entries,
		.data_type = MOCK_INVALIDATE,
		.entry_len = length,
		.entry_num = *count,
	};
	const int error = world_ioctl(n->rig->world, UAPI_IOC_HWPT_INVALIDATE, &cmd);

	*count = cmd.entry_num;
	return error;
}

/* How much one call takes; more than that the library makes several of. */
static void bounds(struct rig *rig)
{
	enum { MOST = 1 << 19 };
	const uint32_t size = sizeof(struct mock_hwpt_entry);
	const struct {
		uint32_t length, count;
	} wrong[] = {{0, 1}, {4097, 1}, {size, MOST + 1}};
	struct nest n = nest_begin(rig);
	struct libiommu_hwpt *const table = nest_table(&n);
	void *const entries = calloc(MOST + 5, size);
	uint32_t count = MOST;
	size_t done = 99;

	assert_non_null(entries);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		uint32_t told = wrong[i].count;

		RAW(-EINVAL, invalidate_raw(&n, table, entries, wrong[i].length, &told));
		assert_int_equal(told, 0);
	}
	nest_check_iotlb(&n, table, "1111");
	RAW(0, invalidate_raw(&n, table, entries, size, &count));
	assert_int_equal(count, MOST);
	nest_check_iotlb(&n, table, "0111");
	OK(libiommu_hwpt_invalidate(table, MOCK_INVALIDATE, entries, size, MOST + 5, &done));
	assert_int_equal(done, MOST + 5);
	FAILS(EINVAL, libiommu_hwpt_invalidate(table, MOCK_INVALIDATE, entries, 4097, 1, &done));
	EXPLAINED("1 to 4096 bytes");
	free(entries);
	nest_end(&n);
}

static const struct behaviour behaviours[] = {
	{PROVES("they stand on parents", stand_on_parents)},
	{PROVES("and not on each other", do_not_stand_on_each_other)},
	{PROVES("two devices share one", two_devices)},
	{PROVES("page requests are for children, not for parents", fault_queues)},
	{PROVES("invalidated entry by entry, up to the first that is wrong", invalidation)},
	{PROVES("no more than 2^19 entries in a call, of 4096 bytes", bounds)},
	{PROVES("entries of another length are refused", entries_of_other_lengths)},
};

THEME(nesting, "nested page tables");

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* vIOMMUs, the devices' numbers on them, and queues that hardware reads. */
#include "nest.h"

#include <string.h>

static void stand_on_parents(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	struct libiommu_viommu *const other = nest_viommu(&n);
	struct libiommu_hwpt *const table = nest_viommu_table(&n, viommu);
	struct libiommu_viommu *none = NULL;
	struct libiommu_hwpt *plain;
	size_t length = 9;

	nest_check_iotlb(&n, table, "1111");
	FAILS(EBUSY, libiommu_viommu_destroy(viommu));
	OK(rig_end(rig, table));
	FAILS(EBUSY, libiommu_hwpt_destroy(n.parent));
	OK(libiommu_viommu_data(other, NULL, 0, &length));
	assert_int_equal(length, 0);
	OK(rig_end(rig, other));
	OK(rig_end(rig, viommu));
	plain = rig_table(rig, n.dev, rig->ioas, 0);
	FAILS(EINVAL, libiommu_viommu_alloc(n.dev, plain, MOCK_VIOMMU, NULL, &none));
	FAILS(EOPNOTSUPP,
	      libiommu_viommu_alloc(n.dev, n.parent, LIBIOMMU_VIOMMU_DEFAULT, NULL, &none));
	FAILS(EOPNOTSUPP,
	      libiommu_viommu_alloc(n.dev, n.parent, LIBIOMMU_VIOMMU_SMMUV3, NULL, &none));
	FAILS(EOPNOTSUPP,
	      libiommu_viommu_alloc(n.dev, n.parent, LIBIOMMU_VIOMMU_TEGRA241_CMDQV, NULL, &none));
	assert_null(none);
	nest_end(&n);
}

/* What goes in comes out; and a page to map, of which neither more nor less is mapped. */
static void data_and_memory(struct rig *rig)
{
	struct mock_viommu_data data = {.in = 0x5eed};
	struct nest n = nest_begin(rig);
	struct libiommu_viommu_config *config;
	struct libiommu_viommu_map *map, *none = NULL;
	struct libiommu_viommu *viommu;
	size_t length;

	OK(libiommu_viommu_config_new(&config));
	OK(libiommu_viommu_config_set_data(config, &data, sizeof(data)));
	OK(libiommu_viommu_alloc(n.dev, n.parent, MOCK_VIOMMU, config, &viommu));
	rig_keep(rig, THING_VIOMMU, viommu);
	libiommu_viommu_config_free(config);
	memset(&data, 0, sizeof(data));
	OK(libiommu_viommu_data(viommu, &data, sizeof(data), &length));
	assert_int_equal(length, sizeof(data));
	assert_int_equal(data.out, 0x5eed);
	FAILS(ENXIO, libiommu_viommu_map(viommu, data.offset, data.length / 2, &none));
	FAILS(ENXIO, libiommu_viommu_map(viommu, data.offset, data.length * 2, &none));
	FAILS(ENXIO,
	      libiommu_viommu_map(viommu, data.offset + data.length * 64, data.length, &none));
	assert_null(none);
	OK(libiommu_viommu_map(viommu, data.offset, data.length, &map));
	assert_int_equal(*(volatile uint32_t *)libiommu_viommu_map_address(map), 0x5eed);
	FAILS(EBUSY, libiommu_viommu_destroy(viommu));
	OK(libiommu_viommu_map_destroy(map));
	nest_end(&n);
}

static void fault_queues(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	struct libiommu_fault_queue *queue;
	struct libiommu_fault_batch *batch;
	struct libiommu_hwpt *table;

	OK(libiommu_fault_queue_alloc(rig->ctx, &queue));
	rig_keep(rig, THING_FAULT_QUEUE, queue);
	OK(libiommu_hwpt_config_set_fault_queue(n.config, queue));
	table = nest_viommu_table(&n, viommu);
	FAILS(EBUSY, libiommu_fault_queue_destroy(queue));
	nest_vdevice(&n, viommu, n.dev, 0x18);
	OK(libiommu_device_attach_hwpt(n.dev, table));
	RAW(0, world_fault(rig->world, n.dev, 0, 1, LIBIOMMU_FAULT_READ, 0x7000));
	assert_int_equal(libiommu_fault_queue_wait(queue, 10000), 1);
	OK(libiommu_fault_batch_new(0, &batch));
	assert_int_equal(libiommu_fault_queue_read(queue, batch), 1);
	assert_int_equal(libiommu_fault_batch_get(batch, 0)->address, 0x7000);
	assert_int_equal(libiommu_fault_batch_get(batch, 0)->permissions, LIBIOMMU_FAULT_READ);
	libiommu_fault_batch_free(batch);
	OK(libiommu_device_detach(n.dev));
	nest_end(&n);
}

static void numbers_of_devices(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_device *const other = rig_device(rig, 2, 0);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	struct libiommu_viommu *const second = nest_viommu(&n);
	struct libiommu_vdevice *const vdev = nest_vdevice(&n, viommu, n.dev, 0x18);
	struct libiommu_vdevice *none = NULL;
	uint64_t found;

	FAILS(EEXIST, libiommu_vdevice_alloc(viommu, n.dev, 0x19, &none));
	FAILS(EEXIST, libiommu_vdevice_alloc(second, n.dev, 0x19, &none));
	FAILS(EEXIST, libiommu_vdevice_alloc(viommu, other, 0x18, &none));
	assert_null(none);
	nest_vdevice(&n, viommu, other, 0x19);
	OK(libiommu_vdevice_find_label(viommu, 0x19, &found));
	assert_int_equal(found, 2);
	OK(libiommu_vdevice_find_virt_id(viommu, 1, &found));
	assert_int_equal(found, 0x18);
	FAILS(EBUSY, libiommu_viommu_destroy(viommu));
	FAILS(EBUSY, libiommu_device_destroy(other));
	/* The number is free again at once, for the device and on the vIOMMU. */
	OK(rig_end(rig, vdev));
	nest_vdevice(&n, second, n.dev, 0x18);
	nest_end(&n);
}

/* The host takes a device: what the kernel would keep until the context closes goes with it. */
static void revoked_device(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_device *const other = rig_device(rig, 2, 0);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	struct libiommu_vdevice *const vdev = nest_vdevice(&n, viommu, other, 0x19);

	OK(libiommu_device_revoke(other));
	OK(rig_end(rig, vdev));
	OK(rig_end(rig, other));
	nest_vdevice(&n, viommu, n.dev, 0x19);
	nest_end(&n);
}

static void invalidation(struct rig *rig)
{
	struct mock_viommu_entry entries[] = {{0, 0x18, 1}, {0, 0x19, 2}, {0, 0x18, 3}};
	struct nest n = nest_begin(rig);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	const size_t size = sizeof(entries[0]);
	size_t done = 99;

	nest_vdevice(&n, viommu, n.dev, 0x18);
	nest_check_cache(&n, n.dev, "1111");
	OK(libiommu_viommu_invalidate(viommu, MOCK_INVALIDATE, NULL, size, 0, &done));
	OK(libiommu_viommu_invalidate(viommu, MOCK_INVALIDATE, entries, size, 1, &done));
	assert_int_equal(done, 1);
	nest_check_cache(&n, n.dev, "1011");
	/* The second names nobody. */
	entries[0].index = 0;
	FAILS(EINVAL, libiommu_viommu_invalidate(viommu, MOCK_INVALIDATE, entries, size, 3, &done));
	assert_int_equal(done, 1);
	nest_check_cache(&n, n.dev, "0011");
	/* A flag, and a value, that nobody knows. */
	entries[0].flags = 2;
	FAILS(EOPNOTSUPP,
	      libiommu_viommu_invalidate(viommu, MOCK_INVALIDATE, entries, size, 1, &done));
	entries[0].flags = 0;
	entries[0].index = MOCK_CACHES;
	FAILS(EINVAL, libiommu_viommu_invalidate(viommu, MOCK_INVALIDATE, entries, size, 1, &done));
	assert_int_equal(done, 0);
	FAILS(EINVAL, libiommu_viommu_invalidate(viommu, 0, entries, size, 1, &done));
	entries[0].flags = MOCK_ALL;
	entries[0].index = 0;
	OK(libiommu_viommu_invalidate(viommu, MOCK_INVALIDATE, entries, size, 1, &done));
	nest_check_cache(&n, n.dev, "0000");
	nest_end(&n);
}

/* This is no SMMUv3, and the kernel says so. */
static void commands_of_another(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	struct libiommu_smmuv3_batch *batch;

	OK(libiommu_smmuv3_batch_new(viommu, &batch));
	OK(libiommu_smmuv3_batch_add(batch, 0x10, 0));
	FAILS(EINVAL, libiommu_smmuv3_batch_flush(batch));
	assert_int_equal(libiommu_smmuv3_batch_done(batch), 0);
	libiommu_smmuv3_batch_free(batch);
	nest_end(&n);
}

static int queue(struct libiommu_viommu *viommu, uint32_t index, uint64_t iova, uint64_t length,
                 struct libiommu_hw_queue **made)
{
	return libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, index, iova, length, made);
}

static void hardware_queues(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	struct libiommu_hw_queue *first, *second, *none = NULL;
	const uint64_t iova = MOCK_APERTURE + 0x10000;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, 2 * PAGE, VM_READ_WRITE, iova));
	FAILS(EOPNOTSUPP,
	      libiommu_hw_queue_alloc(viommu, LIBIOMMU_HW_QUEUE_DEFAULT, 0, iova, PAGE, &none));
	FAILS(EOPNOTSUPP, libiommu_hw_queue_alloc(viommu, LIBIOMMU_HW_QUEUE_TEGRA241_CMDQV, 0, iova,
	                                          PAGE, &none));
	FAILS(EINVAL, queue(viommu, 0, iova, 0, &none));
	FAILS(EOVERFLOW, queue(viommu, 0, UINT64_MAX, PAGE, &none));
	FAILS(ENOENT, queue(viommu, 0, iova + 0x100000, PAGE, &none));
	FAILS(EIO, queue(viommu, 1, iova, PAGE, &none));
	OK(queue(viommu, 0, iova, PAGE, &first));
	rig_keep(rig, THING_HW_QUEUE, first);
	FAILS(EEXIST, queue(viommu, 0, iova, PAGE, &none));
	OK(queue(viommu, 1, iova, PAGE, &second));
	rig_keep(rig, THING_HW_QUEUE, second);
	FAILS(EINVAL, queue(viommu, MOCK_HW_QUEUES, iova, PAGE, &none));
	assert_null(none);
	/* From the last to the first; the memory stays meanwhile. */
	FAILS(EBUSY, libiommu_hw_queue_destroy(first));
	FAILS(EBUSY, libiommu_ioas_unmap(rig->ioas, iova, 2 * PAGE));
	OK(rig_end(rig, second));
	FAILS(EBUSY, libiommu_viommu_destroy(viommu));
	OK(rig_end(rig, first));
	OK(libiommu_ioas_unmap(rig->ioas, iova, 2 * PAGE));
	nest_end(&n);
}

static const struct behaviour behaviours[] = {
	{PROVES("they stand on parents", stand_on_parents), .needs = WORLD_VIOMMUS},
	{PROVES("data go in and out, and memory is mapped", data_and_memory),
         .needs = WORLD_HW_QUEUES},
	{PROVES("page requests come through their page tables", fault_queues),
         .needs = WORLD_VIOMMUS},
	{PROVES("a device has one number, and a number one device", numbers_of_devices),
         .needs = WORLD_VIOMMUS},
	{PROVES("a device that is revoked frees its number", revoked_device),
         .needs = WORLD_VIOMMUS},
	{PROVES("invalidated entry by entry, up to the first that is wrong", invalidation),
         .needs = WORLD_VIOMMUS},
	{PROVES("commands of another IOMMU are refused", commands_of_another),
         .needs = WORLD_VIOMMUS},
	{PROVES("hardware queues hold their memory, and each other", hardware_queues),
         .needs = WORLD_HW_QUEUES},
};

THEME(viommus, "vIOMMUs");

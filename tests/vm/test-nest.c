/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Nesting on the kernel's test driver: what the library says it has done, the driver has seen. */
#include <poll.h>
#include <sys/mman.h>
#include <time.h>

#include "mock-nest.h"
#include "vm.h"

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas;
static struct libiommu_hwpt *parent;
static struct libiommu_hwpt_config *config; /* of nested page tables */
static struct mock_vtd vtd;

static int setup(void **state)
{
	const struct mock_hwpt_data data = {.value = MOCK_CACHED};

	(void)state;
	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, 1, true);
	OK(libiommu_ioas_alloc(ctx, &ioas));
	parent = mock_hwpt_with(dev, ioas, LIBIOMMU_HWPT_NEST_PARENT | LIBIOMMU_HWPT_PASID, NULL);
	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_data(config, MOCK_HWPT_DATA, &data, sizeof(data)));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	libiommu_hwpt_config_free(config);
	OK(libiommu_device_destroy(dev));
	OK(libiommu_hwpt_destroy(parent));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ctx_destroy(ctx));
	return 0;
}

static void assert_cached(const struct libiommu_hwpt *hwpt, const char *which)
{
	for (uint32_t i = 0; i < MOCK_CACHES; i++)
		vm_expect(mock_check_iotlb(ctx, hwpt, i, which[i] == '1' ? MOCK_CACHED : 0), 0,
		          which, __FILE__, __LINE__);
}

static void test_nested(void **state)
{
	struct libiommu_hwpt *one, *two, *plain, *none = NULL;

	(void)state;
	OK(libiommu_hwpt_alloc_nested(dev, parent, config, &one));
	OK(libiommu_hwpt_alloc_nested(dev, parent, config, &two));
	assert_cached(one, "1111");
	OK(libiommu_device_attach_hwpt(dev, one));
	OK(libiommu_device_replace_hwpt(dev, two));
	FAILS(EBUSY, libiommu_hwpt_destroy(parent));
	FAILS(EBUSY, libiommu_hwpt_destroy(two));
	OK(libiommu_hwpt_destroy(one));
	OK(libiommu_device_detach(dev));
	OK(libiommu_hwpt_destroy(two));
	/* No parent; no data; data of another IOMMU. */
	plain = mock_hwpt_with(dev, ioas, 0, NULL);
	FAILS(EINVAL, libiommu_hwpt_alloc_nested(dev, plain, config, &none));
	OK(libiommu_hwpt_destroy(plain));
	FAILS(EOPNOTSUPP, libiommu_hwpt_alloc_nested(dev, parent, NULL, &none));
	OK(libiommu_hwpt_config_set_vtd_s1(config, 0, 48, 0));
	FAILS(EOPNOTSUPP, libiommu_hwpt_alloc_nested(dev, parent, config, &none));
	assert_null(none);
}

/* The kernel's, and not the driver's, to refuse: no driver has the two together. */
static void test_parent_without_faults(void **state)
{
	struct libiommu_hwpt_config *choices;
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *hwpt = NULL;

	(void)state;
	OK(libiommu_fault_queue_alloc(ctx, &queue));
	OK(libiommu_hwpt_config_new(&choices));
	OK(libiommu_hwpt_config_set_flags(choices, LIBIOMMU_HWPT_NEST_PARENT));
	OK(libiommu_hwpt_config_set_fault_queue(choices, queue));
	FAILS(EOPNOTSUPP, libiommu_hwpt_alloc(dev, ioas, choices, &hwpt));
	assert_null(hwpt);
	/* Its children can have one. */
	OK(libiommu_hwpt_config_set_fault_queue(config, queue));
	OK(libiommu_hwpt_alloc_nested(dev, parent, config, &hwpt));
	OK(libiommu_hwpt_destroy(hwpt));
	libiommu_hwpt_config_free(choices);
	OK(libiommu_fault_queue_destroy(queue));
}

static uint64_t tag_of_next(struct libiommu_fault_queue *queue, struct libiommu_fault_batch *batch,
                            uint64_t address)
{
	struct libiommu_fault_response response = {.code = LIBIOMMU_FAULT_SUCCESS};
	const struct libiommu_record *fault;
	size_t stale = 99;

	assert_int_equal(libiommu_fault_queue_wait(queue, 10000), 1);
	assert_int_equal(libiommu_fault_queue_read(queue, batch), 1);
	fault = libiommu_fault_batch_get(batch, 0);
	assert_int_equal(fault->vpasid, 9);
	assert_int_equal(fault->address, address);
	response.token = fault->token;
	assert_int_equal(libiommu_fault_queue_respond(queue, &response, 1, &stale), 1);
	assert_int_equal(stale, 0);
	return fault->tag;
}

/* They come through the nested page table of the device itself, and stay its own. */
static void test_faults_of_a_pasid_before_it_is_attached(void **state)
{
	struct libiommu_hwpt *nested, *table;
	struct libiommu_fault_batch *batch;
	struct libiommu_fault_queue *queue;
	uint32_t pasid;

	(void)state;
	OK(libiommu_fault_queue_alloc(ctx, &queue));
	OK(libiommu_fault_batch_new(1, &batch));
	OK(libiommu_hwpt_config_set_fault_queue(config, queue));
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_PASID));
	OK(libiommu_hwpt_alloc_nested(dev, parent, config, &nested));
	table = mock_hwpt(dev, ioas, queue);
	OK(libiommu_device_set_tag(dev, 70));
	OK(libiommu_device_attach_hwpt(dev, nested));
	OK(mock_fault(mock, dev, 9, 1, LIBIOMMU_FAULT_READ, 0x1000));
	assert_int_equal(libiommu_fault_queue_wait(queue, 10000), 1);
	OK(libiommu_pasid_attach(dev, 9, table, 79, &pasid));
	OK(mock_fault(mock, dev, 9, 1, LIBIOMMU_FAULT_READ, 0x2000));
	assert_int_equal(tag_of_next(queue, batch, 0x1000), 70);
	assert_int_equal(tag_of_next(queue, batch, 0x2000), 79);
	OK(libiommu_pasid_detach(dev, 9));
	OK(mock_fault(mock, dev, 9, 1, LIBIOMMU_FAULT_READ, 0x3000));
	assert_int_equal(tag_of_next(queue, batch, 0x3000), 70);
	OK(libiommu_device_detach(dev));
	OK(libiommu_hwpt_destroy(nested));
	OK(libiommu_hwpt_destroy(table));
	OK(libiommu_fault_queue_destroy(queue));
	libiommu_fault_batch_free(batch);
}

static void test_invalidate(void **state)
{
	struct mock_hwpt_entry entries[] = {{0, 0}, {0, 2}, {2, 0}, {0, 3}};
	struct libiommu_hwpt *hwpt;
	size_t done = 99;

	(void)state;
	OK(libiommu_hwpt_alloc_nested(dev, parent, config, &hwpt));
	/* Asks for the type only. */
	OK(libiommu_hwpt_invalidate(hwpt, MOCK_INVALIDATE, NULL, sizeof(entries[0]), 0, &done));
	assert_int_equal(done, 0);
	FAILS(EINVAL, libiommu_hwpt_invalidate(hwpt, 0, NULL, sizeof(entries[0]), 0, &done));
	/* The third one has a flag that nobody knows. */
	FAILS(EOPNOTSUPP, libiommu_hwpt_invalidate(hwpt, MOCK_INVALIDATE, entries,
	                                           sizeof(entries[0]), 4, &done));
	assert_int_equal(done, 2);
	assert_cached(hwpt, "0101");
	/* No such value, after one that is. */
	entries[1].index = MOCK_CACHES;
	entries[0].index = 3;
	FAILS(EINVAL, libiommu_hwpt_invalidate(hwpt, MOCK_INVALIDATE, entries, sizeof(entries[0]),
	                                       2, &done));
	assert_int_equal(done, 1);
	assert_cached(hwpt, "0100");
	entries[0].flags = MOCK_ALL;
	OK(libiommu_hwpt_invalidate(hwpt, MOCK_INVALIDATE, entries, sizeof(entries[0]), 1, &done));
	assert_int_equal(done, 1);
	assert_cached(hwpt, "0000");
	OK(libiommu_hwpt_destroy(hwpt));
	/* What is not nested has nothing to invalidate. */
	FAILS(EINVAL, libiommu_hwpt_invalidate(parent, MOCK_INVALIDATE, entries, sizeof(entries[0]),
	                                       1, &done));
	assert_int_equal(done, 0);
}

static struct libiommu_hwpt *nested_vtd(void)
{
	struct libiommu_hwpt_config *choices;
	struct libiommu_hwpt *hwpt;

	OK(libiommu_hwpt_config_new(&choices));
	OK(libiommu_hwpt_config_set_flags(choices, LIBIOMMU_HWPT_PASID));
	OK(libiommu_hwpt_config_set_vtd_s1(choices, 0, 48, 0));
	OK(libiommu_hwpt_alloc_nested(dev, parent, choices, &hwpt));
	libiommu_hwpt_config_free(choices);
	return hwpt;
}

#define PAGE(number) ((uint64_t)(number) << 12)

static void test_vtd_batch(void **state)
{
	struct libiommu_device *const other = mock_device(mock, ctx, 2, true);
	struct libiommu_vtd_batch *batch;
	struct libiommu_hwpt *own, *at_five, *at_nine;
	uint32_t pasid;
	uint64_t cookie;

	(void)state;
	mock_be_vtd(mock, &vtd);
	own = nested_vtd();
	at_five = nested_vtd();
	at_nine = nested_vtd();
	OK(libiommu_device_attach_hwpt(dev, own));
	OK(libiommu_device_attach_hwpt(other, own));
	OK(libiommu_pasid_attach(dev, 5, at_five, 0, &pasid));
	OK(libiommu_pasid_attach(other, 5, at_nine, 0, &pasid));
	OK(libiommu_pasid_attach(dev, 9, at_nine, 0, &pasid));
	OK(libiommu_vtd_batch_new(ctx, &batch));
	vtd = (struct mock_vtd){0};
	OK(libiommu_vtd_batch_add(batch, dev, 5, PAGE(1), 1, 0, 0));
	OK(libiommu_vtd_batch_add(batch, dev, 0, PAGE(2), 1, 0, 1));
	OK(libiommu_vtd_batch_add(batch, other, 5, PAGE(3), 1, 0, 2));
	OK(libiommu_vtd_batch_add(batch, dev, 9, PAGE(0), 1, 0, 3));
	OK(libiommu_vtd_batch_add(batch, other, 0, PAGE(2), 1, 0, 4));
	FAILS(ENOENT, libiommu_vtd_batch_add(batch, other, 9, 0, 1, 0, 5));
	OK(libiommu_vtd_batch_submit(batch));
	assert_int_equal(vtd.calls, 3);
	assert_int_equal(vtd.entries, 4);
	assert_cached(own, "1101");
	assert_cached(at_five, "1011");
	assert_cached(at_nine, "0110");
	/* A value that is not there, between two that are, and another page table. */
	OK(libiommu_vtd_batch_add(batch, dev, 0, PAGE(7), 1, 0, 10));
	OK(libiommu_vtd_batch_add(batch, dev, 0, PAGE(9), 1, 0, 11));
	OK(libiommu_vtd_batch_add(batch, dev, 0, PAGE(0), 1, 0, 12));
	OK(libiommu_vtd_batch_add(batch, dev, 5, 0, UINT64_MAX, 0, 13));
	FAILS(EINVAL, libiommu_vtd_batch_submit(batch));
	assert_cached(own, "0101");
	assert_cached(at_five, "0000");
	assert_int_equal(libiommu_vtd_batch_count(batch), 2);
	OK(libiommu_vtd_batch_cookie(batch, 0, &cookie));
	assert_int_equal(cookie, 10);
	OK(libiommu_vtd_batch_cookie(batch, 1, &cookie));
	assert_int_equal(cookie, 11);
	libiommu_vtd_batch_free(batch);
	OK(libiommu_device_destroy(other));
	OK(libiommu_device_revoke(dev));
	OK(libiommu_hwpt_destroy(own));
	OK(libiommu_hwpt_destroy(at_five));
	OK(libiommu_hwpt_destroy(at_nine));
	mock_be_vtd(mock, NULL);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* The figure: 10,000 requests for eight address spaces, collected, and one by one. */
static void test_calls_for_ten_thousand(void **state)
{
	struct libiommu_hwpt *tables[8], *own;
	const uint64_t requests = 10000;
	struct libiommu_vtd_batch *batch;
	uint64_t begin, together, single;
	uint32_t pasid;

	(void)state;
	mock_be_vtd(mock, &vtd);
	own = nested_vtd();
	OK(libiommu_device_attach_hwpt(dev, own));
	for (uint32_t i = 0; i < 8; i++) {
		tables[i] = nested_vtd();
		OK(libiommu_pasid_attach(dev, i + 1, tables[i], 0, &pasid));
	}
	OK(libiommu_vtd_batch_new(ctx, &batch));
	vtd = (struct mock_vtd){0};
	begin = now();
	for (uint64_t i = 0; i < requests; i++)
		OK(libiommu_vtd_batch_add(batch, dev, 1 + (uint32_t)i % 8, PAGE(i / 8 % 2 * 2), 1,
		                          LIBIOMMU_INVALIDATE_LEAF, i));
	OK(libiommu_vtd_batch_submit(batch));
	together = now() - begin;
	assert_int_equal(vtd.calls, 8);
	for (size_t i = 0; i < 8; i++)
		assert_cached(tables[i], "0101");
	begin = now();
	for (uint64_t i = 0; i < requests; i++) {
		OK(libiommu_vtd_batch_add(batch, dev, 1 + (uint32_t)i % 8, PAGE(i / 8 % 2 * 2), 1,
		                          LIBIOMMU_INVALIDATE_LEAF, i));
		OK(libiommu_vtd_batch_submit(batch));
	}
	single = now() - begin;
	assert_int_equal(vtd.calls, 8 + requests);
	print_message("# 10000 requests for 8 page tables: 8 calls, %llu us; one by one 10000 "
	              "calls, %llu us\n",
	              (unsigned long long)together, (unsigned long long)single);
	libiommu_vtd_batch_free(batch);
	OK(libiommu_device_revoke(dev));
	OK(libiommu_hwpt_destroy(own));
	for (size_t i = 0; i < 8; i++)
		OK(libiommu_hwpt_destroy(tables[i]));
	mock_be_vtd(mock, NULL);
}

static struct libiommu_viommu *viommu_with(uint32_t value)
{
	const struct mock_viommu_data data = {.in = value};
	struct libiommu_viommu_config *choices;
	struct libiommu_viommu *viommu;

	OK(libiommu_viommu_config_new(&choices));
	OK(libiommu_viommu_config_set_data(choices, &data, sizeof(data)));
	OK(libiommu_viommu_alloc(dev, parent, MOCK_VIOMMU, choices, &viommu));
	libiommu_viommu_config_free(choices);
	return viommu;
}

static void test_viommu(void **state)
{
	struct libiommu_viommu *const viommu = viommu_with(0x5eed);
	struct libiommu_viommu_map *map, *none = NULL;
	struct mock_viommu_data data = {0};
	struct libiommu_viommu *other;
	struct libiommu_hwpt *hwpt;
	size_t length;

	(void)state;
	OK(libiommu_viommu_data(viommu, &data, sizeof(data), &length));
	assert_int_equal(length, sizeof(data));
	assert_int_equal(data.out, 0x5eed);
	/* Neither more nor less, and nowhere else. */
	FAILS(ENXIO, libiommu_viommu_map(viommu, data.offset, data.length / 2, &none));
	FAILS(ENXIO, libiommu_viommu_map(viommu, data.offset, data.length * 2, &none));
	FAILS(ENXIO,
	      libiommu_viommu_map(viommu, data.offset + data.length * 64, data.length, &none));
	assert_null(none);
	OK(libiommu_viommu_map(viommu, data.offset, data.length, &map));
	assert_int_equal(*(volatile uint32_t *)libiommu_viommu_map_address(map), 0x5eed);
	FAILS(EBUSY, libiommu_viommu_destroy(viommu));
	OK(libiommu_viommu_map_destroy(map));
	OK(libiommu_hwpt_alloc_viommu(dev, viommu, config, &hwpt));
	assert_cached(hwpt, "1111");
	FAILS(EBUSY, libiommu_viommu_destroy(viommu));
	OK(libiommu_hwpt_destroy(hwpt));
	FAILS(EBUSY, libiommu_hwpt_destroy(parent));
	/* Another one beside it, without data. */
	OK(libiommu_viommu_alloc(dev, parent, MOCK_VIOMMU, NULL, &other));
	OK(libiommu_viommu_data(other, NULL, 0, &length));
	assert_int_equal(length, 0);
	OK(libiommu_viommu_destroy(other));
	OK(libiommu_viommu_destroy(viommu));
	hwpt = mock_hwpt_with(dev, ioas, 0, NULL);
	FAILS(EINVAL, libiommu_viommu_alloc(dev, hwpt, MOCK_VIOMMU, NULL, &other));
	OK(libiommu_hwpt_destroy(hwpt));
	FAILS(EOPNOTSUPP, libiommu_viommu_alloc(dev, parent, 0, NULL, &other));
	FAILS(EOPNOTSUPP, libiommu_viommu_alloc(dev, parent, LIBIOMMU_VIOMMU_SMMUV3, NULL, &other));
}

static void assert_dev_cached(const struct libiommu_device *which, const char *values)
{
	for (uint32_t i = 0; i < MOCK_CACHES; i++)
		vm_expect(mock_check_cache(ctx, which, i, values[i] == '1' ? MOCK_DEV_CACHED : 0),
		          0, values, __FILE__, __LINE__);
}

static void test_vdevice(void **state)
{
	struct libiommu_device *const other = mock_device(mock, ctx, 2, false);
	struct libiommu_viommu *const viommu = viommu_with(1);
	struct libiommu_vdevice *vdev, *second, *none = NULL;
	uint64_t found;

	(void)state;
	OK(libiommu_vdevice_alloc(viommu, dev, 0x18, &vdev));
	FAILS(EEXIST, libiommu_vdevice_alloc(viommu, dev, 0x19, &none));
	FAILS(EEXIST, libiommu_vdevice_alloc(viommu, other, 0x18, &none));
	assert_null(none);
	OK(libiommu_vdevice_alloc(viommu, other, 0x19, &second));
	OK(libiommu_vdevice_find_label(viommu, 0x19, &found));
	assert_int_equal(found, 2);
	OK(libiommu_vdevice_find_virt_id(viommu, 1, &found));
	assert_int_equal(found, 0x18);
	FAILS(EBUSY, libiommu_viommu_destroy(viommu));
	FAILS(EBUSY, libiommu_device_destroy(other));
	/* The host takes a device: its number is free again at once. */
	OK(libiommu_device_revoke(other));
	OK(libiommu_vdevice_destroy(second));
	OK(libiommu_device_destroy(other));
	OK(libiommu_vdevice_destroy(vdev));
	OK(libiommu_vdevice_alloc(viommu, dev, 0x19, &vdev));
	OK(libiommu_vdevice_destroy(vdev));
	OK(libiommu_viommu_destroy(viommu));
}

static void test_viommu_invalidate(void **state)
{
	struct libiommu_viommu *const viommu = viommu_with(1);
	struct mock_viommu_entry entries[] = {{0, 0x18, 1}, {0, 0x19, 2}, {0, 0x18, 3}};
	struct libiommu_smmuv3_batch *batch;
	struct libiommu_vdevice *vdev;
	size_t done = 99;

	(void)state;
	OK(libiommu_vdevice_alloc(viommu, dev, 0x18, &vdev));
	assert_dev_cached(dev, "1111");
	OK(libiommu_viommu_invalidate(viommu, MOCK_INVALIDATE, NULL, sizeof(entries[0]), 0, &done));
	OK(libiommu_viommu_invalidate(viommu, MOCK_INVALIDATE, entries, sizeof(entries[0]), 1,
	                              &done));
	assert_int_equal(done, 1);
	assert_dev_cached(dev, "1011");
	/* The second names nobody. */
	entries[0].index = 0;
	FAILS(EINVAL, libiommu_viommu_invalidate(viommu, MOCK_INVALIDATE, entries,
	                                         sizeof(entries[0]), 3, &done));
	assert_int_equal(done, 1);
	assert_dev_cached(dev, "0011");
	entries[0].flags = MOCK_ALL;
	OK(libiommu_viommu_invalidate(viommu, MOCK_INVALIDATE, entries, sizeof(entries[0]), 1,
	                              &done));
	assert_dev_cached(dev, "0000");
	/* This is no SMMUv3, and the kernel says so. */
	OK(libiommu_smmuv3_batch_new(viommu, &batch));
	OK(libiommu_smmuv3_batch_add(batch, 0x10, 0));
	FAILS(EINVAL, libiommu_smmuv3_batch_flush(batch));
	assert_int_equal(libiommu_smmuv3_batch_done(batch), 0);
	libiommu_smmuv3_batch_free(batch);
	OK(libiommu_vdevice_destroy(vdev));
	OK(libiommu_viommu_destroy(viommu));
}

/* One page of memory at a place that the driver can map. */
static void *map_page(uint64_t iova)
{
	void *const memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
	                          MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	assert_true(memory != MAP_FAILED);
	OK(libiommu_ioas_map_fixed(ioas, memory, 8192, LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE,
	                           iova));
	return memory;
}

static void test_hw_queue(void **state)
{
	struct libiommu_viommu *const viommu = viommu_with(1);
	struct libiommu_hw_queue *first, *second, *none = NULL;
	const uint64_t iova = MOCK_APERTURE + 0x10000;
	void *const memory = map_page(iova);

	(void)state;
	FAILS(EOPNOTSUPP, libiommu_hw_queue_alloc(viommu, 0, 0, iova, 4096, &none));
	FAILS(EINVAL, libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 0, iova, 0, &none));
	FAILS(EOVERFLOW,
	      libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 0, UINT64_MAX, 4096, &none));
	FAILS(ENOENT,
	      libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 0, iova + 0x100000, 4096, &none));
	FAILS(EIO, libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 1, iova, 4096, &none));
	OK(libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 0, iova, 4096, &first));
	FAILS(EEXIST, libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 0, iova, 4096, &none));
	OK(libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 1, iova, 4096, &second));
	FAILS(EINVAL, libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 2, iova, 4096, &none));
	assert_null(none);
	/* From the last to the first; the memory stays meanwhile. */
	FAILS(EBUSY, libiommu_hw_queue_destroy(first));
	FAILS(EBUSY, libiommu_ioas_unmap(ioas, iova, 8192));
	OK(libiommu_hw_queue_destroy(second));
	FAILS(EBUSY, libiommu_viommu_destroy(viommu));
	OK(libiommu_hw_queue_destroy(first));
	OK(libiommu_ioas_unmap(ioas, iova, 8192));
	OK(libiommu_viommu_destroy(viommu));
	munmap(memory, 8192);
}

static void test_veventq(void **state)
{
	struct libiommu_viommu *const viommu = viommu_with(1);
	struct libiommu_veventq *queue, *none = NULL;
	const struct libiommu_vevent *event;
	struct libiommu_vevent_batch *batch;
	struct libiommu_vdevice *vdev;
	struct libiommu_hwpt *hwpt;
	struct pollfd ready = {.events = POLLIN};
	uint64_t lost = 99;

	(void)state;
	FAILS(EINVAL,
	      libiommu_veventq_alloc_raw(viommu, MOCK_VEVENTQ, 0, MOCK_EVENT_LENGTH, 0, 4, &none));
	FAILS(EOPNOTSUPP, libiommu_veventq_alloc_raw(viommu, 0, 3, MOCK_EVENT_LENGTH, 0, 4, &none));
	OK(libiommu_veventq_alloc_raw(viommu, MOCK_VEVENTQ, 3, MOCK_EVENT_LENGTH, 0, 4, &queue));
	FAILS(EEXIST,
	      libiommu_veventq_alloc_raw(viommu, MOCK_VEVENTQ, 3, MOCK_EVENT_LENGTH, 0, 4, &none));
	assert_null(none);
	OK(libiommu_vevent_batch_new(4, &batch));
	OK(libiommu_hwpt_alloc_viommu(dev, viommu, config, &hwpt));
	/* The driver wants the number before the page table. */
	FAILS(ENOENT, libiommu_device_attach_hwpt(dev, hwpt));
	OK(libiommu_vdevice_alloc(viommu, dev, 0x18, &vdev));
	OK(libiommu_device_attach_hwpt(dev, hwpt));
	OK(libiommu_veventq_read(queue, batch, &lost));
	assert_int_equal(lost, 0);
	ready.fd = libiommu_veventq_fd(queue);
	assert_int_equal(poll(&ready, 1, 0), 0);
	OK(mock_event(ctx, dev));
	OK(mock_event(ctx, dev));
	assert_int_equal(poll(&ready, 1, 0), 1);
	vm_expect(libiommu_veventq_read(queue, batch, &lost), 2, "read", __FILE__, __LINE__);
	assert_int_equal(lost, 0);
	event = libiommu_vevent_batch_get(batch, 1);
	assert_int_equal(event->virt_id, 0x18);
	assert_int_equal(event->label, 1);
	assert_int_equal(event->sequence, 1);
	assert_int_equal(event->flags, LIBIOMMU_VEVENT_DEVICE | LIBIOMMU_VEVENT_LABEL);
	/* Two more than it holds, and nothing after them. */
	for (int i = 0; i < 5; i++)
		OK(mock_event(ctx, dev));
	vm_expect(libiommu_veventq_read(queue, batch, &lost), 3, "read", __FILE__, __LINE__);
	assert_int_equal(lost, 2);
	assert_int_equal(libiommu_vevent_batch_get(batch, 2)->lost, 0);
	OK(mock_event(ctx, dev));
	vm_expect(libiommu_veventq_read(queue, batch, &lost), 1, "read", __FILE__, __LINE__);
	assert_int_equal(lost, 0);
	assert_int_equal(libiommu_vevent_batch_get(batch, 0)->lost, 2);
	assert_int_equal(libiommu_vevent_batch_get(batch, 0)->sequence, 7);
	/* A loss in the middle, where an event follows: told by the gap. */
	for (int i = 0; i < 4; i++)
		OK(mock_event(ctx, dev));
	libiommu_vevent_batch_free(batch);
	OK(libiommu_vevent_batch_new(1, &batch));
	vm_expect(libiommu_veventq_read(queue, batch, &lost), 1, "read", __FILE__, __LINE__);
	assert_int_equal(lost, 0);
	OK(mock_event(ctx, dev));
	libiommu_vevent_batch_free(batch);
	OK(libiommu_vevent_batch_new(9, &batch));
	vm_expect(libiommu_veventq_read(queue, batch, &lost), 3, "read", __FILE__, __LINE__);
	assert_int_equal(lost, 1);
	assert_int_equal(libiommu_vevent_batch_get(batch, 2)->lost, 1);
	assert_int_equal(libiommu_vevent_batch_get(batch, 2)->sequence, 12);
	libiommu_vevent_batch_free(batch);
	FAILS(EBUSY, libiommu_viommu_destroy(viommu));
	OK(libiommu_veventq_destroy(queue));
	OK(libiommu_device_detach(dev));
	OK(libiommu_vdevice_destroy(vdev));
	OK(libiommu_hwpt_destroy(hwpt));
	OK(libiommu_viommu_destroy(viommu));
}

#define NEST_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NEST_TEST(test_nested),
		NEST_TEST(test_parent_without_faults),
		NEST_TEST(test_faults_of_a_pasid_before_it_is_attached),
		NEST_TEST(test_invalidate),
		NEST_TEST(test_vtd_batch),
		NEST_TEST(test_calls_for_ten_thousand),
		NEST_TEST(test_viommu),
		NEST_TEST(test_vdevice),
		NEST_TEST(test_viommu_invalidate),
		NEST_TEST(test_hw_queue),
		NEST_TEST(test_veventq),
	};
	int failed;

	mock = mock_new();
	if (!mock)
		return 77;
	failed = cmocka_run_group_tests_name("nest", tests, NULL, NULL);
	mock_free(mock);
	return failed;
}

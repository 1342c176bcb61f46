/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* BARs mapped into the process, for as long as the device allows it. */
#include "alloc.h"
#include "pci-steps.h"

#include <string.h>
#include <sys/mman.h>

#include "../../lib/base/sys.h"

#define MAP "libiommu_pci_bar_map"
#define ALL (LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE)

/* Addresses that the script hands out; nobody touches what is there. */
static char memory[3];

static uint64_t page(void)
{
	return li_sys_page_size();
}

static int map_bar(uint64_t offset, uint64_t length, uint32_t flags, struct libiommu_bar_map **map)
{
	return libiommu_pci_bar_map(pci_dev, 0, offset, length, flags, map);
}

static int call_map(struct libiommu_device *dev)
{
	struct libiommu_bar_map *map = NULL;
	const int error = libiommu_pci_bar_map(dev, 0, 0, 0, ALL, &map);

	assert_null(map);
	return error;
}

static const struct pci_call calls[] = {{MAP, call_map, false}};

static void expect_mmap(uint64_t offset, size_t length, int prot, void *address, int result)
{
	EXPECT(MMAP, .fd = DEVICE_FD, .offset = AT(0, offset), .length = length, .prot = prot,
	       .flags = MAP_SHARED, .address = address, .result = result);
}

static uint64_t live_maps(void)
{
	uint64_t count = 99;

	assert_int_equal(libiommu_ctx_live(pci_ctx, LIBIOMMU_OBJECT_BAR_MAP, &count), 0);
	return count;
}

static struct libiommu_bar_map *map_whole(void *address)
{
	struct libiommu_bar_map *map;

	expect_find(0, RWM, 4 * page());
	expect_mmap(0, 4 * page(), PROT_READ | PROT_WRITE, address, 0);
	assert_int_equal(map_bar(0, 0, ALL, &map), 0);
	return map;
}

static void test_whole(void **state)
{
	struct libiommu_bar_map *const map = map_whole(memory);

	(void)state;
	assert_ptr_equal(libiommu_bar_map_address(map), memory);
	assert_int_equal(libiommu_bar_map_length(map), 4 * page());
	assert_int_equal(live_maps(), 1);
	EXPECT(MUNMAP, .address = memory, .length = 4 * page());
	assert_int_equal(libiommu_bar_map_destroy(map), 0);
	assert_int_equal(live_maps(), 0);
}

static void test_part(void **state)
{
	struct libiommu_bar_map *map;

	(void)state;
	expect_find(0, RWM, 4 * page());
	expect_mmap(page(), 100, PROT_READ, memory, 0);
	assert_int_equal(map_bar(page(), 100, LIBIOMMU_BAR_READ, &map), 0);
	assert_int_equal(libiommu_bar_map_length(map), 100);
	assert_int_equal(libiommu_bar_map_destroy(map), 0);
	expect_find(0, RWM, 4 * page());
	expect_mmap(3 * page(), page(), PROT_WRITE, memory, 0);
	assert_int_equal(map_bar(3 * page(), 0, LIBIOMMU_BAR_WRITE, &map), 0);
	assert_int_equal(libiommu_bar_map_length(map), page());
	assert_int_equal(libiommu_bar_map_destroy(map), 0);
	/* Smaller than a page, where the kernel allows it. */
	expect_find(0, RWM, 0x80);
	expect_mmap(0, 0x80, PROT_READ, memory, 0);
	assert_int_equal(map_bar(0, 0, LIBIOMMU_BAR_READ, &map), 0);
	assert_int_equal(libiommu_bar_map_destroy(map), 0);
}

static void test_areas(void **state)
{
	/* The second page is the driver's own. */
	const struct {
		struct uapi_vfio_region_info info;
		struct uapi_vfio_info_cap_header header;
		uint32_t count[2];
		struct uapi_vfio_region_sparse_mmap_area areas[2];
	} answer = {
		.info = {.argsz = sizeof(answer),
	                 .flags = RWMC,
	                 .cap_offset = sizeof(answer.info),
	                 .size = 4 * page(),
	                 .offset = AT(0, 0)},
		.header = {.id = UAPI_VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1},
		.count = {2},
		.areas = {{0, page()}, {2 * page(), 2 * page()}},
	};
	/* In pages. */
	const struct {
		uint64_t offset;
		uint64_t length;
		bool fits;
	} tries[] = {
		{0, 1, true},  {2, 2, true},  {3, 0, true},  {0, 2, false},
		{0, 0, false}, {1, 1, false}, {1, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct libiommu_bar_map *map = NULL;
		const uint64_t offset = tries[i].offset * page();
		const uint64_t length = tries[i].length * page();

		expect_is_pci();
		expect_describe(0, RWMC, 4 * page(), sizeof(answer));
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO,
		             IN(struct uapi_vfio_region_info, .argsz = sizeof(answer)),
		             OUT_BYTES(&answer, sizeof(answer)));
		if (tries[i].fits) {
			expect_mmap(offset, length ? length : page(), PROT_READ, memory, 0);
			assert_int_equal(map_bar(offset, length, LIBIOMMU_BAR_READ, &map), 0);
			assert_int_equal(libiommu_bar_map_destroy(map), 0);
			continue;
		}
		assert_int_equal(map_bar(offset, length, LIBIOMMU_BAR_READ, &map), -EOPNOTSUPP);
		assert_failure(-EOPNOTSUPP, LIBRARY, MAP);
		assert_explained("libiommu_pci_bar_area()");
		assert_null(map);
	}
}

static void test_cannot_be_mapped(void **state)
{
	(void)state;
	expect_find(0, RW, 4 * page());
	assert_int_equal(call_map(pci_dev), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, MAP);
	expect_is_pci();
	expect_describe(0, RWMC, 4 * page(), 40);
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO, .result = -EFAULT);
	assert_int_equal(call_map(pci_dev), -EFAULT);
	assert_failure(-EFAULT, KERNEL, MAP);
	assert_int_equal(live_maps(), 0);
}

static void test_range(void **state)
{
	const struct {
		uint64_t offset;
		uint64_t length;
	} bad[] = {
		{0, 4 * page() + 1}, {4 * page(), 0},       {4 * page(), 1},
		{5 * page(), 0},     {-page(), 2 * page()}, {page(), UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct libiommu_bar_map *map = NULL;

		expect_find(0, RWM, 4 * page());
		assert_int_equal(map_bar(bad[i].offset, bad[i].length, ALL, &map), -ERANGE);
		assert_failure(-ERANGE, LIBRARY, MAP);
		assert_null(map);
	}
	/* A BAR that the device does not have. */
	expect_find(0, 0, 0);
	assert_int_equal(call_map(pci_dev), -ERANGE);
}

/* 8 GiB are too much for a 32-bit process, and must not be cut; for others they are no matter. */
static void test_large(void **state)
{
	const uint64_t size = UINT64_C(1) << 33;
	struct libiommu_bar_map *map = NULL;

	(void)state;
	expect_find(0, RWM, size);
	if (size > SIZE_MAX) {
		assert_int_equal(map_bar(0, 0, ALL, &map), -ERANGE);
		assert_failure(-ERANGE, LIBRARY, MAP);
		assert_explained("longer than this process can address");
		return;
	}
	expect_mmap(0, (size_t)size, PROT_READ | PROT_WRITE, memory, 0);
	assert_int_equal(map_bar(0, 0, ALL, &map), 0);
	assert_int_equal(libiommu_bar_map_length(map), size);
	assert_int_equal(libiommu_bar_map_destroy(map), 0);
}

static void test_arguments(void **state)
{
	struct libiommu_bar_map *map = NULL;

	(void)state;
	assert_int_equal(libiommu_pci_bar_map(pci_dev, 0, 0, 0, ALL, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, MAP);
	assert_int_equal(libiommu_pci_bar_map(pci_dev, LIBIOMMU_PCI_ROM, 0, 0, ALL, &map), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, MAP);
	assert_explained("no BAR of this number");
	assert_int_equal(map_bar(0, 0, 0, &map), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, MAP);
	assert_explained("flags must be");
	assert_int_equal(map_bar(0, 0, LIBIOMMU_BAR_READ | LIBIOMMU_BAR_MMAP, &map), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, MAP);
	assert_int_equal(map_bar(page() / 2, 0, ALL, &map), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, MAP);
	assert_explained("multiple of the page size");
	assert_null(map);
	assert_int_equal(libiommu_bar_map_destroy(NULL), 0);
	assert_null(libiommu_bar_map_address(NULL));
	assert_int_equal(libiommu_bar_map_length(NULL), 0);
	assert_needs_device(calls, 1);
}

static void test_kernel_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < pci_error_count; i++) {
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_INFO, .result = pci_errors[i]);
		assert_int_equal(call_map(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, MAP);
		expect_is_pci();
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO, .result = pci_errors[i]);
		assert_int_equal(call_map(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, MAP);
		expect_find(0, RWM, page());
		expect_mmap(0, page(), PROT_READ | PROT_WRITE, NULL, pci_errors[i]);
		assert_int_equal(call_map(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, MAP);
		assert_explained("BAR 0");
	}
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_INFO, .result = 0);
	assert_int_equal(call_map(pci_dev), -ENODEV);
	assert_int_equal(live_maps(), 0);
}

static void test_no_memory(void **state)
{
	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_bar_map *map = NULL;
		const struct uapi_vfio_region_info info = {
			.argsz = 40, .flags = RWMC, .size = page()};

		expect_is_pci();
		expect_describe(0, RWMC, page(), 40);
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO,
		             OUT_BYTES(&info, sizeof(info)));
		expect_mmap(0, page(), PROT_READ, memory, 0);
		if (!ALLOC_TRY(map_bar(0, 0, LIBIOMMU_BAR_READ, &map)))
			assert_int_equal(libiommu_bar_map_destroy(map), 0);
		else
			assert_null(map);
		assert_int_equal(live_maps(), 0);
	}
}

/* What cannot be unmapped is still there, and still the device's. */
static void test_munmap_fails(void **state)
{
	struct libiommu_bar_map *const map = map_whole(memory);

	(void)state;
	EXPECT(MUNMAP, .address = memory, .length = 4 * page(), .result = -ENOMEM);
	assert_int_equal(libiommu_bar_map_destroy(map), -ENOMEM);
	assert_failure(-ENOMEM, KERNEL, "libiommu_bar_map_destroy");
	assert_ptr_equal(libiommu_bar_map_address(map), memory);
	assert_int_equal(live_maps(), 1);
	assert_int_equal(libiommu_device_destroy(pci_dev), -EBUSY);
	assert_int_equal(libiommu_bar_map_destroy(map), 0);
	assert_int_equal(live_maps(), 0);
}

/* Several mappings of one device, destroyed in another order than they were made. */
static void test_device_stays_until_the_last(void **state)
{
	struct libiommu_bar_map *const first = map_whole(memory);
	struct libiommu_bar_map *const second = map_whole(memory + 1);
	struct libiommu_bar_map *const third = map_whole(memory + 2);

	(void)state;
	assert_int_equal(live_maps(), 3);
	assert_int_equal(libiommu_bar_map_destroy(second), 0);
	assert_int_equal(libiommu_device_destroy(pci_dev), -EBUSY);
	assert_int_equal(libiommu_bar_map_destroy(third), 0);
	assert_int_equal(libiommu_device_destroy(pci_dev), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_device_destroy");
	assert_int_equal(libiommu_bar_map_destroy(first), 0);
}

/* A revoked device leaves plain memory in the place of its registers. */
static void test_revoke(void **state)
{
	struct libiommu_bar_map *const map = map_whole(memory);

	(void)state;
	EXPECT(MMAP, .fd = -1, .hint = memory, .length = 4 * page(), .prot = PROT_READ | PROT_WRITE,
	       .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, .address = memory);
	EXPECT_CLOSE(DEVICE_FD);
	assert_int_equal(libiommu_device_revoke(pci_dev), 0);
	assert_int_equal(call_map(pci_dev), -ENODEV);
	assert_ptr_equal(libiommu_bar_map_address(map), memory);
	assert_int_equal(libiommu_device_destroy(pci_dev), -EBUSY);
	assert_int_equal(libiommu_bar_map_destroy(map), 0);
	assert_int_equal(live_maps(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(test_whole),
		PCI_TEST(test_part),
		PCI_TEST(test_areas),
		PCI_TEST(test_cannot_be_mapped),
		PCI_TEST(test_range),
		PCI_TEST(test_large),
		PCI_TEST(test_arguments),
		PCI_TEST(test_kernel_refuses),
		PCI_TEST(test_no_memory),
		PCI_TEST(test_munmap_fails),
		PCI_TEST(test_device_stays_until_the_last),
		PCI_TEST(test_revoke),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

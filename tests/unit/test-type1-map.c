/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Mapping into a container: what the kernel is asked, what it says, and what it is believed. */
#include <stdio.h>

#include "alloc.h"
#include "limit.h"
#include "type1-steps.h"

#define BOTH (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)

static _Alignas(4096) uint8_t memory[4 * 4096];
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas;

static int setup(void **state)
{
	script_setup(state);
	ctx = legacy_ctx();
	ioas = legacy_ioas(ctx);
	dev = legacy_device(ctx);
	legacy_attach(dev, HOLD_FD, ioas);
	return 0;
}

static int teardown(void **state)
{
	return legacy_end(state, ctx, dev, ioas);
}

#define MAP_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static uint64_t mapped(void)
{
	uint64_t bytes = 99, others;

	assert_int_equal(libiommu_ioas_mapped(ioas, &bytes, &others), 0);
	return bytes;
}

static void test_flags(void **state)
{
	static const uint32_t flags[][2] = {
		{LIBIOMMU_MAP_READ, UAPI_VFIO_DMA_MAP_FLAG_READ},
		{LIBIOMMU_MAP_WRITE, UAPI_VFIO_DMA_MAP_FLAG_WRITE},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_MAP_DMA,
		             IN(struct uapi_vfio_iommu_type1_dma_map,
		                .argsz = sizeof(struct uapi_vfio_iommu_type1_dma_map),
		                .flags = flags[i][1], .vaddr = (uintptr_t)memory, .iova = 0x1000,
		                .size = PAGE));
		assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, flags[i][0], 0x1000),
		                 0);
		expect_unmap(HOLD_FD, 0x1000, PAGE, 0);
		assert_int_equal(libiommu_ioas_unmap(ioas, 0x1000, PAGE), 0);
	}
}

static void test_errors_of_the_kernel(void **state)
{
	static const struct {
		int error;
		const char *text;
	} cases[] = {
		{-EINVAL, "libiommu_ioas_ranges()"},
		{-EEXIST, "in the range already"},
		{-EFAULT, "not mapped in this process"},
		{-ENOSPC, "65535"},
	};
	uint64_t iova = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_map(HOLD_FD, memory, 0x1000, PAGE, cases[i].error);
		assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 0x1000),
		                 cases[i].error);
		assert_failure(cases[i].error, KERNEL, "libiommu_ioas_map_fixed");
		assert_explained(cases[i].text);
	}
	expect_map(HOLD_FD, memory, 0x1000, PAGE, -ENOSPC);
	assert_int_equal(libiommu_ioas_map(ioas, memory, PAGE, BOTH, &iova), -ENOSPC);
	assert_explained("0 mappings are in it");
	assert_explained("dma_entry_limit");
	assert_int_equal(iova, 7);
	assert_int_equal(mapped(), 0);
}

/* Another account than iommufd's, and so another way out. */
static void test_locked_memory(void **state)
{
	(void)state;
	limit_set(1 << 20);
	expect_map(HOLD_FD, memory, 0x1000, PAGE, -ENOMEM);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 0x1000), -ENOMEM);
	assert_explained("locked-memory limit 1 MiB");
	assert_explained("each container counts");
	limit_restore();
}

/* Between the ranges nothing is chosen. */
static void test_chosen_addresses(void **state)
{
	uint64_t iova = 0;

	(void)state;
	expect_map(HOLD_FD, memory, 0x1000, LOW_LAST + 1 - 0x2000, 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, LOW_LAST + 1 - 0x2000, BOTH, 0x1000),
	                 0);
	expect_map(HOLD_FD, memory, LOW_LAST + 1 - PAGE, PAGE, 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, PAGE, BOTH, &iova), 0);
	assert_int_equal(iova, LOW_LAST + 1 - PAGE);
	expect_map(HOLD_FD, memory, HIGH_FIRST, PAGE, 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, PAGE, BOTH, &iova), 0);
	assert_int_equal(iova, HIGH_FIRST);
	assert_int_equal(libiommu_ioas_map(ioas, memory, HIGH_LAST, BOTH, &iova), -EINVAL);
	assert_int_equal(libiommu_ioas_map(ioas, memory, HIGH_LAST + 1, BOTH, &iova), -ENOSPC);
	assert_failure(-ENOSPC, LIBRARY, "libiommu_ioas_map");
}

/* One call for all that lies in the range; the kernel's refusal leaves the list as it is. */
static void test_unmap(void **state)
{
	uint64_t unmapped = 7;

	(void)state;
	for (uint64_t iova = 0x1000; iova <= 0x5000; iova += 0x2000) {
		expect_map(HOLD_FD, memory, iova, PAGE, 0);
		assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, iova), 0);
	}
	expect_unmap(HOLD_FD, 0x1000, 0x3000, -EINVAL);
	assert_int_equal(libiommu_ioas_unmap_range(ioas, 0, 0x5000, &unmapped), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_ioas_unmap_range");
	assert_int_equal(unmapped, 7);
	expect_unmap(HOLD_FD, 0x1000, 0x3000, 0);
	assert_int_equal(libiommu_ioas_unmap_range(ioas, 0, 0x5000, &unmapped), 0);
	assert_int_equal(unmapped, 2 * PAGE);
	assert_int_equal(mapped(), PAGE);
	EXPECT_IOCTL(HOLD_FD, VFIO_CHECK_EXTENSION, VALUE(UAPI_VFIO_UNMAP_ALL));
	expect_unmap(HOLD_FD, 0x5000, PAGE, 0);
	assert_int_equal(libiommu_ioas_unmap_all(ioas, &unmapped), 0);
	assert_int_equal(unmapped, PAGE);
	assert_int_equal(libiommu_ioas_unmap_all(ioas, &unmapped), 0);
	assert_int_equal(unmapped, 0);
}

static void test_ranges(void **state)
{
	struct libiommu_iova_ranges *ranges;
	struct libiommu_iova_range range;

	(void)state;
	expect_ranges(HOLD_FD);
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), 0);
	assert_int_equal(libiommu_iova_ranges_count(ranges), 2);
	assert_int_equal(libiommu_iova_ranges_alignment(ranges), 4096);
	assert_int_equal(libiommu_iova_ranges_get(ranges, 1, &range), 0);
	assert_true(range.start == HIGH_FIRST && range.last == HIGH_LAST);
	libiommu_iova_ranges_free(ranges);
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_GET_INFO, .result = -EIO);
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_ioas_ranges");
	ALLOC_LOOP
	{
		expect_ranges(HOLD_FD);
		if (!ALLOC_TRY(libiommu_ioas_ranges(ioas, &ranges)))
			libiommu_iova_ranges_free(ranges);
	}
}

/* Kernels before 5.4 have no list. */
static void test_kernels_without_ranges(void **state)
{
	struct libiommu_iova_ranges *ranges;
	struct libiommu_iova_range range;

	(void)state;
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_GET_INFO,
	             OUT(struct uapi_vfio_iommu_type1_info, .argsz = 16,
	                 .flags = UAPI_VFIO_IOMMU_INFO_PGSIZES, .iova_pgsizes = 0x10000));
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), 0);
	assert_int_equal(libiommu_iova_ranges_count(ranges), 1);
	assert_int_equal(libiommu_iova_ranges_alignment(ranges), 0x10000);
	assert_int_equal(libiommu_iova_ranges_get(ranges, 0, &range), 0);
	assert_true(!range.start && range.last == UINT64_MAX);
	libiommu_iova_ranges_free(ranges);
}

/* Whatever stands in for a kernel. */
static void test_descriptions_that_cannot_be(void **state)
{
	struct {
		struct uapi_vfio_iommu_type1_info info;
		struct uapi_vfio_info_cap_header header;
		uint32_t count, reserved;
	} reply = {.info = {.argsz = sizeof(reply),
	                    .flags = UAPI_VFIO_IOMMU_INFO_CAPS,
	                    .cap_offset = sizeof(reply.info)},
	           .header = {.id = UAPI_VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE},
	           .count = 1};
	struct libiommu_iova_ranges *ranges;

	(void)state;
	for (int i = 0; i < 4; i++) {
		/* Too many; cut off; outside; a chain that goes round. */
		reply.info.argsz = i == 1 ? sizeof(reply) - 8 : sizeof(reply);
		if (i == 2)
			reply.info.cap_offset = 4096;
		if (i == 3) {
			reply.info.cap_offset = sizeof(reply.info);
			reply.header.id = 9;
			reply.header.next = sizeof(reply.info);
		}
		EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_GET_INFO, OUT_BYTES(&reply, sizeof(reply.info)));
		EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_GET_INFO, OUT_BYTES(&reply, reply.info.argsz));
		assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), -EIO);
		assert_failure(-EIO, LIBRARY, "libiommu_ioas_ranges");
	}
	for (uint32_t i = 1; i <= 8; i++)
		EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_GET_INFO,
		             OUT(struct uapi_vfio_iommu_type1_info, .argsz = 100 * i));
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), -EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MAP_TEST(test_flags),
		MAP_TEST(test_errors_of_the_kernel),
		MAP_TEST(test_locked_memory),
		MAP_TEST(test_chosen_addresses),
		MAP_TEST(test_unmap),
		MAP_TEST(test_ranges),
		MAP_TEST(test_kernels_without_ranges),
		MAP_TEST(test_descriptions_that_cannot_be),
	};

	return cmocka_run_group_tests_name("type1-map", tests, NULL, NULL);
}

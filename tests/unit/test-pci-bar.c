/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* BARs: what they are, which parts can be mapped, reads and writes. */
#include "alloc.h"
#include "pci-steps.h"

#include <string.h>

#define AREA "libiommu_pci_bar_area"

static char bytes[16];

static int call_info(struct libiommu_device *dev)
{
	return libiommu_pci_bar_info(dev, 0, NULL, NULL);
}

static int call_area(struct libiommu_device *dev)
{
	uint64_t offset = 77, length = 78;
	const int error = libiommu_pci_bar_area(dev, 2, 0, &offset, &length);

	if (error) {
		assert_int_equal(offset, 77);
		assert_int_equal(length, 78);
	}
	return error;
}

static int call_read(struct libiommu_device *dev)
{
	return libiommu_pci_bar_read(dev, 2, 8, bytes, 4);
}

static int call_write(struct libiommu_device *dev)
{
	return libiommu_pci_bar_write(dev, 2, 8, bytes, 4);
}

static const struct pci_call calls[] = {
	{"libiommu_pci_bar_info", call_info, false},
	{AREA, call_area, false},
	{"libiommu_pci_bar_read", call_read, false},
	{"libiommu_pci_bar_write", call_write, false},
};

static const size_t call_count = sizeof(calls) / sizeof(calls[0]);

/* A description with capabilities, as the kernel lays it out. */
struct description {
	struct uapi_vfio_region_info info;
	struct {
		struct uapi_vfio_info_cap_header header;
	} mappable;
	struct {
		struct uapi_vfio_info_cap_header header;
		uint32_t nr_areas;
		uint32_t reserved;
		struct uapi_vfio_region_sparse_mmap_area areas[3];
	} sparse;
};

enum { AT_MAPPABLE = 32, AT_SPARSE = 40, WHOLE = sizeof(struct description) };

static struct description describe(uint32_t areas)
{
	struct description made = {
		.info = {.argsz = WHOLE,
	                 .flags = RWMC,
	                 .index = 2,
	                 .cap_offset = AT_MAPPABLE,
	                 .size = 0x100000,
	                 .offset = AT(2, 0)},
		.mappable.header = {.id = UAPI_VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
	                            .version = 1,
	                            .next = AT_SPARSE},
		.sparse = {.header = {.id = UAPI_VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1},
	                   .nr_areas = areas,
	                   .areas = {{0, 0x2000}, {0x3000, 0x1000}, {0x10000, 0xf0000}}},
	};

	_Static_assert(offsetof(struct description, sparse) == AT_SPARSE, "as the kernel does");
	return made;
}

/* The second question, with room for the capabilities. */
static void expect_capabilities(uint32_t room, const void *answer, size_t size)
{
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO,
	             IN(struct uapi_vfio_region_info, .argsz = room, .index = 2),
	             OUT_BYTES(answer, size));
}

static void expect_areas(const struct description *answer)
{
	expect_is_pci();
	expect_describe(2, RWMC, 0x100000, WHOLE);
	expect_capabilities(WHOLE, answer, WHOLE);
}

static void assert_area(size_t index, uint64_t offset, uint64_t length)
{
	uint64_t found_offset, found_length;

	assert_int_equal(libiommu_pci_bar_area(pci_dev, 2, index, &found_offset, &found_length), 0);
	assert_int_equal(found_offset, offset);
	assert_int_equal(found_length, length);
}

static void test_info(void **state)
{
	uint64_t size = 77;
	uint32_t flags = 78;

	(void)state;
	expect_find(0, RW, 0x40);
	assert_int_equal(libiommu_pci_bar_info(pci_dev, 0, &size, &flags), 0);
	assert_int_equal(size, 0x40);
	assert_int_equal(flags, LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE);
	expect_find(5, 0, 0);
	assert_int_equal(libiommu_pci_bar_info(pci_dev, 5, &size, &flags), 0);
	assert_int_equal(size, 0);
	assert_int_equal(flags, 0);
	expect_find(6, UAPI_VFIO_REGION_INFO_FLAG_READ, 0x10000);
	assert_int_equal(libiommu_pci_bar_info(pci_dev, LIBIOMMU_PCI_ROM, NULL, &flags), 0);
	assert_int_equal(flags, LIBIOMMU_BAR_READ);
	/* That there are capabilities is the library's own business. */
	expect_is_pci();
	expect_describe(4, RWMC | 1U << 31, 1ULL << 40, WHOLE);
	assert_int_equal(libiommu_pci_bar_info(pci_dev, 4, &size, &flags), 0);
	assert_int_equal(flags, LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE | LIBIOMMU_BAR_MMAP);
	assert_int_equal(size, 1ULL << 40);
}

static void test_whole_is_one_area(void **state)
{
	const struct description none = describe(0);
	struct description chain = none;

	(void)state;
	expect_find(2, RWM, 0x4000);
	assert_area(0, 0, 0x4000);
	/* Capabilities that say nothing of areas. */
	chain.mappable.header.next = 0;
	expect_areas(&chain);
	assert_area(0, 0, 0x100000);
	/* They went away between the two questions. */
	chain.info.flags = RWM;
	expect_areas(&chain);
	assert_area(0, 0, 0x100000);
	expect_find(2, RWMC, 0x4000);
	assert_area(0, 0, 0x4000);
}

static void test_no_areas(void **state)
{
	const struct description none = describe(0);

	(void)state;
	expect_find(2, RW, 0x4000);
	assert_int_equal(call_area(pci_dev), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, AREA);
	expect_find(2, RWM, 0);
	assert_int_equal(call_area(pci_dev), -ENOENT);
	expect_areas(&none);
	assert_int_equal(call_area(pci_dev), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, AREA);
	assert_explained("BAR 2");
	assert_explained("0 areas");
}

static void test_sparse_areas(void **state)
{
	const struct description three = describe(3);
	uint64_t offset, length;

	(void)state;
	expect_areas(&three);
	assert_area(0, 0, 0x2000);
	expect_areas(&three);
	assert_area(1, 0x3000, 0x1000);
	expect_areas(&three);
	assert_area(2, 0x10000, 0xf0000);
	expect_areas(&three);
	assert_int_equal(libiommu_pci_bar_area(pci_dev, 2, 3, &offset, &length), -ENOENT);
	assert_explained("3 areas");
	expect_areas(&three);
	assert_int_equal(libiommu_pci_bar_area(pci_dev, 2, SIZE_MAX, &offset, &length), -ENOENT);
}

/* A description that grows between two questions is asked for again, but not for ever. */
static void test_description_grows(void **state)
{
	const struct description two = describe(2);
	struct description cut = two;

	(void)state;
	expect_is_pci();
	expect_describe(2, RWMC, 0x100000, 40);
	cut.info.cap_offset = 0;
	expect_capabilities(40, &cut, 32);
	expect_capabilities(WHOLE, &two, WHOLE);
	assert_area(1, 0x3000, 0x1000);

	expect_is_pci();
	expect_describe(2, RWMC, 0x100000, 40);
	for (uint32_t i = 0; i < 8; i++) {
		cut.info.argsz = 40 + 8 * (i + 1);
		expect_capabilities(40 + 8 * i, &cut, 32);
	}
	assert_int_equal(call_area(pci_dev), -EAGAIN);
	assert_failure(-EAGAIN, LIBRARY, AREA);
}

/* Chains that leave the buffer, run backwards or promise more areas than there are. */
static void test_contradictions(void **state)
{
	struct description bad[8];

	(void)state;
	for (size_t i = 0; i < 8; i++)
		bad[i] = describe(3);
	bad[0].info.cap_offset = 31;
	bad[1].info.cap_offset = WHOLE - 7;
	bad[2].info.cap_offset = UINT32_MAX;
	bad[3].mappable.header.next = AT_MAPPABLE;
	bad[4].mappable.header.next = WHOLE;
	bad[5].sparse.nr_areas = 4;
	bad[6].sparse.nr_areas = UINT32_MAX;
	/* A header that fits, with a count that does not. */
	bad[7].info.cap_offset = WHOLE - 8;
	memcpy((char *)&bad[7] + WHOLE - 8, &bad[7].sparse.header, 8);
	for (size_t i = 0; i < 8; i++) {
		expect_areas(&bad[i]);
		assert_int_equal(call_area(pci_dev), -EIO);
		assert_failure(-EIO, LIBRARY, AREA);
		assert_explained("contradicts itself");
	}
}

static void test_area_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < pci_error_count; i++) {
		expect_is_pci();
		expect_describe(2, RWMC, 0x100000, WHOLE);
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO, .result = pci_errors[i]);
		assert_int_equal(call_area(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, AREA);
	}
	ALLOC_LOOP
	{
		const struct description one = describe(1);

		expect_areas(&one);
		ALLOC_TRY(call_area(pci_dev));
	}
}

static void test_read_and_write(void **state)
{
	uint8_t found[8] = {0};

	(void)state;
	expect_find(5, RW, 0x40);
	expect_read(5, 0x38, "\1\2\3\4\5\6\7\x08", 8);
	assert_int_equal(libiommu_pci_bar_read(pci_dev, 5, 0x38, found, 8), 0);
	assert_memory_equal(found, "\1\2\3\4\5\6\7\x08", 8);
	expect_find(6, UAPI_VFIO_REGION_INFO_FLAG_READ, 0x10000);
	expect_read(6, 0, "\x55\xaa", 2);
	assert_int_equal(libiommu_pci_bar_read(pci_dev, LIBIOMMU_PCI_ROM, 0, found, 2), 0);
	assert_memory_equal(found, "\x55\xaa", 2);
	expect_find(0, RWM, 1ULL << 36);
	expect_write(0, (1ULL << 36) - 4, "\4\3\2\1", 4, 4);
	assert_int_equal(libiommu_pci_bar_write(pci_dev, 0, (1ULL << 36) - 4, "\4\3\2\1", 4), 0);
}

/* Where a BAR is, the kernel is asked once; what the ROM has may change. */
static void test_asked_once(void **state)
{
	(void)state;
	for (uint32_t bar = 0; bar < LIBIOMMU_PCI_ROM; bar++)
		for (int again = 0; again < 2; again++) {
			if (!again)
				expect_find(bar, RW, 0x1000);
			expect_read(bar, 8, "\1\2\3\4", 4);
			assert_int_equal(libiommu_pci_bar_read(pci_dev, bar, 8, bytes, 4), 0);
			expect_write(bar, 8, "\1\2\3\4", 4, 4);
			assert_int_equal(libiommu_pci_bar_write(pci_dev, bar, 8, bytes, 4), 0);
		}
	for (int again = 0; again < 2; again++) {
		expect_find(LIBIOMMU_PCI_ROM, UAPI_VFIO_REGION_INFO_FLAG_READ, again ? 0 : 64);
		if (!again)
			expect_read(LIBIOMMU_PCI_ROM, 0, "\x55\xaa", 2);
		assert_int_equal(libiommu_pci_bar_read(pci_dev, LIBIOMMU_PCI_ROM, 0, bytes, 2),
		                 again ? -ERANGE : 0);
	}
}

/* Not there is said by an error, where the kernel says it of others by a size of 0. */
static void test_vga(void **state)
{
	uint64_t size = 77;

	(void)state;
	for (int i = 0; i < 2; i++) {
		expect_is_pci();
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO,
		             IN(struct uapi_vfio_region_info, .argsz = 32,
		                .index = UAPI_VFIO_PCI_VGA_REGION_INDEX),
		             .result = -EINVAL);
		if (i)
			assert_int_equal(
				libiommu_pci_bar_read(pci_dev, LIBIOMMU_PCI_VGA, 0x3c0, bytes, 1),
				-ERANGE);
		else
			assert_int_equal(
				libiommu_pci_bar_info(pci_dev, LIBIOMMU_PCI_VGA, &size, NULL), 0);
		assert_int_equal(size, 0);
	}
	assert_int_equal(libiommu_device_revoke(pci_dev), 0);
	script_device_close(pci_dev);
	pci_dev = script_device(pci_ctx);
	expect_find(LIBIOMMU_PCI_VGA, RW, 0xc0000);
	assert_int_equal(libiommu_pci_bar_info(pci_dev, LIBIOMMU_PCI_VGA, &size, NULL), 0);
	assert_int_equal(size, 0xc0000);
	expect_find(LIBIOMMU_PCI_VGA, RW, 0xc0000);
	expect_read(LIBIOMMU_PCI_VGA, 0x3c0, "\1", 1);
	assert_int_equal(libiommu_pci_bar_read(pci_dev, LIBIOMMU_PCI_VGA, 0x3c0, bytes, 1), 0);
	expect_write(LIBIOMMU_PCI_VGA, 0xa0000, "\1\2", 2, 2);
	assert_int_equal(libiommu_pci_bar_write(pci_dev, LIBIOMMU_PCI_VGA, 0xa0000, "\1\2", 2), 0);
	assert_int_equal(libiommu_pci_bar_area(pci_dev, LIBIOMMU_PCI_VGA, 0, &size, &size),
	                 -EINVAL);
	assert_int_equal(libiommu_pci_bar_read(pci_dev, 9, 0, bytes, 1), -EINVAL);
	assert_int_equal(libiommu_pci_bar_write(pci_dev, 7, 0, bytes, 1), -EINVAL);
}

static void test_access_fails(void **state)
{
	(void)state;
	expect_find(2, RW, 0x1000);
	for (size_t i = 0; i < pci_error_count; i++) {
		expect_read_fails(2, 8, 4, pci_errors[i]);
		assert_int_equal(call_read(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, "libiommu_pci_bar_read");
		expect_write(2, 8, bytes, 4, pci_errors[i]);
		assert_int_equal(call_write(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, "libiommu_pci_bar_write");
	}
	expect_read_fails(2, 8, 4, 2);
	assert_int_equal(call_read(pci_dev), -EIO);
	assert_failure(-EIO, LIBRARY, "libiommu_pci_bar_read");
	expect_write(2, 8, bytes, 4, 2);
	assert_int_equal(call_write(pci_dev), -EIO);
	assert_failure(-EIO, LIBRARY, "libiommu_pci_bar_write");
}

static void test_range(void **state)
{
	static const struct {
		uint64_t offset;
		size_t length;
	} bad[] = {{0x1000, 1}, {0xfff, 2}, {UINT64_MAX, 1}, {UINT64_MAX - 3, 8}, {8, SIZE_MAX}};

	(void)state;
	expect_find(2, RW, 0x1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			libiommu_pci_bar_read(pci_dev, 2, bad[i].offset, bytes, bad[i].length),
			-ERANGE);
		assert_failure(-ERANGE, LIBRARY, "libiommu_pci_bar_read");
		assert_int_equal(
			libiommu_pci_bar_write(pci_dev, 2, bad[i].offset, bytes, bad[i].length),
			-ERANGE);
		assert_failure(-ERANGE, LIBRARY, "libiommu_pci_bar_write");
	}
	/* A BAR that the device does not have is empty. */
	expect_find(3, 0, 0);
	assert_int_equal(libiommu_pci_bar_read(pci_dev, 3, 0, bytes, 4), -ERANGE);
}

static void test_kernel_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < call_count; i++) {
		for (size_t j = 0; j < pci_error_count; j++) {
			EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_INFO, .result = pci_errors[j]);
			assert_int_equal(calls[i].call(pci_dev), pci_errors[j]);
			assert_failure(pci_errors[j], KERNEL, calls[i].name);
			expect_is_pci();
			EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO,
			             .result = pci_errors[j]);
			assert_int_equal(calls[i].call(pci_dev), pci_errors[j]);
			assert_failure(pci_errors[j], KERNEL, calls[i].name);
		}
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_INFO, .result = 0);
		assert_int_equal(calls[i].call(pci_dev), -ENODEV);
		assert_failure(-ENODEV, LIBRARY, calls[i].name);
	}
}

static void test_arguments(void **state)
{
	uint64_t offset = 77, length = 78;

	(void)state;
	assert_int_equal(libiommu_pci_bar_info(pci_dev, 7, &length, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_pci_bar_info");
	assert_int_equal(libiommu_pci_bar_info(NULL, 7, NULL, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_pci_bar_info");
	assert_int_equal(libiommu_pci_bar_area(pci_dev, 6, 0, &offset, &length), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, AREA);
	assert_int_equal(libiommu_pci_bar_area(pci_dev, 0, 0, NULL, &length), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, AREA);
	assert_int_equal(libiommu_pci_bar_area(pci_dev, 0, 0, &offset, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, AREA);
	assert_int_equal(libiommu_pci_bar_read(pci_dev, 7, 0, bytes, 4), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_pci_bar_read");
	assert_int_equal(libiommu_pci_bar_read(pci_dev, 0, 0, NULL, 4), -EINVAL);
	assert_int_equal(libiommu_pci_bar_read(pci_dev, 0, 0, bytes, 0), -EINVAL);
	assert_int_equal(libiommu_pci_bar_write(pci_dev, LIBIOMMU_PCI_ROM, 0, bytes, 4), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_pci_bar_write");
	assert_int_equal(libiommu_pci_bar_write(pci_dev, 0, 0, NULL, 4), -EINVAL);
	assert_int_equal(libiommu_pci_bar_write(pci_dev, 0, 0, bytes, 0), -EINVAL);
	assert_int_equal(offset, 77);
	assert_int_equal(length, 78);
	assert_needs_device(calls, call_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(test_info),
		PCI_TEST(test_whole_is_one_area),
		PCI_TEST(test_no_areas),
		PCI_TEST(test_sparse_areas),
		PCI_TEST(test_description_grows),
		PCI_TEST(test_contradictions),
		PCI_TEST(test_area_fails),
		PCI_TEST(test_read_and_write),
		PCI_TEST(test_asked_once),
		PCI_TEST(test_vga),
		PCI_TEST(test_access_fails),
		PCI_TEST(test_range),
		PCI_TEST(test_kernel_refuses),
		PCI_TEST(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

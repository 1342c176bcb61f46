/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Finding capabilities, in lists that are right and in lists that are not. */
#include "pci-steps.h"

#include <string.h>

#define FIND     "libiommu_pci_find_capability"
#define FIND_EXT "libiommu_pci_find_ext_capability"

static int call_find(struct libiommu_device *dev)
{
	uint32_t offset = 77;
	const int error = libiommu_pci_find_capability(dev, 5, &offset);

	assert_int_equal(offset, 77);
	return error;
}

static int call_find_ext(struct libiommu_device *dev)
{
	uint32_t offset = 77;
	const int error = libiommu_pci_find_ext_capability(dev, 5, &offset);

	assert_int_equal(offset, 77);
	return error;
}

static const struct pci_call calls[] = {
	{FIND, call_find, false},
	{FIND_EXT, call_find_ext, false},
};

/* The list starts at @first. */
static void expect_list(uint8_t first)
{
	expect_find(CONFIG, RW, 256);
	expect_read(CONFIG, 6, "\x10", 1);
	expect_read(CONFIG, 0x34, &first, 1);
}

static void expect_entry(uint32_t at, uint8_t id, uint8_t next)
{
	const uint8_t entry[] = {id, next};

	expect_read(CONFIG, at, entry, sizeof(entry));
}

static void expect_ext(uint32_t at, uint16_t id, uint16_t next)
{
	const uint8_t entry[] = {(uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(1 | (next & 0xf) << 4),
	                         (uint8_t)(next >> 4)};

	expect_read(CONFIG, at, entry, sizeof(entry));
}

static void test_found(void **state)
{
	uint32_t offset = 0;

	(void)state;
	/* The two low bits of a pointer are reserved. */
	expect_list(0x41);
	expect_entry(0x40, 0x01, 0x53);
	expect_entry(0x50, 0x10, 0xfe);
	expect_entry(0xfc, 0x05, 0x00);
	assert_int_equal(libiommu_pci_find_capability(pci_dev, 5, &offset), 0);
	assert_int_equal(offset, 0xfc);
	expect_list(0x40);
	expect_entry(0x40, 0x11, 0x50);
	assert_int_equal(libiommu_pci_find_capability(pci_dev, 0x11, &offset), 0);
	assert_int_equal(offset, 0x40);
}

static void test_not_found(void **state)
{
	(void)state;
	/* No list at all; an empty one; one without it; one that points into the header. */
	expect_find(CONFIG, RW, 256);
	expect_read(CONFIG, 6, "\xef", 1);
	assert_int_equal(call_find(pci_dev), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, FIND);
	expect_list(0);
	assert_int_equal(call_find(pci_dev), -ENOENT);
	expect_list(0x40);
	expect_entry(0x40, 0x01, 0);
	assert_int_equal(call_find(pci_dev), -ENOENT);
	expect_list(0x40);
	expect_entry(0x40, 0x01, 0x3c);
	assert_int_equal(call_find(pci_dev), -ENOENT);
	/* The device has gone, and all reads as ones. */
	expect_list(0xff);
	expect_entry(0xfc, 0xff, 0xff);
	assert_int_equal(call_find(pci_dev), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, FIND);
	assert_explained("does not have this capability");
}

/* The longest list there can be is read to its end; one that is longer has a loop. */
static void test_long_list(void **state)
{
	(void)state;
	expect_list(0x40);
	for (uint32_t at = 0x40; at < 0x100; at += 4)
		expect_entry(at, 9, (uint8_t)(at + 4));
	assert_int_equal(call_find(pci_dev), -ENOENT);
	expect_list(0x40);
	for (int i = 0; i < 49; i++)
		expect_entry(0x40, 9, 0x40);
	assert_int_equal(call_find(pci_dev), -ELOOP);
	assert_failure(-ELOOP, LIBRARY, FIND);
	assert_explained("does not end");
}

static void test_ext_found(void **state)
{
	uint32_t offset = 0;

	(void)state;
	expect_find(CONFIG, RW, 4096);
	expect_ext(0x100, 0x0001, 0x148);
	expect_ext(0x148, 0x001b, 0xffc);
	expect_ext(0xffc, 0x0123, 0);
	assert_int_equal(libiommu_pci_find_ext_capability(pci_dev, 0x123, &offset), 0);
	assert_int_equal(offset, 0xffc);
}

/* A first capability that the kernel hides has the id 0, and others after it. */
static void test_ext_hidden(void **state)
{
	uint32_t offset = 0;

	(void)state;
	expect_find(CONFIG, RW, 4096);
	expect_ext(0x100, 0, 0x200);
	expect_ext(0x200, 0x001b, 0);
	assert_int_equal(libiommu_pci_find_ext_capability(pci_dev, 0x1b, &offset), 0);
	assert_int_equal(offset, 0x200);
}

static void test_ext_not_found(void **state)
{
	(void)state;
	/* A conventional device has no room for any. */
	expect_find(CONFIG, RW, 256);
	assert_int_equal(call_find_ext(pci_dev), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, FIND_EXT);
	expect_find(CONFIG, RW, 4096);
	expect_read(CONFIG, 0x100, "\0\0\0\0", 4);
	assert_int_equal(call_find_ext(pci_dev), -ENOENT);
	expect_find(CONFIG, RW, 4096);
	expect_ext(0x100, 1, 0xf0);
	assert_int_equal(call_find_ext(pci_dev), -ENOENT);
	expect_find(CONFIG, RW, 4096);
	expect_read(CONFIG, 0x100, "\xff\xff\xff\xff", 4);
	assert_int_equal(call_find_ext(pci_dev), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, FIND_EXT);
	/* Beyond what the kernel says config space has. */
	expect_find(CONFIG, RW, 0x200);
	expect_ext(0x100, 1, 0x200);
	assert_int_equal(call_find_ext(pci_dev), -ERANGE);
	assert_failure(-ERANGE, LIBRARY, FIND_EXT);
}

static void test_ext_endless(void **state)
{
	(void)state;
	expect_find(CONFIG, RW, 4096);
	for (int i = 0; i < (4096 - 256) / 8 + 1; i++)
		expect_ext(0x100, 1, 0x100);
	assert_int_equal(call_find_ext(pci_dev), -ELOOP);
	assert_failure(-ELOOP, LIBRARY, FIND_EXT);
}

static void test_reads_fail(void **state)
{
	(void)state;
	expect_find(CONFIG, RW, 256);
	expect_read_fails(CONFIG, 6, 1, -EIO);
	assert_int_equal(call_find(pci_dev), -EIO);
	assert_failure(-EIO, KERNEL, FIND);
	expect_find(CONFIG, RW, 256);
	expect_read(CONFIG, 6, "\x10", 1);
	expect_read_fails(CONFIG, 0x34, 1, -ENXIO);
	assert_int_equal(call_find(pci_dev), -ENXIO);
	assert_failure(-ENXIO, KERNEL, FIND);
	expect_list(0x40);
	expect_read_fails(CONFIG, 0x40, 2, 1);
	assert_int_equal(call_find(pci_dev), -EIO);
	assert_failure(-EIO, LIBRARY, FIND);
	expect_find(CONFIG, RW, 4096);
	expect_read_fails(CONFIG, 0x100, 4, -EFAULT);
	assert_int_equal(call_find_ext(pci_dev), -EFAULT);
	assert_failure(-EFAULT, KERNEL, FIND_EXT);
	for (size_t i = 0; i < 2; i++) {
		expect_is_pci();
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO, .result = -ENOMEM);
		assert_int_equal(calls[i].call(pci_dev), -ENOMEM);
		assert_failure(-ENOMEM, KERNEL, calls[i].name);
	}
}

static void test_arguments(void **state)
{
	uint32_t offset = 77;

	(void)state;
	assert_int_equal(libiommu_pci_find_capability(pci_dev, 5, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, FIND);
	assert_int_equal(libiommu_pci_find_ext_capability(pci_dev, 5, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, FIND_EXT);
	assert_int_equal(libiommu_pci_find_capability(pci_dev, 0, &offset), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, FIND);
	assert_int_equal(libiommu_pci_find_ext_capability(pci_dev, 0, &offset), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, FIND_EXT);
	assert_int_equal(offset, 77);
	assert_needs_device(calls, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(test_found),       PCI_TEST(test_not_found),  PCI_TEST(test_long_list),
		PCI_TEST(test_ext_found),   PCI_TEST(test_ext_hidden), PCI_TEST(test_ext_not_found),
		PCI_TEST(test_ext_endless), PCI_TEST(test_reads_fail), PCI_TEST(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

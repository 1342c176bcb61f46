/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Config space: what is read and written where, and what is refused. */
#include "pci-steps.h"

#include <string.h>

static char bytes[16];

static int call_read(struct libiommu_device *dev)
{
	return libiommu_pci_config_read(dev, 0, bytes, 4);
}

static int call_write(struct libiommu_device *dev)
{
	return libiommu_pci_config_write(dev, 0, bytes, 4);
}

static int call_bus_master(struct libiommu_device *dev)
{
	return libiommu_pci_set_bus_master(dev, true);
}

static const struct pci_call calls[] = {
	{"libiommu_pci_config_read", call_read, false},
	{"libiommu_pci_config_write", call_write, false},
	{"libiommu_pci_set_bus_master", call_bus_master, false},
};

static const size_t call_count = sizeof(calls) / sizeof(calls[0]);

static void test_read(void **state)
{
	uint8_t found[4] = {0};

	(void)state;
	expect_find(CONFIG, RW, 4096);
	expect_read(CONFIG, 4092, "\x86\x80\x45\x58", 4);
	assert_int_equal(libiommu_pci_config_read(pci_dev, 4092, found, 4), 0);
	assert_memory_equal(found, "\x86\x80\x45\x58", 4);
}

/* Where config space is, the kernel is asked once; not asked, what failed says the same. */
static void test_asked_once(void **state)
{
	uint8_t found[4];

	(void)state;
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_INFO, .result = -EIO);
	assert_int_equal(call_read(pci_dev), -EIO);
	expect_find(CONFIG, RW, 256);
	expect_read(CONFIG, 0, "\x86\x80\x45\x58", 4);
	assert_int_equal(libiommu_pci_config_read(pci_dev, 0, found, 4), 0);
	expect_read(CONFIG, 8, "\1\2\3\4", 4);
	assert_int_equal(libiommu_pci_config_read(pci_dev, 8, found, 4), 0);
	assert_memory_equal(found, "\1\2\3\4", 4);
	expect_write(CONFIG, 0x3c, "\x0b", 1, 1);
	assert_int_equal(libiommu_pci_config_write(pci_dev, 0x3c, "\x0b", 1), 0);
	expect_read_fails(CONFIG, 0, 4, -EIO);
	assert_int_equal(call_read(pci_dev), -EIO);
	assert_explained("config space; id 7; 4 bytes at 0x0");
}

static void test_write(void **state)
{
	(void)state;
	expect_find(CONFIG, RW, 256);
	expect_write(CONFIG, 0x3c, "\x0b", 1, 1);
	assert_int_equal(libiommu_pci_config_write(pci_dev, 0x3c, "\x0b", 1), 0);
}

/* A device opened by its group has config space like any other. */
static void test_grouped(void **state)
{
	enum { FD = 120 };
	struct libiommu_device *const dev = script_device_grouped(pci_ctx, 119, FD);
	uint8_t found;

	(void)state;
	EXPECT_IOCTL(FD, VFIO_DEVICE_GET_INFO,
	             SET(struct uapi_vfio_device_info, flags, UAPI_VFIO_DEVICE_FLAGS_PCI));
	EXPECT_IOCTL(FD, VFIO_DEVICE_GET_REGION_INFO,
	             OUT(struct uapi_vfio_region_info, .argsz = 32, .size = 256, .offset = 0x7000));
	EXPECT(PREAD, .fd = FD, .offset = 0x7008, .length = 1, OUT_BYTES("\x05", 1), .result = 1);
	assert_int_equal(libiommu_pci_config_read(dev, 8, &found, 1), 0);
	assert_int_equal(found, 5);
	script_device_close(dev);
}

static void test_range(void **state)
{
	static const struct {
		uint32_t offset;
		size_t length;
	} bad[] = {{256, 1}, {255, 2}, {0, 257}, {UINT32_MAX, 1}, {4, SIZE_MAX}};

	(void)state;
	expect_find(CONFIG, RW, 256);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t start, length;

		assert_int_equal(
			libiommu_pci_config_read(pci_dev, bad[i].offset, bytes, bad[i].length),
			-ERANGE);
		assert_failure(-ERANGE, LIBRARY, "libiommu_pci_config_read");
		assert_explained("config space; id 7;");
		assert_explained("256 bytes in all");
		assert_int_equal(libiommu_failure_range(&start, &length), 0);
		assert_int_equal(start, bad[i].offset);
		assert_int_equal(length, bad[i].length);
		assert_int_equal(
			libiommu_pci_config_write(pci_dev, bad[i].offset, bytes, bad[i].length),
			-ERANGE);
		assert_failure(-ERANGE, LIBRARY, "libiommu_pci_config_write");
	}
}

static void test_arguments(void **state)
{
	(void)state;
	assert_int_equal(libiommu_pci_config_read(pci_dev, 0, NULL, 4), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_pci_config_read");
	assert_int_equal(libiommu_pci_config_read(pci_dev, 0, bytes, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_pci_config_read");
	assert_int_equal(libiommu_pci_config_write(pci_dev, 0, NULL, 4), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_pci_config_write");
	assert_int_equal(libiommu_pci_config_write(pci_dev, 0, bytes, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_pci_config_write");
	assert_needs_device(calls, call_count);
}

/* Its registers would be somebody else's. */
static void test_no_pci_device(void **state)
{
	(void)state;
	for (size_t i = 0; i < call_count; i++) {
		EXPECT_IOCTL(
			DEVICE_FD, VFIO_DEVICE_GET_INFO,
			SET(struct uapi_vfio_device_info, flags, UAPI_VFIO_DEVICE_FLAGS_PLATFORM));
		assert_int_equal(calls[i].call(pci_dev), -ENODEV);
		assert_failure(-ENODEV, LIBRARY, calls[i].name);
		assert_explained("no PCI device");
	}
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
	}
}

static void test_access_fails(void **state)
{
	(void)state;
	expect_find(CONFIG, RW, 256);
	for (size_t i = 0; i < pci_error_count; i++) {
		expect_read_fails(CONFIG, 0, 4, pci_errors[i]);
		assert_int_equal(call_read(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, "libiommu_pci_config_read");
		expect_write(CONFIG, 0, bytes, 4, pci_errors[i]);
		assert_int_equal(call_write(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, "libiommu_pci_config_write");
	}
}

static void test_short_access(void **state)
{
	static const ssize_t results[] = {0, 3};

	(void)state;
	expect_find(CONFIG, RW, 256);
	for (size_t i = 0; i < 2; i++) {
		expect_read_fails(CONFIG, 0, 4, results[i]);
		assert_int_equal(call_read(pci_dev), -EIO);
		assert_failure(-EIO, LIBRARY, "libiommu_pci_config_read");
		assert_explained(results[i] ? "3 bytes were moved" : "0 bytes were moved");
		expect_write(CONFIG, 0, bytes, 4, results[i]);
		assert_int_equal(call_write(pci_dev), -EIO);
		assert_failure(-EIO, LIBRARY, "libiommu_pci_config_write");
	}
}

/* One bit of the command register changes, and nothing is written where it is right already. */
static void test_bus_master(void **state)
{
	(void)state;
	expect_find(CONFIG, RW, 256);
	expect_read(CONFIG, 4, "\x03\x05", 2);
	expect_write(CONFIG, 4, "\x07\x05", 2, 2);
	assert_int_equal(libiommu_pci_set_bus_master(pci_dev, true), 0);
	expect_find(CONFIG, RW, 256);
	expect_read(CONFIG, 4, "\x07\x05", 2);
	assert_int_equal(libiommu_pci_set_bus_master(pci_dev, true), 0);
	expect_find(CONFIG, RW, 256);
	expect_read(CONFIG, 4, "\x07\x05", 2);
	expect_write(CONFIG, 4, "\x03\x05", 2, 2);
	assert_int_equal(libiommu_pci_set_bus_master(pci_dev, false), 0);
	expect_find(CONFIG, RW, 256);
	expect_read(CONFIG, 4, "\x03\x05", 2);
	assert_int_equal(libiommu_pci_set_bus_master(pci_dev, false), 0);
}

static void test_bus_master_fails(void **state)
{
	(void)state;
	expect_find(CONFIG, RW, 256);
	expect_read_fails(CONFIG, 4, 2, -EIO);
	assert_int_equal(libiommu_pci_set_bus_master(pci_dev, true), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_pci_set_bus_master");
	expect_find(CONFIG, RW, 256);
	expect_read(CONFIG, 4, "\x03\x05", 2);
	expect_write(CONFIG, 4, "\x07\x05", 2, 1);
	assert_int_equal(libiommu_pci_set_bus_master(pci_dev, true), -EIO);
	assert_failure(-EIO, LIBRARY, "libiommu_pci_set_bus_master");
}

static void log_detaches(void *user, enum libiommu_log_level level, const char *text)
{
	bool *const called = user;

	(void)level;
	(void)text;
	if (*called)
		return;
	*called = true;
	/* Wants the device alone: with the lock still held this would never return. */
	assert_int_equal(libiommu_device_detach(pci_dev), -ENOENT);
}

/* A log callback may use the device whose failure it is told. */
static void test_log_without_lock(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_device *const spare_dev = pci_dev;
	struct libiommu_ctx *const spare_ctx = pci_ctx;
	bool called = false;

	(void)state;
	EXPECT_OPEN("/dev/iommu", 130);
	assert_int_equal(libiommu_ctx_config_set_log(config, log_detaches, &called), 0);
	assert_int_equal(libiommu_ctx_new(config, &pci_ctx), 0);
	libiommu_ctx_config_free(config);
	pci_dev = script_device_open(pci_ctx, 131);
	EXPECT_IOCTL(131, VFIO_DEVICE_BIND_IOMMUFD, .result = 0);
	assert_int_equal(libiommu_device_bind(pci_dev, 1, NULL, 0), 0);
	EXPECT_IOCTL(131, VFIO_DEVICE_GET_INFO, .result = -EIO);
	assert_int_equal(call_read(pci_dev), -EIO);
	assert_true(called);
	script_device_close(pci_dev);
	assert_int_equal(libiommu_ctx_destroy(pci_ctx), 0);
	pci_dev = spare_dev;
	pci_ctx = spare_ctx;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(test_read),
		PCI_TEST(test_asked_once),
		PCI_TEST(test_write),
		PCI_TEST(test_grouped),
		PCI_TEST(test_range),
		PCI_TEST(test_arguments),
		PCI_TEST(test_no_pci_device),
		PCI_TEST(test_kernel_refuses),
		PCI_TEST(test_access_fails),
		PCI_TEST(test_short_access),
		PCI_TEST(test_bus_master),
		PCI_TEST(test_bus_master_fails),
		PCI_TEST(test_log_without_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

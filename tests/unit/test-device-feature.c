/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Features of devices: asked for, read and set, the data handed on as it is. */
#include "alloc.h"
#include "pci-steps.h"

#define GETS LIBIOMMU_DEVICE_FEATURE_GET
#define SETS LIBIOMMU_DEVICE_FEATURE_SET

/* The header with data behind it. */
struct message {
	struct {
		uint32_t argsz;
		uint32_t flags;
	} head;
	uint32_t data[2];
};

static void expect_probe(uint32_t flags, int result)
{
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_FEATURE,
	             IN(struct uapi_vfio_device_feature, .argsz = 8,
	                .flags = flags | UAPI_VFIO_DEVICE_FEATURE_PROBE),
	             .result = result);
}

static void expect_move(uint32_t flags, int result)
{
	EXPECT_IOCTL(
		DEVICE_FD, VFIO_DEVICE_FEATURE,
		IN(struct message, .head = {.argsz = 16, .flags = flags}, .data = {0x11, 0x22}),
		OUT(struct message, .head = {.argsz = 16, .flags = flags}, .data = {0x33, 0x44}),
		.result = result);
}

static void test_probe(void **state)
{
	static const int no[] = {-ENOTTY, -EOPNOTSUPP, -EINVAL};

	(void)state;
	expect_probe(UAPI_VFIO_DEVICE_FEATURE_MIGRATION | UAPI_VFIO_DEVICE_FEATURE_GET, 0);
	assert_int_equal(
		libiommu_device_feature_probe(pci_dev, LIBIOMMU_DEVICE_FEATURE_MIGRATION, GETS), 1);
	expect_probe(UAPI_VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE | UAPI_VFIO_DEVICE_FEATURE_GET |
	                     UAPI_VFIO_DEVICE_FEATURE_SET,
	             0);
	assert_int_equal(libiommu_device_feature_probe(
				 pci_dev, LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE, GETS | SETS),
	                 1);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		expect_probe(0xffff, no[i]);
		assert_int_equal(libiommu_device_feature_probe(pci_dev, 0xffff, 0), 0);
	}
	expect_probe(LIBIOMMU_DEVICE_FEATURE_ZPCI_ERROR, -EIO);
	assert_int_equal(
		libiommu_device_feature_probe(pci_dev, LIBIOMMU_DEVICE_FEATURE_ZPCI_ERROR, 0),
		-EIO);
	assert_failure(-EIO, KERNEL, "libiommu_device_feature_probe");
	assert_explained("13 is the feature");
	assert_int_equal(libiommu_device_feature_probe(pci_dev, 0x10000, GETS), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_feature_probe");
	assert_int_equal(libiommu_device_feature_probe(pci_dev, 0, 4), -EINVAL);
	assert_explained("unknown direction");
}

static void test_numbers(void **state)
{
	static const struct {
		enum libiommu_device_feature ours;
		uint32_t kernels;
	} features[] = {
		{LIBIOMMU_DEVICE_FEATURE_PCI_VF_TOKEN, UAPI_VFIO_DEVICE_FEATURE_PCI_VF_TOKEN},
		{LIBIOMMU_DEVICE_FEATURE_MIGRATION, UAPI_VFIO_DEVICE_FEATURE_MIGRATION},
		{LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE,
	         UAPI_VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE},
		{LIBIOMMU_DEVICE_FEATURE_LOW_POWER_ENTRY, UAPI_VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY},
		{LIBIOMMU_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
	         UAPI_VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP},
		{LIBIOMMU_DEVICE_FEATURE_LOW_POWER_EXIT, UAPI_VFIO_DEVICE_FEATURE_LOW_POWER_EXIT},
		{LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_START,
	         UAPI_VFIO_DEVICE_FEATURE_DMA_LOGGING_START},
		{LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_STOP,
	         UAPI_VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP},
		{LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_REPORT,
	         UAPI_VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT},
		{LIBIOMMU_DEVICE_FEATURE_MIG_DATA_SIZE, UAPI_VFIO_DEVICE_FEATURE_MIG_DATA_SIZE},
		{LIBIOMMU_DEVICE_FEATURE_BUS_MASTER, UAPI_VFIO_DEVICE_FEATURE_BUS_MASTER},
		{LIBIOMMU_DEVICE_FEATURE_DMA_BUF, UAPI_VFIO_DEVICE_FEATURE_DMA_BUF},
		{LIBIOMMU_DEVICE_FEATURE_ZPCI_ERROR, UAPI_VFIO_DEVICE_FEATURE_ZPCI_ERROR},
		{LIBIOMMU_DEVICE_FEATURE_MIG_PRECOPY_INFO_V2,
	         UAPI_VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		expect_probe(features[i].kernels, -ENOTTY);
		assert_int_equal(libiommu_device_feature_probe(pci_dev, features[i].ours, 0), 0);
	}
}

static void test_get_and_set(void **state)
{
	uint32_t data[3] = {0x11, 0x22, 0x55};

	(void)state;
	expect_move(UAPI_VFIO_DEVICE_FEATURE_GET | LIBIOMMU_DEVICE_FEATURE_MIGRATION, 0);
	assert_int_equal(
		libiommu_device_feature_get(pci_dev, LIBIOMMU_DEVICE_FEATURE_MIGRATION, data, 8),
		0);
	assert_int_equal(data[0], 0x33);
	assert_int_equal(data[1], 0x44);
	assert_int_equal(data[2], 0x55);
	/* A descriptor is the caller's. */
	data[0] = 0x11, data[1] = 0x22;
	expect_move(UAPI_VFIO_DEVICE_FEATURE_SET | LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE, 77);
	assert_int_equal(libiommu_device_feature_set(
				 pci_dev, LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE, data, 8),
	                 77);
	assert_int_equal(data[0], 0x33);
	/* Some have no data. */
	EXPECT_IOCTL(
		DEVICE_FD, VFIO_DEVICE_FEATURE,
		IN(struct uapi_vfio_device_feature, .argsz = 8,
	           .flags = UAPI_VFIO_DEVICE_FEATURE_SET | LIBIOMMU_DEVICE_FEATURE_LOW_POWER_EXIT));
	assert_int_equal(libiommu_device_feature_set(
				 pci_dev, LIBIOMMU_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0),
	                 0);
}

static void test_refused(void **state)
{
	static const struct {
		int kernels, error;
		const char *words;
	} refusals[] = {
		/* Of an ioctl that is there; so it is as what the device cannot do. */
		{-ENOTTY, -EOPNOTSUPP, "has no such feature (and says ENOTTY)"},
		{-EOPNOTSUPP, -EOPNOTSUPP, "cannot do that"},
		{-EINVAL, -EINVAL, "wrong or too short"},
	};
	uint32_t data[2] = {0x11, 0x22};

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		expect_move(UAPI_VFIO_DEVICE_FEATURE_GET | 8, refusals[i].kernels);
		assert_int_equal(
			libiommu_device_feature_get(
				pci_dev, LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_REPORT, data, 8),
			refusals[i].error);
		assert_failure(refusals[i].error, KERNEL, "libiommu_device_feature_get");
		assert_explained(refusals[i].words);
	}
	expect_move(UAPI_VFIO_DEVICE_FEATURE_SET, -EPERM);
	assert_int_equal(
		libiommu_device_feature_set(pci_dev, LIBIOMMU_DEVICE_FEATURE_PCI_VF_TOKEN, data, 8),
		-EPERM);
	assert_failure(-EPERM, KERNEL, "libiommu_device_feature_set");
	/* Untouched, though the kernel wrote. */
	assert_int_equal(data[0], 0x11);
	assert_int_equal(libiommu_device_feature_get(pci_dev, 0x10000, data, 8), -EINVAL);
	assert_int_equal(libiommu_device_feature_get(pci_dev, 0, data, (1 << 20) + 1), -EINVAL);
	assert_int_equal(libiommu_device_feature_get(pci_dev, 0, NULL, 8), -EINVAL);
	assert_int_equal(libiommu_device_feature_set(pci_dev, 0, NULL, 8), -EINVAL);
}

static void test_bus_master(void **state)
{
	const uint32_t flags = UAPI_VFIO_DEVICE_FEATURE_BUS_MASTER | UAPI_VFIO_DEVICE_FEATURE_SET;
	const uint32_t set[3] = {12, flags, UAPI_VFIO_DEVICE_FEATURE_SET_MASTER};
	const uint32_t clear[3] = {12, flags, UAPI_VFIO_DEVICE_FEATURE_CLEAR_MASTER};

	(void)state;
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_FEATURE, IN_BYTES(set, 12));
	assert_int_equal(libiommu_device_set_bus_master(pci_dev, true), 0);
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_FEATURE, IN_BYTES(clear, 12));
	assert_int_equal(libiommu_device_set_bus_master(pci_dev, false), 0);
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_FEATURE, .result = -ENOTTY);
	assert_int_equal(libiommu_device_set_bus_master(pci_dev, true), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, KERNEL, "libiommu_device_set_bus_master");
}

static int call_bus_master(struct libiommu_device *dev)
{
	return libiommu_device_set_bus_master(dev, true);
}

static int call_probe(struct libiommu_device *dev)
{
	return libiommu_device_feature_probe(dev, 0, GETS);
}

static int call_get(struct libiommu_device *dev)
{
	return libiommu_device_feature_get(dev, 0, NULL, 0);
}

static int call_set(struct libiommu_device *dev)
{
	return libiommu_device_feature_set(dev, 0, NULL, 0);
}

static const struct pci_call calls[] = {
	{"libiommu_device_feature_probe", call_probe, false},
	{"libiommu_device_feature_get", call_get, false},
	{"libiommu_device_feature_set", call_set, false},
	{"libiommu_device_set_bus_master", call_bus_master, false},
};

static void test_needs_a_bound_device(void **state)
{
	(void)state;
	assert_needs_device(calls, sizeof(calls) / sizeof(calls[0]));
}

static void test_without_memory(void **state)
{
	(void)state;
	ALLOC_LOOP
	{
		uint32_t data[2] = {0x11, 0x22};

		expect_move(UAPI_VFIO_DEVICE_FEATURE_GET, 0);
		if (ALLOC_TRY(libiommu_device_feature_get(pci_dev, 0, data, 8)))
			assert_int_equal(data[0], 0x11);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(test_probe),          PCI_TEST(test_numbers),
		PCI_TEST(test_get_and_set),    PCI_TEST(test_refused),
		PCI_TEST(test_bus_master),     PCI_TEST(test_needs_a_bound_device),
		PCI_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Resets, and the list of those that a hot reset reaches. */
#include "alloc.h"
#include "pci-steps.h"

#include <string.h>

#define NEW  "libiommu_reset_list_new"
#define ROOM 16
#define MOST 300

static int call_function(struct libiommu_device *dev)
{
	return libiommu_reset_function(dev);
}

static int call_hot(struct libiommu_device *dev)
{
	return libiommu_reset_hot(dev);
}

static int call_new(struct libiommu_device *dev)
{
	struct libiommu_reset_list *list = NULL;
	const int error = libiommu_reset_list_new(dev, &list);

	if (error)
		assert_null(list);
	libiommu_reset_list_free(list);
	return error;
}

static const struct pci_call calls[] = {
	{"libiommu_reset_function", call_function, false},
	{"libiommu_reset_hot", call_hot, true},
	{NEW, call_new, true},
};

struct answer {
	struct {
		uint32_t argsz, flags, count;
	} info;
	struct uapi_vfio_pci_dependent_device devices[MOST];
};

/* Asked with room for @room devices. */
static void expect_list(uint32_t room, const struct answer *answer, int result)
{
	const uint32_t filled = answer->info.count < room ? answer->info.count : room;

	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
	             IN(struct uapi_vfio_pci_hot_reset_info, .argsz = 12 + 8 * room),
	             OUT_BYTES(answer, result ? 12 : 12 + 8 * filled), .result = result);
}

static void assert_no_argument(void *arg, const void *user)
{
	(void)user;
	assert_null(arg);
}

static void test_function(void **state)
{
	(void)state;
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_RESET, .act = assert_no_argument);
	assert_int_equal(libiommu_reset_function(pci_dev), 0);
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_RESET, .result = -EINVAL);
	assert_int_equal(libiommu_reset_function(pci_dev), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_reset_function");
	assert_explained("no way to be reset alone");
}

/* A device opened by its group can be reset alone. */
static void test_function_grouped(void **state)
{
	struct libiommu_device *const dev = script_device_grouped(pci_ctx, 119, 120);

	(void)state;
	EXPECT_IOCTL(120, VFIO_DEVICE_RESET, .act = assert_no_argument);
	assert_int_equal(libiommu_reset_function(dev), 0);
	script_device_close(dev);
}

static void test_hot(void **state)
{
	static const struct {
		int error;
		const char *words;
	} answers[] = {
		{-EINVAL, "libiommu_reset_list_new()"},
		{-ENODEV, "neither the bus nor the slot"},
		{-ENOTTY, "neither the bus nor the slot"},
		{-EBUSY, "try again"},
		{-EAGAIN, "try again"},
	};

	(void)state;
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_PCI_HOT_RESET,
	             IN(struct uapi_vfio_pci_hot_reset, .argsz = 12));
	assert_int_equal(libiommu_reset_hot(pci_dev), 0);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_PCI_HOT_RESET, .result = answers[i].error);
		assert_int_equal(libiommu_reset_hot(pci_dev), answers[i].error);
		assert_failure(answers[i].error, KERNEL, "libiommu_reset_hot");
		assert_explained(answers[i].words);
	}
}

static void test_list(void **state)
{
	const struct answer answer = {
		.info = {.flags = UAPI_VFIO_PCI_HOT_RESET_FLAG_DEV_ID, .count = 3},
		.devices = {{.devid = 7, .segment = 0xfffe, .bus = 0xab, .devfn = 0x21},
	                    {.devid = UAPI_VFIO_PCI_DEVID_OWNED, .bus = 2},
	                    {.devid = (uint32_t)UAPI_VFIO_PCI_DEVID_NOT_OWNED, .bus = 3}},
	};
	struct libiommu_reset_list *list;
	uint16_t segment;
	uint8_t bus, devfn;
	uint32_t id = 99;

	(void)state;
	expect_list(ROOM, &answer, 0);
	assert_int_equal(libiommu_reset_list_new(pci_dev, &list), 0);
	assert_int_equal(libiommu_reset_list_count(list), 3);
	assert_int_equal(libiommu_reset_list_allowed(list), 0);
	assert_int_equal(libiommu_reset_list_address(list, 0, &segment, &bus, &devfn), 0);
	assert_int_equal(segment, 0xfffe);
	assert_int_equal(bus, 0xab);
	assert_int_equal(devfn, 0x21);
	assert_int_equal(libiommu_reset_list_address(list, 2, &segment, &bus, &devfn), 0);
	assert_int_equal(bus, 3);
	assert_int_equal(libiommu_reset_list_id(list, 2, &id), -EPERM);
	assert_failure(-EPERM, LIBRARY, "libiommu_reset_list_id");
	assert_int_equal(id, 99);
	assert_int_equal(libiommu_reset_list_id(list, 0, &id), 0);
	assert_int_equal(id, 7);
	assert_int_equal(libiommu_reset_list_id(list, 1, &id), 0);
	assert_int_equal(id, 0);
	assert_int_equal(libiommu_reset_list_id(list, 3, &id), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_reset_list_id");
	assert_explained("3 devices");
	assert_int_equal(libiommu_reset_list_address(list, 3, &segment, &bus, &devfn), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_reset_list_address");
	libiommu_reset_list_free(list);
}

static void test_list_allowed(void **state)
{
	const struct answer answer = {
		.info = {.flags = UAPI_VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
	                          UAPI_VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED,
	                 .count = 1},
		.devices = {{.devid = 7}},
	};
	struct libiommu_reset_list *list;

	(void)state;
	expect_list(ROOM, &answer, 0);
	assert_int_equal(libiommu_reset_list_new(pci_dev, &list), 0);
	assert_int_equal(libiommu_reset_list_allowed(list), 1);
	libiommu_reset_list_free(list);
}

static void test_list_grows(void **state)
{
	struct answer answer = {.info = {.count = MOST}};
	struct libiommu_reset_list *list;
	uint8_t bus, devfn;
	uint16_t segment;

	(void)state;
	answer.devices[MOST - 1].devfn = 0x77;
	expect_list(ROOM, &answer, -ENOSPC);
	/* The bus changed while the kernel counted. */
	expect_list(MOST, &answer, -EAGAIN);
	expect_list(MOST, &answer, 0);
	assert_int_equal(libiommu_reset_list_new(pci_dev, &list), 0);
	assert_int_equal(libiommu_reset_list_count(list), MOST);
	assert_int_equal(libiommu_reset_list_address(list, MOST - 1, &segment, &bus, &devfn), 0);
	assert_int_equal(devfn, 0x77);
	libiommu_reset_list_free(list);
}

static void test_list_never_fits(void **state)
{
	struct answer answer = {0};

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		answer.info.count = ROOM + i + 1;
		expect_list(ROOM + i, &answer, -ENOSPC);
	}
	assert_int_equal(call_new(pci_dev), -EAGAIN);
	assert_failure(-EAGAIN, LIBRARY, NEW);
	for (uint32_t i = 0; i < 8; i++)
		expect_list(ROOM, &(const struct answer){0}, -EAGAIN);
	assert_int_equal(call_new(pci_dev), -EAGAIN);
	/* More than it had room for is not believed, nor more than a domain holds. */
	answer.info.count = UINT32_MAX;
	expect_list(ROOM, &answer, 0);
	for (int i = 0; i < 7; i++)
		expect_list(65536, &answer, -ENOSPC);
	assert_int_equal(call_new(pci_dev), -EAGAIN);
}

static void test_kernel_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < pci_error_count; i++) {
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_RESET, .result = pci_errors[i]);
		assert_int_equal(call_function(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, "libiommu_reset_function");
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_PCI_HOT_RESET, .result = pci_errors[i]);
		assert_int_equal(call_hot(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, "libiommu_reset_hot");
		/* Asked for again, see above. */
		if (pci_errors[i] == -EAGAIN)
			continue;
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
		             .result = pci_errors[i]);
		assert_int_equal(call_new(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, NEW);
	}
}

static void test_no_memory(void **state)
{
	const struct answer answer = {.info = {.count = 20}};

	(void)state;
	ALLOC_LOOP
	{
		expect_list(ROOM, &answer, -ENOSPC);
		expect_list(20, &answer, 0);
		ALLOC_TRY(call_new(pci_dev));
	}
}

static void test_arguments(void **state)
{
	const struct answer answer = {.info = {.count = 1}};
	struct libiommu_reset_list *list;
	uint16_t segment;
	uint8_t bus, devfn;
	uint32_t id;

	(void)state;
	assert_int_equal(libiommu_reset_list_new(pci_dev, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, NEW);
	expect_list(ROOM, &answer, 0);
	assert_int_equal(libiommu_reset_list_new(pci_dev, &list), 0);
	assert_int_equal(libiommu_reset_list_address(list, 0, NULL, &bus, &devfn), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_reset_list_address");
	assert_int_equal(libiommu_reset_list_address(list, 0, &segment, NULL, &devfn), -EINVAL);
	assert_int_equal(libiommu_reset_list_address(list, 0, &segment, &bus, NULL), -EINVAL);
	assert_int_equal(libiommu_reset_list_address(NULL, 0, &segment, &bus, &devfn), -EINVAL);
	assert_int_equal(libiommu_reset_list_id(list, 0, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_reset_list_id");
	libiommu_reset_list_free(list);
	libiommu_reset_list_free(NULL);
	assert_int_equal(libiommu_reset_list_id(NULL, 0, &id), -EINVAL);
	assert_int_equal(libiommu_reset_list_count(NULL), 0);
	assert_int_equal(libiommu_reset_list_allowed(NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_reset_list_allowed");
	assert_needs_device(calls, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(test_function),
		PCI_TEST(test_function_grouped),
		PCI_TEST(test_hot),
		PCI_TEST(test_list),
		PCI_TEST(test_list_allowed),
		PCI_TEST(test_list_grows),
		PCI_TEST(test_list_never_fits),
		PCI_TEST(test_kernel_refuses),
		PCI_TEST(test_no_memory),
		PCI_TEST(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

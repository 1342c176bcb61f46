/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Dma-bufs of parts of BARs. */
#include "alloc.h"
#include "pci-steps.h"

#include "../../lib/base/sys.h"

#define EXPORT "libiommu_pci_bar_export"
#define FD     77

struct message {
	struct {
		uint32_t argsz;
		uint32_t flags;
	} head;
	struct {
		uint32_t region_index;
		uint32_t open_flags;
		uint32_t flags;
		uint32_t nr_ranges;
	} dma_buf;
	struct uapi_vfio_region_dma_range ranges[2];
};

static uint64_t page(void)
{
	return li_sys_page_size();
}

/* Both halves of a BAR of four pages, the second first. */
static int export_halves(int *fd)
{
	const struct libiommu_bar_range ranges[] = {{2 * page(), 2 * page()}, {0, 2 * page()}};

	return libiommu_pci_bar_export(pci_dev, 1, ranges, 2, fd);
}

static void expect_export(int result)
{
	EXPECT_IOCTL(
		DEVICE_FD, VFIO_DEVICE_FEATURE,
		IN(struct message,
	           .head = {.argsz = sizeof(struct message),
	                    .flags = UAPI_VFIO_DEVICE_FEATURE_GET |
	                             UAPI_VFIO_DEVICE_FEATURE_DMA_BUF},
	           .dma_buf = {.region_index = 1, .open_flags = O_RDWR | O_CLOEXEC, .nr_ranges = 2},
	           .ranges = {{2 * page(), 2 * page()}, {0, 2 * page()}}),
		.result = result);
}

static void test_export(void **state)
{
	int fd = -5;

	(void)state;
	expect_find(1, RW, 4 * page());
	expect_export(FD);
	assert_int_equal(export_halves(&fd), 0);
	assert_int_equal(fd, FD);
}

static void test_ranges_are_checked(void **state)
{
	const struct {
		struct libiommu_bar_range range;
		int error;
	} wrong[] = {
		{{0, page() + 1}, -EINVAL},
		{{1, page()}, -EINVAL},
		{{0, 0}, -ERANGE},
		{{4 * page(), page()}, -ERANGE},
		{{3 * page(), 2 * page()}, -ERANGE},
		{{page(), -page()}, -ERANGE},
	};
	int fd = -5;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct libiommu_bar_range ranges[] = {{0, page()}, wrong[i].range};

		if (wrong[i].error == -ERANGE)
			expect_find(0, RW, 4 * page());
		assert_int_equal(libiommu_pci_bar_export(pci_dev, 0, ranges, 2, &fd),
		                 wrong[i].error);
		assert_failure(wrong[i].error, LIBRARY, EXPORT);
	}
	assert_int_equal(fd, -5);
}

static void test_arguments_are_checked(void **state)
{
	const struct libiommu_bar_range range = {0, page()};
	int fd = -5;

	(void)state;
	assert_int_equal(libiommu_pci_bar_export(pci_dev, 6, &range, 1, &fd), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, EXPORT);
	assert_int_equal(libiommu_pci_bar_export(pci_dev, 0, &range, 0, &fd), -EINVAL);
	assert_int_equal(libiommu_pci_bar_export(pci_dev, 0, &range, 65537, &fd), -EINVAL);
	assert_explained("from 1 to 65536");
	assert_int_equal(libiommu_pci_bar_export(pci_dev, 0, NULL, 1, &fd), -EINVAL);
	assert_int_equal(libiommu_pci_bar_export(pci_dev, 0, &range, 1, NULL), -EINVAL);
	assert_int_equal(fd, -5);
}

static void test_refused(void **state)
{
	static const struct {
		int kernels, error;
		const char *words;
	} refusals[] = {
		{-ENOTTY, -EOPNOTSUPP, "no such feature"},
		{-EOPNOTSUPP, -EOPNOTSUPP, "cannot do that"},
		{-ENODEV, -ENODEV, "the BAR is not there"},
		{-EMFILE, -EMFILE, "no descriptor left"},
	};
	int fd = -5;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		expect_find(1, RW, 4 * page());
		expect_export(refusals[i].kernels);
		assert_int_equal(export_halves(&fd), refusals[i].error);
		assert_failure(refusals[i].error, KERNEL, EXPORT);
		assert_explained(refusals[i].words);
	}
	for (size_t i = 0; i < pci_error_count; i++) {
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_INFO, .result = pci_errors[i]);
		assert_int_equal(export_halves(&fd), pci_errors[i]);
	}
	assert_int_equal(fd, -5);
}

static int call_export(struct libiommu_device *dev)
{
	const struct libiommu_bar_range range = {0, page()};
	int fd = -5;
	const int error = libiommu_pci_bar_export(dev, 0, &range, 1, &fd);

	assert_int_equal(fd, -5);
	return error;
}

static const struct pci_call calls[] = {{EXPORT, call_export, false}};

static void test_needs_a_bound_device(void **state)
{
	(void)state;
	assert_needs_device(calls, 1);
}

static void test_without_memory(void **state)
{
	(void)state;
	ALLOC_LOOP
	{
		int fd = -5;

		expect_find(1, RW, 4 * page());
		expect_export(FD);
		if (ALLOC_TRY(export_halves(&fd)))
			assert_int_equal(fd, -5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(test_export),
		PCI_TEST(test_ranges_are_checked),
		PCI_TEST(test_arguments_are_checked),
		PCI_TEST(test_refused),
		PCI_TEST(test_needs_a_bound_device),
		PCI_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

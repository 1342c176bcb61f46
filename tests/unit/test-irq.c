/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Interrupts: the commands that the kernel gets, and its answers put right. */
#include "alloc.h"
#include "pci-steps.h"

#include <string.h>

#define MOST_FDS 80

static const int one_fd = 33;

/* Every kind, with flags and data of its own. */
static const enum libiommu_irq_kind kinds[] = {
	LIBIOMMU_IRQ_INTX, LIBIOMMU_IRQ_MSI, LIBIOMMU_IRQ_MSIX, LIBIOMMU_IRQ_ERR, LIBIOMMU_IRQ_REQ,
};

static int call_info(struct libiommu_device *dev)
{
	uint32_t count = 77, flags = 78;
	const int error = libiommu_irq_info(dev, LIBIOMMU_IRQ_MSIX, &count, &flags);

	assert_int_equal(count, 77);
	assert_int_equal(flags, 78);
	return error;
}

static int call_enable(struct libiommu_device *dev)
{
	return libiommu_irq_enable(dev, LIBIOMMU_IRQ_MSIX, 0, &one_fd, 1);
}

static int call_disable(struct libiommu_device *dev)
{
	return libiommu_irq_disable(dev, LIBIOMMU_IRQ_MSIX);
}

static int call_mask(struct libiommu_device *dev)
{
	return libiommu_irq_mask(dev, LIBIOMMU_IRQ_INTX, 0, 1);
}

static int call_unmask(struct libiommu_device *dev)
{
	return libiommu_irq_unmask(dev, LIBIOMMU_IRQ_INTX, 0, 1);
}

static int call_resample(struct libiommu_device *dev)
{
	return libiommu_irq_set_resample(dev, one_fd);
}

static int call_trigger(struct libiommu_device *dev)
{
	return libiommu_irq_trigger(dev, LIBIOMMU_IRQ_MSIX, 0, 1);
}

static int call_act(struct libiommu_device *dev)
{
	return libiommu_irq_act(dev, LIBIOMMU_IRQ_MSIX, LIBIOMMU_IRQ_TRIGGER, 0,
	                        (const uint8_t *)"\1", 1);
}

static const struct pci_call calls[] = {
	{"libiommu_irq_info", call_info, false},
	{"libiommu_irq_disable", call_disable, false},
	{"libiommu_irq_enable", call_enable, false},
	{"libiommu_irq_mask", call_mask, false},
	{"libiommu_irq_unmask", call_unmask, false},
	{"libiommu_irq_set_resample", call_resample, false},
	{"libiommu_irq_trigger", call_trigger, false},
	{"libiommu_irq_act", call_act, false},
};

/* The last six, which do no more than to issue one command. */
#define FIRST_COMMAND 2

static const size_t call_count = sizeof(calls) / sizeof(calls[0]);

static void expect_info(uint32_t index, uint32_t count, uint32_t flags, int result)
{
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_IRQ_INFO,
	             IN(struct uapi_vfio_irq_info, .argsz = sizeof(struct uapi_vfio_irq_info),
	                .index = index),
	             OUT(struct uapi_vfio_irq_info, .argsz = sizeof(struct uapi_vfio_irq_info),
	                 .flags = flags, .index = index, .count = count),
	             .result = result);
}

/* A command, with as many eventfds as it counts unless they are NULL. */
static void expect_set(uint32_t index, uint32_t action, uint32_t start, const int *fds,
                       uint32_t count, int result)
{
	struct {
		uint32_t argsz, flags, index, start, count;
		int32_t data[MOST_FDS];
	} want = {
		.argsz = 20 + (fds ? 4 * count : 0),
		.flags = action |
	                 (fds ? UAPI_VFIO_IRQ_SET_DATA_EVENTFD : UAPI_VFIO_IRQ_SET_DATA_NONE),
		.index = index,
		.start = start,
		.count = count,
	};

	if (fds)
		memcpy(want.data, fds, 4 * count);
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_SET_IRQS, IN_BYTES(&want, want.argsz),
	             .result = result);
}

#define MASK    UAPI_VFIO_IRQ_SET_ACTION_MASK
#define UNMASK  UAPI_VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER UAPI_VFIO_IRQ_SET_ACTION_TRIGGER

static void test_info(void **state)
{
	uint32_t count, flags;

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		expect_info(i, i + 1, i, 0);
		assert_int_equal(libiommu_irq_info(pci_dev, kinds[i], &count, &flags), 0);
		assert_int_equal(count, i + 1);
		assert_int_equal(flags, i);
	}
	/* What later kernels may add stays out; a result that is not wanted, too. */
	expect_info(2, 2048, UINT32_MAX, 0);
	assert_int_equal(libiommu_irq_info(pci_dev, LIBIOMMU_IRQ_MSIX, NULL, &flags), 0);
	assert_int_equal(flags, LIBIOMMU_IRQ_EVENTFD | LIBIOMMU_IRQ_MASKABLE |
	                                LIBIOMMU_IRQ_AUTOMASKED | LIBIOMMU_IRQ_NORESIZE);
	expect_info(2, 2048, 9, 0);
	assert_int_equal(libiommu_irq_info(pci_dev, LIBIOMMU_IRQ_MSIX, &count, NULL), 0);
	assert_int_equal(count, 2048);
}

/* The kernel counts none and has flags nevertheless, or calls the kind unknown. */
static void test_info_of_none(void **state)
{
	uint32_t count = 77, flags = 78;

	(void)state;
	expect_info(1, 0, UAPI_VFIO_IRQ_INFO_EVENTFD | UAPI_VFIO_IRQ_INFO_NORESIZE, 0);
	assert_int_equal(libiommu_irq_info(pci_dev, LIBIOMMU_IRQ_MSI, &count, &flags), 0);
	assert_int_equal(count, 0);
	assert_int_equal(flags, 0);
	count = flags = 77;
	expect_info(3, 5, 5, -EINVAL);
	assert_int_equal(libiommu_irq_info(pci_dev, LIBIOMMU_IRQ_ERR, &count, &flags), 0);
	assert_int_equal(count, 0);
	assert_int_equal(flags, 0);
}

static void test_enable(void **state)
{
	const int fds[] = {40, -1, 42};

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		expect_set(i, TRIGGER, 0, &one_fd, 1, 0);
		assert_int_equal(libiommu_irq_enable(pci_dev, kinds[i], 0, &one_fd, 1), 0);
	}
	expect_set(2, TRIGGER, 5, fds, 3, 0);
	assert_int_equal(libiommu_irq_enable(pci_dev, LIBIOMMU_IRQ_MSIX, 5, fds, 3), 0);
	/* What overflows is the kernel's to refuse. */
	expect_set(2, TRIGGER, UINT32_MAX, fds, 3, -EINVAL);
	assert_int_equal(libiommu_irq_enable(pci_dev, LIBIOMMU_IRQ_MSIX, UINT32_MAX, fds, 3),
	                 -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_irq_enable");
	assert_explained("MSI-X");
}

/* Few vectors need no memory, more do. */
static void test_enable_many(void **state)
{
	int fds[MOST_FDS];

	(void)state;
	for (int i = 0; i < MOST_FDS; i++)
		fds[i] = 1000 + i;
	alloc_fail_nth(1);
	expect_set(2, TRIGGER, 0, fds, 64, 0);
	assert_int_equal(libiommu_irq_enable(pci_dev, LIBIOMMU_IRQ_MSIX, 0, fds, 64), 0);
	assert_false(alloc_restore());
	expect_set(2, TRIGGER, 0, fds, 65, -EBADF);
	assert_int_equal(libiommu_irq_enable(pci_dev, LIBIOMMU_IRQ_MSIX, 0, fds, 65), -EBADF);
	assert_failure(-EBADF, KERNEL, "libiommu_irq_enable");
	ALLOC_LOOP
	{
		expect_set(2, TRIGGER, 3, fds, MOST_FDS, 0);
		ALLOC_TRY(libiommu_irq_enable(pci_dev, LIBIOMMU_IRQ_MSIX, 3, fds, MOST_FDS));
	}
}

/* The kernel says with a positive number how many vectors it could have had: none is enabled. */
static void test_too_few_vectors(void **state)
{
	const int fds[] = {40, 41, 42};

	(void)state;
	expect_set(1, TRIGGER, 0, fds, 3, 2);
	assert_int_equal(libiommu_irq_enable(pci_dev, LIBIOMMU_IRQ_MSI, 0, fds, 3), -ENOSPC);
	assert_failure(-ENOSPC, LIBRARY, "libiommu_irq_enable");
	assert_explained("MSI; id 7; 2 vectors left");
	expect_set(1, TRIGGER, 0, fds, 3, -ENOSPC);
	assert_int_equal(libiommu_irq_enable(pci_dev, LIBIOMMU_IRQ_MSI, 0, fds, 3), -ENOSPC);
	assert_failure(-ENOSPC, KERNEL, "libiommu_irq_enable");
}

static void test_disable(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		expect_set(i, TRIGGER, 0, NULL, 0, 0);
		assert_int_equal(libiommu_irq_disable(pci_dev, kinds[i]), 0);
	}
}

/* The kernel's EINVAL is "not enabled", which is no error, or "there is none". */
static void test_disable_what_is_off(void **state)
{
	(void)state;
	expect_set(2, TRIGGER, 0, NULL, 0, -EINVAL);
	expect_info(2, 16, UAPI_VFIO_IRQ_INFO_EVENTFD, 0);
	assert_int_equal(libiommu_irq_disable(pci_dev, LIBIOMMU_IRQ_MSIX), 0);
	expect_set(2, TRIGGER, 0, NULL, 0, -EINVAL);
	expect_info(2, 0, UAPI_VFIO_IRQ_INFO_EVENTFD, 0);
	assert_int_equal(libiommu_irq_disable(pci_dev, LIBIOMMU_IRQ_MSIX), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_irq_disable");
	assert_explained("MSI-X");
	expect_set(3, TRIGGER, 0, NULL, 0, -EINVAL);
	expect_info(3, 0, 0, -EINVAL);
	assert_int_equal(libiommu_irq_disable(pci_dev, LIBIOMMU_IRQ_ERR), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_irq_disable");
	expect_set(3, TRIGGER, 0, NULL, 0, -EINVAL);
	expect_info(3, 0, 0, -EFAULT);
	assert_int_equal(libiommu_irq_disable(pci_dev, LIBIOMMU_IRQ_ERR), -EFAULT);
	assert_failure(-EFAULT, KERNEL, "libiommu_irq_disable");
}

static void test_mask(void **state)
{
	(void)state;
	expect_set(0, MASK, 0, NULL, 1, 0);
	assert_int_equal(libiommu_irq_mask(pci_dev, LIBIOMMU_IRQ_INTX, 0, 1), 0);
	expect_set(0, UNMASK, 0, NULL, 1, 0);
	assert_int_equal(libiommu_irq_unmask(pci_dev, LIBIOMMU_IRQ_INTX, 0, 1), 0);
	expect_set(2, MASK, 3, NULL, 4, -ENOTTY);
	assert_int_equal(libiommu_irq_mask(pci_dev, LIBIOMMU_IRQ_MSIX, 3, 4), -ENOTTY);
	assert_failure(-ENOTTY, KERNEL, "libiommu_irq_mask");
	assert_explained("this kind of interrupt cannot do that");
	assert_explained("MSI-X, vectors 3 to 6; id 7;");
	expect_set(2, UNMASK, 3, NULL, 4, -ENOTTY);
	assert_int_equal(libiommu_irq_unmask(pci_dev, LIBIOMMU_IRQ_MSIX, 3, 4), -ENOTTY);
	assert_failure(-ENOTTY, KERNEL, "libiommu_irq_unmask");
}

static void test_resample(void **state)
{
	const int none = -1;

	(void)state;
	expect_set(0, UNMASK, 0, &one_fd, 1, 0);
	assert_int_equal(libiommu_irq_set_resample(pci_dev, one_fd), 0);
	expect_set(0, UNMASK, 0, &one_fd, 1, -EBUSY);
	assert_int_equal(libiommu_irq_set_resample(pci_dev, one_fd), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_irq_set_resample");
	expect_set(0, UNMASK, 0, &none, 1, 0);
	assert_int_equal(libiommu_irq_set_resample(pci_dev, -1), 0);
}

static void test_trigger(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		expect_set(i, TRIGGER, i, NULL, 1, 0);
		assert_int_equal(libiommu_irq_trigger(pci_dev, kinds[i], i, 1), 0);
	}
	expect_set(2, TRIGGER, 4, NULL, 2000, 0);
	assert_int_equal(libiommu_irq_trigger(pci_dev, LIBIOMMU_IRQ_MSIX, 4, 2000), 0);
}

/* A byte a vector, as many as are counted. */
static void expect_chosen(uint32_t action, uint32_t start, const uint8_t *chosen, uint32_t count)
{
	struct {
		uint32_t argsz, flags, index, start, count;
		uint8_t data[400];
	} want = {
		.argsz = 20 + count,
		.flags = action | UAPI_VFIO_IRQ_SET_DATA_BOOL,
		.index = 2,
		.start = start,
		.count = count,
	};

	memcpy(want.data, chosen, count);
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_SET_IRQS, IN_BYTES(&want, want.argsz));
}

static void test_act(void **state)
{
	static const struct {
		enum libiommu_irq_action ours;
		uint32_t kernels;
	} actions[] = {
		{LIBIOMMU_IRQ_MASK, MASK},
		{LIBIOMMU_IRQ_UNMASK, UNMASK},
		{LIBIOMMU_IRQ_TRIGGER, TRIGGER},
	};
	uint8_t chosen[400];

	(void)state;
	for (size_t i = 0; i < sizeof(chosen); i++)
		chosen[i] = i % 3 == 1;
	for (size_t i = 0; i < 3; i++) {
		expect_chosen(actions[i].kernels, 7, chosen, 5);
		assert_int_equal(
			libiommu_irq_act(pci_dev, LIBIOMMU_IRQ_MSIX, actions[i].ours, 7, chosen, 5),
			0);
	}
	/* More than what needs no memory. */
	ALLOC_LOOP
	{
		expect_chosen(TRIGGER, 0, chosen, 400);
		ALLOC_TRY(libiommu_irq_act(pci_dev, LIBIOMMU_IRQ_MSIX, LIBIOMMU_IRQ_TRIGGER, 0,
		                           chosen, 400));
	}
	assert_int_equal(
		libiommu_irq_act(pci_dev, LIBIOMMU_IRQ_MSIX, LIBIOMMU_IRQ_TRIGGER, 0, chosen, 0),
		-EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_act");
	assert_int_equal(
		libiommu_irq_act(pci_dev, LIBIOMMU_IRQ_MSIX, LIBIOMMU_IRQ_TRIGGER, 0, NULL, 1),
		-EINVAL);
	assert_int_equal(libiommu_irq_act(pci_dev, LIBIOMMU_IRQ_MSIX, (enum libiommu_irq_action)24,
	                                  0, chosen, 1),
	                 -EINVAL);
	assert_explained("unknown action");
}

static void test_kernel_refuses(void **state)
{
	static const int others[] = {-EINVAL, -EBADF, -ENOSPC};

	(void)state;
	for (size_t i = 0; i < pci_error_count; i++) {
		expect_info(2, 0, 0, pci_errors[i]);
		assert_int_equal(call_info(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, "libiommu_irq_info");
		for (size_t j = 1; j < call_count; j++) {
			EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_SET_IRQS, .result = pci_errors[i]);
			assert_int_equal(calls[j].call(pci_dev), pci_errors[i]);
			assert_failure(pci_errors[i], KERNEL, calls[j].name);
		}
	}
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = FIRST_COMMAND; j < call_count; j++) {
			EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_SET_IRQS, .result = others[i]);
			assert_int_equal(calls[j].call(pci_dev), others[i]);
			assert_failure(others[i], KERNEL, calls[j].name);
		}
	}
}

/* None of these reaches the kernel, to which a count of 0 would mean to switch all off. */
static void test_arguments(void **state)
{
	const enum libiommu_irq_kind beyond = (enum libiommu_irq_kind)5;
	const int bad[] = {40, -2};
	uint32_t count = 77;

	(void)state;
	assert_int_equal(libiommu_irq_info(pci_dev, beyond, &count, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_info");
	assert_int_equal(count, 77);
	assert_explained("unknown kind");
	assert_int_equal(libiommu_irq_disable(pci_dev, beyond), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_disable");
	assert_int_equal(libiommu_irq_enable(pci_dev, beyond, 0, &one_fd, 1), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_enable");
	assert_int_equal(libiommu_irq_enable(pci_dev, LIBIOMMU_IRQ_MSI, 0, NULL, 1), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_enable");
	assert_int_equal(libiommu_irq_enable(pci_dev, LIBIOMMU_IRQ_MSI, 0, &one_fd, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_enable");
	assert_explained("no vectors are named: MSI");
	assert_int_equal(libiommu_irq_enable(pci_dev, LIBIOMMU_IRQ_MSI, 0, bad, 2), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_enable");
	assert_explained("below -1");
	assert_int_equal(libiommu_irq_mask(pci_dev, LIBIOMMU_IRQ_INTX, 0, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_mask");
	assert_int_equal(libiommu_irq_unmask(pci_dev, LIBIOMMU_IRQ_INTX, 0, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_unmask");
	assert_int_equal(libiommu_irq_trigger(pci_dev, LIBIOMMU_IRQ_MSIX, 0, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_trigger");
	assert_int_equal(libiommu_irq_trigger(pci_dev, LIBIOMMU_IRQ_MSIX, 0, UINT32_MAX), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_trigger");
	assert_explained("too many vectors: MSI-X");
	assert_int_equal(libiommu_irq_set_resample(pci_dev, -2), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_set_resample");
	assert_int_equal(libiommu_irq_set_resample(NULL, -2), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_irq_set_resample");
	assert_needs_device(calls, call_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(test_info),
		PCI_TEST(test_info_of_none),
		PCI_TEST(test_enable),
		PCI_TEST(test_enable_many),
		PCI_TEST(test_too_few_vectors),
		PCI_TEST(test_disable),
		PCI_TEST(test_disable_what_is_off),
		PCI_TEST(test_mask),
		PCI_TEST(test_resample),
		PCI_TEST(test_trigger),
		PCI_TEST(test_act),
		PCI_TEST(test_kernel_refuses),
		PCI_TEST(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

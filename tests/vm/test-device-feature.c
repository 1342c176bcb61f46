/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Features of a device's driver, on one that has many: the kernel's mtty can be migrated, and says
 * that it logs its DMA. And on one that has few: vfio-pci.
 */
#include "mtty.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What follows the header of a feature, as <linux/vfio.h> has it. */
enum state { STOP = 1, RUNNING = 2, STOP_COPY = 3, RESUMING = 4, PRE_COPY = 6 };

struct mig_state {
	uint32_t state;
	int32_t fd;
};

struct log_range {
	uint64_t iova;
	uint64_t length;
};

struct log_control {
	uint64_t page_size;
	uint32_t count;
	uint32_t reserved;
	uint64_t ranges;
};

struct log_report {
	uint64_t iova;
	uint64_t length;
	uint64_t page_size;
	uint64_t bitmap;
};

struct low_power {
	int32_t eventfd;
	uint32_t reserved;
};

enum { GET = LIBIOMMU_DEVICE_FEATURE_GET, SET = LIBIOMMU_DEVICE_FEATURE_SET };

static uint32_t state_of(struct libiommu_device *dev)
{
	struct mig_state now = {0, 0};

	OK(libiommu_device_feature_get(dev, LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE, &now,
	                               sizeof(now)));
	return now.state;
}

/* Returns the descriptor that comes with the state, or -1. */
static int change(struct libiommu_device *dev, enum state state)
{
	struct mig_state next = {state, -1};

	OK(libiommu_device_feature_set(dev, LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE, &next,
	                               sizeof(next)));
	assert_int_equal(state_of(dev), state);
	return next.fd;
}

/* A device stops, its state is read, and another one goes on with it. */
static void test_migration(void **state)
{
	struct mtty *const mtty = *state;
	struct libiommu_device *const from = mtty->dev[0];
	struct libiommu_device *const to = mtty->dev[1];
	uint64_t flags = 0, size = 0;
	uint8_t data[512];
	ssize_t length = 0, got;
	int fd;

	NEEDS_MTTY(mtty);
	OK(libiommu_device_feature_get(from, LIBIOMMU_DEVICE_FEATURE_MIGRATION, &flags, 8));
	assert_int_equal(flags, 7); /* STOP_COPY, P2P, PRE_COPY */
	OK(libiommu_device_feature_get(from, LIBIOMMU_DEVICE_FEATURE_MIG_DATA_SIZE, &size, 8));
	assert_in_range(size, 1, sizeof(data));
	assert_int_equal(state_of(from), RUNNING);
	mtty_write(from, MTTY_SCRATCH, 0xa7);
	mtty_write(from, MTTY_DATA, 'm');
	assert_int_equal(mtty_read(to, MTTY_SCRATCH), 0);

	fd = change(from, PRE_COPY);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	/* Written while its state is copied already. */
	mtty_write(from, MTTY_SCRATCH, 0xa8);
	assert_int_equal(change(from, STOP_COPY), -1);
	while ((got = read(fd, data + length, sizeof(data) - (size_t)length)) > 0)
		length += got;
	assert_int_equal(got, 0);
	assert_int_equal(length, size);
	close(fd);
	assert_int_equal(change(from, STOP), -1);

	fd = change(to, RESUMING);
	assert_int_equal(write(fd, data, size), (int)size);
	close(fd);
	assert_int_equal(change(to, RUNNING), -1);
	assert_int_equal(mtty_read(to, MTTY_SCRATCH), 0xa8);
	assert_true(mtty_read(to, MTTY_LINE_STATUS) & MTTY_DATA_READY);
	assert_int_equal(mtty_read(to, MTTY_DATA), 'm');
}

/* How progress is told can be chosen, by kernels that have a choice. */
static void test_precopy_info(void **state)
{
	const uint32_t feature = LIBIOMMU_DEVICE_FEATURE_MIG_PRECOPY_INFO_V2;
	struct mtty *const mtty = *state;

	NEEDS_MTTY(mtty);
	assert_int_equal(libiommu_device_feature_probe(mtty->dev[0], feature, SET),
	                 vm_kernel_at_least(7, 1));
	if (vm_kernel_at_least(7, 1))
		OK(libiommu_device_feature_set(mtty->dev[0], feature, NULL, 0));
	else
		FAILS(EOPNOTSUPP, libiommu_device_feature_set(mtty->dev[0], feature, NULL, 0));
}

/* Half a state cannot be gone on with; a reset is the way out. */
static void test_migration_refused(void **state)
{
	struct mtty *const mtty = *state;
	struct mig_state next = {99, -1};
	int fd;

	NEEDS_MTTY(mtty);
	FAILS(EINVAL,
	      libiommu_device_feature_set(mtty->dev[0], LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE,
	                                  &next, sizeof(next)));
	FAILS(EINVAL, libiommu_device_feature_set(
			      mtty->dev[0], LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE, &next, 4));
	EXPLAINED("wrong or too short");
	fd = change(mtty->dev[0], RESUMING);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	next.state = RUNNING;
	FAILS(EINVAL,
	      libiommu_device_feature_set(mtty->dev[0], LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE,
	                                  &next, sizeof(next)));
	assert_int_equal(next.state, RUNNING);
	OK(libiommu_reset_function(mtty->dev[0]));
	assert_int_equal(state_of(mtty->dev[0]), RUNNING);
}

/* The kernel's part of the logging of DMA; the sample makes none, and reports none. */
static void test_logging(void **state)
{
	struct mtty *const mtty = *state;
	struct log_range range = {VM_IOVA, VM_LENGTH};
	struct log_control control = {.page_size = VM_PAGE, .count = 1};
	uint64_t bitmap = 0;
	struct log_report report = {VM_IOVA, VM_LENGTH, VM_PAGE, (uintptr_t)&bitmap};

	NEEDS_MTTY(mtty);
	control.ranges = (uintptr_t)&range;
	OK(libiommu_device_feature_set(mtty->dev[0], LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_START,
	                               &control, sizeof(control)));
	OK(libiommu_device_feature_get(mtty->dev[0], LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_REPORT,
	                               &report, sizeof(report)));
	assert_int_equal(bitmap, 0);
	OK(libiommu_device_feature_set(mtty->dev[0], LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_STOP, NULL,
	                               0));
	/* No range at all. */
	control.count = 0;
	FAILS(EINVAL,
	      libiommu_device_feature_set(mtty->dev[0], LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_START,
	                                  &control, sizeof(control)));
}

/* What the drivers have: the library says of each what the kernel says. */
static void test_probe(void **state)
{
	static const struct {
		uint32_t feature;
		uint32_t directions;
	} features[] = {
		{LIBIOMMU_DEVICE_FEATURE_MIGRATION, GET},
		{LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE, GET | SET},
		{LIBIOMMU_DEVICE_FEATURE_MIG_DATA_SIZE, GET},
		{LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_START, SET},
		{LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_STOP, SET},
		{LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_REPORT, GET},
	};
	struct mtty *const mtty = *state;
	struct vm *const vm = mtty->vm;
	uint8_t data[64] = {0};

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL + 2, NULL, 0));
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const uint32_t feature = features[i].feature;
		const bool set = features[i].directions & SET;

		if (mtty->dev[0])
			assert_int_equal(libiommu_device_feature_probe(mtty->dev[0], feature,
			                                               features[i].directions),
			                 1);
		assert_int_equal(libiommu_device_feature_probe(vm->dev, feature, 0), 0);
		FAILS(EOPNOTSUPP, set ? libiommu_device_feature_set(vm->dev, feature, data, 32)
		                      : libiommu_device_feature_get(vm->dev, feature, data, 32));
		EXPLAINED("no such feature");
	}
}

/* The device is not needed for a while, and not twice. */
static void test_low_power(void **state)
{
	const uint32_t entry = LIBIOMMU_DEVICE_FEATURE_LOW_POWER_ENTRY;
	const uint32_t with_wakeup = LIBIOMMU_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP;
	const uint32_t exit_ = LIBIOMMU_DEVICE_FEATURE_LOW_POWER_EXIT;
	struct mtty *const mtty = *state;
	struct vm *const vm = mtty->vm;
	struct low_power wakeup = {eventfd(0, EFD_CLOEXEC), 0};
	uint32_t ids;

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL + 2, NULL, 0));
	assert_int_equal(libiommu_device_feature_probe(vm->dev, entry, SET), 1);
	OK(libiommu_device_feature_set(vm->dev, entry, NULL, 0));
	FAILS(EINVAL, libiommu_device_feature_set(vm->dev, entry, NULL, 0));
	OK(libiommu_device_feature_set(vm->dev, exit_, NULL, 0));
	FAILS(EINVAL, libiommu_device_feature_set(vm->dev, with_wakeup, NULL, 0));
	OK(libiommu_device_feature_set(vm->dev, with_wakeup, &wakeup, sizeof(wakeup)));
	OK(libiommu_pci_config_read(vm->dev, 0, &ids, sizeof(ids)));
	assert_int_equal(ids, 0x11e81234);
	OK(libiommu_device_feature_set(vm->dev, exit_, NULL, 0));
	close(wakeup.eventfd);
	/* s390's. */
	assert_int_equal(
		libiommu_device_feature_probe(vm->dev, LIBIOMMU_DEVICE_FEATURE_ZPCI_ERROR, GET), 0);
	/* A PCI device has a bit of its own for it. */
	assert_int_equal(
		libiommu_device_feature_probe(vm->dev, LIBIOMMU_DEVICE_FEATURE_BUS_MASTER, SET), 0);
	FAILS(EOPNOTSUPP, libiommu_device_set_bus_master(vm->dev, true));
	FAILS(EOPNOTSUPP, libiommu_device_set_bus_master(vm->dev, false));
	if (!mtty->dev[0])
		return;
	assert_int_equal(libiommu_device_feature_probe(mtty->dev[0], entry, 0), 0);
	FAILS(EOPNOTSUPP, libiommu_device_feature_set(mtty->dev[0], entry, NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MTTY_TEST(test_migration),
		MTTY_TEST(test_precopy_info),
		MTTY_TEST(test_migration_refused),
		MTTY_TEST(test_logging),
		MTTY_TEST(test_probe),
		MTTY_TEST(test_low_power),
	};

	return cmocka_run_group_tests_name("device-feature", tests, NULL, NULL);
}

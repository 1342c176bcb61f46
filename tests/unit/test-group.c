/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Devices opened through their group's file: one descriptor for the group, and what such a device
 * cannot do.
 */
#include <stdio.h>

#include "alloc.h"
#include "objects.h"
#include "paths.h"

#define GROUP    "/dev/vfio/9"
#define NAME     "0000:00:04.0"
#define GROUP_FD 110
#define DIR      "/sys/bus/pci/devices/" NAME

static struct libiommu_ctx *ctx;

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	return 0;
}

static int teardown(void **state)
{
	script_ctx_close(ctx);
	return script_teardown(state);
}

static uint64_t live(void)
{
	uint64_t count;

	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_DEVICE, &count), 0);
	return count;
}

static int open_group(const uint8_t *token, struct libiommu_device **dev)
{
	return libiommu_device_open_group(ctx, GROUP, NAME, token, dev);
}

static void expect_status(uint32_t flags, int result)
{
	EXPECT_IOCTL(
		GROUP_FD, VFIO_GROUP_GET_STATUS,
		IN(struct uapi_vfio_group_status, .argsz = sizeof(struct uapi_vfio_group_status)),
		SET(struct uapi_vfio_group_status, flags, flags), .result = result);
}

static void expect_container(int result)
{
	EXPECT_IOCTL(GROUP_FD, VFIO_GROUP_SET_CONTAINER, IN(int32_t, CTX_FD), .result = result);
}

static void expect_device_fd(const char *name, int result)
{
	EXPECT_IOCTL(GROUP_FD, VFIO_GROUP_GET_DEVICE_FD, IN_TEXT(name), .result = result,
	             .opens = result > 0 ? result : 0);
}

static void test_open_and_close(void **state)
{
	struct libiommu_device *const dev = script_device_grouped(ctx, GROUP_FD, DEVICE_FD);

	(void)state;
	assert_int_equal(libiommu_device_fd(dev), DEVICE_FD);
	assert_int_equal(live(), 1);
	/* The device before its group. */
	EXPECT_CLOSE(DEVICE_FD);
	EXPECT_CLOSE(GROUP_FD);
	script_device_close(dev);
	assert_int_equal(live(), 0);
}

static void test_devices_share_the_group(void **state)
{
	struct libiommu_device *const first = script_device_grouped(ctx, GROUP_FD, 101);
	struct libiommu_device *second, *other;

	(void)state;
	expect_device_fd("0000:00:04.1", 102);
	assert_int_equal(libiommu_device_open_group(ctx, GROUP, "0000:00:04.1", NULL, &second), 0);
	EXPECT_OPEN("/dev/vfio/10", 111);
	EXPECT_IOCTL(111, VFIO_GROUP_GET_STATUS,
	             SET(struct uapi_vfio_group_status, flags, UAPI_VFIO_GROUP_FLAGS_VIABLE));
	EXPECT_IOCTL(111, VFIO_GROUP_SET_CONTAINER, IN(int32_t, CTX_FD));
	EXPECT_IOCTL(111, VFIO_GROUP_GET_DEVICE_FD, IN_TEXT(NAME), .result = 103, .opens = 103);
	assert_int_equal(libiommu_device_open_group(ctx, "/dev/vfio/10", NAME, NULL, &other), 0);
	script_done();
	EXPECT_CLOSE(101);
	script_device_close(first);
	script_done();
	assert_true(script_fd_is_open(GROUP_FD));
	EXPECT_CLOSE(102);
	EXPECT_CLOSE(GROUP_FD);
	script_device_close(second);
	script_done();
	EXPECT_CLOSE(103);
	EXPECT_CLOSE(111);
	script_device_close(other);
	/* After that the group is opened anew. */
	script_device_close(script_device_grouped(ctx, 112, 104));
}

static void test_token_goes_into_the_name(void **state)
{
	static const uint8_t token[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
	                                  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	struct libiommu_device *dev;

	(void)state;
	EXPECT_OPEN(GROUP, GROUP_FD);
	expect_status(UAPI_VFIO_GROUP_FLAGS_VIABLE, 0);
	expect_container(0);
	expect_device_fd(NAME " vf_token=00112233-4455-6677-8899-aabbccddeeff", DEVICE_FD);
	assert_int_equal(open_group(token, &dev), 0);
	/* Now it is too late for one. */
	assert_int_equal(libiommu_device_bind(dev, LABEL, token, 0), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_device_bind");
	script_device_close(dev);
}

static void test_group_cannot_be_opened(void **state)
{
	const int errors[] = {-ENOENT, -EACCES, -EBUSY, -EPERM};
	struct libiommu_device *dev = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		EXPECT_OPEN(GROUP, errors[i]);
		assert_int_equal(open_group(NULL, &dev), errors[i]);
		assert_failure(errors[i], KERNEL, "libiommu_device_open_group");
		assert_explained(GROUP);
	}
	assert_null(dev);
	assert_int_equal(live(), 0);
}

static void test_each_step_refused(void **state)
{
	const int errors[] = {-EBUSY, -EINVAL, -ENODEV, -EACCES, -ENOTTY};
	struct libiommu_device *dev = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		/* The group is closed again, each time: opening it a second time would fail. */
		EXPECT_OPEN(GROUP, GROUP_FD);
		expect_status(0, errors[i]);
		assert_int_equal(open_group(NULL, &dev), errors[i]);
		assert_failure(errors[i], KERNEL, "libiommu_device_open_group");
		EXPECT_OPEN(GROUP, GROUP_FD);
		expect_status(UAPI_VFIO_GROUP_FLAGS_VIABLE, 0);
		expect_container(errors[i]);
		assert_int_equal(open_group(NULL, &dev), errors[i]);
		assert_failure(errors[i], KERNEL, "libiommu_device_open_group");
		EXPECT_OPEN(GROUP, GROUP_FD);
		expect_status(UAPI_VFIO_GROUP_FLAGS_VIABLE, 0);
		expect_container(0);
		expect_device_fd(NAME, errors[i]);
		assert_int_equal(open_group(NULL, &dev), errors[i]);
		assert_failure(errors[i], KERNEL, "libiommu_device_open_group");
		assert_explained(NAME);
	}
	assert_null(dev);
	assert_int_equal(live(), 0);
}

/* A group with two devices, of which a host driver has the other. */
static void make_group(void)
{
	path_list(DIR, "driver vfio-dev iommu_group");
	path_link(DIR "/driver", "../../../../bus/pci/drivers/vfio-pci");
	path_link(DIR "/subsystem", "../../../bus/pci");
	path_link(DIR "/iommu_group", "../../../kernel/iommu_groups/9");
	path_text(DIR "/class", "0x010802\n");
	path_list(DIR "/vfio-dev", "vfio4");
	path_text(DIR "/vfio-dev/vfio4/dev", "511:4\n");
	path_list("/sys/kernel/iommu_groups/9/devices", "0000:00:04.0 0000:00:04.1");
	path_list("/sys/bus/pci/devices/0000:00:04.1", "driver");
	path_link("/sys/bus/pci/devices/0000:00:04.1/driver", "../../bus/pci/drivers/e1000e");
	path_text("/sys/bus/pci/devices/0000:00:04.1/class", "0x020000\n");
	path_link("/sys/kernel/iommu_groups/9/devices/0000:00:04.1/driver",
	          "../../bus/pci/drivers/e1000e");
	path_text("/sys/kernel/iommu_groups/9/devices/0000:00:04.1/class", "0x020000\n");
	path_list("/sys/class/iommu", "dmar0");
}

static void test_a_group_that_is_not_viable(void **state)
{
	struct libiommu_device *dev = NULL;

	(void)state;
	EXPECT_OPEN(GROUP, GROUP_FD);
	expect_status(0, 0);
	assert_int_equal(open_group(NULL, &dev), -EPERM);
	assert_failure(-EPERM, KERNEL, "libiommu_device_open_group");
	/* sysfs tells who is in the way. */
	make_group();
	EXPECT_OPEN(GROUP, GROUP_FD);
	expect_status(0, 0);
	assert_int_equal(open_group(NULL, &dev), -EPERM);
	assert_explained("0000:00:04.1");
	assert_explained("e1000e");
	assert_null(dev);
}

/* A process that has a file open, as /proc shows it. */
static void make_process(const char *number, const char *command, const char *file)
{
	char path[64];

	path_list("/proc", "self irq 12 4711");
	path_link("/proc/self", "12");
	path_list("/proc/self/fd", "0");
	path_link("/proc/self/fd/0", "/dev/null");
	snprintf(path, sizeof(path), "/proc/%s/fd", number);
	path_list(path, "3 4 5");
	snprintf(path, sizeof(path), "/proc/%s/fd/3", number);
	path_link(path, "socket:[1234]");
	snprintf(path, sizeof(path), "/proc/%s/fd/5", number);
	path_link(path, file);
	snprintf(path, sizeof(path), "/proc/%s/comm", number);
	path_text(path, command);
}

static void test_who_has_it_is_named(void **state)
{
	struct libiommu_device *dev = NULL;

	(void)state;
	make_group();
	make_process("4711", "qemu\n", GROUP);
	EXPECT_OPEN(GROUP, -EBUSY);
	assert_int_equal(open_group(NULL, &dev), -EBUSY);
	assert_explained("process 4711 (qemu) has " GROUP " open");
	/* Through the device's own node it is in use as well. */
	make_process("4711", "qemu\n", "/dev/vfio/devices/vfio4");
	path_error("/proc/4711/comm", -EACCES);
	EXPECT_OPEN(GROUP, -EBUSY);
	assert_int_equal(open_group(NULL, &dev), -EBUSY);
	assert_explained("process 4711 () has /dev/vfio/devices/vfio4 open");
	path_link("/proc/self/fd/0", GROUP);
	EXPECT_OPEN(GROUP, -EBUSY);
	assert_int_equal(open_group(NULL, &dev), -EBUSY);
	assert_explained("this process has " GROUP " open already");
	assert_null(dev);
}

static void test_names(void **state)
{
	struct libiommu_device *dev = NULL;
	const uint8_t token[16] = {0};
	char name[200];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(libiommu_device_open_group(ctx, GROUP, name, NULL, &dev), -ENAMETOOLONG);
	assert_failure(-ENAMETOOLONG, LIBRARY, "libiommu_device_open_group");
	name[100] = '\0';
	assert_int_equal(libiommu_device_open_group(ctx, GROUP, name, token, &dev), -ENAMETOOLONG);
	/* With a token too: the kernel would take what follows the name for the name. */
	assert_int_equal(libiommu_device_open_group(ctx, GROUP, "", NULL, &dev), -EINVAL);
	assert_explained("the name is empty");
	assert_int_equal(libiommu_device_open_group(ctx, GROUP, "", token, &dev), -EINVAL);
	assert_int_equal(libiommu_device_open_group(ctx, NULL, NAME, NULL, &dev), -EINVAL);
	assert_int_equal(libiommu_device_open_group(ctx, GROUP, NULL, NULL, &dev), -EINVAL);
	assert_int_equal(libiommu_device_open_group(ctx, GROUP, NAME, NULL, NULL), -EINVAL);
	assert_null(dev);
}

static void test_bind_gives_the_label_only(void **state)
{
	struct libiommu_device *const dev = script_device_grouped(ctx, GROUP_FD, DEVICE_FD);
	struct libiommu_device *found = NULL;
	uint64_t label = 0;

	(void)state;
	assert_int_equal(libiommu_device_label(dev, &label), -EINVAL);
	assert_int_equal(libiommu_device_by_label(ctx, LABEL, &found), -ENOENT);
	/* No ioctl is listed. */
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), 0);
	assert_int_equal(libiommu_device_label(dev, &label), 0);
	assert_true(label == LABEL);
	assert_int_equal(libiommu_device_by_label(ctx, LABEL, &found), 0);
	assert_ptr_equal(found, dev);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), -EALREADY);
	script_device_close(dev);
	assert_int_equal(libiommu_device_by_label(ctx, LABEL, &found), -ENOENT);
}

static void test_what_it_cannot_do(void **state)
{
	struct libiommu_device *const dev = script_device_grouped(ctx, GROUP_FD, DEVICE_FD);
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
	struct libiommu_hwpt *hwpt = NULL, *page_table;
	uint32_t id = 99;

	(void)state;
	assert_int_equal(libiommu_hwpt_adopt(ctx, 3, LIBIOMMU_ID_BORROW, &page_table), 0);
	for (int bound = 0; bound < 2; bound++) {
		assert_int_equal(libiommu_device_id(dev, &id), -EOPNOTSUPP);
		assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -EOPNOTSUPP);
		assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_device_attach_ioas");
		assert_int_equal(libiommu_device_attach_hwpt(dev, page_table), -EOPNOTSUPP);
		assert_int_equal(libiommu_device_replace_ioas(dev, ioas), -EOPNOTSUPP);
		assert_int_equal(libiommu_device_replace_hwpt(dev, page_table), -EOPNOTSUPP);
		assert_int_equal(libiommu_device_detach(dev), -EOPNOTSUPP);
		assert_int_equal(libiommu_hwpt_alloc(dev, ioas, NULL, &hwpt), -EOPNOTSUPP);
		assert_int_equal(libiommu_device_pt_id(dev, &id), -ENOENT);
		if (!bound)
			assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), 0);
	}
	assert_int_equal(id, 99);
	assert_null(hwpt);
	assert_int_equal(libiommu_hwpt_destroy(page_table), 0);
	script_ioas_close(ioas, 2);
	script_device_close(dev);
}

static void test_revoke_lets_go_of_the_group(void **state)
{
	struct libiommu_device *const dev = script_device_grouped(ctx, GROUP_FD, DEVICE_FD);

	(void)state;
	EXPECT_CLOSE(DEVICE_FD);
	EXPECT_CLOSE(GROUP_FD);
	assert_int_equal(libiommu_device_revoke(dev), 0);
	script_done();
	script_device_close(dev);
}

static void test_without_memory(void **state)
{
	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_device *dev = NULL;

		EXPECT_OPEN(GROUP, GROUP_FD);
		expect_status(UAPI_VFIO_GROUP_FLAGS_VIABLE, 0);
		expect_container(0);
		expect_device_fd(NAME, DEVICE_FD);
		if (!ALLOC_TRY(open_group(NULL, &dev)))
			script_device_close(dev);
		else
			assert_null(dev);
		assert_int_equal(live(), 0);
	}
	/* What sysfs would have told is missing then; what the kernel said is not. */
	make_group();
	ALLOC_LOOP
	{
		struct libiommu_device *dev = NULL;

		EXPECT_OPEN(GROUP, GROUP_FD);
		expect_status(0, 0);
		ALLOC_TRY_OR(-EPERM, open_group(NULL, &dev));
		assert_null(dev);
	}
}

#define GROUP_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GROUP_TEST(test_open_and_close),
		GROUP_TEST(test_devices_share_the_group),
		GROUP_TEST(test_token_goes_into_the_name),
		GROUP_TEST(test_group_cannot_be_opened),
		GROUP_TEST(test_each_step_refused),
		GROUP_TEST(test_a_group_that_is_not_viable),
		GROUP_TEST(test_who_has_it_is_named),
		GROUP_TEST(test_names),
		GROUP_TEST(test_bind_gives_the_label_only),
		GROUP_TEST(test_what_it_cannot_do),
		GROUP_TEST(test_revoke_lets_go_of_the_group),
		GROUP_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

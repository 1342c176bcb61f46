/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Binding a device, finding it by label and by id, and what a refusal is explained with. */
#include <stdio.h>

#include "alloc.h"
#include "objects.h"
#include "paths.h"

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

static void test_bind(void **state)
{
	struct libiommu_device *const dev = script_device(ctx);
	uint64_t label = 0;
	uint32_t id = 0;

	(void)state;
	assert_int_equal(libiommu_device_id(dev, &id), 0);
	assert_int_equal(id, DEVICE_ID);
	assert_int_equal(libiommu_device_label(dev, &label), 0);
	assert_true(label == LABEL);
	script_device_close(dev);
}

static void test_before_it(void **state)
{
	struct libiommu_device *const dev = script_device_open(ctx, DEVICE_FD);
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
	struct libiommu_hwpt *hwpt = NULL;
	uint64_t label = 99;
	uint32_t id = 99;

	(void)state;
	assert_int_equal(libiommu_device_id(dev, &id), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_id");
	assert_int_equal(libiommu_device_label(dev, &label), -EINVAL);
	assert_int_equal(libiommu_device_pt_id(dev, &id), -ENOENT);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -EINVAL);
	assert_explained("libiommu_device_bind()");
	assert_int_equal(libiommu_device_replace_ioas(dev, ioas), -EINVAL);
	assert_int_equal(libiommu_device_detach(dev), -EINVAL);
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, NULL, &hwpt), -EINVAL);
	assert_int_equal(id + label, 198);
	assert_null(hwpt);
	script_ioas_close(ioas, 2);
	script_device_close(dev);
}

static void see_token(void *arg, const void *user)
{
	const struct uapi_vfio_device_bind_iommufd *const cmd = arg;

	assert_ptr_equal((void *)(uintptr_t)cmd->token_uuid_ptr, user);
}

static void test_token(void **state)
{
	static const uint8_t token[16] = {1, 2, 3};
	struct libiommu_device *const dev = script_device_open(ctx, DEVICE_FD);

	(void)state;
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_BIND_IOMMUFD,
	             IN(struct uapi_vfio_device_bind_iommufd,
	                .argsz = sizeof(struct uapi_vfio_device_bind_iommufd),
	                .flags = UAPI_VFIO_DEVICE_BIND_FLAG_TOKEN, .iommufd = CTX_FD),
	             IGNORE(struct uapi_vfio_device_bind_iommufd, .token_uuid_ptr = UINT64_MAX),
	             .act = see_token, .user = token);
	assert_int_equal(libiommu_device_bind(dev, LABEL, token, 0), 0);
	script_device_close(dev);
}

static void test_refused_unasked(void **state)
{
	struct libiommu_device *const dev = script_device_open(ctx, DEVICE_FD);
	uint64_t label = 0;

	(void)state;
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 1), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_bind");
	assert_int_equal(libiommu_device_bind(NULL, LABEL, NULL, 0), -EINVAL);
	expect_bind(DEVICE_FD, DEVICE_ID);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), 0);
	assert_int_equal(libiommu_device_bind(dev, 5, NULL, 0), -EALREADY);
	assert_failure(-EALREADY, LIBRARY, "libiommu_device_bind");
	assert_int_equal(libiommu_device_label(dev, &label), 0);
	assert_true(label == LABEL);
	script_device_close(dev);
}

static void expect_bind_error(int error)
{
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_BIND_IOMMUFD,
	             SET(struct uapi_vfio_device_bind_iommufd, out_devid, 55), .result = error);
}

static void test_refused_by_the_kernel(void **state)
{
	const int errors[] = {-EINVAL, -EBADFD, -EBUSY, -EPERM, -EACCES, -ENOTTY, -ENOMEM};
	struct libiommu_device *const dev = script_device_open(ctx, DEVICE_FD);
	struct libiommu_device *found = NULL;
	uint32_t id = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		expect_bind_error(errors[i]);
		assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), errors[i]);
		assert_failure(errors[i], KERNEL, "libiommu_device_bind");
		assert_int_equal(libiommu_device_id(dev, &id), -EINVAL);
		assert_int_equal(libiommu_device_by_id(ctx, 55, &found), -ENOENT);
		assert_int_equal(libiommu_device_by_label(ctx, LABEL, &found), -ENOENT);
	}
	/* It can be tried again. */
	expect_bind(DEVICE_FD, DEVICE_ID);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), 0);
	script_device_close(dev);
}

/* The device in a group of two whose other member a host driver has, as sysfs shows it. */
static void make_obstacle(void)
{
	const char *const dirs[] = {"/sys/class/vfio-dev/vfio101/device",
	                            "/sys/bus/pci/devices/0000:00:03.0"};
	char path[256];

	for (size_t i = 0; i < 2; i++) {
		path_list(dirs[i], "driver");
		snprintf(path, sizeof(path), "%s/driver", dirs[i]);
		path_link(path, "../../../bus/pci/drivers/vfio-pci");
		snprintf(path, sizeof(path), "%s/subsystem", dirs[i]);
		path_link(path, "../../../bus/pci");
		snprintf(path, sizeof(path), "%s/iommu_group", dirs[i]);
		path_link(path, "../../../kernel/iommu_groups/9");
		snprintf(path, sizeof(path), "%s/class", dirs[i]);
		path_text(path, "0x010802\n");
		snprintf(path, sizeof(path), "%s/vfio-dev", dirs[i]);
		path_list(path, "vfio101");
		snprintf(path, sizeof(path), "%s/vfio-dev/vfio101/dev", dirs[i]);
		path_text(path, "511:1\n");
	}
	path_link("/sys/class/vfio-dev/vfio101/device", "../../../0000:00:03.0");
	path_link("/proc/self/fd/101", "/dev/vfio/devices/vfio101");
	path_list("/sys/kernel/iommu_groups/9/devices", "0000:00:03.0 0000:00:03.1");
	path_list("/sys/kernel/iommu_groups/9/devices/0000:00:03.1", "driver");
	path_link("/sys/kernel/iommu_groups/9/devices/0000:00:03.1/driver", "../drivers/xhci_hcd");
	path_text("/sys/kernel/iommu_groups/9/devices/0000:00:03.1/class", "0x0c0330\n");
	path_list("/sys/class/iommu", "dmar0");
	path_list("/sys/class/vfio-dev/vfio101/device", "driver");
}

static void test_obstacle_is_named(void **state)
{
	struct libiommu_device *const dev = script_device_open(ctx, DEVICE_FD);

	(void)state;
	make_obstacle();
	expect_bind_error(-EPERM);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), -EPERM);
	assert_explained("0000:00:03.1");
	assert_explained("xhci_hcd");
	/* Without the device in sysfs there is nothing to name. */
	path_remove("/sys/class/vfio-dev/vfio101/device");
	expect_bind_error(-EPERM);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), -EPERM);
	assert_explained("host driver");
	script_device_close(dev);
}

static void test_who_has_it_is_named(void **state)
{
	struct libiommu_device *const dev = script_device_open(ctx, DEVICE_FD);

	(void)state;
	make_obstacle();
	path_list("/proc", "4711");
	path_list("/proc/4711/fd", "5");
	path_text("/proc/4711/comm", "dpdk\n");
	/* Its own descriptor of the node is not who is in the way. */
	path_list("/proc/self/fd", "101");
	path_link("/proc/4711/fd/5", "/dev/vfio/devices/vfio101");
	expect_bind_error(-EINVAL);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), -EINVAL);
	assert_explained("process 4711 (dpdk) has /dev/vfio/devices/vfio101 open");
	path_link("/proc/4711/fd/5", "/dev/vfio/9");
	expect_bind_error(-EBUSY);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), -EBUSY);
	assert_explained("process 4711 (dpdk) has /dev/vfio/9 open");
	script_device_close(dev);
}

static void test_without_memory(void **state)
{
	struct libiommu_device *dev;
	uint32_t id = 99;

	(void)state;
	ALLOC_LOOP
	{
		dev = script_device_open(ctx, DEVICE_FD);
		expect_bind(DEVICE_FD, DEVICE_ID);
		if (ALLOC_TRY(libiommu_device_bind(dev, LABEL, NULL, 0)))
			assert_int_equal(libiommu_device_id(dev, &id), -EINVAL);
		script_device_close(dev);
	}
	make_obstacle();
	dev = script_device_open(ctx, DEVICE_FD);
	ALLOC_LOOP
	{
		expect_bind_error(-EPERM);
		ALLOC_TRY_OR(-EPERM, libiommu_device_bind(dev, LABEL, NULL, 0));
	}
	script_device_close(dev);
}

static void test_find_by_label(void **state)
{
	struct libiommu_device *const a = script_device_as(ctx, 101, 1, 10);
	struct libiommu_device *const b = script_device_as(ctx, 102, 2, 20);
	struct libiommu_device *const c = script_device_as(ctx, 103, 3, 20);
	struct libiommu_device *found = NULL;

	(void)state;
	assert_int_equal(libiommu_device_by_label(ctx, 10, &found), 0);
	assert_ptr_equal(found, a);
	assert_int_equal(libiommu_device_by_label(ctx, 20, &found), -ENOTUNIQ);
	assert_failure(-ENOTUNIQ, LIBRARY, "libiommu_device_by_label");
	assert_explained("2 devices");
	assert_int_equal(libiommu_device_by_label(ctx, 30, &found), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_device_by_label");
	assert_int_equal(libiommu_device_by_label(ctx, 10, NULL), -EINVAL);
	assert_ptr_equal(found, a);
	/* Whichever of the two goes, the other is unique then. */
	script_device_close(c);
	assert_int_equal(libiommu_device_by_label(ctx, 20, &found), 0);
	assert_ptr_equal(found, b);
	script_device_close(a);
	assert_int_equal(libiommu_device_by_label(ctx, 10, &found), -ENOENT);
	assert_int_equal(libiommu_device_by_label(ctx, 20, &found), 0);
	script_device_close(b);
}

static void test_find_by_id(void **state)
{
	struct libiommu_device *const a = script_device_as(ctx, 101, 1, 10);
	struct libiommu_device *const b = script_device_as(ctx, 102, 0x7fffffff, 20);
	struct libiommu_device *found = NULL;

	(void)state;
	assert_int_equal(libiommu_device_by_id(ctx, 1, &found), 0);
	assert_ptr_equal(found, a);
	assert_int_equal(libiommu_device_by_id(ctx, 0x7fffffff, &found), 0);
	assert_ptr_equal(found, b);
	assert_int_equal(libiommu_device_by_id(ctx, 2, &found), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_device_by_id");
	assert_int_equal(libiommu_device_by_id(ctx, 0, &found), -ENOENT);
	assert_int_equal(libiommu_device_by_id(ctx, UINT32_MAX, &found), -ENOENT);
	assert_int_equal(libiommu_device_by_id(ctx, 1, NULL), -EINVAL);
	assert_ptr_equal(found, b);
	script_device_close(a);
	assert_int_equal(libiommu_device_by_id(ctx, 1, &found), -ENOENT);
	script_device_close(b);
}

/* Ids are reused at once; and one that was adopted under a wrong id must not hide the right one. */
static void test_id_is_reused(void **state)
{
	struct libiommu_device *const first = script_device_as(ctx, 101, 5, 1);
	struct libiommu_device *second, *wrong, *right, *found;

	(void)state;
	script_device_close(first);
	second = script_device_as(ctx, 102, 5, 2);
	assert_int_equal(libiommu_device_by_id(ctx, 5, &found), 0);
	assert_ptr_equal(found, second);
	script_device_close(second);

	script_give_fd(103);
	assert_int_equal(libiommu_device_adopt(ctx, 103, LIBIOMMU_FD_OWN, 5, 0, 3, &wrong), 0);
	right = script_device_as(ctx, 104, 5, 4);
	assert_int_equal(libiommu_device_by_id(ctx, 5, &found), 0);
	assert_ptr_equal(found, right);
	/* The wrong one's end does not take the right one out. */
	script_device_close(wrong);
	assert_int_equal(libiommu_device_by_id(ctx, 5, &found), 0);
	assert_ptr_equal(found, right);
	script_device_close(right);
}

#define BIND_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BIND_TEST(test_bind),
		BIND_TEST(test_before_it),
		BIND_TEST(test_token),
		BIND_TEST(test_refused_unasked),
		BIND_TEST(test_refused_by_the_kernel),
		BIND_TEST(test_obstacle_is_named),
		BIND_TEST(test_who_has_it_is_named),
		BIND_TEST(test_without_memory),
		BIND_TEST(test_find_by_label),
		BIND_TEST(test_find_by_id),
		BIND_TEST(test_id_is_reused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

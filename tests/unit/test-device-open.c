/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Every way to a device: PCI address, directory in sysfs, node, descriptor, one that is bound
 * already.
 */
#include <stdio.h>

#include "alloc.h"
#include "objects.h"
#include "paths.h"

#define DIR "/sys/bus/pci/devices/0000:00:03.0"

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

/* A device in sysfs that a VFIO driver has, with a node. */
static void make_device(const char *dir, const char *node)
{
	char path[256];

	path_list(dir, "driver iommu_group vfio-dev");
	snprintf(path, sizeof(path), "%s/driver", dir);
	path_link(path, "../../../bus/pci/drivers/vfio-pci");
	snprintf(path, sizeof(path), "%s/subsystem", dir);
	path_link(path, "../../../bus/pci");
	snprintf(path, sizeof(path), "%s/iommu_group", dir);
	path_link(path, "../../../kernel/iommu_groups/5");
	snprintf(path, sizeof(path), "%s/class", dir);
	path_text(path, "0x010802\n");
	snprintf(path, sizeof(path), "%s/vendor", dir);
	path_text(path, "0x1b36\n");
	snprintf(path, sizeof(path), "%s/device", dir);
	path_text(path, "0x0010\n");
	snprintf(path, sizeof(path), "%s/vfio-dev", dir);
	path_list(path, node);
	snprintf(path, sizeof(path), "%s/vfio-dev/%s/dev", dir, node);
	path_text(path, "511:0\n");
	path_list("/sys/kernel/iommu_groups/5/devices", "0000:00:03.0");
	path_list("/sys/class/iommu", "dmar0");
}

static void test_pci_addresses(void **state)
{
	static const struct {
		const char *address, *dir;
	} good[] = {
		{"0000:00:03.0", DIR},
		{"00:03.0", DIR},
		{"0:3.0", DIR},
		{"0000:0:3.0", DIR},
		{"00000000:00:03.0", DIR},
		{"0001:AB:1f.7", "/sys/bus/pci/devices/0001:ab:1f.7"},
		{"10000:e1:00.0", "/sys/bus/pci/devices/10000:e1:00.0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct libiommu_device *dev;

		make_device(good[i].dir, "vfio3");
		EXPECT_OPEN("/dev/vfio/devices/vfio3", DEVICE_FD);
		assert_int_equal(libiommu_device_open_pci(ctx, good[i].address, &dev), 0);
		assert_int_equal(libiommu_device_fd(dev), DEVICE_FD);
		script_device_close(dev);
		path_remove(good[i].dir);
	}
}

static void test_not_pci_addresses(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"0000:00:03",
		"0000:00:03.",
		"0000:00:03.8",
		"0000:00:20.0",
		"0000:00:03.00",
		"0000:00:03.0 ",
		" 0000:00:03.0",
		"0000:00:03.0/../..",
		"0000:000:03.0",
		"0000:00:003.0",
		"000:00:03.0",
		"00:00:03.0",
		"000000000:00:03.0",
		"-000:00:03.0",
		"0x00:00:03.0",
		"00.03.0",
		"../../net",
		"0000:00:03.0:0000:00:03.0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct libiommu_device *dev = NULL;

		make_device(DIR, "vfio3");
		assert_int_equal(libiommu_device_open_pci(ctx, bad[i], &dev), -EINVAL);
		assert_failure(-EINVAL, LIBRARY, "libiommu_device_open_pci");
		assert_explained(bad[i]);
		assert_null(dev);
	}
}

static void test_sysfs_path(void **state)
{
	struct libiommu_device *dev;

	(void)state;
	make_device("/sys/bus/mdev/devices/83b8f4f2", "vfio12");
	path_link("/sys/bus/mdev/devices/83b8f4f2/subsystem", "../../../../../bus/mdev");
	/* What a PCI device has as a file is a directory here: the kernel's mtty. */
	path_read_error("/sys/bus/mdev/devices/83b8f4f2/vendor", -EISDIR);
	EXPECT_OPEN("/dev/vfio/devices/vfio12", DEVICE_FD);
	assert_int_equal(libiommu_device_open_sysfs(ctx, "/sys/bus/mdev/devices/83b8f4f2", &dev),
	                 0);
	script_device_close(dev);
}

static void test_without_an_iommu(void **state)
{
	struct libiommu_device *dev;

	(void)state;
	make_device(DIR, "noiommu-vfio0");
	EXPECT_OPEN("/dev/vfio/devices/noiommu-vfio0", DEVICE_FD);
	assert_int_equal(libiommu_device_open_pci(ctx, "0000:00:03.0", &dev), 0);
	script_device_close(dev);
}

static void test_sysfs_path_refused(void **state)
{
	struct libiommu_device *dev = NULL;
	char path[600];

	(void)state;
	assert_int_equal(libiommu_device_open_sysfs(ctx, "relative/path", &dev), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_open_sysfs");
	assert_int_equal(libiommu_device_open_sysfs(ctx, "", &dev), -EINVAL);
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(libiommu_device_open_sysfs(ctx, path, &dev), -ENAMETOOLONG);
	assert_failure(-ENAMETOOLONG, LIBRARY, "libiommu_device_open_sysfs");
	assert_int_equal(libiommu_device_open_sysfs(ctx, "/sys/nothing", &dev), -ENODEV);
	assert_failure(-ENODEV, LIBRARY, "libiommu_device_open_sysfs");
	assert_explained("/sys/nothing");
	assert_null(dev);
}

static void test_host_driver_is_named(void **state)
{
	struct libiommu_device *dev = NULL;

	(void)state;
	make_device(DIR, "vfio3");
	path_link(DIR "/driver", "../../../bus/pci/drivers/nvme");
	path_remove(DIR "/vfio-dev");
	assert_int_equal(libiommu_device_open_pci(ctx, "00:03.0", &dev), -ENODEV);
	assert_failure(-ENODEV, LIBRARY, "libiommu_device_open_pci");
	assert_explained("nvme");
	assert_null(dev);
}

static void test_no_node(void **state)
{
	struct libiommu_device *dev = NULL;

	(void)state;
	make_device(DIR, "vfio3");
	/* A kernel without device nodes makes the entry all the same. */
	path_remove(DIR "/vfio-dev/vfio3/dev");
	assert_int_equal(libiommu_device_open_pci(ctx, "00:03.0", &dev), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_device_open_pci");
	assert_null(dev);
}

static void test_sysfs_fails(void **state)
{
	struct libiommu_device *dev = NULL;

	(void)state;
	make_device(DIR, "vfio3");
	path_error(DIR "/driver", -EIO);
	assert_int_equal(libiommu_device_open_pci(ctx, "00:03.0", &dev), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_device_open_pci");
	assert_explained(DIR);
	assert_null(dev);
}

static void test_node(void **state)
{
	const int errors[] = {-ENOENT, -EACCES, -EBUSY, -EMFILE, -EPERM, -ENODEV};
	struct libiommu_device *dev = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		EXPECT_OPEN("/dev/vfio/devices/vfio0", errors[i]);
		assert_int_equal(libiommu_device_open_node(ctx, "/dev/vfio/devices/vfio0", &dev),
		                 errors[i]);
		assert_failure(errors[i], KERNEL, "libiommu_device_open_node");
		assert_explained("/dev/vfio/devices/vfio0");
	}
	assert_null(dev);
	EXPECT_OPEN("/dev/vfio/devices/vfio0", DEVICE_FD);
	assert_int_equal(libiommu_device_open_node(ctx, "/dev/vfio/devices/vfio0", &dev), 0);
	assert_int_equal(live(), 1);
	script_device_close(dev);
	assert_int_equal(live(), 0);
}

static void test_fd_modes(void **state)
{
	struct libiommu_device *dev;

	(void)state;
	script_give_fd(50);
	assert_int_equal(libiommu_device_open_fd(ctx, 50, LIBIOMMU_FD_OWN, &dev), 0);
	assert_int_equal(libiommu_device_fd(dev), 50);
	EXPECT_CLOSE(50);
	script_device_close(dev);
	script_done();

	script_lend_fd(51);
	assert_int_equal(libiommu_device_open_fd(ctx, 51, LIBIOMMU_FD_BORROW, &dev), 0);
	assert_int_equal(libiommu_device_fd(dev), 51);
	script_device_close(dev);

	EXPECT_DUP(51, 52);
	assert_int_equal(libiommu_device_open_fd(ctx, 51, LIBIOMMU_FD_DUP, &dev), 0);
	assert_int_equal(libiommu_device_fd(dev), 52);
	EXPECT_CLOSE(52);
	script_device_close(dev);
	assert_true(script_fd_is_open(51));
}

static void test_fd_refused(void **state)
{
	struct libiommu_device *dev = NULL;

	(void)state;
	script_lend_fd(51);
	EXPECT_DUP(51, -EMFILE);
	assert_int_equal(libiommu_device_open_fd(ctx, 51, LIBIOMMU_FD_DUP, &dev), -EMFILE);
	assert_failure(-EMFILE, KERNEL, "libiommu_device_open_fd");
	assert_int_equal(libiommu_device_open_fd(ctx, -1, LIBIOMMU_FD_OWN, &dev), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_open_fd");
	assert_int_equal(libiommu_device_open_fd(ctx, 51, (enum libiommu_fd_mode)3, &dev), -EINVAL);
	assert_int_equal(libiommu_device_open_fd(ctx, 51, LIBIOMMU_FD_OWN, NULL), -EINVAL);
	assert_null(dev);
	assert_int_equal(live(), 0);
}

static void test_adopt(void **state)
{
	struct libiommu_device *dev, *found;
	uint64_t label;
	uint32_t id, pt_id;

	(void)state;
	script_give_fd(50);
	assert_int_equal(libiommu_device_adopt(ctx, 50, LIBIOMMU_FD_OWN, 9, 4, LABEL, &dev), 0);
	assert_int_equal(libiommu_device_id(dev, &id), 0);
	assert_int_equal(id, 9);
	assert_int_equal(libiommu_device_label(dev, &label), 0);
	assert_true(label == LABEL);
	assert_int_equal(libiommu_device_pt_id(dev, &pt_id), 0);
	assert_int_equal(pt_id, 4);
	assert_int_equal(libiommu_device_by_id(ctx, 9, &found), 0);
	assert_ptr_equal(found, dev);
	assert_int_equal(libiommu_device_by_label(ctx, LABEL, &found), 0);
	assert_ptr_equal(found, dev);
	/* It is bound: nothing asks the kernel. */
	assert_int_equal(libiommu_device_bind(dev, 1, NULL, 0), -EALREADY);
	/* What it is attached to is only known by its id, and can be left. */
	script_detach(dev, 50);
	script_device_close(dev);
}

static void test_adopt_refuses(void **state)
{
	struct libiommu_device *const first = script_device_as(ctx, 60, 9, 1);
	struct libiommu_device *dev = NULL;

	(void)state;
	script_lend_fd(51);
	assert_int_equal(libiommu_device_adopt(ctx, 51, LIBIOMMU_FD_OWN, 0, 0, 1, &dev), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_adopt");
	assert_int_equal(libiommu_device_adopt(ctx, -1, LIBIOMMU_FD_OWN, 3, 0, 1, &dev), -EINVAL);
	assert_int_equal(libiommu_device_adopt(ctx, 51, (enum libiommu_fd_mode)3, 3, 0, 1, &dev),
	                 -EINVAL);
	/* More than 31 bits is no id of any kernel's. */
	assert_int_equal(libiommu_device_adopt(ctx, 51, LIBIOMMU_FD_OWN, UINT32_MAX, 0, 1, &dev),
	                 -EINVAL);
	/* A failing call closes nothing: the descriptor is only lent here, though it says OWN. */
	assert_int_equal(libiommu_device_adopt(ctx, 51, LIBIOMMU_FD_OWN, 9, 0, 1, &dev), -EEXIST);
	assert_failure(-EEXIST, LIBRARY, "libiommu_device_adopt");
	/* But its own duplicate it closes. */
	EXPECT_DUP(51, 52);
	EXPECT_CLOSE(52);
	assert_int_equal(libiommu_device_adopt(ctx, 51, LIBIOMMU_FD_DUP, 9, 0, 1, &dev), -EEXIST);
	EXPECT_DUP(51, -EMFILE);
	assert_int_equal(libiommu_device_adopt(ctx, 51, LIBIOMMU_FD_DUP, 8, 0, 1, &dev), -EMFILE);
	assert_failure(-EMFILE, KERNEL, "libiommu_device_adopt");
	assert_null(dev);
	assert_int_equal(live(), 1);
	script_device_close(first);
}

static void test_without_memory(void **state)
{
	const enum libiommu_fd_mode modes[] = {LIBIOMMU_FD_OWN, LIBIOMMU_FD_BORROW};

	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_device *dev = NULL;

		make_device(DIR, "vfio3");
		EXPECT_OPEN("/dev/vfio/devices/vfio3", DEVICE_FD);
		if (!ALLOC_TRY(libiommu_device_open_pci(ctx, "00:03.0", &dev)))
			script_device_close(dev);
		else
			assert_null(dev);
		assert_int_equal(live(), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		ALLOC_LOOP
		{
			struct libiommu_device *dev = NULL;

			if (modes[i] == LIBIOMMU_FD_OWN)
				script_give_fd(50);
			else
				script_lend_fd(51);
			if (!ALLOC_TRY(libiommu_device_open_fd(ctx, 50 + (int)i, modes[i], &dev))) {
				script_device_close(dev);
				continue;
			}
			assert_null(dev);
			assert_int_equal(live(), 0);
			script_take_back_fd(50 + (int)i);
		}
	}
	script_lend_fd(55);
	ALLOC_LOOP
	{
		struct libiommu_device *dev = NULL;

		EXPECT_DUP(55, 56);
		if (!ALLOC_TRY(libiommu_device_adopt(ctx, 55, LIBIOMMU_FD_DUP, 9, 4, 1, &dev)))
			script_device_close(dev);
		else
			assert_null(dev);
		assert_int_equal(live(), 0);
	}
}

#define OPEN_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN_TEST(test_pci_addresses),
		OPEN_TEST(test_not_pci_addresses),
		OPEN_TEST(test_sysfs_path),
		OPEN_TEST(test_without_an_iommu),
		OPEN_TEST(test_sysfs_path_refused),
		OPEN_TEST(test_host_driver_is_named),
		OPEN_TEST(test_no_node),
		OPEN_TEST(test_sysfs_fails),
		OPEN_TEST(test_node),
		OPEN_TEST(test_fd_modes),
		OPEN_TEST(test_fd_refused),
		OPEN_TEST(test_adopt),
		OPEN_TEST(test_adopt_refuses),
		OPEN_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

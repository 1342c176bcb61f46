/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Devices in VFIO's groups and containers: which group is in which container when, what is mapped
 * there, and what is left after each error.
 */
#include <stdio.h>

#include "alloc.h"
#include "fake-pci.h"
#include "limit.h"
#include "paths.h"
#include "type1-steps.h"

#define BOTH (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)

static _Alignas(4096) uint8_t memory[8 * 4096];
static struct libiommu_ctx *ctx;

static int setup(void **state)
{
	script_setup(state);
	ctx = legacy_ctx();
	return 0;
}

static int teardown(void **state)
{
	script_ctx_close(ctx);
	return script_teardown(state);
}

#define TYPE1_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* The group leaves its container with its last device, and is closed with it. */
static void expect_end(int device_fd, int group_fd, int container_fd)
{
	EXPECT_CLOSE(device_fd);
	expect_leave(group_fd);
	EXPECT_CLOSE(container_fd);
	EXPECT_CLOSE(group_fd);
}

static void destroy_ioas(struct libiommu_ioas *ioas)
{
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
}

static void test_life(void **state)
{
	struct libiommu_device *const dev = legacy_device(ctx);
	struct libiommu_ioas *const ioas = legacy_ioas(ctx);
	struct libiommu_device *found;
	uint32_t id = 0, pt_id = 0;
	uint64_t label = 0;

	(void)state;
	script_done();
	assert_int_equal(libiommu_device_fd(dev), DEVICE_FD);
	assert_int_equal(libiommu_device_label(dev, &label), 0);
	assert_int_equal(label, LABEL);
	assert_int_equal(libiommu_device_by_label(ctx, LABEL, &found), 0);
	assert_ptr_equal(found, dev);
	assert_int_equal(libiommu_device_id(dev, &id), -EOPNOTSUPP);
	assert_explained("legacy containers");
	legacy_attach(dev, HOLD_FD, ioas);
	script_done();
	assert_int_equal(libiommu_device_pt_id(dev, &pt_id), 0);
	assert_int_equal(libiommu_ioas_id(ioas, &id), 0);
	assert_int_equal(id, pt_id);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -EEXIST);
	assert_int_equal(libiommu_device_replace_ioas(dev, ioas), 0);
	assert_int_equal(libiommu_ioas_destroy(ioas), -EBUSY);
	expect_end(DEVICE_FD, GROUP_FD, HOLD_FD);
	script_device_close(dev);
	script_done();
	destroy_ioas(ioas);
}

static void test_found_by_address(void **state)
{
	struct libiommu_device *dev;

	(void)state;
	fake_pci(&(const struct fake_pci){.address = NAME,
	                                  .driver = "vfio-pci",
	                                  .group = "9",
	                                  .vfio = "vfio0",
	                                  .no_node = 1});
	EXPECT_OPEN(GROUP, GROUP_FD);
	expect_status(GROUP_FD, UAPI_VFIO_GROUP_FLAGS_VIABLE, 0);
	assert_int_equal(libiommu_device_open_pci(ctx, NAME, &dev), 0);
	EXPECT_CLOSE(GROUP_FD);
	script_device_close(dev);
	script_done();
	/* Without an IOMMU the kernel makes a group up. */
	path_text("/sys/kernel/iommu_groups/9/name", "vfio-noiommu\n");
	EXPECT_OPEN("/dev/vfio/noiommu-9", -EPERM);
	assert_int_equal(libiommu_device_open_pci(ctx, NAME, &dev), -EPERM);
	assert_explained("CAP_SYS_RAWIO");
	ALLOC_LOOP
	{
		dev = NULL;
		EXPECT_OPEN("/dev/vfio/noiommu-9", GROUP_FD);
		expect_status(GROUP_FD, UAPI_VFIO_GROUP_FLAGS_VIABLE, 0);
		if (!ALLOC_TRY(libiommu_device_open_pci(ctx, NAME, &dev)))
			script_device_close(dev);
		else
			assert_null(dev);
	}
	path_error("/sys/kernel/iommu_groups/9/name", -EIO);
	assert_int_equal(libiommu_device_open_pci(ctx, NAME, &dev), -EIO);
}

static void test_calls_in_the_wrong_order(void **state)
{
	struct libiommu_device *const dev = legacy_open(ctx, GROUP, GROUP_FD, NAME);
	struct libiommu_ioas *const ioas = legacy_ioas(ctx);

	(void)state;
	assert_int_equal(libiommu_device_fd(dev), -EINVAL);
	assert_explained("not bound");
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -EINVAL);
	assert_int_equal(libiommu_device_detach(dev), -EINVAL);
	EXPECT_CLOSE(GROUP_FD);
	script_device_close(dev);
	destroy_ioas(ioas);
}

static void test_what_only_iommufd_has(void **state)
{
	struct libiommu_device *const dev = legacy_device(ctx);
	struct libiommu_ioas *const ioas = legacy_ioas(ctx);
	struct libiommu_ioas *const other = legacy_ioas(ctx);
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;

	(void)state;
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_NEST_PARENT), 0);
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, config, &hwpt), -EOPNOTSUPP);
	assert_explained("takes iommufd");
	libiommu_hwpt_config_free(config);
	assert_int_equal(libiommu_device_set_tag(dev, 1), -EOPNOTSUPP);
	assert_int_equal(libiommu_reset_hot(dev), -EOPNOTSUPP);
	legacy_attach(dev, HOLD_FD, ioas);
	assert_int_equal(libiommu_device_replace_ioas(dev, other), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_device_replace_ioas");
	assert_explained("detach");
	legacy_close(dev, GROUP_FD);
	destroy_ioas(other);
	destroy_ioas(ioas);
}

/* What the kernel tells nobody, and what the examples ask: whether there is an IOMMU. */
static void test_hardware(void **state)
{
	struct libiommu_device *const dev = legacy_device(ctx);
	struct libiommu_hw_info *info = NULL;
	const void *data;
	uint32_t type = 9;
	size_t length;

	(void)state;
	assert_int_equal(libiommu_hw_info_get(dev, &info), 0);
	assert_int_equal(libiommu_hw_info_raw(info, &type, &data, &length), 0);
	assert_int_equal(type, LIBIOMMU_HW_INFO_NONE);
	assert_int_equal(length, 0);
	for (int i = LIBIOMMU_CAPABILITY_PASID; i <= LIBIOMMU_CAPABILITY_PASID_PRIVILEGED; i++)
		assert_int_equal(libiommu_hw_info_capability(info, i, NULL),
		                 i == LIBIOMMU_CAPABILITY_ATS ? LIBIOMMU_UNKNOWN : LIBIOMMU_NO);
	libiommu_hw_info_free(info);
	ALLOC_LOOP
	{
		info = NULL;
		if (!ALLOC_TRY(libiommu_hw_info_get(dev, &info)))
			libiommu_hw_info_free(info);
	}
	legacy_close(dev, GROUP_FD);
}

/* Without one nothing is mapped, and nothing tells where memory is. */
static void test_no_iommu(void **state)
{
	struct libiommu_device *const dev = legacy_open(ctx, "/dev/vfio/noiommu-9", 112, NAME);
	struct libiommu_device *const safe = legacy_device(ctx);
	struct libiommu_ioas *const ioas = legacy_ioas(ctx);
	struct libiommu_hw_info *info;
	uint64_t iova;

	(void)state;
	assert_int_equal(libiommu_hw_info_get(dev, &info), -EINVAL);
	EXPECT_OPEN(CONTAINER, 130);
	expect_enter(112, 130, 0);
	expect_start(130, UAPI_VFIO_NOIOMMU_IOMMU, 0);
	expect_device(112, NAME, 103);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), 0);
	assert_int_equal(libiommu_hw_info_get(dev, &info), -EOPNOTSUPP);
	assert_explained("no IOMMU behind the device");
	assert_int_equal(libiommu_ioas_map(ioas, memory, PAGE, BOTH, &iova), 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -EOPNOTSUPP);
	assert_explained("something is mapped");
	assert_int_equal(libiommu_ioas_unmap_all(ioas, NULL), 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, PAGE, BOTH, &iova), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_ioas_map");
	assert_explained("no IOMMU behind");
	/* The kernel does not mix the two in a container. */
	assert_int_equal(libiommu_device_attach_ioas(safe, ioas), -EINVAL);
	assert_int_equal(libiommu_device_detach(dev), 0);
	legacy_close(dev, 112);
	legacy_close(safe, GROUP_FD);
	destroy_ioas(ioas);
}

static void test_token(void **state)
{
	static const uint8_t token[16] = {0xab};
	struct libiommu_device *const dev = legacy_open(ctx, GROUP, GROUP_FD, NAME);
	struct libiommu_device *told;

	(void)state;
	expect_hold(GROUP_FD, HOLD_FD);
	expect_device(GROUP_FD, NAME " vf_token=ab000000-0000-0000-0000-000000000000", -EACCES);
	expect_leave(GROUP_FD);
	EXPECT_CLOSE(HOLD_FD);
	assert_int_equal(libiommu_device_bind(dev, LABEL, token, 0), -EACCES);
	assert_failure(-EACCES, KERNEL, "libiommu_device_bind");
	script_done();
	expect_hold(GROUP_FD, HOLD_FD);
	expect_device(GROUP_FD, NAME, DEVICE_FD);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), 0);
	assert_int_equal(libiommu_device_open_group(ctx, GROUP, NAME, token, &told), 0);
	assert_int_equal(libiommu_device_bind(told, LABEL, token, 0), -EOPNOTSUPP);
	script_device_close(told);
	legacy_close(dev, GROUP_FD);
}

/* Each error leaves the handle as it was. */
static void test_bind_fails(void **state)
{
	struct libiommu_device *const dev = legacy_open(ctx, GROUP, GROUP_FD, NAME);

	(void)state;
	EXPECT_OPEN(CONTAINER, -EMFILE);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), -EMFILE);
	EXPECT_OPEN(CONTAINER, HOLD_FD);
	expect_enter(GROUP_FD, HOLD_FD, -EBUSY);
	EXPECT_CLOSE(HOLD_FD);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), -EBUSY);
	assert_explained(NAME);
	EXPECT_OPEN(CONTAINER, HOLD_FD);
	expect_enter(GROUP_FD, HOLD_FD, 0);
	expect_start(HOLD_FD, UAPI_VFIO_TYPE1v2_IOMMU, -EPERM);
	expect_leave(GROUP_FD);
	EXPECT_CLOSE(HOLD_FD);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), -EPERM);
	assert_explained("allow_unsafe_interrupts");
	expect_hold(GROUP_FD, HOLD_FD);
	expect_device(GROUP_FD, NAME, -ENODEV);
	expect_leave(GROUP_FD);
	EXPECT_CLOSE(HOLD_FD);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), -ENODEV);
	script_done();
	script_device_close(dev);
	ALLOC_LOOP
	{
		struct libiommu_device *const tried = legacy_open(ctx, GROUP, GROUP_FD, NAME);

		expect_hold(GROUP_FD, HOLD_FD);
		expect_device(GROUP_FD, NAME, DEVICE_FD);
		if (ALLOC_TRY(libiommu_device_bind(tried, LABEL, NULL, 0)))
			script_device_close(tried);
		else
			legacy_close(tried, GROUP_FD);
	}
}

static void test_revoke(void **state)
{
	struct libiommu_device *const dev = legacy_device(ctx);
	struct libiommu_ioas *const ioas = legacy_ioas(ctx);

	(void)state;
	legacy_attach(dev, HOLD_FD, ioas);
	expect_end(DEVICE_FD, GROUP_FD, HOLD_FD);
	assert_int_equal(libiommu_device_revoke(dev), 0);
	script_done();
	assert_int_equal(libiommu_device_fd(dev), -ENODEV);
	assert_int_equal(libiommu_device_detach(dev), -ENODEV);
	script_device_close(dev);
	destroy_ioas(ioas);
}

/* Mapped before, put in with the first device, taken out with it, and put in again. */
static void test_mappings_come_and_go_with_the_container(void **state)
{
	struct libiommu_device *const dev = legacy_device(ctx);
	struct libiommu_ioas *const ioas = legacy_ioas(ctx);
	uint64_t iova;

	(void)state;
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 0x3000), 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory + PAGE, PAGE, BOTH, 0x1000), 0);
	expect_ranges(HOLD_FD);
	expect_map(HOLD_FD, memory + PAGE, 0x1000, PAGE, 0);
	expect_map(HOLD_FD, memory, 0x3000, PAGE, 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
	script_done();
	expect_map(HOLD_FD, memory, 0x2000, PAGE, 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, PAGE, BOTH, &iova), 0);
	assert_int_equal(iova, 0x2000);
	expect_unmap(HOLD_FD, 0x1000, 0x3000, -EIO);
	assert_int_equal(libiommu_device_detach(dev), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_device_detach");
	expect_unmap(HOLD_FD, 0x1000, 0x3000, 0);
	assert_int_equal(libiommu_device_detach(dev), 0);
	assert_int_equal(libiommu_device_detach(dev), -ENOENT);
	script_done();
	assert_int_equal(libiommu_ioas_unmap(ioas, 0x3000, PAGE), 0);
	expect_ranges(HOLD_FD);
	expect_map(HOLD_FD, memory + PAGE, 0x1000, PAGE, 0);
	expect_map(HOLD_FD, memory, 0x2000, PAGE, 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
	/* Closed while attached: the container is gone, what is mapped is not. */
	expect_end(DEVICE_FD, GROUP_FD, HOLD_FD);
	script_device_close(dev);
	script_done();
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 0x1000), -EEXIST);
	destroy_ioas(ioas);
}

static void test_attach_fails_and_changes_nothing(void **state)
{
	struct libiommu_device *const dev = legacy_device(ctx);
	struct libiommu_ioas *const ioas = legacy_ioas(ctx);

	(void)state;
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 0x1000), 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 0x2000), 0);
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_GET_INFO, .result = -EINVAL);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -EINVAL);
	expect_ranges(HOLD_FD);
	expect_map(HOLD_FD, memory, 0x1000, PAGE, 0);
	expect_map(HOLD_FD, memory, 0x2000, PAGE, -EFAULT);
	expect_unmap(HOLD_FD, 0x1000, PAGE, 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -EFAULT);
	assert_failure(-EFAULT, KERNEL, "libiommu_device_attach_ioas");
	assert_explained("mapped before the first attach is no memory");
	expect_ranges(HOLD_FD);
	expect_map(HOLD_FD, memory, 0x1000, PAGE, -ENOMEM);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -ENOMEM);
	expect_ranges(HOLD_FD);
	expect_map(HOLD_FD, memory, 0x1000, PAGE, -ENOSPC);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -ENOSPC);
	assert_explained("65535");
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, LOW_LAST + 1), 0);
	expect_ranges(HOLD_FD);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -EADDRINUSE);
	assert_failure(-EADDRINUSE, LIBRARY, "libiommu_device_attach_ioas");
	script_done();
	assert_int_equal(libiommu_ioas_unmap(ioas, LOW_LAST + 1, PAGE), 0);
	ALLOC_LOOP
	{
		expect_ranges(HOLD_FD);
		expect_map(HOLD_FD, memory, 0x1000, PAGE, 0);
		expect_map(HOLD_FD, memory, 0x2000, PAGE, 0);
		if (!ALLOC_TRY(libiommu_device_attach_ioas(dev, ioas)))
			break;
	}
	legacy_close(dev, GROUP_FD);
	destroy_ioas(ioas);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TYPE1_TEST(test_life),
		TYPE1_TEST(test_found_by_address),
		TYPE1_TEST(test_calls_in_the_wrong_order),
		TYPE1_TEST(test_what_only_iommufd_has),
		TYPE1_TEST(test_hardware),
		TYPE1_TEST(test_no_iommu),
		TYPE1_TEST(test_token),
		TYPE1_TEST(test_bind_fails),
		TYPE1_TEST(test_revoke),
		TYPE1_TEST(test_mappings_come_and_go_with_the_container),
		TYPE1_TEST(test_attach_fails_and_changes_nothing),
	};

	return cmocka_run_group_tests_name("type1-device", tests, NULL, NULL);
}

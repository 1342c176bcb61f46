/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Several groups, and several devices of one: who shares a container, who moves, who cannot. */
#include <stdio.h>

#include "alloc.h"
#include "type1-steps.h"

#define BOTH    (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)
#define SIBLING "0000:00:04.1"

static _Alignas(4096) uint8_t memory[4096];
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev, *other;
static struct libiommu_ioas *ioas;

/* One device attached, with something mapped; another one bound. */
static int setup(void **state)
{
	script_setup(state);
	ctx = legacy_ctx();
	ioas = legacy_ioas(ctx);
	dev = legacy_device(ctx);
	other = legacy_other(ctx);
	legacy_attach(dev, HOLD_FD, ioas);
	expect_map(HOLD_FD, memory, 0x1000, PAGE, 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 0x1000), 0);
	return 0;
}

static int teardown(void **state)
{
	script_device_close(other);
	script_device_close(dev);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	script_ctx_close(ctx);
	return script_teardown(state);
}

#define GROUPS_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* The other one's device is closed, and its group leaves its container. */
static void expect_out(int device_fd)
{
	EXPECT_CLOSE(device_fd);
	expect_leave(OTHER_FD);
}

static void join(void)
{
	expect_out(OTHER_DEVFD);
	expect_enter(OTHER_FD, HOLD_FD, 0);
	expect_device(OTHER_FD, OTHER_NAME, 103);
	EXPECT_CLOSE(OTHER_HOLD);
	expect_ranges(HOLD_FD);
	assert_int_equal(libiommu_device_attach_ioas(other, ioas), 0);
	script_done();
}

static void test_second_group_joins(void **state)
{
	uint64_t iova;

	(void)state;
	join();
	/* One container: what is mapped is mapped for both. */
	expect_map(HOLD_FD, memory, 0x2000, PAGE, 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, PAGE, BOTH, &iova), 0);
	assert_int_equal(iova, 0x2000);
	/* It stays until the last one goes. */
	EXPECT_CLOSE(DEVICE_FD);
	expect_leave(GROUP_FD);
	EXPECT_CLOSE(GROUP_FD);
	script_device_close(dev);
	dev = NULL;
	script_done();
	assert_true(script_fd_is_open(HOLD_FD));
	expect_out(103);
	EXPECT_CLOSE(HOLD_FD);
	EXPECT_CLOSE(OTHER_FD);
}

static void test_one_of_two_groups_is_detached(void **state)
{
	(void)state;
	join();
	expect_out(103);
	EXPECT_OPEN(CONTAINER, 130);
	expect_enter(OTHER_FD, 130, 0);
	expect_start(130, UAPI_VFIO_TYPE1v2_IOMMU, 0);
	expect_device(OTHER_FD, OTHER_NAME, 104);
	assert_int_equal(libiommu_device_detach(other), 0);
	script_done();
	/* Back again. */
	expect_out(104);
	expect_enter(OTHER_FD, HOLD_FD, 0);
	expect_device(OTHER_FD, OTHER_NAME, 105);
	EXPECT_CLOSE(130);
	expect_ranges(HOLD_FD);
	assert_int_equal(libiommu_device_attach_ioas(other, ioas), 0);
	script_done();
	expect_out(105);
	expect_leave(GROUP_FD);
}

/* Something of the open device was used: closing and opening it would not go unnoticed. */
static void test_used_devices_do_not_move(void **state)
{
	(void)state;
	assert_int_equal(libiommu_device_fd(other), OTHER_DEVFD);
	assert_int_equal(libiommu_device_attach_ioas(other, ioas), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_device_attach_ioas");
	assert_explained("attach first");
	script_done();
	expect_out(OTHER_DEVFD);
	expect_leave(GROUP_FD);
}

static void test_used_devices_are_not_detached_from_others(void **state)
{
	(void)state;
	join();
	assert_int_equal(libiommu_device_fd(other), 103);
	assert_int_equal(libiommu_device_detach(other), -EBUSY);
	/* Alone it can be, since the container stays. */
	EXPECT_CLOSE(DEVICE_FD);
	expect_leave(GROUP_FD);
	script_device_close(dev);
	dev = NULL;
	expect_unmap(HOLD_FD, 0x1000, PAGE, 0);
	assert_int_equal(libiommu_device_detach(other), 0);
	script_done();
	expect_out(103);
	EXPECT_CLOSE(HOLD_FD);
}

static void test_groups_that_cannot_join_go_back(void **state)
{
	(void)state;
	expect_out(OTHER_DEVFD);
	expect_enter(OTHER_FD, HOLD_FD, -EINVAL);
	expect_enter(OTHER_FD, OTHER_HOLD, 0);
	expect_start(OTHER_HOLD, UAPI_VFIO_TYPE1v2_IOMMU, 0);
	expect_device(OTHER_FD, OTHER_NAME, 103);
	assert_int_equal(libiommu_device_attach_ioas(other, ioas), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_device_attach_ioas");
	script_done();
	/* In, and the device cannot be opened there. */
	expect_out(103);
	expect_enter(OTHER_FD, HOLD_FD, 0);
	expect_device(OTHER_FD, OTHER_NAME, -EIO);
	expect_leave(OTHER_FD);
	expect_enter(OTHER_FD, OTHER_HOLD, 0);
	expect_start(OTHER_HOLD, UAPI_VFIO_TYPE1v2_IOMMU, 0);
	expect_device(OTHER_FD, OTHER_NAME, 104);
	assert_int_equal(libiommu_device_attach_ioas(other, ioas), -EIO);
	script_done();
	assert_int_equal(libiommu_device_fd(other), 104);
	expect_out(104);
	expect_leave(GROUP_FD);
}

static void check_lost(void)
{
	assert_failure(-ENODEV, LIBRARY, "libiommu_device_attach_ioas");
	assert_explained("lost");
	script_done();
	assert_int_equal(libiommu_device_fd(other), -ENODEV);
	assert_explained("lost");
	assert_int_equal(libiommu_device_attach_ioas(other, ioas), -ENODEV);
	EXPECT_CLOSE(OTHER_FD);
	expect_leave(GROUP_FD);
}

static void test_groups_that_cannot_go_back_are_lost(void **state)
{
	(void)state;
	expect_out(OTHER_DEVFD);
	expect_enter(OTHER_FD, HOLD_FD, -EINVAL);
	expect_enter(OTHER_FD, OTHER_HOLD, -EBUSY);
	EXPECT_CLOSE(OTHER_HOLD);
	assert_int_equal(libiommu_device_attach_ioas(other, ioas), -ENODEV);
	check_lost();
}

static void test_devices_that_cannot_be_opened_again_are_lost(void **state)
{
	(void)state;
	expect_out(OTHER_DEVFD);
	expect_enter(OTHER_FD, HOLD_FD, -EINVAL);
	expect_enter(OTHER_FD, OTHER_HOLD, 0);
	expect_start(OTHER_HOLD, UAPI_VFIO_TYPE1v2_IOMMU, 0);
	expect_device(OTHER_FD, OTHER_NAME, -EIO);
	expect_leave(OTHER_FD);
	EXPECT_CLOSE(OTHER_HOLD);
	assert_int_equal(libiommu_device_attach_ioas(other, ioas), -ENODEV);
	check_lost();
}

static void test_lost_when_it_is_detached(void **state)
{
	(void)state;
	join();
	expect_out(103);
	EXPECT_OPEN(CONTAINER, -EMFILE);
	expect_enter(OTHER_FD, HOLD_FD, -EINVAL);
	assert_int_equal(libiommu_device_detach(other), -ENODEV);
	assert_int_equal(libiommu_device_detach(other), -ENODEV);
	script_done();
	EXPECT_CLOSE(OTHER_FD);
	expect_leave(GROUP_FD);
}

static void test_not_detached_for_want_of_a_container(void **state)
{
	(void)state;
	join();
	expect_out(103);
	EXPECT_OPEN(CONTAINER, -EMFILE);
	expect_enter(OTHER_FD, HOLD_FD, 0);
	expect_device(OTHER_FD, OTHER_NAME, 104);
	assert_int_equal(libiommu_device_detach(other), -EMFILE);
	script_done();
	assert_int_equal(libiommu_ioas_destroy(ioas), -EBUSY);
	expect_out(104);
	expect_leave(GROUP_FD);
}

static void open_sibling(struct libiommu_device **sibling)
{
	assert_int_equal(libiommu_device_open_group(ctx, GROUP, SIBLING, NULL, sibling), 0);
	expect_device(GROUP_FD, SIBLING, 106);
	assert_int_equal(libiommu_device_bind(*sibling, LABEL, NULL, 0), 0);
}

/* Devices of a group are where the group is. */
static void test_siblings(void **state)
{
	struct libiommu_ioas *const elsewhere = legacy_ioas(ctx);
	struct libiommu_device *sibling;

	(void)state;
	open_sibling(&sibling);
	assert_int_equal(libiommu_device_attach_ioas(sibling, elsewhere), -EINVAL);
	assert_explained("of its group");
	assert_int_equal(libiommu_device_attach_ioas(sibling, ioas), 0);
	/* The group stays attached for the other one. */
	assert_int_equal(libiommu_device_detach(dev), 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
	script_device_close(sibling);
	script_done();
	/* Open, and not attached: with the last one that is, what is mapped goes. */
	open_sibling(&sibling);
	EXPECT_CLOSE(DEVICE_FD);
	expect_unmap(HOLD_FD, 0x1000, PAGE, 0);
	script_device_close(dev);
	script_done();
	dev = sibling;
	expect_out(OTHER_DEVFD);
	assert_int_equal(libiommu_ioas_destroy(elsewhere), 0);
	EXPECT_CLOSE(OTHER_HOLD);
	EXPECT_CLOSE(OTHER_FD);
	EXPECT_CLOSE(106);
	expect_leave(GROUP_FD);
}

/* In a container with others, a group can only stay: with nothing attached it has no mappings. */
static void test_siblings_that_keep_a_group_where_it_is(void **state)
{
	struct libiommu_ioas *const elsewhere = legacy_ioas(ctx);
	struct libiommu_device *sibling;

	(void)state;
	join();
	open_sibling(&sibling);
	script_device_close(dev);
	dev = sibling;
	assert_int_equal(libiommu_device_attach_ioas(sibling, elsewhere), -EBUSY);
	assert_int_equal(libiommu_device_attach_ioas(sibling, ioas), 0);
	assert_int_equal(libiommu_ioas_destroy(elsewhere), 0);
	script_done();
	expect_out(103);
	expect_leave(GROUP_FD);
}

/* Nothing is attached; the group of the sibling, which becomes the device, is in the container. */
static void leave_a_sibling(void)
{
	struct libiommu_device *sibling;

	join();
	open_sibling(&sibling);
	script_device_close(dev);
	dev = sibling;
	EXPECT_CLOSE(103);
	expect_leave(OTHER_FD);
	script_device_close(other);
	other = NULL;
	script_done();
}

static void test_an_address_space_goes_before_its_container(void **state)
{
	(void)state;
	leave_a_sibling();
	expect_unmap(HOLD_FD, 0x1000, PAGE, -EIO);
	assert_int_equal(libiommu_ioas_destroy(ioas), -EIO);
	expect_unmap(HOLD_FD, 0x1000, PAGE, 0);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	ioas = legacy_ioas(ctx);
	legacy_attach(dev, HOLD_FD, ioas);
	script_done();
	expect_leave(GROUP_FD);
}

/* What is mapped in the container that it was left in is another address space's. */
static void test_siblings_that_are_left_attach_elsewhere(void **state)
{
	struct libiommu_ioas *const elsewhere = legacy_ioas(ctx);

	(void)state;
	leave_a_sibling();
	expect_unmap(HOLD_FD, 0x1000, PAGE, -EIO);
	assert_int_equal(libiommu_device_attach_ioas(dev, elsewhere), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_device_attach_ioas");
	script_done();
	expect_unmap(HOLD_FD, 0x1000, PAGE, 0);
	legacy_attach(dev, HOLD_FD, elsewhere);
	script_done();
	assert_int_equal(libiommu_device_detach(dev), 0);
	assert_int_equal(libiommu_ioas_destroy(elsewhere), 0);
	/* It is mapped for whoever attaches next. */
	expect_ranges(HOLD_FD);
	expect_map(HOLD_FD, memory, 0x1000, PAGE, 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
	script_done();
	expect_leave(GROUP_FD);
}

/* The kernel has forgotten what was mapped when a group comes back to a container. */
static void test_siblings_that_are_left_cannot_join(void **state)
{
	struct libiommu_ioas *const elsewhere = legacy_ioas(ctx);

	(void)state;
	leave_a_sibling();
	other = legacy_other(ctx);
	legacy_attach(other, OTHER_HOLD, elsewhere);
	expect_unmap(HOLD_FD, 0x1000, PAGE, 0);
	EXPECT_CLOSE(106);
	expect_leave(GROUP_FD);
	expect_enter(GROUP_FD, OTHER_HOLD, -EINVAL);
	expect_enter(GROUP_FD, HOLD_FD, 0);
	expect_start(HOLD_FD, UAPI_VFIO_TYPE1v2_IOMMU, 0);
	expect_device(GROUP_FD, SIBLING, 107);
	assert_int_equal(libiommu_device_attach_ioas(dev, elsewhere), -EINVAL);
	script_done();
	expect_ranges(HOLD_FD);
	expect_map(HOLD_FD, memory, 0x1000, PAGE, 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
	script_done();
	assert_int_equal(libiommu_device_detach(other), 0);
	assert_int_equal(libiommu_ioas_destroy(elsewhere), 0);
	expect_leave(OTHER_FD);
	expect_leave(GROUP_FD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GROUPS_TEST(test_second_group_joins),
		GROUPS_TEST(test_one_of_two_groups_is_detached),
		GROUPS_TEST(test_used_devices_do_not_move),
		GROUPS_TEST(test_used_devices_are_not_detached_from_others),
		GROUPS_TEST(test_groups_that_cannot_join_go_back),
		GROUPS_TEST(test_groups_that_cannot_go_back_are_lost),
		GROUPS_TEST(test_devices_that_cannot_be_opened_again_are_lost),
		GROUPS_TEST(test_lost_when_it_is_detached),
		GROUPS_TEST(test_not_detached_for_want_of_a_container),
		GROUPS_TEST(test_siblings),
		GROUPS_TEST(test_siblings_that_keep_a_group_where_it_is),
		GROUPS_TEST(test_an_address_space_goes_before_its_container),
		GROUPS_TEST(test_siblings_that_are_left_attach_elsewhere),
		GROUPS_TEST(test_siblings_that_are_left_cannot_join),
	};

	return cmocka_run_group_tests_name("type1-groups", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Attach, replace and detach from every state to every other, and what is pinned meanwhile. */
#include "objects.h"

#define PT_ID 40

static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
/* Two targets of each kind. */
static struct libiommu_ioas *ioas[2];
static struct libiommu_hwpt *hwpt[2];
static const uint32_t ioas_id[2] = {2, 3};
static const uint32_t hwpt_id[2] = {12, 13};

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	dev = script_device(ctx);
	for (size_t i = 0; i < 2; i++) {
		ioas[i] = script_ioas(ctx, ioas_id[i]);
		assert_int_equal(libiommu_hwpt_adopt(ctx, hwpt_id[i], LIBIOMMU_ID_OWN, &hwpt[i]),
		                 0);
	}
	return 0;
}

static int teardown(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		script_hwpt_close(hwpt[i], hwpt_id[i]);
		script_ioas_close(ioas[i], ioas_id[i]);
	}
	script_device_close(dev);
	script_ctx_close(ctx);
	return script_teardown(state);
}

static void expect_attach(uint32_t id, uint32_t out, int result)
{
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
	             IN(struct uapi_vfio_device_attach_iommufd_pt,
	                .argsz = sizeof(struct uapi_vfio_device_attach_iommufd_pt), .pt_id = id),
	             SET(struct uapi_vfio_device_attach_iommufd_pt, pt_id, out), .result = result);
}

enum target { NOTHING, IOAS_A, IOAS_B, HWPT_A, HWPT_B, TARGETS };

static int call(enum target target, bool replace)
{
	switch (target) {
	case IOAS_A:
	case IOAS_B:
		return replace ? libiommu_device_replace_ioas(dev, ioas[target - IOAS_A])
		               : libiommu_device_attach_ioas(dev, ioas[target - IOAS_A]);
	case HWPT_A:
	case HWPT_B:
		return replace ? libiommu_device_replace_hwpt(dev, hwpt[target - HWPT_A])
		               : libiommu_device_attach_hwpt(dev, hwpt[target - HWPT_A]);
	default:
		return libiommu_device_detach(dev);
	}
}

static uint32_t id_of(enum target target)
{
	return target <= IOAS_B ? ioas_id[target - IOAS_A] : hwpt_id[target - HWPT_A];
}

/* For an address space the kernel names the page table it made. */
static uint32_t pt_id_of(enum target target)
{
	return target <= IOAS_B ? PT_ID + target : id_of(target);
}

/* Exactly what the device is attached to refuses to be destroyed, and without asking the kernel. */
static void check_attached(enum target now)
{
	uint32_t pt_id = 99;

	assert_int_equal(libiommu_device_pt_id(dev, &pt_id), now ? 0 : -ENOENT);
	assert_int_equal(pt_id, now ? pt_id_of(now) : 99);
	for (enum target target = IOAS_A; target < TARGETS; target++) {
		const bool pinned = target == now;
		int error;

		if (!pinned)
			expect_destroy(id_of(target), -EIO);
		if (target <= IOAS_B)
			error = libiommu_ioas_destroy(ioas[target - IOAS_A]);
		else
			error = libiommu_hwpt_destroy(hwpt[target - HWPT_A]);
		assert_int_equal(error, pinned ? -EBUSY : -EIO);
		assert_int_equal(libiommu_failure_origin(),
		                 pinned ? LIBIOMMU_FAILURE_LIBRARY : LIBIOMMU_FAILURE_KERNEL);
	}
	script_done();
}

static void go_to(enum target target)
{
	if (target) {
		expect_attach(id_of(target), pt_id_of(target), 0);
		assert_int_equal(call(target, false), 0);
	}
	check_attached(target);
}

static void go_home(enum target from)
{
	if (from)
		script_detach(dev, DEVICE_FD);
	check_attached(NOTHING);
}

static void test_attach_from_each_state(void **state)
{
	(void)state;
	for (enum target from = NOTHING; from < TARGETS; from++) {
		for (enum target to = IOAS_A; to < TARGETS; to++) {
			go_to(from);
			if (from) {
				/* The kernel would replace without a word. */
				assert_int_equal(call(to, false), -EEXIST);
				assert_int_equal(libiommu_failure_origin(),
				                 LIBIOMMU_FAILURE_LIBRARY);
				check_attached(from);
				go_home(from);
			} else {
				go_to(to);
				go_home(to);
			}
		}
	}
}

static void test_replace_from_each_state(void **state)
{
	(void)state;
	for (enum target from = NOTHING; from < TARGETS; from++) {
		for (enum target to = IOAS_A; to < TARGETS; to++) {
			go_to(from);
			if (from && from != to)
				expect_attach(id_of(to), pt_id_of(to), 0);
			assert_int_equal(call(to, true), from ? 0 : -ENOENT);
			script_done();
			check_attached(from ? to : NOTHING);
			go_home(from ? to : NOTHING);
		}
	}
}

/* Another device of the group may have moved it: only the kernel knows, and has it back. */
static void test_replace_by_the_same_in_a_group(void **state)
{
	uint32_t pt_id;

	(void)state;
	script_device_share_group(dev);
	for (enum target at = IOAS_A; at < TARGETS; at++) {
		go_to(at);
		expect_attach(id_of(at), 77, -EADDRINUSE);
		assert_int_equal(call(at, true), -EADDRINUSE);
		assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
		check_attached(at);
		/* The page table that the kernel has made for the address space can be another. */
		expect_attach(id_of(at), at <= IOAS_B ? 78 : id_of(at), 0);
		assert_int_equal(call(at, true), 0);
		assert_int_equal(libiommu_device_pt_id(dev, &pt_id), 0);
		assert_int_equal(pt_id, at <= IOAS_B ? 78 : id_of(at));
		expect_attach(id_of(at), pt_id_of(at), 0);
		assert_int_equal(call(at, true), 0);
		check_attached(at);
		go_home(at);
	}
}

static void test_failed_replace_keeps_the_old(void **state)
{
	(void)state;
	for (enum target from = IOAS_A; from < TARGETS; from++) {
		for (enum target to = IOAS_A; to < TARGETS; to++) {
			if (from == to)
				continue;
			go_to(from);
			expect_attach(id_of(to), 77, -EADDRINUSE);
			assert_int_equal(call(to, true), -EADDRINUSE);
			assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
			check_attached(from);
			go_home(from);
		}
	}
}

static void test_failed_attach_attaches_nothing(void **state)
{
	uint32_t id = 0, other = 0;

	(void)state;
	for (enum target to = IOAS_A; to < TARGETS; to++) {
		expect_attach(id_of(to), 77, -EINVAL);
		assert_int_equal(call(to, false), -EINVAL);
		assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
		assert_int_equal(libiommu_failure_ids(&id, &other), 0);
		assert_int_equal(id, DEVICE_ID);
		assert_int_equal(other, id_of(to));
		check_attached(NOTHING);
	}
}

static void test_detach(void **state)
{
	(void)state;
	assert_int_equal(libiommu_device_detach(dev), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_device_detach");
	go_to(IOAS_A);
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_DETACH_IOMMUFD_PT, .result = -EIO);
	assert_int_equal(libiommu_device_detach(dev), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_device_detach");
	check_attached(IOAS_A);
	go_home(IOAS_A);
}

static void test_of_another_context(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *other;
	struct libiommu_ioas *foreign_ioas;
	struct libiommu_hwpt *foreign_hwpt, *made = NULL;

	(void)state;
	EXPECT_OPEN("/dev/iommu", 200);
	assert_int_equal(libiommu_ctx_new(config, &other), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_ioas_adopt(other, 2, LIBIOMMU_ID_BORROW, &foreign_ioas), 0);
	assert_int_equal(libiommu_hwpt_adopt(other, 12, LIBIOMMU_ID_BORROW, &foreign_hwpt), 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, foreign_ioas), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_attach_ioas");
	assert_int_equal(libiommu_device_attach_hwpt(dev, foreign_hwpt), -EINVAL);
	go_to(IOAS_A);
	assert_int_equal(libiommu_device_replace_ioas(dev, foreign_ioas), -EINVAL);
	assert_int_equal(libiommu_device_replace_hwpt(dev, foreign_hwpt), -EINVAL);
	assert_int_equal(libiommu_hwpt_alloc(dev, foreign_ioas, NULL, &made), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hwpt_alloc");
	assert_null(made);
	check_attached(IOAS_A);
	go_home(IOAS_A);
	assert_int_equal(libiommu_ioas_destroy(foreign_ioas), 0);
	assert_int_equal(libiommu_hwpt_destroy(foreign_hwpt), 0);
	assert_int_equal(libiommu_ctx_destroy(other), 0);
}

static void test_null_targets(void **state)
{
	(void)state;
	assert_int_equal(libiommu_device_attach_ioas(dev, NULL), -EINVAL);
	assert_int_equal(libiommu_device_attach_hwpt(dev, NULL), -EINVAL);
	assert_int_equal(libiommu_device_replace_ioas(dev, NULL), -EINVAL);
	assert_int_equal(libiommu_device_replace_hwpt(dev, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_replace_hwpt");
	assert_int_equal(libiommu_device_attach_ioas(NULL, ioas[0]), -EINVAL);
	assert_int_equal(libiommu_device_attach_hwpt(NULL, hwpt[0]), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_attach_hwpt");
	check_attached(NOTHING);
}

/*
 * Adopted as attached to something that only has an id: it can be replaced and left, and pins
 * nothing.
 */
static void test_adopted_attachment(void **state)
{
	struct libiommu_device *const own = dev;
	uint32_t pt_id;

	(void)state;
	script_give_fd(150);
	assert_int_equal(libiommu_device_adopt(ctx, 150, LIBIOMMU_FD_OWN, 60, 2, 1, &dev), 0);
	assert_int_equal(libiommu_device_pt_id(dev, &pt_id), 0);
	assert_int_equal(pt_id, 2);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas[0]), -EEXIST);
	/* That the id is the same proves nothing to the library: it asks the kernel. */
	EXPECT_IOCTL(150, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
	             SET(struct uapi_vfio_device_attach_iommufd_pt, pt_id, 41));
	assert_int_equal(libiommu_device_replace_ioas(dev, ioas[0]), 0);
	check_attached(IOAS_A);
	script_detach(dev, 150);
	check_attached(NOTHING);
	script_device_close(dev);
	dev = own;
}

static void test_destroy_unpins(void **state)
{
	(void)state;
	script_attach_ioas(dev, DEVICE_FD, ioas[0], ioas_id[0], 41);
	assert_int_equal(libiommu_ioas_destroy(ioas[0]), -EBUSY);
	/* The close of the descriptor detaches: no ioctl is needed. */
	EXPECT_CLOSE(DEVICE_FD);
	script_device_close(dev);
	dev = script_device_as(ctx, 120, 8, 1);
	check_attached(NOTHING);
}

#define ATTACH_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACH_TEST(test_attach_from_each_state),
		ATTACH_TEST(test_replace_from_each_state),
		ATTACH_TEST(test_failed_replace_keeps_the_old),
		ATTACH_TEST(test_replace_by_the_same_in_a_group),
		ATTACH_TEST(test_failed_attach_attaches_nothing),
		ATTACH_TEST(test_detach),
		ATTACH_TEST(test_of_another_context),
		ATTACH_TEST(test_null_targets),
		ATTACH_TEST(test_adopted_attachment),
		ATTACH_TEST(test_destroy_unpins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The end of a device: revoked or destroyed, with what hangs on it, whoever owns the descriptor. */
#include <sys/mman.h>

#include "objects.h"

#include "../../lib/object/device.h"

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

/* Mapped as a BAR would be. */
static void add_map(struct libiommu_device *dev, struct mapping *mapping, void *address)
{
	const struct backend *const backend = li_ctx_backend(ctx);
	void *at;

	EXPECT(MMAP, .fd = DEVICE_FD, .length = 0x2000, .prot = PROT_READ, .flags = MAP_SHARED,
	       .address = address);
	assert_int_equal(li_device_enter(dev, __func__, DEVICE_OPEN), 0);
	assert_int_equal(
		li_sys_mmap(backend->sys, NULL, 0x2000, PROT_READ, MAP_SHARED, DEVICE_FD, 0, &at),
		0);
	mapping->address = at;
	mapping->length = 0x2000;
	li_mapping_add(li_device_mappings(dev), mapping);
	li_device_leave(dev);
}

static void remove_map(struct libiommu_device *dev, struct mapping *mapping)
{
	EXPECT(MUNMAP, .address = mapping->address, .length = mapping->length);
	assert_int_equal(li_mapping_remove(li_device_mappings(dev), mapping), 0);
}

static void expect_replaced(const void *address, int result)
{
	EXPECT(MMAP, .fd = -1, .hint = (void *)(uintptr_t)address, .length = 0x2000,
	       .prot = PROT_READ | PROT_WRITE,
	       .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
	       .address = (void *)(uintptr_t)address, .result = result);
}

static char bars[3][0x2000];

static void test_revoke(void **state)
{
	struct libiommu_device *const dev = script_device(ctx);
	struct libiommu_device *found = NULL;
	uint64_t label = 0;
	uint32_t id = 0;

	(void)state;
	EXPECT_CLOSE(DEVICE_FD);
	assert_int_equal(libiommu_device_revoke(dev), 0);
	script_done();
	/* Twice is the same, and closes nothing a second time. */
	assert_int_equal(libiommu_device_revoke(dev), 0);
	assert_int_equal(libiommu_device_by_id(ctx, DEVICE_ID, &found), -ENOENT);
	assert_int_equal(libiommu_device_by_label(ctx, LABEL, &found), -ENOENT);
	/* What is known of it can still be asked. */
	assert_int_equal(libiommu_device_id(dev, &id), 0);
	assert_int_equal(id, DEVICE_ID);
	assert_int_equal(libiommu_device_label(dev, &label), 0);
	assert_true(label == LABEL);
	script_device_close(dev);
}

static void test_every_call_after_revoke(void **state)
{
	struct libiommu_device *const dev = script_device(ctx);
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
	struct libiommu_hwpt *const hwpt = script_hwpt(dev, DEVICE_ID, ioas, 2, 3);
	struct libiommu_hw_info *info = NULL;
	struct libiommu_hwpt *made = NULL;
	uint32_t id = 99;

	(void)state;
	script_attach_ioas(dev, DEVICE_FD, ioas, 2, 4);
	assert_int_equal(libiommu_device_revoke(dev), 0);
	assert_int_equal(libiommu_device_fd(dev), -ENODEV);
	assert_failure(-ENODEV, LIBRARY, "libiommu_device_fd");
	assert_int_equal(libiommu_device_bind(dev, 1, NULL, 0), -ENODEV);
	assert_failure(-ENODEV, LIBRARY, "libiommu_device_bind");
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -ENODEV);
	assert_int_equal(libiommu_device_attach_hwpt(dev, hwpt), -ENODEV);
	assert_int_equal(libiommu_device_replace_ioas(dev, ioas), -ENODEV);
	assert_int_equal(libiommu_device_replace_hwpt(dev, hwpt), -ENODEV);
	assert_failure(-ENODEV, LIBRARY, "libiommu_device_replace_hwpt");
	assert_int_equal(libiommu_device_detach(dev), -ENODEV);
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, NULL, &made), -ENODEV);
	assert_int_equal(libiommu_hw_info_get(dev, &info), -ENODEV);
	assert_int_equal(libiommu_device_pt_id(dev, &id), -ENOENT);
	assert_null(made);
	assert_null(info);
	assert_int_equal(id, 99);
	/* Its children can go in peace. */
	script_hwpt_close(hwpt, 3);
	script_ioas_close(ioas, 2);
	script_device_close(dev);
}

static void test_revoke_before_the_bind(void **state)
{
	struct libiommu_device *const dev = script_device_open(ctx, DEVICE_FD);
	struct libiommu_device *const grouped = script_device_grouped(ctx, 150, 151);
	uint64_t label = 99;
	uint32_t id = 99;

	(void)state;
	EXPECT_CLOSE(DEVICE_FD);
	assert_int_equal(libiommu_device_revoke(dev), 0);
	assert_int_equal(libiommu_device_revoke(grouped), 0);
	assert_int_equal(libiommu_device_bind(dev, 1, NULL, 0), -ENODEV);
	/* The getters say what they said before. */
	assert_int_equal(libiommu_device_id(dev, &id), -EINVAL);
	assert_explained("not bound");
	assert_int_equal(libiommu_device_id(grouped, &id), -EOPNOTSUPP);
	assert_int_equal(libiommu_device_label(dev, &label), -EINVAL);
	assert_true(id == 99 && label == 99);
	script_device_close(grouped);
	script_device_close(dev);
	assert_int_equal(libiommu_device_revoke(NULL), -EINVAL);
}

static void test_revoke_replaces_what_is_mapped(void **state)
{
	struct libiommu_device *const dev = script_device(ctx);
	struct mapping maps[2];

	(void)state;
	add_map(dev, &maps[0], bars[0]);
	add_map(dev, &maps[1], bars[1]);
	expect_replaced(bars[1], 0);
	expect_replaced(bars[0], 0);
	EXPECT_CLOSE(DEVICE_FD);
	assert_int_equal(libiommu_device_revoke(dev), 0);
	script_done();
	/* The addresses are still the process's, until it lets go of them. */
	assert_int_equal(libiommu_device_destroy(dev), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_device_destroy");
	remove_map(dev, &maps[0]);
	assert_int_equal(libiommu_device_destroy(dev), -EBUSY);
	remove_map(dev, &maps[1]);
	script_device_close(dev);
}

static void test_revoke_without_memory(void **state)
{
	struct libiommu_device *const dev = script_device(ctx);
	struct mapping maps[2];
	uint32_t id;

	(void)state;
	add_map(dev, &maps[0], bars[0]);
	add_map(dev, &maps[1], bars[1]);
	/* The first that fails ends it, wherever it stands. */
	expect_replaced(bars[1], -ENOMEM);
	assert_int_equal(libiommu_device_revoke(dev), -ENOMEM);
	script_done();
	expect_replaced(bars[1], 0);
	expect_replaced(bars[0], -ENOMEM);
	assert_int_equal(libiommu_device_revoke(dev), -ENOMEM);
	assert_failure(-ENOMEM, KERNEL, "libiommu_device_revoke");
	script_done();
	/* It is as it was. */
	assert_int_equal(libiommu_device_fd(dev), DEVICE_FD);
	assert_int_equal(libiommu_device_id(dev, &id), 0);
	expect_replaced(bars[1], 0);
	expect_replaced(bars[0], 0);
	EXPECT_CLOSE(DEVICE_FD);
	assert_int_equal(libiommu_device_revoke(dev), 0);
	script_done();
	remove_map(dev, &maps[0]);
	remove_map(dev, &maps[1]);
	script_device_close(dev);
}

static void test_maps_go_in_any_order(void **state)
{
	static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
	                                {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct libiommu_device *const dev = script_device(ctx);
	struct mapping maps[3];

	(void)state;
	for (size_t order = 0; order < sizeof(orders) / sizeof(orders[0]); order++) {
		for (int i = 0; i < 3; i++)
			add_map(dev, &maps[i], bars[i]);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(libiommu_device_destroy(dev), -EBUSY);
			remove_map(dev, &maps[orders[order][i]]);
		}
	}
	/* A munmap() that fails forgets nothing. */
	add_map(dev, &maps[0], bars[0]);
	EXPECT(MUNMAP, .address = bars[0], .length = 0x2000, .result = -EINVAL);
	assert_int_equal(li_mapping_remove(li_device_mappings(dev), &maps[0]), -EINVAL);
	assert_int_equal(libiommu_device_destroy(dev), -EBUSY);
	remove_map(dev, &maps[0]);
	script_device_close(dev);
}

static struct libiommu_device *borrowed(uint32_t pt_id)
{
	struct libiommu_device *dev;

	script_lend_fd(DEVICE_FD);
	assert_int_equal(libiommu_device_adopt(ctx, DEVICE_FD, LIBIOMMU_FD_BORROW, DEVICE_ID, pt_id,
	                                       LABEL, &dev),
	                 0);
	return dev;
}

static void expect_detach(int result)
{
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_DETACH_IOMMUFD_PT,
	             IN(struct uapi_vfio_device_detach_iommufd_pt,
	                .argsz = sizeof(struct uapi_vfio_device_detach_iommufd_pt)),
	             .result = result);
}

/* The descriptor stays open, so that the attachment made through this handle has to be undone. */
static void test_borrowed_and_attached(void **state)
{
	(void)state;
	for (int revoke = 0; revoke < 2; revoke++) {
		struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
		struct libiommu_device *const dev = borrowed(0);

		script_attach_ioas(dev, DEVICE_FD, ioas, 2, 4);
		expect_detach(0);
		if (revoke)
			assert_int_equal(libiommu_device_revoke(dev), 0);
		script_device_close(dev);
		script_done();
		script_ioas_close(ioas, 2);
		assert_true(script_fd_is_open(DEVICE_FD));
		script_take_back_fd(DEVICE_FD);
	}
}

static void test_borrowed_and_not_attached(void **state)
{
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
	struct libiommu_device *dev = borrowed(0);

	(void)state;
	/* No ioctl is listed: nothing was attached, or not by this handle. */
	script_device_close(dev);
	script_take_back_fd(DEVICE_FD);
	dev = borrowed(4);
	script_device_close(dev);
	script_take_back_fd(DEVICE_FD);
	dev = borrowed(0);
	script_attach_ioas(dev, DEVICE_FD, ioas, 2, 4);
	script_detach(dev, DEVICE_FD);
	script_device_close(dev);
	script_ioas_close(ioas, 2);
}

/* Nothing can be done about it; what the library keeps is let go of all the same. */
static void test_borrowed_and_the_detach_fails(void **state)
{
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
	struct libiommu_device *const dev = borrowed(0);

	(void)state;
	script_attach_ioas(dev, DEVICE_FD, ioas, 2, 4);
	expect_detach(-EIO);
	script_device_close(dev);
	script_ioas_close(ioas, 2);
}

static void test_owned_close_fails(void **state)
{
	struct libiommu_device *const dev = script_device(ctx);

	(void)state;
	/* The descriptor is closed all the same, as close() has it. */
	EXPECT(CLOSE, .fd = DEVICE_FD, .result = -EIO);
	script_device_close(dev);
}

static void test_destroy_null(void **state)
{
	(void)state;
	assert_int_equal(libiommu_device_destroy(NULL), 0);
}

static void test_success_keeps_the_last_failure(void **state)
{
	struct libiommu_device *const dev = script_device(ctx);
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);

	(void)state;
	assert_int_equal(libiommu_device_detach(dev), -ENOENT);
	script_attach_ioas(dev, DEVICE_FD, ioas, 2, 4);
	script_device_close(dev);
	script_ioas_close(ioas, 2);
	assert_failure(-ENOENT, LIBRARY, "libiommu_device_detach");
}

#define DEVICE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(test_revoke),
		DEVICE_TEST(test_every_call_after_revoke),
		DEVICE_TEST(test_revoke_before_the_bind),
		DEVICE_TEST(test_revoke_replaces_what_is_mapped),
		DEVICE_TEST(test_revoke_without_memory),
		DEVICE_TEST(test_maps_go_in_any_order),
		DEVICE_TEST(test_borrowed_and_attached),
		DEVICE_TEST(test_borrowed_and_not_attached),
		DEVICE_TEST(test_borrowed_and_the_detach_fails),
		DEVICE_TEST(test_owned_close_fails),
		DEVICE_TEST(test_destroy_null),
		DEVICE_TEST(test_success_keeps_the_last_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

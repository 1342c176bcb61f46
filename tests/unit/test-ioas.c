/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Address spaces: made, adopted, borrowed, destroyed. */
#include "alloc.h"
#include "objects.h"

static uint64_t live(const struct libiommu_ctx *ctx)
{
	uint64_t count;

	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_IOAS, &count), 0);
	return count;
}

static void test_alloc(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *const ioas = script_ioas(ctx, 12);
	uint32_t id = 0;

	(void)state;
	assert_int_equal(libiommu_ioas_id(ioas, &id), 0);
	assert_int_equal(id, 12);
	assert_int_equal(libiommu_ioas_id(ioas, NULL), -EINVAL);
	script_ioas_close(ioas, 12);
	assert_int_equal(libiommu_ioas_destroy(NULL), 0);
	script_ctx_close(ctx);
}

static void test_alloc_refused(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *ioas = NULL;

	(void)state;
	EXPECT_IOCTL(CTX_FD, IOAS_ALLOC, .result = -ENOMEM);
	assert_int_equal(libiommu_ioas_alloc(ctx, &ioas), -ENOMEM);
	assert_failure(-ENOMEM, KERNEL, "libiommu_ioas_alloc");
	assert_null(ioas);
	assert_int_equal(live(ctx), 0);
	assert_int_equal(libiommu_ioas_alloc(ctx, NULL), -EINVAL);
	script_ctx_close(ctx);
}

static void test_adopt_own(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *ioas;
	uint32_t id;

	(void)state;
	assert_int_equal(libiommu_ioas_adopt(ctx, 44, LIBIOMMU_ID_OWN, &ioas), 0);
	assert_int_equal(libiommu_ioas_id(ioas, &id), 0);
	assert_int_equal(id, 44);
	assert_int_equal(live(ctx), 1);
	script_ioas_close(ioas, 44);
	script_ctx_close(ctx);
}

static void test_adopt_borrow(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *ioas;

	(void)state;
	assert_int_equal(libiommu_ioas_adopt(ctx, 44, LIBIOMMU_ID_BORROW, &ioas), 0);
	assert_int_equal(live(ctx), 1);
	/* No ioctl: the script lists none. */
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	assert_int_equal(live(ctx), 0);
	script_ctx_close(ctx);
}

static void test_adopt_refuses(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *ioas = NULL;

	(void)state;
	assert_int_equal(libiommu_ioas_adopt(ctx, 0, LIBIOMMU_ID_OWN, &ioas), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_ioas_adopt");
	assert_int_equal(libiommu_ioas_adopt(ctx, 1, (enum libiommu_id_mode)2, &ioas), -EINVAL);
	assert_int_equal(libiommu_ioas_adopt(ctx, 1, LIBIOMMU_ID_OWN, NULL), -EINVAL);
	assert_null(ioas);
	script_ctx_close(ctx);
}

static void expect_compat(uint32_t id, int result)
{
	EXPECT_IOCTL(CTX_FD, VFIO_IOAS,
	             IN(struct uapi_vfio_ioas, .size = sizeof(struct uapi_vfio_ioas),
	                .op = UAPI_VFIO_IOAS_GET),
	             SET(struct uapi_vfio_ioas, ioas_id, id), .result = result);
}

static void test_compat(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *ioas = NULL;
	uint32_t id;

	(void)state;
	expect_compat(0, -ENODEV);
	assert_int_equal(libiommu_ioas_get_compat(ctx, &ioas), -ENODEV);
	assert_failure(-ENODEV, KERNEL, "libiommu_ioas_get_compat");
	assert_null(ioas);
	assert_int_equal(libiommu_ioas_get_compat(ctx, NULL), -EINVAL);
	expect_compat(6, 0);
	assert_int_equal(libiommu_ioas_get_compat(ctx, &ioas), 0);
	assert_int_equal(libiommu_ioas_id(ioas, &id), 0);
	assert_int_equal(id, 6);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	script_ctx_close(ctx);
}

static void test_destroy_refused_keeps_the_handle(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
	uint32_t id = 0;

	(void)state;
	expect_destroy(2, -EBUSY);
	assert_int_equal(libiommu_ioas_destroy(ioas), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_ioas_destroy");
	expect_destroy(2, -ENOENT);
	assert_int_equal(libiommu_ioas_destroy(ioas), -ENOENT);
	assert_int_equal(libiommu_ioas_id(ioas, &id), 0);
	assert_int_equal(id, 2);
	assert_int_equal(live(ctx), 1);
	script_ioas_close(ioas, 2);
	script_ctx_close(ctx);
}

static void test_children_pin_it(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
	struct libiommu_device *const dev = script_device(ctx);
	struct libiommu_hwpt *const hwpt = script_hwpt(dev, DEVICE_ID, ioas, 2, 3);

	(void)state;
	script_attach_ioas(dev, DEVICE_FD, ioas, 2, 4);
	assert_int_equal(libiommu_ioas_destroy(ioas), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_ioas_destroy");
	assert_explained("2 of them");
	script_detach(dev, DEVICE_FD);
	assert_int_equal(libiommu_ioas_destroy(ioas), -EBUSY);
	assert_explained("1 of them");
	script_hwpt_close(hwpt, 3);
	script_ioas_close(ioas, 2);
	script_device_close(dev);
	script_ctx_close(ctx);
}

/* A borrowed one too: what stands on it would be left without its bookkeeping. */
static void test_children_pin_a_borrowed_one(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_device *const dev = script_device(ctx);
	struct libiommu_ioas *ioas;

	(void)state;
	assert_int_equal(libiommu_ioas_adopt(ctx, 5, LIBIOMMU_ID_BORROW, &ioas), 0);
	script_attach_ioas(dev, DEVICE_FD, ioas, 5, 6);
	assert_int_equal(libiommu_ioas_destroy(ioas), -EBUSY);
	script_detach(dev, DEVICE_FD);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	script_device_close(dev);
	script_ctx_close(ctx);
}

static void test_without_memory(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();

	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_ioas *ioas = NULL;

		EXPECT_IOCTL(CTX_FD, IOAS_ALLOC, SET(struct uapi_ioas_alloc, out_ioas_id, 2));
		if (!ALLOC_TRY(libiommu_ioas_alloc(ctx, &ioas)))
			script_ioas_close(ioas, 2);
		assert_int_equal(live(ctx), 0);
	}
	ALLOC_LOOP
	{
		struct libiommu_ioas *ioas = NULL;

		if (!ALLOC_TRY(libiommu_ioas_adopt(ctx, 2, LIBIOMMU_ID_OWN, &ioas)))
			script_ioas_close(ioas, 2);
		else
			assert_null(ioas);
	}
	ALLOC_LOOP
	{
		struct libiommu_ioas *ioas = NULL;

		expect_compat(6, 0);
		if (!ALLOC_TRY(libiommu_ioas_get_compat(ctx, &ioas)))
			assert_int_equal(libiommu_ioas_destroy(ioas), 0);
		else
			assert_null(ioas);
	}
	script_ctx_close(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_alloc),
		SCRIPT_TEST(test_alloc_refused),
		SCRIPT_TEST(test_adopt_own),
		SCRIPT_TEST(test_adopt_borrow),
		SCRIPT_TEST(test_adopt_refuses),
		SCRIPT_TEST(test_compat),
		SCRIPT_TEST(test_destroy_refused_keeps_the_handle),
		SCRIPT_TEST(test_children_pin_it),
		SCRIPT_TEST(test_children_pin_a_borrowed_one),
		SCRIPT_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

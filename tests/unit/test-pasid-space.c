/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* PASID spaces: whose they are, which numbers they give, and what is left when devices go. */
#include <fcntl.h>

#include "alloc.h"
#include "pasid-steps.h"

enum { PT = 31, FD_A = 111, FD_B = 112, ID_A = 11, ID_B = 12 };

static struct libiommu_ctx *ctx;
static struct libiommu_hwpt *hwpt;
static struct libiommu_device *a;
static struct libiommu_device *b;

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	hwpt = borrowed_hwpt(ctx, PT);
	a = script_device_as(ctx, FD_A, ID_A, 1);
	b = script_device_as(ctx, FD_B, ID_B, 2);
	return 0;
}

static int teardown(void **state)
{
	script_device_close(a);
	script_device_close(b);
	assert_int_equal(libiommu_hwpt_destroy(hwpt), 0);
	script_ctx_close(ctx);
	return script_teardown(state);
}

static struct libiommu_pasid_space *space_of(uint32_t flags)
{
	struct libiommu_pasid_space *space;

	assert_int_equal(libiommu_pasid_space_new(ctx, flags, &space), 0);
	assert_int_equal(libiommu_pasid_space_join(space, a), 0);
	assert_int_equal(libiommu_pasid_space_join(space, b), 0);
	return space;
}

static int try_attach(struct libiommu_device *dev, uint32_t vpasid)
{
	uint32_t pasid;

	return libiommu_pasid_attach(dev, vpasid, hwpt, 0, &pasid);
}

static void attach(struct libiommu_device *dev, uint32_t vpasid, uint32_t wanted)
{
	uint32_t pasid;

	expect_pasid_attach(dev == a ? FD_A : FD_B, wanted, PT, 0);
	assert_int_equal(libiommu_pasid_attach(dev, vpasid, hwpt, 0, &pasid), 0);
	assert_int_equal(pasid, wanted);
	script_done();
}

static void detach(struct libiommu_device *dev, uint32_t vpasid, uint32_t pasid)
{
	expect_pasid_detach(dev == a ? FD_A : FD_B, pasid, 0);
	assert_int_equal(libiommu_pasid_detach(dev, vpasid), 0);
}

static void test_life(void **state)
{
	struct libiommu_pasid_space *space = NULL;
	uint64_t count;

	(void)state;
	assert_int_equal(libiommu_pasid_space_new(NULL, 0, &space), -EINVAL);
	assert_int_equal(libiommu_pasid_space_new(ctx, 0, NULL), -EINVAL);
	assert_int_equal(libiommu_pasid_space_new(ctx, 2, &space), -EINVAL);
	assert_null(space);
	assert_int_equal(libiommu_pasid_space_destroy(NULL), 0);
	assert_int_equal(libiommu_pasid_space_new(ctx, 0, &space), 0);
	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_PASID_SPACE, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(libiommu_pasid_space_join(NULL, a), -EINVAL);
	assert_int_equal(libiommu_pasid_space_join(space, NULL), -EINVAL);
	assert_int_equal(libiommu_pasid_space_join(space, a), 0);
	assert_int_equal(libiommu_pasid_space_join(space, a), -EALREADY);
	assert_failure(-EALREADY, LIBRARY, "libiommu_pasid_space_join");
	assert_int_equal(libiommu_pasid_space_destroy(space), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_pasid_space_destroy");
	script_device_close(a);
	a = NULL;
	assert_int_equal(libiommu_pasid_space_destroy(space), 0);
	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_PASID_SPACE, &count), 0);
	assert_int_equal(count, 0);
}

static void test_join_comes_first(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_pasid_space *space;
	struct libiommu_ctx *far;

	(void)state;
	EXPECT_OPEN("/dev/iommu", 130);
	assert_int_equal(libiommu_ctx_new(config, &far), 0);
	assert_int_equal(libiommu_pasid_space_new(far, 0, &space), 0);
	assert_int_equal(libiommu_pasid_space_join(space, a), -EINVAL);
	assert_explained("different contexts");
	assert_int_equal(libiommu_pasid_space_destroy(space), 0);
	assert_int_equal(libiommu_ctx_destroy(far), 0);
	libiommu_ctx_config_free(config);

	assert_int_equal(libiommu_pasid_space_new(ctx, 0, &space), 0);
	expect_pasid_width(ID_A, 20, 0);
	attach(a, 5, 5);
	assert_int_equal(libiommu_pasid_space_join(space, a), -EALREADY);
	EXPECT_CLOSE(FD_B);
	assert_int_equal(libiommu_device_revoke(b), 0);
	assert_int_equal(libiommu_pasid_space_join(space, b), -ENODEV);
	assert_int_equal(libiommu_pasid_space_destroy(space), 0);
}

/* Not even where the vPASID could not be the PASID, so that the device needed a space for it. */
static void test_a_refused_attach_is_no_space(void **state)
{
	struct libiommu_pasid_space *space;

	(void)state;
	expect_pasid_width(ID_A, 4, 0);
	expect_pasid_attach(FD_A, 15, PT, -EBUSY);
	assert_int_equal(try_attach(a, 100), -EBUSY);
	script_done();
	assert_int_equal(libiommu_pasid_space_new(ctx, 0, &space), 0);
	assert_int_equal(libiommu_pasid_space_join(space, a), 0);
	attach(a, 100, 15);
	detach(a, 100, 15);
	script_device_close(a);
	a = NULL;
	assert_int_equal(libiommu_pasid_space_destroy(space), 0);
}

static void test_private_spaces_do_not_meet(void **state)
{
	uint32_t found;

	(void)state;
	expect_pasid_width(ID_A, 3, 0);
	attach(a, 100, 7);
	expect_pasid_width(ID_B, 3, 0);
	attach(b, 7, 7);
	assert_int_equal(libiommu_pasid_find(a, 7, &found), -ENOENT);
	assert_int_equal(libiommu_pasid_find(b, 100, &found), -ENOENT);
}

/* One vPASID is one PASID on all devices, for as long as any of them has it. */
static void test_shared_space(void **state)
{
	struct libiommu_pasid_space *const space = space_of(0);
	uint32_t found;

	(void)state;
	expect_pasid_width(ID_A, 3, 0);
	attach(a, 100, 7);
	assert_int_equal(libiommu_pasid_find(b, 100, &found), -ENOENT);
	expect_pasid_width(ID_B, 20, 0);
	attach(b, 100, 7);
	/* The number is taken, also where no identity is asked for on the other device. */
	attach(b, 7, 0xfffff);
	detach(a, 100, 7);
	assert_int_equal(libiommu_pasid_find(a, 100, &found), -ENOENT);
	assert_int_equal(libiommu_pasid_find(b, 100, &found), 0);
	attach(a, 100, 7);
	detach(a, 100, 7);
	detach(b, 100, 7);
	/* Nobody has it: numbered anew. */
	attach(b, 100, 100);
	/* A number that the other device cannot carry. */
	assert_int_equal(try_attach(a, 100), -ERANGE);
	assert_failure(-ERANGE, LIBRARY, "libiommu_pasid_attach");
	attach(a, 6, 6);
	script_device_close(a);
	script_device_close(b);
	a = NULL;
	b = NULL;
	assert_int_equal(libiommu_pasid_space_destroy(space), 0);
}

static void test_identity_only(void **state)
{
	struct libiommu_pasid_space *const space = space_of(LIBIOMMU_PASID_IDENTITY_ONLY);

	(void)state;
	expect_pasid_width(ID_A, 3, 0);
	attach(a, 7, 7);
	assert_int_equal(try_attach(a, 8), -ERANGE);
	expect_pasid_width(ID_B, 4, 0);
	attach(b, 8, 8);
	attach(b, 7, 7);
	script_device_close(a);
	script_device_close(b);
	a = NULL;
	b = NULL;
	assert_int_equal(libiommu_pasid_space_destroy(space), 0);
}

/* Where one device of a shared space needs identity, what the others have can be in the way. */
static void test_forced_identity_in_a_shared_space(void **state)
{
	struct libiommu_pasid_space *const space = space_of(0);
	struct libiommu_ioas *const ioas = script_ioas(ctx, 40);
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *nested;
	uint64_t entry = 1;

	(void)state;
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_data(config, UAPI_HWPT_DATA_AMD_GUEST, &entry,
	                                               sizeof(entry)),
	                 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC, SET(struct uapi_hwpt_alloc, out_hwpt_id, 41));
	assert_int_equal(libiommu_hwpt_alloc(b, ioas, config, &nested), 0);
	libiommu_hwpt_config_free(config);
	EXPECT_IOCTL(FD_B, VFIO_DEVICE_ATTACH_IOMMUFD_PT, .result = 0);
	assert_int_equal(libiommu_device_attach_hwpt(b, nested), 0);
	expect_pasid_width(ID_A, 3, 0);
	attach(a, 100, 7);
	expect_pasid_width(ID_B, 20, 0);
	assert_int_equal(try_attach(b, 100), -EADDRINUSE);
	assert_failure(-EADDRINUSE, LIBRARY, "libiommu_pasid_attach");
	assert_int_equal(try_attach(b, 7), -EADDRINUSE);
	attach(b, 6, 6);
	script_device_close(a);
	script_device_close(b);
	a = NULL;
	b = NULL;
	script_hwpt_close(nested, 41);
	script_ioas_close(ioas, 40);
	assert_int_equal(libiommu_pasid_space_destroy(space), 0);
}

static void test_new_without_memory(void **state)
{
	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_pasid_space *space = NULL;

		if (!ALLOC_TRY(libiommu_pasid_space_new(ctx, 0, &space)))
			assert_int_equal(libiommu_pasid_space_destroy(space), 0);
		else
			assert_null(space);
	}
}

#define SPACE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPACE_TEST(test_life),
		SPACE_TEST(test_join_comes_first),
		SPACE_TEST(test_a_refused_attach_is_no_space),
		SPACE_TEST(test_private_spaces_do_not_meet),
		SPACE_TEST(test_shared_space),
		SPACE_TEST(test_identity_only),
		SPACE_TEST(test_forced_identity_in_a_shared_space),
		SPACE_TEST(test_new_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

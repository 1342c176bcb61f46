/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page tables: what the choices become in the kernel's command, and what the handles pin. */
#include "alloc.h"
#include "objects.h"

static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas;

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	dev = script_device(ctx);
	ioas = script_ioas(ctx, 2);
	return 0;
}

static int teardown(void **state)
{
	script_ioas_close(ioas, 2);
	script_device_close(dev);
	script_ctx_close(ctx);
	return script_teardown(state);
}

static uint64_t live(void)
{
	uint64_t count;

	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_HWPT, &count), 0);
	return count;
}

static void test_defaults(void **state)
{
	struct libiommu_hwpt *const hwpt = script_hwpt(dev, DEVICE_ID, ioas, 2, 9);
	uint32_t id = 0;

	(void)state;
	assert_int_equal(libiommu_hwpt_id(hwpt, &id), 0);
	assert_int_equal(id, 9);
	assert_int_equal(libiommu_hwpt_id(hwpt, NULL), -EINVAL);
	script_hwpt_close(hwpt, 9);
	assert_int_equal(libiommu_hwpt_destroy(NULL), 0);
}

static const unsigned char data[] = {1, 2, 3, 4, 5};

static void see_data(void *arg, const void *user)
{
	const struct uapi_hwpt_alloc *const cmd = arg;

	(void)user;
	assert_int_equal(cmd->data_len, sizeof(data));
	assert_memory_equal((void *)(uintptr_t)cmd->data_uptr, data, sizeof(data));
}

static void test_choices(void **state)
{
	const uint32_t all =
		LIBIOMMU_HWPT_NEST_PARENT | LIBIOMMU_HWPT_DIRTY_TRACKING | LIBIOMMU_HWPT_PASID;
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;
	unsigned char given[sizeof(data)];

	(void)state;
	memcpy(given, data, sizeof(data));
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_flags(config, all), 0);
	assert_int_equal(libiommu_hwpt_config_set_data(config, 77, given, sizeof(given)), 0);
	/* It is a copy. */
	memset(given, 0, sizeof(given));
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .flags = UAPI_HWPT_ALLOC_NEST_PARENT | UAPI_HWPT_ALLOC_DIRTY_TRACKING |
	                         UAPI_HWPT_ALLOC_PASID,
	                .dev_id = DEVICE_ID, .pt_id = 2, .data_type = 77, .data_len = sizeof(data)),
	             IGNORE(struct uapi_hwpt_alloc, .data_uptr = UINT64_MAX), .act = see_data,
	             SET(struct uapi_hwpt_alloc, out_hwpt_id, 9));
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, config, &hwpt), 0);
	script_hwpt_close(hwpt, 9);
	/* Back to none of it. */
	assert_int_equal(libiommu_hwpt_config_set_flags(config, 0), 0);
	assert_int_equal(libiommu_hwpt_config_set_data(config, 0, NULL, 0), 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .dev_id = DEVICE_ID, .pt_id = 2),
	             SET(struct uapi_hwpt_alloc, out_hwpt_id, 9));
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, config, &hwpt), 0);
	libiommu_hwpt_config_free(config);
	libiommu_hwpt_config_free(NULL);
	script_hwpt_close(hwpt, 9);
}

static void test_choices_refused(void **state)
{
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;

	(void)state;
	assert_int_equal(libiommu_hwpt_config_new(NULL), -EINVAL);
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_PASID), 0);
	/* Page requests have no place here: the flag belongs to a queue that is not there. */
	assert_int_equal(libiommu_hwpt_config_set_flags(config, UAPI_HWPT_FAULT_ID_VALID), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hwpt_config_set_flags");
	assert_int_equal(libiommu_hwpt_config_set_flags(config, UINT32_MAX), -EINVAL);
	assert_int_equal(libiommu_hwpt_config_set_data(config, 1, NULL, 1), -EINVAL);
	if (SIZE_MAX > UINT32_MAX)
		assert_int_equal(libiommu_hwpt_config_set_data(config, 1, data, SIZE_MAX), -EINVAL);
	/* The choices are what they were. */
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .flags = UAPI_HWPT_ALLOC_PASID, .dev_id = DEVICE_ID, .pt_id = 2),
	             SET(struct uapi_hwpt_alloc, out_hwpt_id, 9));
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, config, &hwpt), 0);
	libiommu_hwpt_config_free(config);
	script_hwpt_close(hwpt, 9);
}

static void test_refused(void **state)
{
	struct libiommu_hwpt *hwpt = NULL;
	uint32_t id = 0, other = 0;

	(void)state;
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC, SET(struct uapi_hwpt_alloc, out_hwpt_id, 9),
	             .result = -EOPNOTSUPP);
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, NULL, &hwpt), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, KERNEL, "libiommu_hwpt_alloc");
	assert_int_equal(libiommu_failure_ids(&id, &other), 0);
	assert_int_equal(id, DEVICE_ID);
	assert_int_equal(other, 2);
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_hwpt_alloc(dev, NULL, NULL, &hwpt), -EINVAL);
	assert_int_equal(libiommu_hwpt_alloc(NULL, ioas, NULL, &hwpt), -EINVAL);
	assert_null(hwpt);
	/* And pins nothing: the teardown destroys the address space. */
	assert_int_equal(live(), 0);
}

static void test_outlives_its_device(void **state)
{
	struct libiommu_hwpt *const hwpt = script_hwpt(dev, DEVICE_ID, ioas, 2, 9);

	(void)state;
	script_device_close(dev);
	dev = script_device_as(ctx, 120, 8, 1);
	script_hwpt_close(hwpt, 9);
}

static void test_adopt(void **state)
{
	struct libiommu_hwpt *hwpt = NULL;
	uint32_t id;

	(void)state;
	assert_int_equal(libiommu_hwpt_adopt(ctx, 0, LIBIOMMU_ID_OWN, &hwpt), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hwpt_adopt");
	assert_int_equal(libiommu_hwpt_adopt(ctx, 5, (enum libiommu_id_mode)2, &hwpt), -EINVAL);
	assert_int_equal(libiommu_hwpt_adopt(ctx, 5, LIBIOMMU_ID_OWN, NULL), -EINVAL);
	assert_null(hwpt);
	assert_int_equal(libiommu_hwpt_adopt(ctx, 5, LIBIOMMU_ID_OWN, &hwpt), 0);
	assert_int_equal(libiommu_hwpt_id(hwpt, &id), 0);
	assert_int_equal(id, 5);
	assert_int_equal(live(), 1);
	script_hwpt_close(hwpt, 5);
	assert_int_equal(libiommu_hwpt_adopt(ctx, 5, LIBIOMMU_ID_BORROW, &hwpt), 0);
	assert_int_equal(libiommu_hwpt_destroy(hwpt), 0);
	assert_int_equal(live(), 0);
}

static void test_destroy_refused_keeps_the_handle(void **state)
{
	struct libiommu_hwpt *const hwpt = script_hwpt(dev, DEVICE_ID, ioas, 2, 9);

	(void)state;
	expect_destroy(9, -EBUSY);
	assert_int_equal(libiommu_hwpt_destroy(hwpt), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_hwpt_destroy");
	/* Its address space is still pinned. */
	assert_int_equal(libiommu_ioas_destroy(ioas), -EBUSY);
	expect_destroy(9, -ENOENT);
	assert_int_equal(libiommu_hwpt_destroy(hwpt), -ENOENT);
	assert_int_equal(live(), 1);
	script_hwpt_close(hwpt, 9);
}

static void test_without_memory(void **state)
{
	struct libiommu_hwpt_config *config;

	(void)state;
	ALLOC_LOOP
	{
		config = NULL;
		if (!ALLOC_TRY(libiommu_hwpt_config_new(&config)))
			libiommu_hwpt_config_free(config);
		else
			assert_null(config);
	}
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	ALLOC_LOOP
	{
		const uint32_t old = 11;
		struct libiommu_hwpt *hwpt;
		uint32_t type = 12;

		assert_int_equal(libiommu_hwpt_config_set_data(config, 11, &old, sizeof(old)), 0);
		if (ALLOC_TRY(libiommu_hwpt_config_set_data(config, 12, data, sizeof(data))))
			type = 11;
		EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
		             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
		                .dev_id = DEVICE_ID, .pt_id = 2, .data_type = type,
		                .data_len = type == 11 ? sizeof(old) : sizeof(data)),
		             IGNORE(struct uapi_hwpt_alloc, .data_uptr = UINT64_MAX),
		             SET(struct uapi_hwpt_alloc, out_hwpt_id, 9));
		assert_int_equal(libiommu_hwpt_alloc(dev, ioas, config, &hwpt), 0);
		script_hwpt_close(hwpt, 9);
	}
	libiommu_hwpt_config_free(config);
	ALLOC_LOOP
	{
		struct libiommu_hwpt *hwpt = NULL;

		EXPECT_IOCTL(CTX_FD, HWPT_ALLOC, SET(struct uapi_hwpt_alloc, out_hwpt_id, 9));
		if (!ALLOC_TRY(libiommu_hwpt_alloc(dev, ioas, NULL, &hwpt)))
			script_hwpt_close(hwpt, 9);
		else
			assert_null(hwpt);
		assert_int_equal(live(), 0);
	}
	ALLOC_LOOP
	{
		struct libiommu_hwpt *hwpt = NULL;

		if (!ALLOC_TRY(libiommu_hwpt_adopt(ctx, 5, LIBIOMMU_ID_OWN, &hwpt)))
			script_hwpt_close(hwpt, 5);
		else
			assert_null(hwpt);
	}
}

#define HWPT_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HWPT_TEST(test_defaults),
		HWPT_TEST(test_choices),
		HWPT_TEST(test_choices_refused),
		HWPT_TEST(test_refused),
		HWPT_TEST(test_outlives_its_device),
		HWPT_TEST(test_adopt),
		HWPT_TEST(test_destroy_refused_keeps_the_handle),
		HWPT_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

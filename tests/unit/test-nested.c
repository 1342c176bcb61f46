/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Nested page tables: their data, what they pin, and invalidation in an IOMMU's own format. */
#include "alloc.h"
#include "nest-steps.h"

static struct libiommu_hwpt_config *config;

static int setup(void **state)
{
	nest_setup(state);
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	return 0;
}

static int teardown(void **state)
{
	libiommu_hwpt_config_free(config);
	return nest_teardown(state);
}

static uint64_t live(void)
{
	uint64_t count;

	assert_int_equal(libiommu_ctx_live(nest_ctx, LIBIOMMU_OBJECT_HWPT, &count), 0);
	return count;
}

static void see_vtd(void *arg, const void *user)
{
	const struct uapi_hwpt_alloc *const cmd = arg;
	const struct uapi_hwpt_vtd_s1 *const data = (void *)(uintptr_t)cmd->data_uptr;

	(void)user;
	assert_int_equal(data->flags, UAPI_VTD_S1_SRE | UAPI_VTD_S1_EAFE | UAPI_VTD_S1_WPE);
	assert_int_equal(data->pgtbl_addr, 0x123456000);
	assert_int_equal(data->addr_width, 57);
	assert_int_equal(data->reserved, 0);
}

static void test_vtd(void **state)
{
	struct libiommu_hwpt *hwpt;

	(void)state;
	assert_int_equal(libiommu_hwpt_config_set_vtd_s1(
				 config, 0x123456000, 57,
				 LIBIOMMU_VTD_S1_SRE | LIBIOMMU_VTD_S1_EAFE | LIBIOMMU_VTD_S1_WPE),
	                 0);
	assert_int_equal(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_PASID), 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .flags = UAPI_HWPT_ALLOC_PASID, .dev_id = DEVICE_ID, .pt_id = PARENT_PT,
	                .data_type = UAPI_HWPT_DATA_VTD_S1,
	                .data_len = sizeof(struct uapi_hwpt_vtd_s1)),
	             IGNORE(struct uapi_hwpt_alloc, .data_uptr = UINT64_MAX), .act = see_vtd,
	             SET(struct uapi_hwpt_alloc, out_hwpt_id, NESTED_PT));
	assert_int_equal(libiommu_hwpt_alloc_nested(nest_dev, nest_parent, config, &hwpt), 0);
	/* The parent cannot go before. */
	assert_int_equal(libiommu_hwpt_destroy(nest_parent), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_hwpt_destroy");
	script_hwpt_close(hwpt, NESTED_PT);
}

/* Bytes in memory, as the hardware has them. */
static void see_ste(void *arg, const void *user)
{
	static const unsigned char ste[] = {0x0b, 0, 0, 0, 0, 0, 0, 0x12,
	                                    0xfe, 0, 0, 0, 0, 0, 0, 0};
	const struct uapi_hwpt_alloc *const cmd = arg;

	(void)user;
	assert_int_equal(cmd->data_len, sizeof(ste));
	assert_memory_equal((void *)(uintptr_t)cmd->data_uptr, ste, sizeof(ste));
}

static void test_smmuv3(void **state)
{
	struct libiommu_hwpt *hwpt;

	(void)state;
	assert_int_equal(libiommu_hwpt_config_set_smmuv3(config, 0x120000000000000b, 0xfe), 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .dev_id = DEVICE_ID, .pt_id = PARENT_PT,
	                .data_type = UAPI_HWPT_DATA_ARM_SMMUV3,
	                .data_len = sizeof(struct uapi_hwpt_arm_smmuv3)),
	             IGNORE(struct uapi_hwpt_alloc, .data_uptr = UINT64_MAX), .act = see_ste,
	             SET(struct uapi_hwpt_alloc, out_hwpt_id, NESTED_PT));
	assert_int_equal(libiommu_hwpt_alloc_nested(nest_dev, nest_parent, config, &hwpt), 0);
	script_hwpt_close(hwpt, NESTED_PT);
}

static void see_dte(void *arg, const void *user)
{
	const struct uapi_hwpt_alloc *const cmd = arg;

	assert_int_equal(cmd->data_len, 32);
	assert_memory_equal((void *)(uintptr_t)cmd->data_uptr, user, 32);
}

/* A device table entry is numbers, as the machine has them. */
static void test_amd_guest(void **state)
{
	const struct uapi_hwpt_amd_guest guest = {{0x1122334455667788, 2, UINT64_MAX, 4}};
	struct libiommu_hwpt *hwpt;

	(void)state;
	assert_int_equal(libiommu_hwpt_config_set_amd_guest(config, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hwpt_config_set_amd_guest");
	ALLOC_LOOP
	{
		ALLOC_TRY(libiommu_hwpt_config_set_amd_guest(config, guest.dte));
	}
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .dev_id = DEVICE_ID, .pt_id = PARENT_PT,
	                .data_type = UAPI_HWPT_DATA_AMD_GUEST, .data_len = 32),
	             IGNORE(struct uapi_hwpt_alloc, .data_uptr = UINT64_MAX), .act = see_dte,
	             .user = guest.dte, SET(struct uapi_hwpt_alloc, out_hwpt_id, NESTED_PT));
	assert_int_equal(libiommu_hwpt_alloc_nested(nest_dev, nest_parent, config, &hwpt), 0);
	script_hwpt_close(hwpt, NESTED_PT);
}

static void test_setters_refuse(void **state)
{
	struct libiommu_hwpt *hwpt;

	(void)state;
	assert_int_equal(libiommu_hwpt_config_set_vtd_s1(config, 0, 48, 1U << 3), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hwpt_config_set_vtd_s1");
	assert_int_equal(libiommu_hwpt_config_set_vtd_s1(config, 0, 48, UINT64_MAX), -EINVAL);
	/* No data: the kernel has its say. */
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .dev_id = DEVICE_ID, .pt_id = PARENT_PT),
	             .result = -EOPNOTSUPP);
	assert_int_equal(libiommu_hwpt_alloc_nested(nest_dev, nest_parent, config, &hwpt),
	                 -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, KERNEL, "libiommu_hwpt_alloc_nested");
}

static void test_refused(void **state)
{
	struct libiommu_hwpt *hwpt = NULL;
	uint32_t id = 0, other = 0;

	(void)state;
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC, .result = -EINVAL);
	assert_int_equal(libiommu_hwpt_alloc_nested(nest_dev, nest_parent, NULL, &hwpt), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_hwpt_alloc_nested");
	assert_int_equal(libiommu_failure_ids(&id, &other), 0);
	assert_int_equal(id, DEVICE_ID);
	assert_int_equal(other, PARENT_PT);
	assert_int_equal(libiommu_hwpt_alloc_nested(nest_dev, NULL, NULL, &hwpt), -EINVAL);
	assert_int_equal(libiommu_hwpt_alloc_nested(nest_dev, nest_parent, NULL, NULL), -EINVAL);
	assert_null(hwpt);
	assert_int_equal(live(), 1);
	/* And pins nothing: the teardown destroys the parent. */
}

static void test_of_different_contexts(void **state)
{
	struct libiommu_ctx_config *const other_config = script_ctx_config();
	struct libiommu_hwpt *parent, *hwpt = NULL;
	struct libiommu_ctx *other;

	(void)state;
	EXPECT_OPEN("/dev/iommu", 300);
	assert_int_equal(libiommu_ctx_new(other_config, &other), 0);
	libiommu_ctx_config_free(other_config);
	assert_int_equal(libiommu_hwpt_adopt(other, 5, LIBIOMMU_ID_BORROW, &parent), 0);
	assert_int_equal(libiommu_hwpt_alloc_nested(nest_dev, parent, NULL, &hwpt), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hwpt_alloc_nested");
	assert_null(hwpt);
	assert_int_equal(libiommu_hwpt_destroy(parent), 0);
	assert_int_equal(libiommu_ctx_destroy(other), 0);
}

/* The kernel grants a parent, or page requests, not both. */
static void test_parent_with_queue(void **state)
{
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *hwpt = NULL;

	(void)state;
	assert_int_equal(libiommu_fault_queue_adopt(nest_ctx, 60, LIBIOMMU_ID_BORROW, 0,
	                                            LIBIOMMU_FD_BORROW, &queue),
	                 0);
	assert_int_equal(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_NEST_PARENT), 0);
	assert_int_equal(libiommu_hwpt_config_set_fault_queue(config, queue), 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .flags = UAPI_HWPT_ALLOC_NEST_PARENT | UAPI_HWPT_FAULT_ID_VALID,
	                .dev_id = DEVICE_ID, .pt_id = NEST_IOAS, .fault_id = 60),
	             .result = -EOPNOTSUPP);
	assert_int_equal(libiommu_hwpt_alloc(nest_dev, nest_ioas, config, &hwpt), -EOPNOTSUPP);
	assert_explained("a nesting parent has no fault queue");
	assert_null(hwpt);
	assert_int_equal(libiommu_fault_queue_destroy(queue), 0);
}

static void test_without_memory(void **state)
{
	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_hwpt *hwpt = NULL;

		EXPECT_IOCTL(CTX_FD, HWPT_ALLOC, SET(struct uapi_hwpt_alloc, out_hwpt_id, 9));
		if (!ALLOC_TRY(libiommu_hwpt_alloc_nested(nest_dev, nest_parent, NULL, &hwpt)))
			script_hwpt_close(hwpt, 9);
		else
			assert_null(hwpt);
		assert_int_equal(live(), 1);
	}
	ALLOC_LOOP
	{
		struct libiommu_hwpt *hwpt = NULL;
		uint32_t type = UAPI_HWPT_DATA_VTD_S1;

		assert_int_equal(libiommu_hwpt_config_set_smmuv3(config, 1, 2), 0);
		if (ALLOC_TRY(libiommu_hwpt_config_set_vtd_s1(config, 0, 48, 0)))
			type = UAPI_HWPT_DATA_ARM_SMMUV3;
		/* What was set before is still there. */
		EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
		             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
		                .dev_id = DEVICE_ID, .pt_id = PARENT_PT, .data_type = type,
		                .data_len = type == UAPI_HWPT_DATA_VTD_S1
		                                    ? sizeof(struct uapi_hwpt_vtd_s1)
		                                    : sizeof(struct uapi_hwpt_arm_smmuv3)),
		             IGNORE(struct uapi_hwpt_alloc, .data_uptr = UINT64_MAX),
		             SET(struct uapi_hwpt_alloc, out_hwpt_id, 9));
		assert_int_equal(libiommu_hwpt_alloc_nested(nest_dev, nest_parent, config, &hwpt),
		                 0);
		script_hwpt_close(hwpt, 9);
	}
}

static void test_invalidate(void **state)
{
	static const unsigned char entries[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	struct libiommu_hwpt *const hwpt = script_nested(nest_dev, DEVICE_ID, NESTED_PT);
	size_t done = 99;

	(void)state;
	expect_entries(NESTED_PT, 0xdeadbeef, entries, 4, 3, 3, 0);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0xdeadbeef, entries, 4, 3, &done), 0);
	assert_int_equal(done, 3);
	/* None at all asks for the type. */
	expect_invalidate(NESTED_PT, 7, 4, 0, 0, -EINVAL);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 7, NULL, 4, 0, &done), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_hwpt_invalidate");
	assert_int_equal(done, 0);
	expect_invalidate(NESTED_PT, 0, 0, 0, 0, 0);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0, NULL, 0, 0, &done), 0);
	script_hwpt_close(hwpt, NESTED_PT);
}

static void test_invalidate_fails(void **state)
{
	static const unsigned char entries[12];
	struct libiommu_hwpt *const hwpt = script_nested(nest_dev, DEVICE_ID, NESTED_PT);
	size_t done = 99;

	(void)state;
	expect_invalidate(NESTED_PT, 0, 4, 3, 2, -EOPNOTSUPP);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0, entries, 4, 3, &done), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, KERNEL, "libiommu_hwpt_invalidate");
	assert_int_equal(done, 2);
	/* Refused as a whole, an old kernel has not touched the count. */
	expect_invalidate(NESTED_PT, 0, 4, 3, 3, -ENOTTY);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0, entries, 4, 3, &done), -ENOTTY);
	assert_int_equal(done, 0);
	expect_invalidate(NESTED_PT, 0, 4, 3, UINT32_MAX, -EFAULT);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0, entries, 4, 3, &done), -EFAULT);
	assert_int_equal(done, 0);
	/* Of an SMMUv3's commands nothing is known, whatever the kernel says. */
	expect_invalidate(NESTED_PT, UAPI_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3, 4, 3, 2, -EIO);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, UAPI_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
	                                          entries, 4, 3, &done),
	                 -EIO);
	assert_int_equal(done, 0);
	done = 99;
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0, entries, 0, 3, &done), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hwpt_invalidate");
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0, entries, 4097, 0, &done), -EINVAL);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0, NULL, 4, 3, &done), -EINVAL);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0, entries, 4, 3, NULL), -EINVAL);
	assert_int_equal(done, 99);
	script_hwpt_close(hwpt, NESTED_PT);
}

/* More than the kernel takes at once goes in parts. */
static void test_invalidate_many(void **state)
{
	static unsigned char entries[((1 << 19) + 5) * 2];
	struct libiommu_hwpt *const hwpt = script_nested(nest_dev, DEVICE_ID, NESTED_PT);
	const size_t most = 1 << 19;
	size_t done;

	(void)state;
	expect_invalidate(NESTED_PT, 0, 1, (uint32_t)most, (uint32_t)most, 0);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0, entries, 1, most, &done), 0);
	assert_int_equal(done, most);
	/* The second call begins where the first one ended. */
	memset(entries + most * 2, 0x77, 10);
	expect_invalidate(NESTED_PT, 0, 2, (uint32_t)most, (uint32_t)most, 0);
	expect_entries(NESTED_PT, 0, entries + most * 2, 2, 5, 5, 0);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0, entries, 2, most + 5, &done), 0);
	assert_int_equal(done, most + 5);
	expect_invalidate(NESTED_PT, 0, 2, (uint32_t)most, (uint32_t)most, 0);
	expect_invalidate(NESTED_PT, 0, 2, 5, 3, -EINVAL);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 0, entries, 2, most + 5, &done), -EINVAL);
	assert_int_equal(done, most + 3);
	expect_invalidate(NESTED_PT, 1, 2, (uint32_t)most, (uint32_t)most, 0);
	expect_invalidate(NESTED_PT, 1, 2, 5, 3, -EIO);
	assert_int_equal(libiommu_hwpt_invalidate(hwpt, 1, entries, 2, most + 5, &done), -EIO);
	assert_int_equal(done, most);
	script_hwpt_close(hwpt, NESTED_PT);
}

#define NESTED_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NESTED_TEST(test_vtd),
		NESTED_TEST(test_smmuv3),
		NESTED_TEST(test_amd_guest),
		NESTED_TEST(test_setters_refuse),
		NESTED_TEST(test_refused),
		NESTED_TEST(test_of_different_contexts),
		NESTED_TEST(test_parent_with_queue),
		NESTED_TEST(test_without_memory),
		NESTED_TEST(test_invalidate),
		NESTED_TEST(test_invalidate_fails),
		NESTED_TEST(test_invalidate_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

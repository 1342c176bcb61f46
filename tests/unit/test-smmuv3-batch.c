/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Commands for an SMMUv3: their order, the sync, errors that the kernel counts wrongly, PASIDs. */
#include <endian.h>

#include "alloc.h"
#include "nest-steps.h"
#include "pasid-steps.h"

#define SMMUV3 UAPI_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3
#define SYNC   0x46

static struct libiommu_viommu *viommu;
static struct libiommu_smmuv3_batch *batch;

static int setup(void **state)
{
	nest_setup(state);
	viommu = script_viommu(VIOMMU_ID);
	assert_int_equal(libiommu_smmuv3_batch_new(viommu, &batch), 0);
	return 0;
}

static int teardown(void **state)
{
	libiommu_smmuv3_batch_free(batch);
	script_viommu_close(viommu, VIOMMU_ID);
	return nest_teardown(state);
}

/* Commands as numbers; what is expected is their bytes. */
static void expect_commands(const uint64_t (*commands)[2], uint32_t count, uint32_t told,
                            int result)
{
	uint64_t bytes[32][2];

	assert_in_range(count, 1, 32);
	for (uint32_t i = 0; i < count; i++)
		for (size_t j = 0; j < 2; j++)
			bytes[i][j] = htole64(commands[i][j]);
	expect_entries(VIOMMU_ID, SMMUV3, bytes, sizeof(bytes[0]), count, told, result);
}

static void add(uint64_t cmd0, uint64_t cmd1)
{
	assert_int_equal(libiommu_smmuv3_batch_add(batch, cmd0, cmd1), 0);
}

/* One of each that the kernel takes. */
static const uint64_t commands[][2] = {
	{0x0000001800000005, 1},
	{0x0000001800000006, 0},
	{0x10, 0},
	{0x0007000000000011, 0},
	{0x0007000000000012, 0x1001},
	{0x13, 0x2000},
	{0x30, 0},
	{0x0000001800000040, 0x3000},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void add_all(void)
{
	for (size_t i = 0; i < COMMANDS; i++)
		add(commands[i][0], commands[i][1]);
}

static void test_order(void **state)
{
	(void)state;
	/* None: the kernel is not asked. */
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), 0);
	add(SYNC, 0);
	assert_int_equal(libiommu_smmuv3_batch_done(batch), 1);
	add_all();
	assert_int_equal(libiommu_smmuv3_batch_done(batch), 1);
	expect_commands(commands, COMMANDS, COMMANDS, 0);
	add(SYNC | 1 << 12, 0x1234);
	script_done();
	assert_int_equal(libiommu_smmuv3_batch_done(batch), COMMANDS + 2);
	/* And the same one twice is two. */
	add(commands[2][0], commands[2][1]);
	add(commands[2][0], commands[2][1]);
	expect_commands((const uint64_t[][2]){{0x10, 0}, {0x10, 0}}, 2, 2, 0);
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), 0);
	assert_int_equal(libiommu_smmuv3_batch_done(batch), COMMANDS + 4);
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), 0);
	assert_int_equal(libiommu_smmuv3_batch_done(NULL), 0);
}

static void test_not_for_the_kernel(void **state)
{
	static const uint64_t others[] = {0x00, 0x01, 0x03, 0x04, 0x20, 0x21, 0x22,
	                                  0x28, 0x2a, 0x41, 0x44, 0x45, 0xff};

	(void)state;
	add(commands[0][0], commands[0][1]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(libiommu_smmuv3_batch_add(batch, others[i], 0), -EOPNOTSUPP);
		assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_smmuv3_batch_add");
	}
	expect_commands(commands, 1, 1, 0);
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), 0);
	assert_int_equal(libiommu_smmuv3_batch_done(batch), 1);
}

/* The sixth of eight is bad: by halves, until it stands alone. */
static void test_failure(void **state)
{
	(void)state;
	add_all();
	expect_commands(commands, COMMANDS, 5, -EIO);
	expect_commands(commands, 4, 4, 0);
	expect_commands(commands + 4, 2, 0, -ENOMEM);
	expect_commands(commands + 4, 1, 1, 0);
	expect_commands(commands + 5, 1, 0, -EIO);
	assert_int_equal(libiommu_smmuv3_batch_add(batch, SYNC, 0), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_smmuv3_batch_add");
	assert_int_equal(libiommu_smmuv3_batch_done(batch), 5);
	/* The rest is forgotten. */
	add(SYNC, 0);
	assert_int_equal(libiommu_smmuv3_batch_done(batch), 6);
}

/* What fails only once has not failed. */
static void test_failure_that_goes_away(void **state)
{
	(void)state;
	add_all();
	expect_commands(commands, COMMANDS, 0, -ENOMEM);
	expect_commands(commands, 4, 4, 0);
	expect_commands(commands + 4, 2, 2, 0);
	expect_commands(commands + 6, 1, 1, 0);
	expect_commands(commands + 7, 1, 1, 0);
	add(SYNC, 0);
	assert_int_equal(libiommu_smmuv3_batch_done(batch), COMMANDS + 1);
}

/*
 * Two kernels in small: both take 63 commands at a time, and stop at one that is bad. The older one
 * counts the good ones before it in its group as done, which they are not.
 */
static struct {
	bool old;
	uint64_t bad;      /* the second word of the bad one */
	uint64_t executed; /* all below this were, in their order at first */
} kernel;

static int kernel_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	struct uapi_hwpt_invalidate *const cmd = arg;
	const uint64_t(*const entries)[2] = (void *)(uintptr_t)cmd->data_uptr;
	uint32_t i;

	(void)user;
	(void)fd;
	assert_true(request == UAPI_IOC_HWPT_INVALIDATE);
	for (i = 0; i < cmd->entry_num && le64toh(entries[i][1]) != kernel.bad; i++)
		;
	for (uint32_t j = 0; j < (i == cmd->entry_num ? i : i / 63 * 63); j++) {
		assert_true(le64toh(entries[j][1]) <= kernel.executed);
		if (le64toh(entries[j][1]) == kernel.executed)
			kernel.executed++;
	}
	if (i == cmd->entry_num)
		return 0;
	cmd->entry_num = kernel.old ? i : i / 63 * 63;
	return -EIO;
}

static void test_the_bad_one_is_found(void **state)
{
	static const size_t counts[] = {1, 2, 3, 62, 63, 64, 127, 500, 1024};
	struct libiommu_smmuv3_batch *other;
	struct libiommu_ctx_config *config;
	struct libiommu_viommu *adopted;
	struct libiommu_sys *sys;
	struct libiommu_ctx *ctx;

	(void)state;
	assert_int_equal(libiommu_sys_new(&sys), 0);
	libiommu_sys_set_ioctl(sys, kernel_ioctl);
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, sys), 0);
	assert_int_equal(libiommu_ctx_config_set_fd(config, 0, LIBIOMMU_FD_BORROW), 0);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	assert_int_equal(libiommu_viommu_adopt(ctx, 5, LIBIOMMU_ID_BORROW, &adopted), 0);
	for (size_t i = 0; i < 2 * sizeof(counts) / sizeof(counts[0]); i++) {
		const size_t count = counts[i / 2];

		kernel.old = i % 2;
		for (kernel.bad = 0; kernel.bad <= count; kernel.bad += count > 200 ? 13 : 1) {
			const int expected = kernel.bad < count ? -EIO : 0;

			kernel.executed = 0;
			assert_int_equal(libiommu_smmuv3_batch_new(adopted, &other), 0);
			for (uint64_t j = 0; j < count; j++)
				assert_int_equal(libiommu_smmuv3_batch_add(other, 0x10, j), 0);
			assert_int_equal(libiommu_smmuv3_batch_flush(other), expected);
			assert_int_equal(libiommu_smmuv3_batch_done(other),
			                 kernel.bad < count ? kernel.bad : count);
			assert_int_equal(kernel.executed, libiommu_smmuv3_batch_done(other));
			libiommu_smmuv3_batch_free(other);
		}
	}
	assert_int_equal(libiommu_viommu_destroy(adopted), 0);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	libiommu_ctx_config_free(config);
	libiommu_sys_free(sys);
}

static void test_repeat(void **state)
{
	(void)state;
	libiommu_smmuv3_batch_set_repeat(NULL, true);
	libiommu_smmuv3_batch_set_repeat(batch, true);
	add_all();
	expect_commands(commands, COMMANDS, COMMANDS, 0);
	expect_commands(commands, COMMANDS, COMMANDS, 0);
	add(SYNC, 0);
	assert_int_equal(libiommu_smmuv3_batch_done(batch), COMMANDS + 1);
	/* The second time counts like the first. */
	add(0x10, 0);
	expect_commands((const uint64_t[][2]){{0x10, 0}}, 1, 1, 0);
	expect_commands((const uint64_t[][2]){{0x10, 0}}, 1, 0, -EIO);
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), -EIO);
	assert_int_equal(libiommu_smmuv3_batch_done(batch), COMMANDS + 1);
	libiommu_smmuv3_batch_set_repeat(batch, false);
	add(0x10, 0);
	expect_commands((const uint64_t[][2]){{0x10, 0}}, 1, 1, 0);
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), 0);
}

static void expect_first_bad(void)
{
	for (uint32_t count = 1024; count; count /= 2)
		expect_invalidate(VIOMMU_ID, SMMUV3, 16, count, 0, -EIO);
}

static void test_full(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 1024; i++)
		add(0x10, i);
	expect_invalidate(VIOMMU_ID, SMMUV3, 16, 1024, 1024, 0);
	add(0x10, 1024);
	script_done();
	assert_int_equal(libiommu_smmuv3_batch_done(batch), 1024);
	expect_commands((const uint64_t[][2]){{0x10, 1024}}, 1, 1, 0);
	add(SYNC, 0);
	assert_int_equal(libiommu_smmuv3_batch_done(batch), 1026);
	for (uint64_t i = 0; i < 1024; i++)
		add(0x10, i);
	expect_first_bad();
	assert_int_equal(libiommu_smmuv3_batch_add(batch, 0x10, 0), -EIO);
	/* The one that found no room is forgotten as well. */
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), 0);
	assert_int_equal(libiommu_smmuv3_batch_done(batch), 1026);
	/* Those of a range fail in its name, and the rest of it is not begun. */
	for (uint64_t i = 0; i < 1023; i++)
		add(0x10, i);
	expect_first_bad();
	assert_int_equal(libiommu_smmuv3_batch_add_range(batch, 1, 0, 0x4000, 12, 0), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_smmuv3_batch_add_range");
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), 0);
}

/* The vPASID is more than the device can carry: SSIDs become what the hardware knows. */
enum { VPASID = 100 };

static void test_pasids(void **state)
{
	struct libiommu_device *const other = script_device_as(nest_ctx, 120, 8, 1);
	struct libiommu_hwpt *const hwpt = borrowed_hwpt(nest_ctx, 90);
	struct libiommu_vdevice *one, *two;
	uint32_t first, second;

	(void)state;
	expect_pasid_width(DEVICE_ID, 4, 0);
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_ATTACH_IOMMUFD_PT, .result = 0);
	assert_int_equal(libiommu_pasid_attach(nest_dev, VPASID, hwpt, 0, &first), 0);
	assert_in_range(first, 1, 15);
	expect_pasid_width(8, 20, 0);
	expect_pasid_attach(120, VPASID, 90, 0);
	assert_int_equal(libiommu_pasid_attach(other, VPASID, hwpt, 0, &second), 0);
	one = script_vdevice(viommu, VIOMMU_ID, nest_dev, 0x18, 70);
	two = script_vdevice(viommu, VIOMMU_ID, other, 0x19, 71);
	add(UINT64_C(0x18) << 32 | VPASID << 12 | 1 << 11 | 0x40, 0x1000);
	add(UINT64_C(0x18) << 32 | VPASID << 12 | 0x05, 1);
	/* No substream; another one; another device; a device that is none. */
	add(UINT64_C(0x18) << 32 | VPASID << 12 | 0x40, 0);
	add(UINT64_C(0x18) << 32 | 4 << 12 | 1 << 11 | 0x40, 0);
	add(UINT64_C(0x19) << 32 | VPASID << 12 | 1 << 11 | 0x40, 0);
	add(UINT64_C(0x1a) << 32 | VPASID << 12 | 1 << 11 | 0x40, 0);
	add(UINT64_C(0x18) << 32 | VPASID << 12 | 0x06, 0);
	assert_int_equal(libiommu_smmuv3_batch_add_atc(batch, 0x18, VPASID, 0x1000, 0x1000), 0);
	expect_commands(
		(const uint64_t[][2]){
			{UINT64_C(0x18) << 32 | (uint64_t)first << 12 | 1 << 11 | 0x40, 0x1000},
			{UINT64_C(0x18) << 32 | (uint64_t)first << 12 | 0x05, 1},
			{UINT64_C(0x18) << 32 | VPASID << 12 | 0x40, 0},
			{UINT64_C(0x18) << 32 | 4 << 12 | 1 << 11 | 0x40, 0},
			{UINT64_C(0x19) << 32 | VPASID << 12 | 1 << 11 | 0x40, 0},
			{UINT64_C(0x1a) << 32 | VPASID << 12 | 1 << 11 | 0x40, 0},
			{UINT64_C(0x18) << 32 | VPASID << 12 | 0x06, 0},
			{UINT64_C(0x18) << 32 | (uint64_t)first << 12 | 1 << 11 | 0x40, 0x1000}},
		8, 8, 0);
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), 0);
	script_vdevice_close(one, 70);
	script_vdevice_close(two, 71);
	script_device_close(other);
	assert_int_equal(libiommu_device_revoke(nest_dev), 0);
	assert_int_equal(libiommu_hwpt_destroy(hwpt), 0);
	script_device_close(nest_dev);
	nest_dev = NULL;
}

static void expect_and_flush(const uint64_t (*wanted)[2], uint32_t count)
{
	expect_commands(wanted, count, count, 0);
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), 0);
}

static void test_range(void **state)
{
	const uint64_t va = UINT64_C(0x1234) << 48 | 0x12;
	const uint64_t asid = UINT64_C(0x1234) << 48 | 0x11;

	(void)state;
	assert_int_equal(libiommu_smmuv3_batch_add_range(batch, 0x1234, 0x1fff, 2, 12,
	                                                 LIBIOMMU_INVALIDATE_LEAF),
	                 0);
	expect_and_flush((const uint64_t[][2]){{va, 0x1001}, {va, 0x2001}}, 2);
	assert_int_equal(libiommu_smmuv3_batch_add_range(batch, 0x1234, 0x12345, 0x10000, 16, 0),
	                 0);
	expect_and_flush((const uint64_t[][2]){{va, 0x10000}, {va, 0x20000}}, 2);
	assert_int_equal(libiommu_smmuv3_batch_add_range(batch, 0x1234, 0x4000, 1, 14, 0), 0);
	expect_and_flush((const uint64_t[][2]){{va, 0x4000}}, 1);
	assert_int_equal(
		libiommu_smmuv3_batch_add_range(batch, 0x1234, UINT64_MAX - 0xfff, 0x1000, 12, 0),
		0);
	expect_and_flush((const uint64_t[][2]){{va, UINT64_MAX - 0xfff}}, 1);
	/* 64 pages, and one more. */
	assert_int_equal(libiommu_smmuv3_batch_add_range(batch, 0x1234, 0, 64 * 4096, 12, 0), 0);
	expect_invalidate(VIOMMU_ID, SMMUV3, 16, 64, 64, 0);
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), 0);
	assert_int_equal(libiommu_smmuv3_batch_add_range(batch, 0x1234, 0, 64 * 4096 + 1, 12, 0),
	                 0);
	expect_and_flush((const uint64_t[][2]){{asid, 0}}, 1);
	assert_int_equal(libiommu_smmuv3_batch_add_range(batch, 0x1234, 0, UINT64_MAX, 12, 0), 0);
	expect_and_flush((const uint64_t[][2]){{asid, 0}}, 1);
}

static void test_atc(void **state)
{
	const uint64_t atc = UINT64_C(0x18) << 32 | 0x40;

	(void)state;
	assert_int_equal(libiommu_smmuv3_batch_add_atc(batch, 0x18, 0, 0x5123, 1), 0);
	assert_int_equal(libiommu_smmuv3_batch_add_atc(batch, 0x18, 9, 0x4000, 0x2000), 0);
	/* Across a boundary the power of two grows. */
	assert_int_equal(libiommu_smmuv3_batch_add_atc(batch, 0x18, 0, 0x7000, 0x2000), 0);
	assert_int_equal(libiommu_smmuv3_batch_add_atc(batch, 0x18, 0, 0, UINT64_MAX), 0);
	assert_int_equal(libiommu_smmuv3_batch_add_atc(batch, 0x18, 0, UINT64_MAX - 0x1fff, 0x2000),
	                 0);
	expect_and_flush((const uint64_t[][2]){{atc, 0x5000},
	                                       {atc | 1 << 11 | 9 << 12, 0x4001},
	                                       {atc, 4},
	                                       {atc, 52},
	                                       {atc, (UINT64_MAX - 0x1fff) | 1}},
	                 5);
}

static void test_ranges_refused(void **state)
{
	(void)state;
	assert_int_equal(libiommu_smmuv3_batch_add_range(batch, 1, 0, 0, 12, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_smmuv3_batch_add_range");
	assert_int_equal(libiommu_smmuv3_batch_add_range(batch, 1, 2, UINT64_MAX, 12, 0), -EINVAL);
	assert_int_equal(libiommu_smmuv3_batch_add_range(batch, 1, 0, 1, 13, 0), -EINVAL);
	assert_int_equal(libiommu_smmuv3_batch_add_range(batch, 1, 0, 1, 12, 2), -EINVAL);
	assert_int_equal(libiommu_smmuv3_batch_add_atc(batch, 1, 0, 0, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_smmuv3_batch_add_atc");
	assert_int_equal(libiommu_smmuv3_batch_add_atc(batch, 1, 1 << 20, 0, 1), -EINVAL);
	assert_int_equal(libiommu_smmuv3_batch_add_atc(batch, 1, 0, 2, UINT64_MAX), -EINVAL);
	assert_int_equal(libiommu_smmuv3_batch_flush(batch), 0);
}

static void test_lifetime(void **state)
{
	(void)state;
	assert_int_equal(libiommu_viommu_destroy(viommu), -EBUSY);
	assert_int_equal(libiommu_smmuv3_batch_new(viommu, NULL), -EINVAL);
	libiommu_smmuv3_batch_free(NULL);
	ALLOC_LOOP
	{
		struct libiommu_smmuv3_batch *made = NULL;

		if (!ALLOC_TRY(libiommu_smmuv3_batch_new(viommu, &made)))
			libiommu_smmuv3_batch_free(made);
		else
			assert_null(made);
	}
	/* What was not sent is forgotten. */
	add(0x10, 0);
}

#define SMMUV3_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SMMUV3_TEST(test_order),
		SMMUV3_TEST(test_not_for_the_kernel),
		SMMUV3_TEST(test_failure),
		SMMUV3_TEST(test_failure_that_goes_away),
		SCRIPT_TEST(test_the_bad_one_is_found),
		SMMUV3_TEST(test_repeat),
		SMMUV3_TEST(test_full),
		SMMUV3_TEST(test_pasids),
		SMMUV3_TEST(test_range),
		SMMUV3_TEST(test_atc),
		SMMUV3_TEST(test_ranges_refused),
		SMMUV3_TEST(test_lifetime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

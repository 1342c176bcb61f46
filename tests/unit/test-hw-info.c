/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* That the kernel is asked for all it has, and what it says is passed on and judged honestly. */
#include "alloc.h"
#include "objects.h"

#include <string.h>

#define ROOM 64

/* What the kernel has to say. */
struct reply {
	uint32_t type;
	uint8_t pasid;
	uint64_t capabilities;
	const void *data;
	uint32_t length;
};

static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;

static void begin(void)
{
	ctx = script_ctx();
	dev = script_device(ctx);
}

static void end(void)
{
	script_device_close(dev);
	script_ctx_close(ctx);
}

/* As the kernel does it: what fits is copied, and the length is what there is. */
static void answer(void *arg, const void *user)
{
	struct uapi_hw_info *const cmd = arg;
	const struct reply *const reply = user;
	const uint32_t room = cmd->data_len;

	if (reply->length)
		memcpy((void *)(uintptr_t)cmd->data_uptr, reply->data,
		       reply->length < room ? reply->length : room);
	cmd->data_len = reply->length;
	cmd->out_data_type = reply->type;
	cmd->out_max_pasid_log2 = reply->pasid;
	cmd->out_capabilities = reply->capabilities;
}

static void expect_ask(uint32_t room, const struct reply *reply)
{
	EXPECT_IOCTL(CTX_FD, GET_HW_INFO,
	             IN(struct uapi_hw_info, .size = sizeof(struct uapi_hw_info),
	                .dev_id = DEVICE_ID, .data_len = room),
	             IGNORE(struct uapi_hw_info, .data_uptr = UINT64_MAX), .act = answer,
	             .user = reply);
}

/* The question that tells which fields a kernel knows; @pasid is what it leaves there. */
static void expect_doubt(int result, uint8_t pasid)
{
	EXPECT_IOCTL(CTX_FD, GET_HW_INFO,
	             IN(struct uapi_hw_info, .size = sizeof(struct uapi_hw_info),
	                .dev_id = DEVICE_ID, .out_max_pasid_log2 = UINT8_MAX,
	                .out_capabilities = UINT64_MAX),
	             SET(struct uapi_hw_info, out_max_pasid_log2, pasid), .result = result);
}

static void expect_cmdqv(const struct reply *reply, int result)
{
	EXPECT_IOCTL(CTX_FD, GET_HW_INFO,
	             IN(struct uapi_hw_info, .size = sizeof(struct uapi_hw_info),
	                .flags = UAPI_HW_INFO_FLAG_INPUT_TYPE, .dev_id = DEVICE_ID,
	                .data_len = sizeof(struct uapi_hw_info_tegra241_cmdqv),
	                .in_data_type = UAPI_HW_INFO_TYPE_TEGRA241_CMDQV),
	             IGNORE(struct uapi_hw_info, .data_uptr = UINT64_MAX),
	             .act = result ? NULL : answer, .user = reply, .result = result);
}

static struct libiommu_hw_info *get(void)
{
	struct libiommu_hw_info *info = NULL;

	assert_int_equal(libiommu_hw_info_get(dev, &info), 0);
	script_done();
	return info;
}

/* What a kernel that reports everything says. */
static struct libiommu_hw_info *get_reply(const struct reply *reply)
{
	expect_ask(ROOM, reply);
	if (!reply->pasid)
		expect_doubt(0, 0);
	if (reply->type == UAPI_HW_INFO_TYPE_ARM_SMMUV3)
		expect_cmdqv(NULL, -EOPNOTSUPP);
	return get();
}

#define REPLY(kind, structure)                                                                     \
	{                                                                                          \
		.type = UAPI_HW_INFO_TYPE_##kind, .data = &(structure),                            \
		.length = sizeof(structure)                                                        \
	}

static void test_raw(void **state)
{
	const struct uapi_hw_info_vtd vtd = {.cap_reg = 1, .ecap_reg = 2};
	const struct reply reply = REPLY(INTEL_VTD, vtd);
	struct libiommu_hw_info *info;
	const void *data;
	uint32_t type;
	size_t length;

	(void)state;
	begin();
	info = get_reply(&reply);
	assert_int_equal(libiommu_hw_info_raw(info, &type, &data, &length), 0);
	assert_int_equal(type, LIBIOMMU_HW_INFO_VTD);
	assert_int_equal(length, sizeof(vtd));
	assert_memory_equal(data, &vtd, sizeof(vtd));
	/* Nothing of the device is held: this would wait for it. */
	assert_int_equal(libiommu_device_revoke(dev), 0);
	libiommu_hw_info_free(info);
	end();
}

static void test_a_driver_that_reports_nothing(void **state)
{
	const struct reply reply = {.type = UAPI_HW_INFO_TYPE_NONE};
	const void *data = &reply;
	struct libiommu_hw_info *info;
	uint32_t type = 7;
	size_t length = 7;

	(void)state;
	begin();
	info = get_reply(&reply);
	assert_int_equal(libiommu_hw_info_raw(info, &type, &data, &length), 0);
	assert_int_equal(type, LIBIOMMU_HW_INFO_NONE);
	assert_null(data);
	assert_int_equal(length, 0);
	libiommu_hw_info_free(info);
	end();
}

/* A kernel newer than the library has more: all of it is handed on. */
static void test_longer_than_expected(void **state)
{
	unsigned char long_data[300];
	const struct reply reply = {.type = 99, .data = long_data, .length = sizeof(long_data)};
	struct libiommu_hw_info *info;
	const void *data;
	uint64_t value = 7;
	uint32_t type;
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(long_data); i++)
		long_data[i] = (unsigned char)i;
	begin();
	expect_ask(ROOM, &reply);
	expect_ask(sizeof(long_data), &reply);
	expect_doubt(0, 0);
	info = get();
	assert_int_equal(libiommu_hw_info_raw(info, &type, &data, &length), 0);
	assert_int_equal(type, 99);
	assert_int_equal(length, sizeof(long_data));
	assert_memory_equal(data, long_data, sizeof(long_data));
	assert_string_equal(libiommu_hw_info_type_name(type), "unknown");
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_VTD_CAP_REG, &value), -ENODATA);
	assert_int_equal(value, 7);
	libiommu_hw_info_free(info);
	end();
}

/* No kernel grows between two questions, but what was not written is not handed on. */
static void test_longer_each_time(void **state)
{
	static const unsigned char zeros[300];
	const struct reply first = {.type = 99, .data = zeros, .length = 100};
	const struct reply second = {.type = 99, .data = zeros, .length = 300};
	struct libiommu_hw_info *info;
	const void *data;
	uint32_t type;
	size_t length;

	(void)state;
	begin();
	expect_ask(ROOM, &first);
	expect_ask(100, &second);
	expect_doubt(0, 0);
	info = get();
	assert_int_equal(libiommu_hw_info_raw(info, &type, &data, &length), 0);
	assert_int_equal(length, 100);
	libiommu_hw_info_free(info);
	end();
}

static void test_kernel_errors_are_passed_on(void **state)
{
	static const int errors[] = {-EOPNOTSUPP, -ENOTTY, -ENOENT, -EFAULT, -ENOMEM, -EINVAL};
	struct libiommu_hw_info *info = NULL;

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		EXPECT_IOCTL(CTX_FD, GET_HW_INFO, .result = errors[i]);
		assert_int_equal(libiommu_hw_info_get(dev, &info), errors[i]);
		assert_failure(errors[i], KERNEL, "libiommu_hw_info_get");
		assert_null(info);
		script_done();
	}
	end();
}

static void test_the_second_question_can_fail_too(void **state)
{
	static const unsigned char zeros[100];
	const struct reply reply = {.type = 99, .data = zeros, .length = sizeof(zeros)};
	struct libiommu_hw_info *info = NULL;

	(void)state;
	begin();
	expect_ask(ROOM, &reply);
	EXPECT_IOCTL(CTX_FD, GET_HW_INFO, .result = -EFAULT);
	assert_int_equal(libiommu_hw_info_get(dev, &info), -EFAULT);
	assert_null(info);
	end();
}

static void test_wrong_devices(void **state)
{
	struct libiommu_hw_info *info = NULL;
	struct libiommu_device *other;

	(void)state;
	begin();
	assert_int_equal(libiommu_hw_info_get(NULL, &info), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hw_info_get");
	assert_int_equal(libiommu_hw_info_get(dev, NULL), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hw_info_get");
	other = script_device_open(ctx, 110);
	assert_int_equal(libiommu_hw_info_get(other, &info), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hw_info_get");
	script_device_close(other);
	other = script_device_grouped(ctx, 120, 121);
	assert_int_equal(libiommu_hw_info_get(other, &info), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_hw_info_get");
	script_device_close(other);
	assert_int_equal(libiommu_device_revoke(dev), 0);
	assert_int_equal(libiommu_hw_info_get(dev, &info), -ENODEV);
	assert_failure(-ENODEV, LIBRARY, "libiommu_hw_info_get");
	assert_null(info);
	end();
}

static void test_without_memory(void **state)
{
	static const unsigned char zeros[100];
	const struct reply reply = {.type = 99, .data = zeros, .length = sizeof(zeros)};

	(void)state;
	begin();
	ALLOC_LOOP
	{
		struct libiommu_hw_info *info = NULL;

		expect_ask(ROOM, &reply);
		expect_ask(sizeof(zeros), &reply);
		expect_doubt(0, 0);
		if (ALLOC_TRY(libiommu_hw_info_get(dev, &info)))
			assert_null(info);
		libiommu_hw_info_free(info);
	}
	end();
}

static void test_wrong_arguments(void **state)
{
	const struct reply reply = {.type = UAPI_HW_INFO_TYPE_NONE};
	struct libiommu_hw_info *info;
	uint64_t value = 7;
	const void *data;
	uint32_t type;
	size_t length;

	(void)state;
	begin();
	info = get_reply(&reply);
	libiommu_hw_info_free(NULL);
	assert_int_equal(libiommu_hw_info_raw(NULL, &type, &data, &length), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hw_info_raw");
	assert_int_equal(libiommu_hw_info_raw(info, NULL, &data, &length), -EINVAL);
	assert_int_equal(libiommu_hw_info_raw(info, &type, NULL, &length), -EINVAL);
	assert_int_equal(libiommu_hw_info_raw(info, &type, &data, NULL), -EINVAL);
	assert_int_equal(libiommu_hw_info_capability(NULL, LIBIOMMU_CAPABILITY_ATS, &value),
	                 -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hw_info_capability");
	assert_int_equal(libiommu_hw_info_capability(info, 8, &value), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hw_info_capability");
	assert_int_equal(libiommu_hw_info_capability(info, LIBIOMMU_CAPABILITY_ATS, NULL),
	                 LIBIOMMU_UNKNOWN);
	assert_int_equal(libiommu_hw_info_field(NULL, LIBIOMMU_VTD_FLAGS, &value), -EINVAL);
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_VTD_FLAGS, NULL), -EINVAL);
	assert_int_equal(libiommu_hw_info_field(info, 1, &value), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hw_info_field");
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_VTD_FLAGS, &value), -ENODATA);
	assert_failure(-ENODATA, LIBRARY, "libiommu_hw_info_field");
	assert_int_equal(value, 7);
	libiommu_hw_info_free(info);
	end();
}

static void test_type_names(void **state)
{
	(void)state;
	assert_string_equal(libiommu_hw_info_type_name(LIBIOMMU_HW_INFO_NONE), "none");
	assert_string_equal(libiommu_hw_info_type_name(LIBIOMMU_HW_INFO_VTD), "VT-d");
	assert_string_equal(libiommu_hw_info_type_name(LIBIOMMU_HW_INFO_SMMUV3), "SMMUv3");
	assert_string_equal(libiommu_hw_info_type_name(LIBIOMMU_HW_INFO_TEGRA241_CMDQV),
	                    "Tegra241 CMDQV");
	assert_string_equal(libiommu_hw_info_type_name(LIBIOMMU_HW_INFO_AMD), "AMD");
	assert_string_equal(libiommu_hw_info_type_name(5), "unknown");
}

/* The extension comes along with the SMMUv3 it belongs to. */
static void test_cmdqv(void **state)
{
	const struct uapi_hw_info_arm_smmuv3 smmu = {.iidr = 5};
	const struct uapi_hw_info_tegra241_cmdqv cmdqv = {
		.flags = 3, .version = 1, .log2vcmdqs = 2, .log2vsids = 4};
	const struct reply reply = REPLY(ARM_SMMUV3, smmu);
	const struct reply extension = REPLY(TEGRA241_CMDQV, cmdqv);
	struct libiommu_hw_info *info;
	uint64_t value;

	(void)state;
	begin();
	expect_ask(ROOM, &reply);
	expect_doubt(0, 0);
	expect_cmdqv(&extension, 0);
	info = get();
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_SMMUV3_IIDR, &value), 0);
	assert_int_equal(value, 5);
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_CMDQV_FLAGS, &value), 0);
	assert_int_equal(value, 3);
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_CMDQV_VERSION, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_CMDQV_LOG2_VCMDQS, &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_CMDQV_LOG2_VSIDS, &value), 0);
	assert_int_equal(value, 4);
	libiommu_hw_info_free(info);
	end();
}

/* An SMMUv3 without it; a kernel that answers with something else; one with a longer answer. */
static void test_no_cmdqv(void **state)
{
	const struct uapi_hw_info_arm_smmuv3 smmu = {.iidr = 5};
	unsigned char longer[16] = {0};
	const struct reply reply = REPLY(ARM_SMMUV3, smmu);
	const struct reply wrong = {
		.type = UAPI_HW_INFO_TYPE_ARM_SMMUV3, .data = longer, .length = sizeof(longer)};
	const struct reply newer = REPLY(TEGRA241_CMDQV, longer);
	struct libiommu_hw_info *info;
	uint64_t value;

	(void)state;
	begin();
	info = get_reply(&reply);
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_CMDQV_VERSION, &value), -ENODATA);
	libiommu_hw_info_free(info);
	expect_ask(ROOM, &reply);
	expect_doubt(0, 0);
	expect_cmdqv(&wrong, 0);
	info = get();
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_CMDQV_VERSION, &value), -ENODATA);
	libiommu_hw_info_free(info);
	longer[4] = 9;
	expect_ask(ROOM, &reply);
	expect_doubt(0, 0);
	expect_cmdqv(&newer, 0);
	info = get();
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_CMDQV_VERSION, &value), 0);
	assert_int_equal(value, 9);
	libiommu_hw_info_free(info);
	end();
}

/* Which fields a kernel knows shows in how it treats them; only then is a 0 an answer. */
static void test_a_zero_of_an_old_kernel_is_no_answer(void **state)
{
	const struct {
		int doubt;
		uint8_t left;
		int pasid;
		int dirty;
	} cases[] = {
		{0, 0, LIBIOMMU_NO, LIBIOMMU_NO},                   /* 6.15 */
		{-EOPNOTSUPP, 255, LIBIOMMU_UNKNOWN, LIBIOMMU_NO},  /* 6.7 */
		{0, 255, LIBIOMMU_UNKNOWN, LIBIOMMU_NO},            /* no such kernel */
		{-E2BIG, 255, LIBIOMMU_UNKNOWN, LIBIOMMU_UNKNOWN},  /* 6.6 */
		{-EFAULT, 255, LIBIOMMU_UNKNOWN, LIBIOMMU_UNKNOWN}, /* anything else */
	};
	const struct reply reply = {.type = UAPI_HW_INFO_TYPE_NONE};

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct libiommu_hw_info *info;

		expect_ask(ROOM, &reply);
		expect_doubt(cases[i].doubt, cases[i].left);
		info = get();
		assert_int_equal(libiommu_hw_info_capability(info, LIBIOMMU_CAPABILITY_PASID, NULL),
		                 cases[i].pasid);
		assert_int_equal(
			libiommu_hw_info_capability(info, LIBIOMMU_CAPABILITY_PASID_EXECUTE, NULL),
			cases[i].pasid);
		assert_int_equal(
			libiommu_hw_info_capability(info, LIBIOMMU_CAPABILITY_DIRTY_TRACKING, NULL),
			cases[i].dirty);
		libiommu_hw_info_free(info);
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_raw),
		SCRIPT_TEST(test_a_driver_that_reports_nothing),
		SCRIPT_TEST(test_longer_than_expected),
		SCRIPT_TEST(test_longer_each_time),
		SCRIPT_TEST(test_kernel_errors_are_passed_on),
		SCRIPT_TEST(test_the_second_question_can_fail_too),
		SCRIPT_TEST(test_wrong_devices),
		SCRIPT_TEST(test_without_memory),
		SCRIPT_TEST(test_wrong_arguments),
		SCRIPT_TEST(test_type_names),
		SCRIPT_TEST(test_cmdqv),
		SCRIPT_TEST(test_no_cmdqv),
		SCRIPT_TEST(test_a_zero_of_an_old_kernel_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

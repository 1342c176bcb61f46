/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The table of features against the kernel's own numbers, and the probe that has no side effect. */
#include <stdio.h>

#include "objects.h"

/* In the kernel's order: a new ioctl is one more line at the end. */
static const struct {
	enum libiommu_feature feature;
	unsigned long request;
	const char *name;
} numbers[] = {
#define NUMBER(name)                                                                               \
	{                                                                                          \
		LIBIOMMU_FEATURE_##name, UAPI_IOC_##name, "IOMMU_" #name                           \
	}
	NUMBER(DESTROY),
	NUMBER(IOAS_ALLOC),
	NUMBER(IOAS_ALLOW_IOVAS),
	NUMBER(IOAS_COPY),
	NUMBER(IOAS_IOVA_RANGES),
	NUMBER(IOAS_MAP),
	NUMBER(IOAS_UNMAP),
	NUMBER(OPTION),
	NUMBER(VFIO_IOAS),
	NUMBER(HWPT_ALLOC),
	NUMBER(GET_HW_INFO),
	NUMBER(HWPT_SET_DIRTY_TRACKING),
	NUMBER(HWPT_GET_DIRTY_BITMAP),
	NUMBER(HWPT_INVALIDATE),
	NUMBER(FAULT_QUEUE_ALLOC),
	NUMBER(IOAS_MAP_FILE),
	NUMBER(VIOMMU_ALLOC),
	NUMBER(VDEVICE_ALLOC),
	NUMBER(IOAS_CHANGE_PROCESS),
	NUMBER(VEVENTQ_ALLOC),
	NUMBER(HW_QUEUE_ALLOC),
	NUMBER(IOAS_NOIOMMU_GET_PA),
#undef NUMBER
};

#define COUNT (sizeof(numbers) / sizeof(numbers[0]))

static void test_names_are_complete_and_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(numbers[i].feature, i);
		assert_int_equal(numbers[i].request, UAPI_IO(UAPI_CMD_BASE + i));
		assert_string_equal(libiommu_feature_name(numbers[i].feature), numbers[i].name);
	}
	assert_null(libiommu_feature_name((enum libiommu_feature)COUNT));
	assert_null(libiommu_feature_name((enum libiommu_feature) - 1));
}

static unsigned int version_number(const char *text)
{
	unsigned int major, minor;
	char rest;

	assert_int_equal(sscanf(text, "%u.%u%c", &major, &minor, &rest), 2);
	return major * 1000 + minor;
}

/* The kernel gives its numbers out in the order of time. */
static void test_kernels_never_go_back(void **state)
{
	unsigned int last = version_number("6.2");

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		const char *const kernel = libiommu_feature_kernel(numbers[i].feature);

		assert_true(version_number(kernel) >= last);
		last = version_number(kernel);
	}
	assert_null(libiommu_feature_kernel((enum libiommu_feature)COUNT));
	assert_null(libiommu_feature_kernel((enum libiommu_feature) - 1));
}

static void expect_probe(size_t index, int result)
{
	/* A size smaller than any version of the command: the kernel refuses it unread. */
	EXPECT(IOCTL, .fd = CTX_FD, .request = numbers[index].request, .name = numbers[index].name,
	       IN(uint32_t, sizeof(uint32_t)), .result = result);
}

static void test_probe_each(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		expect_probe(i, -EINVAL);
		assert_int_equal(libiommu_ctx_probe(ctx, numbers[i].feature), 1);
		expect_probe(i, -ENOTTY);
		assert_int_equal(libiommu_ctx_probe(ctx, numbers[i].feature), 0);
	}
	assert_int_equal(libiommu_failure_error(), 0);
	script_ctx_close(ctx);
}

static void test_probe_is_surprised(void **state)
{
	const int errors[] = {-EPERM, -EFAULT, -EBADF, -ENOMEM, -EOPNOTSUPP, -EIO};
	struct libiommu_ctx *const ctx = script_ctx();

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		expect_probe(5, errors[i]);
		assert_int_equal(libiommu_ctx_probe(ctx, LIBIOMMU_FEATURE_IOAS_MAP), errors[i]);
		assert_failure(errors[i], KERNEL, "libiommu_ctx_probe");
		assert_explained("IOMMU_IOAS_MAP");
	}
	/* No iommufd takes such a command. */
	expect_probe(5, 0);
	assert_int_equal(libiommu_ctx_probe(ctx, LIBIOMMU_FEATURE_IOAS_MAP), -EBADFD);
	assert_int_equal(libiommu_ctx_probe(ctx, (enum libiommu_feature)COUNT), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_ctx_probe");
	script_ctx_close(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_names_are_complete_and_in_order),
		SCRIPT_TEST(test_kernels_never_go_back),
		SCRIPT_TEST(test_probe_each),
		SCRIPT_TEST(test_probe_is_surprised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A NULL handle is -EINVAL in every public function, or nothing where there is nothing to destroy.
 */
#include "script.h"

struct null_call {
	const char *name;
	long long (*call)(void);
	long long result;
};

/* Where results would go; the calls must leave it alone. */
static unsigned char scratch[4096];

/* Written from the public headers: calls[], and the names of the functions without a handle. */
#include "null-table.h"

static unsigned int faults;

#define FAULT(...)                                                                                 \
	do {                                                                                       \
		print_error(__VA_ARGS__);                                                          \
		faults++;                                                                          \
	} while (0)

static void check(const struct null_call *call)
{
	unsigned char before[sizeof(scratch)];
	const char *operation;
	long long result;

	memset(scratch, 0x5a, sizeof(scratch));
	memcpy(before, scratch, sizeof(scratch));
	libiommu_failure_clear();
	result = call->call();
	operation = libiommu_failure_operation();
	if (result != call->result)
		FAULT("%s(NULL) is %lld, not %lld\n", call->name, result, call->result);
	if (memcmp(scratch, before, sizeof(scratch)))
		FAULT("%s(NULL) writes a result\n", call->name);
	if (libiommu_failure_error() != (result < 0 ? result : 0))
		FAULT("%s(NULL) records %d\n", call->name, libiommu_failure_error());
	else if (result < 0 && strcmp(operation, call->name))
		FAULT("%s(NULL) records a failure of %s\n", call->name, operation);
}

static void test_every_function(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		check(&calls[i]);
	assert_int_equal(faults, 0);
}

/* A new function that takes no handle is named here by whoever has thought about its arguments. */
static const char *const handleless[] = {
	"libiommu_ctx_new",           "libiommu_device_list_new",   "libiommu_dma_table_open",
	"libiommu_failure_clear",     "libiommu_failure_error",     "libiommu_failure_ids",
	"libiommu_failure_operation", "libiommu_failure_origin",    "libiommu_failure_range",
	"libiommu_failure_text",      "libiommu_fault_batch_new",   "libiommu_feature_kernel",
	"libiommu_feature_name",      "libiommu_hw_info_type_name", "libiommu_iova_window_new",
	"libiommu_monitor_open",      "libiommu_reader_open",       "libiommu_record_data",
	"libiommu_takeover_inherit",  "libiommu_takeover_load",     "libiommu_takeover_receive",
	"libiommu_version",           "libiommu_vevent_batch_new",
};

static void test_functions_without_a_handle(void **state)
{
	const size_t count = sizeof(handleless) / sizeof(handleless[0]);

	(void)state;
	for (size_t i = 0; i < count && i < sizeof(skipped) / sizeof(skipped[0]); i++)
		assert_string_equal(skipped[i], handleless[i]);
	assert_int_equal(sizeof(skipped) / sizeof(skipped[0]), count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_every_function),
		SCRIPT_TEST(test_functions_without_a_handle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

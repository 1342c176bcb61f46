/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What this kernel and this hardware can do, and that the library tells the truth of it. */
#include "vm.h"

#include <string.h>

/* A kernel has exactly the ioctls that its version came with, and asking leaves nothing behind. */
static void test_probe(void **state)
{
	struct vm *const vm = *state;
	unsigned int major, minor, count = 0, absent = 0;
	const char *name;

	for (int i = 0; (name = libiommu_feature_name((enum libiommu_feature)i)); i++) {
		const int has = libiommu_ctx_probe(vm->ctx, (enum libiommu_feature)i);

		assert_int_equal(sscanf(libiommu_feature_kernel((enum libiommu_feature)i), "%u.%u",
		                        &major, &minor),
		                 2);
		if (has != vm_kernel_at_least(major, minor)) {
			print_error("%s: probe says %d, the table says since %u.%u\n", name, has,
			            major, minor);
			fail();
		}
		count++;
		absent += !has;
	}
	assert_int_equal(count, 22);
	print_message("# this kernel has %u of %u ioctls\n", count - absent, count);
	/* Not one of them made an object: the mode can still be chosen. */
	OK(libiommu_ctx_set_rlimit_mode(vm->ctx, LIBIOMMU_RLIMIT_PER_PROCESS));
	FAILS(EINVAL, libiommu_ctx_probe(vm->ctx, (enum libiommu_feature)999));
}

static int capability(const struct libiommu_hw_info *info, enum libiommu_capability which,
                      uint64_t *value)
{
	return libiommu_hw_info_capability(info, which, value);
}

static void check_vtd(const struct libiommu_hw_info *info, const void *data, size_t length)
{
	uint64_t value, cap, ecap;

	assert_int_equal(length, 24);
	OK(libiommu_hw_info_field(info, LIBIOMMU_VTD_CAP_REG, &cap));
	OK(libiommu_hw_info_field(info, LIBIOMMU_VTD_ECAP_REG, &ecap));
	assert_memory_equal((const char *)data + 8, &cap, 8);
	assert_memory_equal((const char *)data + 16, &ecap, 8);
	OK(libiommu_hw_info_field(info, LIBIOMMU_VTD_SCALABLE_MODE, &value));
	assert_int_equal(value, ecap >> 43 & 1);
	FAILS(ENODATA, libiommu_hw_info_field(info, LIBIOMMU_SMMUV3_IDR0, &value));
	/* The kernel says of each VT-d that it has the erratum. */
	OK(libiommu_hw_info_field(info, LIBIOMMU_VTD_FLAGS, &value));
	assert_int_equal(value, 1);
	/* Since 6.15 the kernel speaks for the device; before, the registers may rule it out. */
	OK(libiommu_hw_info_field(info, LIBIOMMU_VTD_PASID, &value));
	assert_int_equal(capability(info, LIBIOMMU_CAPABILITY_PASID, NULL),
	                 value && !vm_kernel_at_least(6, 15) ? LIBIOMMU_UNKNOWN : LIBIOMMU_NO);
}

/* The one of the machine, with the bits of its registers that are in the first of each word. */
static void check_smmuv3(const struct libiommu_hw_info *info, const void *data, size_t length)
{
	uint64_t value, idr;

	assert_int_equal(length, 40);
	OK(libiommu_hw_info_field(info, LIBIOMMU_SMMUV3_IDR0, &idr));
	assert_memory_equal((const char *)data + 8, &idr, 4);
	OK(libiommu_hw_info_field(info, LIBIOMMU_SMMUV3_STAGE2, &value));
	assert_int_equal(value, idr & 1);
	OK(libiommu_hw_info_field(info, LIBIOMMU_SMMUV3_STAGE1, &value));
	assert_int_equal(value, idr >> 1 & 1);
	OK(libiommu_hw_info_field(info, LIBIOMMU_SMMUV3_TABLE_FORMATS, &value));
	assert_int_equal(value, 2);
	OK(libiommu_hw_info_field(info, LIBIOMMU_SMMUV3_GRANULES, &value));
	assert_int_equal(value & 1, 1);
	OK(libiommu_hw_info_field(info, LIBIOMMU_SMMUV3_SSID_WIDTH, &value));
	assert_int_equal(value, 0);
	FAILS(ENODATA, libiommu_hw_info_field(info, LIBIOMMU_VTD_CAP_REG, &value));
	assert_int_equal(capability(info, LIBIOMMU_CAPABILITY_PASID, NULL), LIBIOMMU_NO);
}

/* The IOMMU behind the device tells of itself, and the device has no PASIDs. */
static void test_hw_info(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_hw_info *info;
	const void *data;
	uint64_t value;
	uint32_t type;
	size_t length;

	OK(libiommu_hw_info_get(vm->dev, &info));
	OK(libiommu_hw_info_raw(info, &type, &data, &length));
	assert_int_equal(type, vm_iommu(vm->dev)->type);
	if (type == LIBIOMMU_HW_INFO_VTD) {
		assert_string_equal(libiommu_hw_info_type_name(type), "VT-d");
		check_vtd(info, data, length);
	} else {
		assert_int_equal(type, LIBIOMMU_HW_INFO_SMMUV3);
		assert_string_equal(libiommu_hw_info_type_name(type), "SMMUv3");
		check_smmuv3(info, data, length);
	}
	assert_int_equal(capability(info, LIBIOMMU_CAPABILITY_ADDRESS_WIDTH, &value), LIBIOMMU_YES);
	assert_in_range(value, 39, 57);
	assert_int_equal(capability(info, LIBIOMMU_CAPABILITY_DIRTY_TRACKING, NULL), LIBIOMMU_NO);
	assert_int_equal(capability(info, LIBIOMMU_CAPABILITY_PAGE_REQUESTS, NULL), LIBIOMMU_NO);
	libiommu_hw_info_free(info);
}

static bool can_nest(const struct vm *vm)
{
	struct libiommu_hw_info *info;
	int answer;

	OK(libiommu_hw_info_get(vm->dev, &info));
	answer = capability(info, LIBIOMMU_CAPABILITY_NESTING, NULL);
	libiommu_hw_info_free(info);
	return answer == LIBIOMMU_YES;
}

/* The flags that this hardware cannot serve are refused with the documented error. */
static void test_hwpt_flags(void **state)
{
	const uint32_t flags[] = {LIBIOMMU_HWPT_NEST_PARENT, LIBIOMMU_HWPT_DIRTY_TRACKING,
	                          LIBIOMMU_HWPT_NEST_PARENT | LIBIOMMU_HWPT_DIRTY_TRACKING};
	struct vm *const vm = *state;
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;
	const uint64_t data[8] = {0};

	OK(libiommu_hwpt_config_new(&config));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		OK(libiommu_hwpt_config_set_flags(config, flags[i]));
		if (flags[i] == LIBIOMMU_HWPT_NEST_PARENT && can_nest(vm)) {
			OK(libiommu_hwpt_alloc(vm->dev, vm->ioas, config, &hwpt));
			OK(libiommu_hwpt_destroy(hwpt));
			continue;
		}
		FAILS(EOPNOTSUPP, libiommu_hwpt_alloc(vm->dev, vm->ioas, config, &hwpt));
		assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
		EXPLAINED("cannot do what the flags ask for");
	}
	FAILS(EINVAL, libiommu_hwpt_config_set_flags(config, UINT32_C(1) << 31));
	OK(libiommu_hwpt_config_set_flags(config, 0));
	/* Data of an unknown format: refused, whatever the kernel finds wrong with it first. */
	OK(libiommu_hwpt_config_set_data(config, 4711, data, sizeof(data)));
	assert_true(libiommu_hwpt_alloc(vm->dev, vm->ioas, config, &hwpt) < 0);
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
	libiommu_hwpt_config_free(config);
}

/* A device may or may not take the PASID flag; without PASIDs in the hardware it must not. */
static void test_hwpt_pasid(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt = NULL;
	int err;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_PASID));
	err = libiommu_hwpt_alloc(vm->dev, vm->ioas, config, &hwpt);
	libiommu_hwpt_config_free(config);
	print_message("# a page table for PASIDs on a device without: %d\n", err);
	if (!vm_kernel_at_least(6, 13))
		assert_int_equal(err, -EOPNOTSUPP);
	OK(libiommu_hwpt_destroy(hwpt));
}

/* Adopted, a page table is attached like any other. */
static void test_hwpt_adopt(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_hwpt *hwpt, *twin;
	uint32_t id, pt_id;

	OK(libiommu_hwpt_alloc(vm->dev, vm->ioas, NULL, &hwpt));
	OK(libiommu_hwpt_id(hwpt, &id));
	OK(libiommu_hwpt_adopt(vm->ctx, id, LIBIOMMU_ID_BORROW, &twin));
	OK(libiommu_device_attach_hwpt(vm->dev, twin));
	OK(libiommu_device_pt_id(vm->dev, &pt_id));
	assert_int_equal(pt_id, id);
	/* The library does not know of the twin's device; the kernel does. */
	FAILS(EBUSY, libiommu_hwpt_destroy(hwpt));
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
	OK(libiommu_device_detach(vm->dev));
	OK(libiommu_hwpt_destroy(twin));
	OK(libiommu_hwpt_destroy(hwpt));
	OK(libiommu_hwpt_adopt(vm->ctx, 12345, LIBIOMMU_ID_BORROW, &twin));
	FAILS(ENOENT, libiommu_device_attach_hwpt(vm->dev, twin));
	OK(libiommu_hwpt_destroy(twin));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_probe, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_hw_info, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_hwpt_flags, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_hwpt_pasid, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_hwpt_adopt, vm_setup_bound, vm_teardown),
	};

	return cmocka_run_group_tests_name("feature", tests, NULL, NULL);
}

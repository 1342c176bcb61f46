/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * That every field is taken from the bits that the specification gives it, and from no other. The
 * table is written from the specifications a second time, on its own.
 */
#include "script.h"

#include <string.h>

#include "../../lib/object/hw-info.h"

#define MAX_LENGTH 64

/* A field by its register: the byte where that begins in the kernel's structure, and its bits. */
struct expected {
	enum libiommu_hw_field field;
	uint8_t at;
	uint8_t bytes;
	uint8_t high;
	uint8_t low;
	uint64_t zeros; /* the value where all of them are 0 ... */
	uint64_t ones;  /* ... and where they are 1 */
};

#define CAP  8
#define ECAP 16

static const struct expected vtd[] = {
	{LIBIOMMU_VTD_FLAGS, 0, 4, 31, 0, 0, UINT32_MAX},
	{LIBIOMMU_VTD_CAP_REG, CAP, 8, 63, 0, 0, UINT64_MAX},
	{LIBIOMMU_VTD_ECAP_REG, ECAP, 8, 63, 0, 0, UINT64_MAX},
	{LIBIOMMU_VTD_MAX_GUEST_ADDRESS_WIDTH, CAP, 8, 21, 16, 1, 64},
	{LIBIOMMU_VTD_ADJUSTED_ADDRESS_WIDTHS, CAP, 8, 12, 8, 0, 31},
	{LIBIOMMU_VTD_CACHING_MODE, CAP, 8, 7, 7, 0, 1},
	{LIBIOMMU_VTD_SECOND_STAGE_LARGE_PAGES, CAP, 8, 37, 34, 0, 15},
	{LIBIOMMU_VTD_FIRST_STAGE_1GIB_PAGES, CAP, 8, 56, 56, 0, 1},
	{LIBIOMMU_VTD_FIRST_STAGE_5_LEVELS, CAP, 8, 60, 60, 0, 1},
	{LIBIOMMU_VTD_DEVICE_TLB, ECAP, 8, 2, 2, 0, 1},
	{LIBIOMMU_VTD_SNOOP_CONTROL, ECAP, 8, 7, 7, 0, 1},
	{LIBIOMMU_VTD_NESTED_TRANSLATION, ECAP, 8, 26, 26, 0, 1},
	{LIBIOMMU_VTD_PAGE_REQUESTS, ECAP, 8, 29, 29, 0, 1},
	{LIBIOMMU_VTD_PASID_WIDTH, ECAP, 8, 39, 35, 1, 32},
	{LIBIOMMU_VTD_PASID, ECAP, 8, 40, 40, 0, 1},
	{LIBIOMMU_VTD_SCALABLE_MODE, ECAP, 8, 43, 43, 0, 1},
	{LIBIOMMU_VTD_SECOND_STAGE_DIRTY, ECAP, 8, 45, 45, 0, 1},
	{LIBIOMMU_VTD_SECOND_STAGE, ECAP, 8, 46, 46, 0, 1},
	{LIBIOMMU_VTD_FIRST_STAGE, ECAP, 8, 47, 47, 0, 1},
};

#define IDR(number) (8 + 4 * (number))

static const struct expected smmuv3[] = {
	{LIBIOMMU_SMMUV3_FLAGS, 0, 4, 31, 0, 0, UINT32_MAX},
	{LIBIOMMU_SMMUV3_IDR0, IDR(0), 4, 31, 0, 0, UINT32_MAX},
	{LIBIOMMU_SMMUV3_IDR1, IDR(1), 4, 31, 0, 0, UINT32_MAX},
	{LIBIOMMU_SMMUV3_IDR2, IDR(2), 4, 31, 0, 0, UINT32_MAX},
	{LIBIOMMU_SMMUV3_IDR3, IDR(3), 4, 31, 0, 0, UINT32_MAX},
	{LIBIOMMU_SMMUV3_IDR4, IDR(4), 4, 31, 0, 0, UINT32_MAX},
	{LIBIOMMU_SMMUV3_IDR5, IDR(5), 4, 31, 0, 0, UINT32_MAX},
	{LIBIOMMU_SMMUV3_IIDR, 32, 4, 31, 0, 0, UINT32_MAX},
	{LIBIOMMU_SMMUV3_AIDR, 36, 4, 31, 0, 0, UINT32_MAX},
	{LIBIOMMU_SMMUV3_STAGE2, IDR(0), 4, 0, 0, 0, 1},
	{LIBIOMMU_SMMUV3_STAGE1, IDR(0), 4, 1, 1, 0, 1},
	{LIBIOMMU_SMMUV3_TABLE_FORMATS, IDR(0), 4, 3, 2, 0, 3},
	{LIBIOMMU_SMMUV3_COHERENT, IDR(0), 4, 4, 4, 0, 1},
	{LIBIOMMU_SMMUV3_HARDWARE_UPDATE, IDR(0), 4, 7, 6, 0, 3},
	{LIBIOMMU_SMMUV3_ATS, IDR(0), 4, 10, 10, 0, 1},
	{LIBIOMMU_SMMUV3_PRI, IDR(0), 4, 16, 16, 0, 1},
	{LIBIOMMU_SMMUV3_STALL_MODEL, IDR(0), 4, 25, 24, 0, 3},
	{LIBIOMMU_SMMUV3_SID_WIDTH, IDR(1), 4, 5, 0, 0, 63},
	{LIBIOMMU_SMMUV3_SSID_WIDTH, IDR(1), 4, 10, 6, 0, 31},
	{LIBIOMMU_SMMUV3_OUTPUT_ADDRESS_WIDTH, IDR(5), 4, 2, 0, 32, 56},
	{LIBIOMMU_SMMUV3_GRANULES, IDR(5), 4, 6, 4, 0, 7},
	{LIBIOMMU_SMMUV3_VIRTUAL_ADDRESS_WIDTH, IDR(5), 4, 11, 10, 48, 0},
};

static const struct expected cmdqv[] = {
	{LIBIOMMU_CMDQV_FLAGS, 0, 4, 31, 0, 0, UINT32_MAX},
	{LIBIOMMU_CMDQV_VERSION, 4, 1, 7, 0, 0, UINT8_MAX},
	{LIBIOMMU_CMDQV_LOG2_VCMDQS, 5, 1, 7, 0, 0, UINT8_MAX},
	{LIBIOMMU_CMDQV_LOG2_VSIDS, 6, 1, 7, 0, 0, UINT8_MAX},
};

static const struct expected amd[] = {
	{LIBIOMMU_AMD_EFR, 0, 8, 63, 0, 0, UINT64_MAX},
	{LIBIOMMU_AMD_EFR2, 8, 8, 63, 0, 0, UINT64_MAX},
	{LIBIOMMU_AMD_PAGE_REQUESTS, 0, 8, 1, 1, 0, 1},
	{LIBIOMMU_AMD_GUEST_TRANSLATION, 0, 8, 4, 4, 0, 1},
	{LIBIOMMU_AMD_HOST_LEVELS, 0, 8, 11, 10, 4, 0},
	{LIBIOMMU_AMD_GUEST_LEVELS, 0, 8, 13, 12, 4, 0},
	{LIBIOMMU_AMD_PASID_WIDTH, 0, 8, 36, 32, 1, 32},
	{LIBIOMMU_AMD_HOST_DIRTY, 0, 8, 52, 52, 0, 1},
};

static void put(unsigned char *at, size_t bytes, uint64_t value)
{
	const uint32_t half = (uint32_t)value;

	if (bytes == 8)
		memcpy(at, &value, bytes);
	else if (bytes == 4)
		memcpy(at, &half, bytes);
	else
		*at = (unsigned char)value;
}

static uint64_t field(const struct libiommu_hw_info *info, enum libiommu_hw_field wanted)
{
	uint64_t value = 0;

	assert_int_equal(libiommu_hw_info_field(info, wanted, &value), 0);
	return value;
}

/* Alone among zeros, and missing among ones; not there where the kernel's answer ends before. */
static void check(uint32_t type, size_t length, const struct expected *expected, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct expected *const at = &expected[i];
		const uint64_t mask = (UINT64_MAX >> (63 - at->high)) & (UINT64_MAX << at->low);
		unsigned char data[MAX_LENGTH] = {0};
		struct libiommu_hw_info info = {.type = type, .data = data, .length = length};
		uint64_t value = 7;

		put(data + at->at, at->bytes, mask);
		assert_int_equal(field(&info, at->field), at->ones);
		memset(data, 0xff, sizeof(data));
		put(data + at->at, at->bytes, ~mask);
		assert_int_equal(field(&info, at->field), at->zeros);
		info.length = at->at + at->bytes;
		assert_int_equal(field(&info, at->field), at->zeros);
		info.length--;
		assert_int_equal(libiommu_hw_info_field(&info, at->field, &value), -ENODATA);
		info.length = length;
		info.type = 99;
		assert_int_equal(libiommu_hw_info_field(&info, at->field, &value), -ENODATA);
		assert_int_equal(value, 7);
	}
}

#define CHECK(kind, structure, table)                                                              \
	check(UAPI_HW_INFO_TYPE_##kind, sizeof(struct structure), table,                           \
	      sizeof(table) / sizeof((table)[0]))

static void test_vtd(void **state)
{
	(void)state;
	CHECK(INTEL_VTD, uapi_hw_info_vtd, vtd);
}

static void test_smmuv3(void **state)
{
	(void)state;
	CHECK(ARM_SMMUV3, uapi_hw_info_arm_smmuv3, smmuv3);
}

static void test_cmdqv(void **state)
{
	(void)state;
	CHECK(TEGRA241_CMDQV, uapi_hw_info_tegra241_cmdqv, cmdqv);
}

static void test_amd(void **state)
{
	(void)state;
	CHECK(AMD, uapi_hw_info_amd, amd);
}

/* So that no field can be added without a line above. */
static void test_all_fields_are_here(void **state)
{
	const struct {
		enum libiommu_hw_field first;
		size_t count;
	} blocks[] = {
		{LIBIOMMU_VTD_FLAGS, sizeof(vtd) / sizeof(vtd[0])},
		{LIBIOMMU_SMMUV3_FLAGS, sizeof(smmuv3) / sizeof(smmuv3[0])},
		{LIBIOMMU_CMDQV_FLAGS, sizeof(cmdqv) / sizeof(cmdqv[0])},
		{LIBIOMMU_AMD_EFR, sizeof(amd) / sizeof(amd[0])},
	};
	const struct libiommu_hw_info info = {.type = 99};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		const int end = (int)blocks[i].first + (int)blocks[i].count;

		for (int known = (int)blocks[i].first; known < end; known++)
			assert_int_equal(libiommu_hw_info_field(&info, known, &value), -ENODATA);
		assert_int_equal(libiommu_hw_info_field(&info, end, &value), -EINVAL);
	}
}

static void test_encodings(void **state)
{
	static const uint64_t outputs[] = {32, 36, 40, 42, 44, 48, 52, 56};
	static const uint64_t inputs[] = {48, 52, 56, 0};
	static const uint64_t levels[] = {4, 5, 6, 0};
	struct uapi_hw_info_arm_smmuv3 smmu = {.flags = 0};
	struct uapi_hw_info_amd efr = {.efr = 0};
	const struct libiommu_hw_info arm = {
		.type = UAPI_HW_INFO_TYPE_ARM_SMMUV3, .data = &smmu, .length = sizeof(smmu)};
	const struct libiommu_hw_info other = {
		.type = UAPI_HW_INFO_TYPE_AMD, .data = &efr, .length = sizeof(efr)};

	(void)state;
	for (uint32_t code = 0; code < 8; code++) {
		smmu.idr[5] = code;
		assert_int_equal(field(&arm, LIBIOMMU_SMMUV3_OUTPUT_ADDRESS_WIDTH), outputs[code]);
	}
	for (uint32_t code = 0; code < 4; code++) {
		smmu.idr[5] = code << 10;
		assert_int_equal(field(&arm, LIBIOMMU_SMMUV3_VIRTUAL_ADDRESS_WIDTH), inputs[code]);
		efr.efr = (uint64_t)code << 10;
		assert_int_equal(field(&other, LIBIOMMU_AMD_HOST_LEVELS), levels[code]);
		efr.efr = (uint64_t)code << 12;
		assert_int_equal(field(&other, LIBIOMMU_AMD_GUEST_LEVELS), levels[code]);
	}
}

/* What a kernel said of the VT-d that QEMU 10 emulates with first-stage translation. */
static void test_an_answer_from_the_wild(void **state)
{
	const struct uapi_hw_info_vtd answer = {
		.flags = 1,
		.cap_reg = UINT64_C(0x01d2008c222f0606),
		.ecap_reg = UINT64_C(0x0000880000f00f4a),
	};
	struct uapi_hw_info_vtd copy = answer;
	const struct libiommu_hw_info info = {
		.type = UAPI_HW_INFO_TYPE_INTEL_VTD, .data = &copy, .length = sizeof(copy)};

	(void)state;
	assert_int_equal(field(&info, LIBIOMMU_VTD_MAX_GUEST_ADDRESS_WIDTH), 48);
	assert_int_equal(field(&info, LIBIOMMU_VTD_ADJUSTED_ADDRESS_WIDTHS), 6);
	assert_int_equal(field(&info, LIBIOMMU_VTD_SECOND_STAGE_LARGE_PAGES), 3);
	assert_int_equal(field(&info, LIBIOMMU_VTD_FIRST_STAGE_1GIB_PAGES), 1);
	assert_int_equal(field(&info, LIBIOMMU_VTD_SCALABLE_MODE), 1);
	assert_int_equal(field(&info, LIBIOMMU_VTD_FIRST_STAGE), 1);
	assert_int_equal(field(&info, LIBIOMMU_VTD_SECOND_STAGE), 0);
	assert_int_equal(field(&info, LIBIOMMU_VTD_PASID), 0);
	assert_int_equal(field(&info, LIBIOMMU_VTD_NESTED_TRANSLATION), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_vtd),
		SCRIPT_TEST(test_smmuv3),
		SCRIPT_TEST(test_cmdqv),
		SCRIPT_TEST(test_amd),
		SCRIPT_TEST(test_all_fields_are_here),
		SCRIPT_TEST(test_encodings),
		SCRIPT_TEST(test_an_answer_from_the_wild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

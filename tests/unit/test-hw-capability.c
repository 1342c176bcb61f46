/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* That the portable answers say yes and no only where the kernel or the registers do. */
#include "script.h"

#include "../../lib/object/hw-info.h"

#define NO      LIBIOMMU_NO
#define YES     LIBIOMMU_YES
#define UNKNOWN LIBIOMMU_UNKNOWN

#define BIT(number) (UINT64_C(1) << (number))

/* Bits of the specifications, by their names there. */
#define MGAW_48    (UINT64_C(47) << 16)
#define ECAP_DT    BIT(2)
#define ECAP_NEST  BIT(26)
#define ECAP_PRS   BIT(29)
#define ECAP_PASID BIT(40)
#define ECAP_SMTS  BIT(43)

#define IDR0_S2P          BIT(0)
#define IDR0_S1P          BIT(1)
#define IDR0_ATS          BIT(10)
#define IDR0_PRI          BIT(16)
#define IDR0_NO_STALL     (UINT64_C(1) << 24)
#define IDR1_SSID_20      (UINT64_C(20) << 6)
#define IDR5_OAS_44       UINT64_C(4)
#define IDR5_VAX_52       (UINT64_C(1) << 10)
#define IDR5_VAX_RESERVED (UINT64_C(3) << 10)

#define EFR_PPR      BIT(1)
#define EFR_GT       BIT(4)
#define EFR_HATS_5   (UINT64_C(1) << 10)
#define EFR_HATS_6   (UINT64_C(2) << 10)
#define EFR_NO_HATS  (UINT64_C(3) << 10)
#define EFR_GATS_5   (UINT64_C(1) << 12)
#define EFR_NO_GATS  (UINT64_C(3) << 12)
#define EFR_GIO      BIT(48)
#define EFR2_GCR3TRP BIT(3)

static void assert_answer(const struct libiommu_hw_info *info, enum libiommu_capability capability,
                          int answer, uint64_t width)
{
	uint64_t value = 77;

	assert_int_equal(libiommu_hw_info_capability(info, capability, &value), answer);
	assert_int_equal(value, width);
	assert_int_equal(libiommu_hw_info_capability(info, capability, NULL), answer);
}

static void assert_width(const struct libiommu_hw_info *info, uint64_t width)
{
	assert_answer(info, LIBIOMMU_CAPABILITY_ADDRESS_WIDTH, width ? YES : UNKNOWN, width);
}

/* By registers alone: nesting, page requests, ATS, and PASIDs of a kernel that does not say. */
static void assert_registers(const struct libiommu_hw_info *info, int nesting, int requests,
                             int ats, int pasid)
{
	struct libiommu_hw_info old = *info;

	old.reports = HW_REPORTS_CAPABILITIES;
	assert_answer(&old, LIBIOMMU_CAPABILITY_NESTING, nesting, 0);
	assert_answer(&old, LIBIOMMU_CAPABILITY_PAGE_REQUESTS, requests, 0);
	assert_answer(&old, LIBIOMMU_CAPABILITY_ATS, ats, 0);
	assert_answer(&old, LIBIOMMU_CAPABILITY_PASID, pasid, 0);
	assert_answer(&old, LIBIOMMU_CAPABILITY_PASID_EXECUTE, pasid, 0);
	assert_answer(&old, LIBIOMMU_CAPABILITY_PASID_PRIVILEGED, pasid, 0);
}

static void test_what_the_kernel_reports(void **state)
{
	struct libiommu_hw_info info = {.reports = HW_REPORTS_PASID};

	(void)state;
	assert_answer(&info, LIBIOMMU_CAPABILITY_PASID, NO, 0);
	assert_answer(&info, LIBIOMMU_CAPABILITY_PASID_EXECUTE, NO, 0);
	assert_answer(&info, LIBIOMMU_CAPABILITY_PASID_PRIVILEGED, NO, 0);
	assert_answer(&info, LIBIOMMU_CAPABILITY_DIRTY_TRACKING, NO, 0);
	info.capabilities = UAPI_HW_CAP_DIRTY_TRACKING;
	assert_answer(&info, LIBIOMMU_CAPABILITY_DIRTY_TRACKING, YES, 0);
	info.pasid_width = 20;
	assert_answer(&info, LIBIOMMU_CAPABILITY_PASID, YES, 20);
	assert_answer(&info, LIBIOMMU_CAPABILITY_PASID_EXECUTE, NO, 0);
	info.capabilities = UAPI_HW_CAP_PCI_PASID_EXEC;
	assert_answer(&info, LIBIOMMU_CAPABILITY_PASID_EXECUTE, YES, 0);
	assert_answer(&info, LIBIOMMU_CAPABILITY_PASID_PRIVILEGED, NO, 0);
	info.capabilities = UAPI_HW_CAP_PCI_PASID_PRIV;
	assert_answer(&info, LIBIOMMU_CAPABILITY_PASID_EXECUTE, NO, 0);
	assert_answer(&info, LIBIOMMU_CAPABILITY_PASID_PRIVILEGED, YES, 0);
	assert_answer(&info, LIBIOMMU_CAPABILITY_DIRTY_TRACKING, NO, 0);
}

/* Without registers of a kind that is known: none, an extension's, a newer kind's, too few. */
static void test_nothing_to_judge_by(void **state)
{
	unsigned char data[64] = {0};
	const struct libiommu_hw_info cases[] = {
		{.type = UAPI_HW_INFO_TYPE_NONE},
		{.type = UAPI_HW_INFO_TYPE_TEGRA241_CMDQV, .data = data, .length = 8},
		{.type = 99, .data = data, .length = 64},
		{.type = UAPI_HW_INFO_TYPE_INTEL_VTD, .data = data, .length = 16},
		{.type = UAPI_HW_INFO_TYPE_ARM_SMMUV3, .data = data, .length = 16},
		{.type = UAPI_HW_INFO_TYPE_AMD, .data = data, .length = 8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_width(&cases[i], 0);
		assert_registers(&cases[i], UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN);
	}
}

static void test_vtd(void **state)
{
	struct uapi_hw_info_vtd data = {.cap_reg = MGAW_48};
	const struct libiommu_hw_info info = {
		.type = UAPI_HW_INFO_TYPE_INTEL_VTD, .data = &data, .length = sizeof(data)};

	(void)state;
	assert_width(&info, 48);
	assert_registers(&info, NO, NO, NO, NO);
	data.ecap_reg = ECAP_NEST;
	assert_registers(&info, NO, NO, NO, NO);
	data.ecap_reg = ECAP_SMTS;
	assert_registers(&info, NO, NO, NO, NO);
	data.ecap_reg = ECAP_NEST | ECAP_SMTS;
	assert_registers(&info, YES, NO, NO, NO);
	data.ecap_reg = ECAP_PRS;
	assert_registers(&info, NO, UNKNOWN, NO, NO);
	data.ecap_reg = ECAP_DT;
	assert_registers(&info, NO, NO, UNKNOWN, NO);
	data.ecap_reg = ECAP_PASID;
	assert_registers(&info, NO, NO, NO, UNKNOWN);
}

static void test_smmuv3(void **state)
{
	struct uapi_hw_info_arm_smmuv3 data = {.flags = 0};
	const struct libiommu_hw_info info = {
		.type = UAPI_HW_INFO_TYPE_ARM_SMMUV3, .data = &data, .length = sizeof(data)};

	(void)state;
	data.idr[0] = IDR0_NO_STALL;
	data.idr[5] = IDR5_OAS_44 | IDR5_VAX_52;
	assert_width(&info, 44);
	assert_registers(&info, NO, NO, NO, NO);
	data.idr[0] = IDR0_NO_STALL | IDR0_S1P;
	assert_width(&info, 52);
	assert_registers(&info, NO, NO, NO, NO);
	data.idr[5] = IDR5_OAS_44 | IDR5_VAX_RESERVED;
	assert_width(&info, 0);
	data.idr[0] = IDR0_NO_STALL | IDR0_S2P;
	assert_registers(&info, NO, NO, NO, NO);
	data.idr[0] = IDR0_NO_STALL | IDR0_S1P | IDR0_S2P;
	assert_registers(&info, YES, NO, NO, NO);
	data.idr[0] = IDR0_NO_STALL | IDR0_PRI;
	assert_registers(&info, NO, UNKNOWN, NO, NO);
	/* A stall is a page request too, on platform devices. */
	data.idr[0] = 0;
	assert_registers(&info, NO, UNKNOWN, NO, NO);
	data.idr[0] = IDR0_NO_STALL | IDR0_ATS;
	assert_registers(&info, NO, NO, UNKNOWN, NO);
	data.idr[0] = IDR0_NO_STALL;
	data.idr[1] = IDR1_SSID_20;
	assert_registers(&info, NO, NO, NO, UNKNOWN);
}

static void test_amd(void **state)
{
	struct uapi_hw_info_amd data = {.efr = 0};
	const struct libiommu_hw_info info = {
		.type = UAPI_HW_INFO_TYPE_AMD, .data = &data, .length = sizeof(data)};

	(void)state;
	assert_width(&info, 48);
	/* Whether it has ATS is in no register that the kernel passes on. */
	assert_registers(&info, NO, NO, UNKNOWN, NO);
	data.efr = EFR_HATS_5;
	assert_width(&info, 57);
	data.efr = EFR_HATS_6;
	assert_width(&info, 64);
	data.efr = EFR_NO_HATS | EFR_GATS_5;
	assert_width(&info, 57);
	data.efr = EFR_NO_HATS | EFR_NO_GATS;
	assert_width(&info, 0);
	data.efr = EFR_PPR;
	assert_registers(&info, NO, UNKNOWN, UNKNOWN, NO);
	data.efr = EFR_GT;
	assert_registers(&info, NO, NO, UNKNOWN, UNKNOWN);
	data.efr = EFR_GT | EFR_GIO;
	assert_registers(&info, NO, NO, UNKNOWN, UNKNOWN);
	data.efr2 = EFR2_GCR3TRP;
	assert_registers(&info, YES, NO, UNKNOWN, UNKNOWN);
	data.efr = EFR_GT;
	assert_registers(&info, NO, NO, UNKNOWN, UNKNOWN);
	data.efr = EFR_GIO;
	assert_registers(&info, NO, NO, UNKNOWN, NO);
}

/* The kernel's no is final, whatever the registers of the IOMMU say of other devices. */
static void test_the_kernel_denies_ats(void **state)
{
	struct uapi_hw_info_vtd data = {.ecap_reg = ECAP_DT};
	struct libiommu_hw_info info = {
		.type = UAPI_HW_INFO_TYPE_INTEL_VTD, .data = &data, .length = sizeof(data)};

	(void)state;
	info.capabilities = UAPI_HW_CAP_PCI_ATS_NOT_SUPPORTED;
	assert_answer(&info, LIBIOMMU_CAPABILITY_ATS, NO, 0);
	info.type = UAPI_HW_INFO_TYPE_NONE;
	assert_answer(&info, LIBIOMMU_CAPABILITY_ATS, NO, 0);
	info.capabilities = 0;
	assert_answer(&info, LIBIOMMU_CAPABILITY_ATS, UNKNOWN, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_what_the_kernel_reports),
		SCRIPT_TEST(test_nothing_to_judge_by),
		SCRIPT_TEST(test_vtd),
		SCRIPT_TEST(test_smmuv3),
		SCRIPT_TEST(test_amd),
		SCRIPT_TEST(test_the_kernel_denies_ats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

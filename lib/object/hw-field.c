/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Where the fields are: Intel VT-d specification, sections 11.4.2 and 11.4.3; Arm SMMUv3
 * (IHI 0070), section 6.3; AMD IOMMU specification (48882), section 3.4.
 */
#include <errno.h>

#include "../base/number.h"
#include "hw-info.h"

struct layout {
	enum libiommu_hw_field field;
	uint8_t type;
	uint8_t offset; /* of the word in the kernel's structure ... */
	uint8_t size;   /* ... and its bytes */
	uint8_t shift;
	uint8_t width;        /* in bits */
	uint8_t add;          /* to what is there */
	const uint8_t *means; /* by encoding, where the field is one; as many as its width allows */
};

/* Encodings that are not assigned mean 0. */
static const uint8_t oas_bits[8] = {32, 36, 40, 42, 44, 48, 52, 56};
static const uint8_t vax_bits[4] = {48, 52, 56, 0};
static const uint8_t amd_levels[4] = {4, 5, 6, 0};

#define WORD(kind, structure, member)                                                              \
	.type = UAPI_HW_INFO_TYPE_##kind, .offset = offsetof(struct structure, member),            \
	.size = sizeof(((struct structure *)0)->member)
#define WHOLE(bits)     .shift = 0, .width = (bits)
#define BITS(low, high) .shift = (low), .width = (high) - (low) + 1
#define BIT(position)   BITS(position, position)

#define VTD_FLAGS WORD(INTEL_VTD, uapi_hw_info_vtd, flags)
#define VTD_CAP   WORD(INTEL_VTD, uapi_hw_info_vtd, cap_reg)
#define VTD_ECAP  WORD(INTEL_VTD, uapi_hw_info_vtd, ecap_reg)
#define SMMU(reg) WORD(ARM_SMMUV3, uapi_hw_info_arm_smmuv3, reg)
#define CMDQV(is) WORD(TEGRA241_CMDQV, uapi_hw_info_tegra241_cmdqv, is)
#define AMD(reg)  WORD(AMD, uapi_hw_info_amd, reg)

static const struct layout layouts[] = {
	{LIBIOMMU_VTD_FLAGS, VTD_FLAGS, WHOLE(32)},
	{LIBIOMMU_VTD_CAP_REG, VTD_CAP, WHOLE(64)},
	{LIBIOMMU_VTD_ECAP_REG, VTD_ECAP, WHOLE(64)},
	{LIBIOMMU_VTD_MAX_GUEST_ADDRESS_WIDTH, VTD_CAP, BITS(16, 21), .add = 1},
	{LIBIOMMU_VTD_ADJUSTED_ADDRESS_WIDTHS, VTD_CAP, BITS(8, 12)},
	{LIBIOMMU_VTD_CACHING_MODE, VTD_CAP, BIT(7)},
	{LIBIOMMU_VTD_SECOND_STAGE_LARGE_PAGES, VTD_CAP, BITS(34, 37)},
	{LIBIOMMU_VTD_FIRST_STAGE_1GIB_PAGES, VTD_CAP, BIT(56)},
	{LIBIOMMU_VTD_FIRST_STAGE_5_LEVELS, VTD_CAP, BIT(60)},
	{LIBIOMMU_VTD_DEVICE_TLB, VTD_ECAP, BIT(2)},
	{LIBIOMMU_VTD_PAGE_REQUESTS, VTD_ECAP, BIT(29)},
	{LIBIOMMU_VTD_NESTED_TRANSLATION, VTD_ECAP, BIT(26)},
	{LIBIOMMU_VTD_PASID, VTD_ECAP, BIT(40)},
	{LIBIOMMU_VTD_PASID_WIDTH, VTD_ECAP, BITS(35, 39), .add = 1},
	{LIBIOMMU_VTD_SCALABLE_MODE, VTD_ECAP, BIT(43)},
	{LIBIOMMU_VTD_FIRST_STAGE, VTD_ECAP, BIT(47)},
	{LIBIOMMU_VTD_SECOND_STAGE, VTD_ECAP, BIT(46)},
	{LIBIOMMU_VTD_SECOND_STAGE_DIRTY, VTD_ECAP, BIT(45)},
	{LIBIOMMU_VTD_SNOOP_CONTROL, VTD_ECAP, BIT(7)},

	{LIBIOMMU_SMMUV3_FLAGS, SMMU(flags), WHOLE(32)},
	{LIBIOMMU_SMMUV3_IDR0, SMMU(idr[0]), WHOLE(32)},
	{LIBIOMMU_SMMUV3_IDR1, SMMU(idr[1]), WHOLE(32)},
	{LIBIOMMU_SMMUV3_IDR2, SMMU(idr[2]), WHOLE(32)},
	{LIBIOMMU_SMMUV3_IDR3, SMMU(idr[3]), WHOLE(32)},
	{LIBIOMMU_SMMUV3_IDR4, SMMU(idr[4]), WHOLE(32)},
	{LIBIOMMU_SMMUV3_IDR5, SMMU(idr[5]), WHOLE(32)},
	{LIBIOMMU_SMMUV3_IIDR, SMMU(iidr), WHOLE(32)},
	{LIBIOMMU_SMMUV3_AIDR, SMMU(aidr), WHOLE(32)},
	{LIBIOMMU_SMMUV3_STAGE1, SMMU(idr[0]), BIT(1)},
	{LIBIOMMU_SMMUV3_STAGE2, SMMU(idr[0]), BIT(0)},
	{LIBIOMMU_SMMUV3_TABLE_FORMATS, SMMU(idr[0]), BITS(2, 3)},
	{LIBIOMMU_SMMUV3_HARDWARE_UPDATE, SMMU(idr[0]), BITS(6, 7)},
	{LIBIOMMU_SMMUV3_ATS, SMMU(idr[0]), BIT(10)},
	{LIBIOMMU_SMMUV3_PRI, SMMU(idr[0]), BIT(16)},
	{LIBIOMMU_SMMUV3_STALL_MODEL, SMMU(idr[0]), BITS(24, 25)},
	{LIBIOMMU_SMMUV3_COHERENT, SMMU(idr[0]), BIT(4)},
	{LIBIOMMU_SMMUV3_SSID_WIDTH, SMMU(idr[1]), BITS(6, 10)},
	{LIBIOMMU_SMMUV3_SID_WIDTH, SMMU(idr[1]), BITS(0, 5)},
	{LIBIOMMU_SMMUV3_OUTPUT_ADDRESS_WIDTH, SMMU(idr[5]), BITS(0, 2), .means = oas_bits},
	{LIBIOMMU_SMMUV3_GRANULES, SMMU(idr[5]), BITS(4, 6)},
	{LIBIOMMU_SMMUV3_VIRTUAL_ADDRESS_WIDTH, SMMU(idr[5]), BITS(10, 11), .means = vax_bits},

	{LIBIOMMU_CMDQV_FLAGS, CMDQV(flags), WHOLE(32)},
	{LIBIOMMU_CMDQV_VERSION, CMDQV(version), WHOLE(8)},
	{LIBIOMMU_CMDQV_LOG2_VCMDQS, CMDQV(log2vcmdqs), WHOLE(8)},
	{LIBIOMMU_CMDQV_LOG2_VSIDS, CMDQV(log2vsids), WHOLE(8)},

	{LIBIOMMU_AMD_EFR, AMD(efr), WHOLE(64)},
	{LIBIOMMU_AMD_EFR2, AMD(efr2), WHOLE(64)},
	{LIBIOMMU_AMD_PAGE_REQUESTS, AMD(efr), BIT(1)},
	{LIBIOMMU_AMD_GUEST_TRANSLATION, AMD(efr), BIT(4)},
	{LIBIOMMU_AMD_HOST_LEVELS, AMD(efr), BITS(10, 11), .means = amd_levels},
	{LIBIOMMU_AMD_GUEST_LEVELS, AMD(efr), BITS(12, 13), .means = amd_levels},
	{LIBIOMMU_AMD_PASID_WIDTH, AMD(efr), BITS(32, 36), .add = 1},
	{LIBIOMMU_AMD_HOST_DIRTY, AMD(efr), BIT(52)},
};

static int decode(const struct layout *layout, const void *data, size_t length, uint64_t *value)
{
	uint64_t word;

	if (!data || layout->offset + (size_t)layout->size > length)
		return -ENODATA;
	word = number_at((const uint8_t *)data + layout->offset, layout->size) >> layout->shift;
	word &= UINT64_MAX >> (64 - layout->width);
	*value = layout->means ? layout->means[word] : word + layout->add;
	return 0;
}

int li_hw_info_field(const struct libiommu_hw_info *info, enum libiommu_hw_field field,
                     uint64_t *value)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (layouts[i].field != field)
			continue;
		if (layouts[i].type == info->type)
			return decode(&layouts[i], info->data, info->length, value);
		if (layouts[i].type == UAPI_HW_INFO_TYPE_TEGRA241_CMDQV)
			return decode(&layouts[i], &info->cmdqv, info->cmdqv_length, value);
		return -ENODATA;
	}
	return -EINVAL;
}

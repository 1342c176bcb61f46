/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <libiommu/device-info.h>

#include "../base/info-chain.h"
#include "../base/uapi/vfio.h"
#include "device.h"
#include "info.h"

#define SAME_FLAG(name)                                                                            \
	static_assert(LIBIOMMU_DEVICE_INFO_##name == (int)UAPI_VFIO_DEVICE_FLAGS_##name,           \
	              "flags are the kernel's")
SAME_FLAG(RESET);
SAME_FLAG(PCI);
SAME_FLAG(PLATFORM);
SAME_FLAG(AMBA);
SAME_FLAG(CCW);
SAME_FLAG(AP);
SAME_FLAG(FSL_MC);
SAME_FLAG(CDX);
static_assert(LIBIOMMU_DEVICE_INFO_CAPABILITIES == UAPI_VFIO_DEVICE_FLAGS_CAPS,
              "flags are the kernel's");

#define SAME_CAPABILITY(name)                                                                      \
	static_assert((int)LIBIOMMU_DEVICE_CAPABILITY_##name == UAPI_VFIO_DEVICE_INFO_CAP_##name,  \
	              "capabilities are numbered as the kernel's")
SAME_CAPABILITY(ZPCI_BASE);
SAME_CAPABILITY(ZPCI_GROUP);
SAME_CAPABILITY(ZPCI_UTIL);
SAME_CAPABILITY(ZPCI_PFIP);
SAME_CAPABILITY(PCI_ATOMIC_COMP);

static_assert((int)LIBIOMMU_PCI_ATOMIC_32 == UAPI_VFIO_PCI_ATOMIC_COMP32 &&
                      (int)LIBIOMMU_PCI_ATOMIC_64 == UAPI_VFIO_PCI_ATOMIC_COMP64 &&
                      (int)LIBIOMMU_PCI_ATOMIC_128 == UAPI_VFIO_PCI_ATOMIC_COMP128 &&
                      LIBIOMMU_ZPCI_REFRESH == UAPI_VFIO_DEVICE_INFO_ZPCI_FLAG_REFRESH,
              "bits are the kernel's");

#define BASE(v, member)                                                                            \
	INFO_FIELD(UAPI_VFIO_DEVICE_INFO_CAP_ZPCI_BASE, v, uapi_vfio_device_info_cap_zpci_base,    \
	           member)
#define GROUP(v, member)                                                                           \
	INFO_FIELD(UAPI_VFIO_DEVICE_INFO_CAP_ZPCI_GROUP, v, uapi_vfio_device_info_cap_zpci_group,  \
	           member)

static const struct info_field fields[] = {
	{LIBIOMMU_ZPCI_START_DMA, BASE(1, start_dma)},
	{LIBIOMMU_ZPCI_END_DMA, BASE(1, end_dma)},
	{LIBIOMMU_ZPCI_PCHID, BASE(1, pchid)},
	{LIBIOMMU_ZPCI_VFN, BASE(1, vfn)},
	{LIBIOMMU_ZPCI_FMB_LENGTH, BASE(1, fmb_length)},
	{LIBIOMMU_ZPCI_PFT, BASE(1, pft)},
	{LIBIOMMU_ZPCI_GID, BASE(1, gid)},
	{LIBIOMMU_ZPCI_FH, BASE(2, fh)},
	{LIBIOMMU_ZPCI_CCDF_ERR_LENGTH, BASE(3, ccdf_err_length)},
	{LIBIOMMU_ZPCI_DASM, GROUP(1, dasm)},
	{LIBIOMMU_ZPCI_MSI_ADDR, GROUP(1, msi_addr)},
	{LIBIOMMU_ZPCI_FLAGS, GROUP(1, flags)},
	{LIBIOMMU_ZPCI_MUI, GROUP(1, mui)},
	{LIBIOMMU_ZPCI_NOI, GROUP(1, noi)},
	{LIBIOMMU_ZPCI_MAXSTBL, GROUP(1, maxstbl)},
	{LIBIOMMU_ZPCI_VERSION, GROUP(1, version)},
	{LIBIOMMU_ZPCI_IMAXSTBL, GROUP(2, imaxstbl)},
	{LIBIOMMU_PCI_ATOMIC_COMPLETION,
         INFO_FIELD(UAPI_VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP, 1,
                    uapi_vfio_device_info_cap_pci_atomic_comp, flags)},
};

struct libiommu_device_info {
	struct info_answer answer;
};

static struct uapi_vfio_device_info fixed_of(const struct libiommu_device_info *info)
{
	struct uapi_vfio_device_info fixed;

	memcpy(&fixed, info->answer.bytes, sizeof(fixed));
	return fixed;
}

int libiommu_device_info_get(struct libiommu_device *dev, struct libiommu_device_info **info)
{
	static const struct info_kind kind = {
		.request = UAPI_IOC_VFIO_DEVICE_GET_INFO,
		.size = sizeof(struct uapi_vfio_device_info),
		.capable = UAPI_VFIO_DEVICE_FLAGS_CAPS,
		.first_offset = offsetof(struct uapi_vfio_device_info, cap_offset),
	};
	static const struct uapi_vfio_device_info question;
	struct info_answer *answer;
	const int error = li_info_ask(dev, __func__, &kind, &question, info ? &answer : NULL);

	if (!error)
		*info = (struct libiommu_device_info *)answer;
	return error;
}

void libiommu_device_info_free(struct libiommu_device_info *info)
{
	li_info_free((struct info_answer *)info);
}

int libiommu_device_info_basics(const struct libiommu_device_info *info, uint32_t *flags,
                                uint32_t *regions, uint32_t *irqs)
{
	struct uapi_vfio_device_info fixed;

	if (!info)
		return FAIL_NULL(NULL);
	fixed = fixed_of(info);
	if (flags)
		*flags = fixed.flags;
	if (regions)
		*regions = fixed.num_regions;
	if (irqs)
		*irqs = fixed.num_irqs;
	return 0;
}

int libiommu_device_info_capability(const struct libiommu_device_info *info, uint16_t id,
                                    uint16_t *version, const void **data, size_t *length)
{
	return li_info_tell((const struct info_answer *)info, __func__, id, version, data, length);
}

int libiommu_device_info_field(const struct libiommu_device_info *info,
                               enum libiommu_device_field field, uint64_t *value)
{
	return li_info_number((const struct info_answer *)info, __func__, fields,
	                      sizeof(fields) / sizeof(fields[0]), (int)field, value);
}

/* Both begin with the number of their bytes. */
int libiommu_device_info_bytes(const struct libiommu_device_info *info,
                               enum libiommu_device_capability capability, const void **data,
                               size_t *length)
{
	const void *found = NULL;
	uint32_t bytes;
	size_t room;
	int error;

	if (!info || !data || !length)
		return FAIL_NULL(NULL);
	if (capability != LIBIOMMU_DEVICE_CAPABILITY_ZPCI_UTIL &&
	    capability != LIBIOMMU_DEVICE_CAPABILITY_ZPCI_PFIP)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "no capability of bytes",
		                    .amount = capability, .unit = "is its number");
	error = li_info_tell(&info->answer, __func__, (uint16_t)capability, NULL, &found, &room);
	if (error)
		return error;
	if (room >= sizeof(bytes))
		memcpy(&bytes, found, sizeof(bytes));
	if (room < sizeof(bytes) || bytes > room - sizeof(bytes))
		return FAIL_LIBRARY(NULL, __func__, -EIO,
		                    "the kernel's description contradicts itself", .id = 0);
	*data = (const char *)found + sizeof(bytes);
	*length = bytes;
	return 0;
}

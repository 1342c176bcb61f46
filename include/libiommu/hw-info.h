/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup hw_info Hardware information
 * @brief What the IOMMU behind a device can do: portably, by vendor, and raw.
 * @{
 */
#ifndef LIBIOMMU_HW_INFO_H
#define LIBIOMMU_HW_INFO_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief Kinds of hardware information, numbered as the kernel numbers them. */
enum libiommu_hw_info_type {
	/** The kernel's driver reports nothing beyond the portable part. */
	LIBIOMMU_HW_INFO_NONE = 0,
	/** Intel VT-d. */
	LIBIOMMU_HW_INFO_VTD = 1,
	/** Arm SMMUv3. */
	LIBIOMMU_HW_INFO_SMMUV3 = 2,
	/** NVIDIA Tegra241 CMDQV, an extension of SMMUv3. */
	LIBIOMMU_HW_INFO_TEGRA241_CMDQV = 3,
	/** AMD IOMMU. */
	LIBIOMMU_HW_INFO_AMD = 4
};

/** @brief The answer to whether something can be done. */
enum libiommu_answer {
	/** It cannot. */
	LIBIOMMU_NO = 0,
	/** It can. */
	LIBIOMMU_YES = 1,
	/** Neither the kernel nor the registers it passes on say. */
	LIBIOMMU_UNKNOWN = 2
};

/** @brief What a user may want to know without knowing vendors. */
enum libiommu_capability {
	/** The width of addresses a device can use; the value is bits. */
	LIBIOMMU_CAPABILITY_ADDRESS_WIDTH = 0,
	/** PASIDs on this device; the value is their width in bits. */
	LIBIOMMU_CAPABILITY_PASID = 1,
	/** Tracking of which pages devices write. */
	LIBIOMMU_CAPABILITY_DIRTY_TRACKING = 2,
	/** Two stages of translation in hardware. The kernel may still refuse: only an attempt
	   tells. */
	LIBIOMMU_CAPABILITY_NESTING = 3,
	/** Page requests (PCIe PRI or SMMU stalls): I/O page faults that are recovered from. No or
	   unknown, never yes: the device and the kernel's driver have a say that nobody reports. */
	LIBIOMMU_CAPABILITY_PAGE_REQUESTS = 4,
	/** Address Translation Services: translations cached in the device. No or unknown, never
	   yes, since that the kernel does not deny it proves nothing. */
	LIBIOMMU_CAPABILITY_ATS = 5,
	/** Execute permission for PASIDs on this device. */
	LIBIOMMU_CAPABILITY_PASID_EXECUTE = 6,
	/** Privileged mode for PASIDs on this device. */
	LIBIOMMU_CAPABILITY_PASID_PRIVILEGED = 7
};

/** @brief Fields of the vendors' registers, decoded. Each belongs to one type of information. */
enum libiommu_hw_field {
	/** VT-d: the flags word of the kernel's structure. */
	LIBIOMMU_VTD_FLAGS = 0x100,
	/** VT-d: the capability register (CAP_REG), whole. */
	LIBIOMMU_VTD_CAP_REG,
	/** VT-d: the extended capability register (ECAP_REG), whole. */
	LIBIOMMU_VTD_ECAP_REG,
	/** VT-d CAP.MGAW: maximum guest address width, bits. */
	LIBIOMMU_VTD_MAX_GUEST_ADDRESS_WIDTH,
	/** VT-d CAP.SAGAW: supported adjusted address widths, a bit mask: bit 1 is 39 bits (3
	   levels), 2 is 48, 3 is 57. */
	LIBIOMMU_VTD_ADJUSTED_ADDRESS_WIDTHS,
	/** VT-d CAP.CM: caching mode, 0 or 1. */
	LIBIOMMU_VTD_CACHING_MODE,
	/** VT-d CAP.SLLPS (SSLPS): second-stage large pages, a bit mask: bit 0 is 2 MiB, 1 is 1
	   GiB. */
	LIBIOMMU_VTD_SECOND_STAGE_LARGE_PAGES,
	/** VT-d CAP.FL1GP (FS1GP): 1 GiB pages in the first stage, 0 or 1. */
	LIBIOMMU_VTD_FIRST_STAGE_1GIB_PAGES,
	/** VT-d CAP.FL5LP (FS5LP): five levels in the first stage, 0 or 1. */
	LIBIOMMU_VTD_FIRST_STAGE_5_LEVELS,
	/** VT-d ECAP.DT: device IOTLBs (ATS), 0 or 1. */
	LIBIOMMU_VTD_DEVICE_TLB,
	/** VT-d ECAP.PRS: page requests, 0 or 1. */
	LIBIOMMU_VTD_PAGE_REQUESTS,
	/** VT-d ECAP.NEST: nested translation, 0 or 1. */
	LIBIOMMU_VTD_NESTED_TRANSLATION,
	/** VT-d ECAP.PASID: PASIDs, 0 or 1. */
	LIBIOMMU_VTD_PASID,
	/** VT-d ECAP.PSS: width of PASIDs, bits (the register's field plus one). */
	LIBIOMMU_VTD_PASID_WIDTH,
	/** VT-d ECAP.SMTS: scalable mode, 0 or 1. */
	LIBIOMMU_VTD_SCALABLE_MODE,
	/** VT-d ECAP.FLTS (FSTS): first-stage translation, 0 or 1. */
	LIBIOMMU_VTD_FIRST_STAGE,
	/** VT-d ECAP.SLTS (SSTS): second-stage translation, 0 or 1. */
	LIBIOMMU_VTD_SECOND_STAGE,
	/** VT-d ECAP.SLADS (SSADS): accessed and dirty bits in the second stage, 0 or 1. */
	LIBIOMMU_VTD_SECOND_STAGE_DIRTY,
	/** VT-d ECAP.SC: snoop control, 0 or 1. */
	LIBIOMMU_VTD_SNOOP_CONTROL,

	/** SMMUv3: the flags word of the kernel's structure. */
	LIBIOMMU_SMMUV3_FLAGS = 0x200,
	/** SMMUv3: IDR0, whole. */
	LIBIOMMU_SMMUV3_IDR0,
	/** SMMUv3: IDR1, whole. */
	LIBIOMMU_SMMUV3_IDR1,
	/** SMMUv3: IDR2, whole. */
	LIBIOMMU_SMMUV3_IDR2,
	/** SMMUv3: IDR3, whole. */
	LIBIOMMU_SMMUV3_IDR3,
	/** SMMUv3: IDR4, whole. */
	LIBIOMMU_SMMUV3_IDR4,
	/** SMMUv3: IDR5, whole. */
	LIBIOMMU_SMMUV3_IDR5,
	/** SMMUv3: IIDR, whole. */
	LIBIOMMU_SMMUV3_IIDR,
	/** SMMUv3: AIDR, whole. */
	LIBIOMMU_SMMUV3_AIDR,
	/** SMMUv3 IDR0.S1P: stage 1, 0 or 1. */
	LIBIOMMU_SMMUV3_STAGE1,
	/** SMMUv3 IDR0.S2P: stage 2, 0 or 1. */
	LIBIOMMU_SMMUV3_STAGE2,
	/** SMMUv3 IDR0.TTF: translation table formats, 2 is AArch64 alone, 3 AArch32 too. */
	LIBIOMMU_SMMUV3_TABLE_FORMATS,
	/** SMMUv3 IDR0.HTTU: hardware updates of tables: 0 none, 1 access flag, 2 dirty state too,
	   3 access flags of tables too. */
	LIBIOMMU_SMMUV3_HARDWARE_UPDATE,
	/** SMMUv3 IDR0.ATS, 0 or 1. */
	LIBIOMMU_SMMUV3_ATS,
	/** SMMUv3 IDR0.PRI, 0 or 1. */
	LIBIOMMU_SMMUV3_PRI,
	/** SMMUv3 IDR0.STALL_MODEL: 0 stall and terminate, 1 terminate only, 2 stall forced. */
	LIBIOMMU_SMMUV3_STALL_MODEL,
	/** SMMUv3 IDR0.COHACC: coherent table walks, 0 or 1. */
	LIBIOMMU_SMMUV3_COHERENT,
	/** SMMUv3 IDR1.SSIDSIZE: width of substream ids (PASIDs), bits. */
	LIBIOMMU_SMMUV3_SSID_WIDTH,
	/** SMMUv3 IDR1.SIDSIZE: width of stream ids, bits. */
	LIBIOMMU_SMMUV3_SID_WIDTH,
	/** SMMUv3 IDR5.OAS: output address width, bits; 0 for an encoding that is not assigned. */
	LIBIOMMU_SMMUV3_OUTPUT_ADDRESS_WIDTH,
	/** SMMUv3 IDR5.GRAN4K/16K/64K: granules, a bit mask: bit 0 is 4 KiB, 1 is 16 KiB, 2 is 64
	   KiB. */
	LIBIOMMU_SMMUV3_GRANULES,
	/** SMMUv3 IDR5.VAX: width of virtual addresses, bits; 0 for an encoding that is not
	   assigned. */
	LIBIOMMU_SMMUV3_VIRTUAL_ADDRESS_WIDTH,

	/** CMDQV: the flags word of the kernel's structure. */
	LIBIOMMU_CMDQV_FLAGS = 0x300,
	/** CMDQV: version. */
	LIBIOMMU_CMDQV_VERSION,
	/** CMDQV: log2 of the number of virtual command queues in a virtual interface. */
	LIBIOMMU_CMDQV_LOG2_VCMDQS,
	/** CMDQV: log2 of the number of virtual stream ids in a virtual interface. */
	LIBIOMMU_CMDQV_LOG2_VSIDS,

	/** AMD: the extended feature register (EFR), whole. */
	LIBIOMMU_AMD_EFR = 0x400,
	/** AMD: the second extended feature register (EFR2), whole. */
	LIBIOMMU_AMD_EFR2,
	/** AMD EFR.PPRSup: page requests, 0 or 1. */
	LIBIOMMU_AMD_PAGE_REQUESTS,
	/** AMD EFR.GTSup: guest translation (stage 1), 0 or 1. */
	LIBIOMMU_AMD_GUEST_TRANSLATION,
	/** AMD EFR.HATS: host address translation levels: 4, 5 or 6; 0 for an encoding that is not
	   assigned. */
	LIBIOMMU_AMD_HOST_LEVELS,
	/** AMD EFR.GATS: guest address translation levels: 4, 5 or 6; 0 for an encoding that is not
	   assigned. */
	LIBIOMMU_AMD_GUEST_LEVELS,
	/** AMD EFR.PASmax: width of PASIDs, bits (the register's field plus one). */
	LIBIOMMU_AMD_PASID_WIDTH,
	/** AMD EFR.HDSup: accessed and dirty bits in the host's tables, 0 or 1. */
	LIBIOMMU_AMD_HOST_DIRTY
};

/**
 * @brief Ask the kernel about the IOMMU behind a device.
 *
 * On type 1 the kernel tells nothing, and is not asked: a success says that there is an IOMMU. It
 * is of type LIBIOMMU_HW_INFO_NONE, and what a container cannot have is answered by no.
 *
 * @param dev        The device, bound.
 * @param[out] info  The answer, a copy of its own; freed with libiommu_hw_info_free().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL or the device is not bound.
 * @retval -ENODEV      The device was revoked.
 * @retval -EOPNOTSUPP  There is no IOMMU behind it, or it was opened by its group (not on type 1).
 * @retval -ENOENT      There is no IOMMU behind it either: it is a mediated device, whose driver
 *                      makes its DMA in software.
 * @retval -ENOTTY      The kernel is older than 6.6.
 * @retval -ENOMEM      No memory.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_GET_HW_INFO), up to four times: where the information is longer than
 *   expected, where the kernel may be too old to say whether there are PASIDs, and for the
 *   extension of an SMMUv3.
 * @kernel 6.6
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_GET_HW_INFO.
 */
LIBIOMMU_API int libiommu_hw_info_get(struct libiommu_device *dev, struct libiommu_hw_info **info);

/**
 * @brief Free an answer.
 *
 * @param info  The answer; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_hw_info_free(struct libiommu_hw_info *info);

/**
 * @brief The information as the kernel gave it.
 *
 * @param info         The answer.
 * @param[out] type    One of enum @ref libiommu_hw_info_type, or a number that is newer than this
 *                     library.
 * @param[out] data    The bytes; they live as long as @p info. NULL where there are none.
 * @param[out] length  Their number: all that the kernel has, also where it is newer than this
 *                     library.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_hw_info_raw(const struct libiommu_hw_info *info, uint32_t *type,
                                      const void **data, size_t *length);

/**
 * @brief Whether something can be done, without knowing vendors.
 *
 * @param info        The answer.
 * @param capability  What is asked.
 * @param[out] value  Bits, where the capability has a width and the answer is yes; else 0. NULL if
 *                    not wanted.
 * @return One of enum @ref libiommu_answer.
 * @retval -EINVAL  @p info is NULL or @p capability is unknown.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_hw_info_capability(const struct libiommu_hw_info *info,
                                             enum libiommu_capability capability, uint64_t *value);

/**
 * @brief One field of the vendor's registers.
 *
 * @param info        The answer.
 * @param field       The field.
 * @param[out] value  Its value, decoded as the field's description says.
 * @return 0.
 * @retval -EINVAL   A pointer is NULL or @p field is unknown.
 * @retval -ENODATA  The field belongs to another type of IOMMU, or the kernel is too old to report
 *                   it.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 * @follows Intel VT-d specification, sections 11.4.2 and 11.4.3; Arm SMMUv3 (IHI 0070), chapter 6;
 *   AMD IOMMU specification (48882), section 3.4.
 */
LIBIOMMU_API int libiommu_hw_info_field(const struct libiommu_hw_info *info,
                                        enum libiommu_hw_field field, uint64_t *value);

/**
 * @brief The name of a type of information.
 *
 * @param type  The type.
 * @return "VT-d", for example, a constant that is never freed; "unknown" for a number newer than
 *   this library.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_hw_info_type_name(uint32_t type);

LIBIOMMU_END_DECLS

/** @} */
#endif

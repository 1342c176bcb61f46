/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_iommu IOMMUs of an emulated machine
 * @brief What is in front of devices.
 * @{
 */
#ifndef LIBIOMMU_EMU_IOMMU_H
#define LIBIOMMU_EMU_IOMMU_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu;
struct libiommu_emu_iommu;

/**
 * @brief Add the IOMMU of the kernel's own test driver (CONFIG_IOMMUFD_TEST).
 *
 * It has all that there is, in formats of its own: page tables with pages of 2 KiB and more for
 * addresses from 16 MiB to 2 GiB, PASIDs of 20 bits, dirty tracking, nested page tables and vIOMMUs
 * with a few cached values to invalidate, hardware queues and virtual events. All of its devices
 * have page requests.
 *
 * @param emu         The machine, which keeps it.
 * @param[out] iommu  The IOMMU; valid as long as the machine.
 * @return 0.
 * @retval -EINVAL  @p emu or @p iommu is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_iommu_add_test(struct libiommu_emu *emu,
                                             struct libiommu_emu_iommu **iommu);

/** @brief Nobody can tell what devices behind this IOMMU have written. */
#define LIBIOMMU_EMU_VTD_NO_DIRTY (1U << 0)
/** @brief Guests' page tables can have five levels. */
#define LIBIOMMU_EMU_VTD_5_LEVELS (1U << 1)
/** @brief What is used of guests' page tables can be marked in a second way (EAFE). */
#define LIBIOMMU_EMU_VTD_EXTENDED_ACCESSED (1U << 2)

/**
 * @brief Add an IOMMU as those of Intel's platforms, in scalable mode.
 *
 * Page tables of the kernel's filling have pages of 4 KiB, 2 MiB and 1 GiB and 48 bits. Nested
 * ones (LIBIOMMU_HWPT_DATA_VTD_S1) are the guest's own first-stage tables, in its memory, which
 * are walked and marked as the hardware does it; what was walked is remembered until the guest
 * invalidates it.
 *
 * @param emu         The machine, which keeps it.
 * @param flags       LIBIOMMU_EMU_VTD_ flags.
 * @param pasid_bits  How many bits PASIDs have, 1 to 20; 0 for no PASIDs.
 * @param[out] iommu  The IOMMU; valid as long as the machine.
 * @return 0.
 * @retval -EINVAL  @p emu or @p iommu is NULL, @p pasid_bits is more than 20, unknown flags.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 * @follows Intel VT-d specification, revision 4, chapters 3 and 9.
 */
LIBIOMMU_API int libiommu_emu_iommu_add_vtd(struct libiommu_emu *emu, uint32_t flags,
                                            uint32_t pasid_bits, struct libiommu_emu_iommu **iommu);

/**
 * @brief Whether a device's DMA could raise any interrupt of the machine, as without remapping.
 *
 * Then devices cannot be bound (-EPERM).
 *
 * @param iommu   The IOMMU.
 * @param unsafe  True from now on, or false, which it is at first.
 * @return 0.
 * @retval -EINVAL  @p iommu is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_iommu_set_unsafe_interrupts(struct libiommu_emu_iommu *iommu,
                                                          bool unsafe);

LIBIOMMU_END_DECLS

/** @} */
#endif

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

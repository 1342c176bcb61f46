/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_request Page requests
 * @brief What a device with page requests sends, whether it needs the page or not.
 * @{
 */
#ifndef LIBIOMMU_EMU_REQUEST_H
#define LIBIOMMU_EMU_REQUEST_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu_device;

/** @brief The request is for a PASID. */
#define LIBIOMMU_EMU_REQUEST_PASID (1U << 0)
/** @brief The request is the last of its group. */
#define LIBIOMMU_EMU_REQUEST_LAST (1U << 1)

/**
 * @brief Called when a group of requests is answered, with the machine locked: it must not call it.
 *
 * @param user   What was given with the group's last request.
 * @param group  The group.
 * @param code   LIBIOMMU_FAULT_SUCCESS or LIBIOMMU_FAULT_INVALID; 2 where the kernel failed.
 */
typedef void (*libiommu_emu_answer_fn)(void *user, uint32_t group, uint32_t code);

/**
 * @brief A device asks for a page.
 *
 * Requests of a group that is not whole wait in the IOMMU. Whoever has the page table that misses
 * the page answers the group as a whole; where there is nobody the kernel does at once.
 *
 * @param device       The device.
 * @param flags        LIBIOMMU_EMU_REQUEST_ flags.
 * @param pasid        The PASID; without one it is 0.
 * @param group        A number of the device's own choice.
 * @param permissions  LIBIOMMU_FAULT_READ and the like.
 * @param address      The page's address.
 * @param answer       Called when the group is answered; NULL for nobody. Of its last request.
 * @param user         What it gets.
 * @return 0, also where the kernel has answered at once.
 * @retval -EINVAL  @p device is NULL, a flag is not known, or there is a PASID without its flag.
 * @retval -ENOMEM  No memory: a request that is not the last is lost.
 * @threads Shared.
 * @syscalls sendto.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_request_page(struct libiommu_emu_device *device, uint32_t flags,
                                           uint32_t pasid, uint32_t group, uint32_t permissions,
                                           uint64_t address, libiommu_emu_answer_fn answer,
                                           void *user);

LIBIOMMU_END_DECLS

/** @} */
#endif

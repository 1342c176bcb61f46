/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_edu A DMA engine
 * @brief QEMU's "edu" device: a page of memory, an engine that copies, and an interrupt.
 *
 * A program that drives the device in a virtual machine drives this one unchanged. It copies at
 * once, in the thread that starts it. Where it can ask for pages
 * (LIBIOMMU_EMU_DEVICE_PAGE_REQUESTS) and one is missing, it is busy until it has an answer.
 * @{
 */
#ifndef LIBIOMMU_EMU_EDU_H
#define LIBIOMMU_EMU_EDU_H

#include <libiommu-emu/device.h>

LIBIOMMU_BEGIN_DECLS

/**
 * @brief Add an edu device to a machine.
 *
 * @param emu          The machine, which owns the device.
 * @param config       What it is; NULL for a device without an IOMMU in a group of its own.
 * @param[out] device  The device.
 * @return 0.
 * @retval -EINVAL  @p emu or @p device is NULL, or the description names another machine's.
 * @retval -EEXIST  The address is taken.
 * @retval -ENOSPC  No address is left.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 * @follows QEMU, docs/specs/edu.rst
 */
LIBIOMMU_API int libiommu_emu_edu_add(struct libiommu_emu *emu,
                                      const struct libiommu_emu_device_config *config,
                                      struct libiommu_emu_device **device);

LIBIOMMU_END_DECLS

/** @} */
#endif

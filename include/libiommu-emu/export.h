/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_export Memory that is exported
 * @brief dma-bufs of a device that there is none of: memory to be mapped by its descriptor.
 * @{
 */
#ifndef LIBIOMMU_EMU_EXPORT_H
#define LIBIOMMU_EMU_EXPORT_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu;

/**
 * @brief Make a dma-buf, as the kernel's test driver does.
 *
 * Its memory is zero, no processor's, and goes when nobody has it any more.
 *
 * @param emu     The machine.
 * @param length  Bytes, at most 2 MiB; made a multiple of 4096.
 * @return Its descriptor, close-on-exec.
 * @retval -EINVAL  @p emu is NULL, or that is no length.
 * @retval -ENOMEM  No memory.
 * @retval -EMFILE  The process has no free descriptor.
 * @retval -ENFILE  The system has none.
 * @threads Shared.
 * @syscalls socketpair, epoll_ctl.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_export(struct libiommu_emu *emu, uint64_t length);

/**
 * @brief Take the memory of a dma-buf back from all who have it mapped, or let it be mapped again.
 *
 * @param emu      The machine.
 * @param fd       A descriptor of a dma-buf of the machine's.
 * @param revoked  Whether it cannot be mapped from now on.
 * @return 0.
 * @retval -EINVAL  @p emu is NULL, or @p fd is none of it.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_export_revoke(struct libiommu_emu *emu, int fd, bool revoked);

LIBIOMMU_END_DECLS

/** @} */
#endif

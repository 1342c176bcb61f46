/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_inspect Looking into the machine
 * @brief What the emulated kernel has made of a program's calls, for tests of that program.
 *
 * Objects are named as the program names them: by a descriptor of their context, and their id.
 * @{
 */
#ifndef LIBIOMMU_EMU_INSPECT_H
#define LIBIOMMU_EMU_INSPECT_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu;
struct libiommu_emu_device;

/**
 * @brief The device that a context has bound.
 *
 * @param emu          The machine.
 * @param iommufd      A descriptor of the context.
 * @param dev_id       The id that it has there.
 * @param[out] device  The device.
 * @return 0.
 * @retval -EINVAL  @p emu or @p device is NULL.
 * @retval -EBADF   @p iommufd is no context of the machine's.
 * @retval -ENOENT  There is no such device.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_find_device(struct libiommu_emu *emu, int iommufd, uint32_t dev_id,
                                          struct libiommu_emu_device **device);

/**
 * @brief The page table that a device has.
 *
 * @param device        The device.
 * @param pasid         The hardware's PASID; 0 for none.
 * @param[out] hwpt_id  Its id in the context that has the device; 0 where nothing is attached.
 * @return 0.
 * @retval -EINVAL  @p device or @p hwpt_id is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_find_attached(struct libiommu_emu_device *device, uint32_t pasid,
                                            uint32_t *hwpt_id);

/**
 * @brief Whether a page table has this memory there, page by page.
 *
 * Memory of a file is the same at whatever address it is mapped.
 *
 * @param emu      The machine.
 * @param iommufd  A descriptor of the context.
 * @param hwpt_id  The page table, which the kernel has filled: no nested one.
 * @param iova     Where; a multiple of its smallest page.
 * @param memory   Memory of this process, at a multiple of it.
 * @param length   Bytes, a multiple of it.
 * @return 0: it has.
 * @retval -EINVAL  It has not, or an argument is NULL or not a multiple.
 * @retval -EBADF   @p iommufd is no context of the machine's.
 * @retval -ENOENT  There is no such page table.
 * @retval -EFAULT  @p memory is not there.
 * @threads Shared.
 * @syscalls madvise.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_check_map(struct libiommu_emu *emu, int iommufd, uint32_t hwpt_id,
                                        uint64_t iova, const void *memory, uint64_t length);

/**
 * @brief Whether the kernel holds each page of some memory so many times.
 *
 * @param emu     The machine.
 * @param memory  Memory of this process, at the beginning of a page.
 * @param length  Bytes, a multiple of pages.
 * @param count   How many times: mappings that devices or drivers see.
 * @return 0: it does.
 * @retval -EINVAL  @p emu is NULL, or that are no pages.
 * @retval -EIO     It does not.
 * @threads Shared.
 * @syscalls openat, read, close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_check_pins(struct libiommu_emu *emu, const void *memory,
                                         uint64_t length, uint32_t count);

/**
 * @brief How much memory is pinned in the name of a process, as /proc would show it.
 *
 * A child of a process that serves (libiommu_emu_serve()) can ask too.
 *
 * @param emu          The machine.
 * @param pid          The process; 0 is this one.
 * @param[out] pinned  Pages that are pinned; may be NULL.
 * @param[out] locked  Pages that count against its own limit; may be NULL.
 * @return 0.
 * @retval -EINVAL  @p emu is NULL.
 * @retval -EIO     This is a child, and the process that has the machine is gone.
 * @threads Shared.
 * @syscalls None; in a child socketpair, sendmsg, recvmsg, fcntl and close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_count_pinned(struct libiommu_emu *emu, pid_t pid, uint64_t *pinned,
                                           uint64_t *locked);

/**
 * @brief An address space gets a range that nobody may map, as devices bring them.
 *
 * @param emu      The machine.
 * @param iommufd  A descriptor of the context.
 * @param ioas_id  The address space.
 * @param start    The first address.
 * @param last     The last one.
 * @return 0.
 * @retval -EINVAL      @p emu is NULL, or @p last is before @p start.
 * @retval -EBADF       @p iommufd is no context of the machine's.
 * @retval -ENOENT      There is no such address space.
 * @retval -EADDRINUSE  Something is mapped there.
 * @retval -ENOMEM      No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_reserve(struct libiommu_emu *emu, int iommufd, uint32_t ioas_id,
                                      uint64_t start, uint64_t last);

LIBIOMMU_END_DECLS

/** @} */
#endif

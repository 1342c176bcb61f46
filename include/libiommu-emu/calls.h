/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_calls System calls on the machine
 * @brief What the machine's door does, for programs that make calls past the library.
 *
 * Each is the system call of its name. What is not the machine's is done by libc.
 * @{
 */
#ifndef LIBIOMMU_EMU_CALLS_H
#define LIBIOMMU_EMU_CALLS_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu;

/**
 * @brief open(2).
 *
 * @param emu    The machine.
 * @param path   The path: /dev/iommu, a device's node, or any other.
 * @param flags  Those of open(2); what the machine opens is closed on exec always.
 * @return A descriptor.
 * @retval -EINVAL  @p emu or @p path is NULL.
 * @retval -errno   As open(2).
 * @threads Shared.
 * @syscalls open or socketpair.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_open(struct libiommu_emu *emu, const char *path, int flags);

/**
 * @brief close(2), after which the machine knows that the descriptor is gone.
 *
 * A descriptor that is closed otherwise ends too, at the next open or close that the machine sees.
 *
 * @param emu  The machine.
 * @param fd   Any descriptor.
 * @return 0.
 * @retval -EINVAL  @p emu is NULL.
 * @retval -errno   As close(2).
 * @threads Shared.
 * @syscalls close, epoll_wait.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_close(struct libiommu_emu *emu, int fd);

/**
 * @brief ioctl(2).
 *
 * @param emu      The machine.
 * @param fd       Any descriptor.
 * @param request  The request.
 * @param arg      Its argument; a bad address is -EFAULT, as from a kernel.
 * @return What the ioctl returns, 0 or more.
 * @retval -EINVAL  @p emu is NULL.
 * @retval -errno   As the ioctl.
 * @threads Shared.
 * @syscalls ioctl where @p fd is not the machine's.
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_ioctl(struct libiommu_emu *emu, int fd, unsigned long request,
                                    void *arg);

/**
 * @brief read(2).
 *
 * @param emu     The machine.
 * @param fd      Any descriptor.
 * @param buffer  Where to.
 * @param size    Its size in bytes.
 * @return The bytes read.
 * @retval -EINVAL  @p emu is NULL.
 * @retval -errno   As read(2).
 * @threads Shared.
 * @syscalls read where @p fd is not the machine's.
 * @since 0.1
 */
LIBIOMMU_API ssize_t libiommu_emu_read(struct libiommu_emu *emu, int fd, void *buffer, size_t size);

/**
 * @brief write(2).
 *
 * @param emu     The machine.
 * @param fd      Any descriptor.
 * @param buffer  Where from.
 * @param size    Its size in bytes.
 * @return The bytes written.
 * @retval -EINVAL  @p emu is NULL.
 * @retval -errno   As write(2).
 * @threads Shared.
 * @syscalls write where @p fd is not the machine's.
 * @since 0.1
 */
LIBIOMMU_API ssize_t libiommu_emu_write(struct libiommu_emu *emu, int fd, const void *buffer,
                                        size_t size);

/**
 * @brief pread(2).
 *
 * @param emu     The machine.
 * @param fd      Any descriptor.
 * @param buffer  Where to.
 * @param size    Its size in bytes.
 * @param offset  Where from: of a device, what VFIO tells of its regions.
 * @return The bytes read.
 * @retval -EINVAL  @p emu is NULL.
 * @retval -errno   As pread(2).
 * @threads Shared.
 * @syscalls pread where @p fd is not the machine's.
 * @since 0.1
 */
LIBIOMMU_API ssize_t libiommu_emu_pread(struct libiommu_emu *emu, int fd, void *buffer, size_t size,
                                        uint64_t offset);

/**
 * @brief pwrite(2).
 *
 * @param emu     The machine.
 * @param fd      Any descriptor.
 * @param buffer  Where from.
 * @param size    Its size in bytes.
 * @param offset  Where to: of a device, what VFIO tells of its regions.
 * @return The bytes written.
 * @retval -EINVAL  @p emu is NULL.
 * @retval -errno   As pwrite(2).
 * @threads Shared.
 * @syscalls pwrite where @p fd is not the machine's.
 * @since 0.1
 */
LIBIOMMU_API ssize_t libiommu_emu_pwrite(struct libiommu_emu *emu, int fd, const void *buffer,
                                         size_t size, uint64_t offset);

/**
 * @brief mmap(2).
 *
 * @param emu          The machine.
 * @param address      As mmap(2).
 * @param length       Bytes.
 * @param prot         PROT_.
 * @param flags        MAP_.
 * @param fd           Any descriptor.
 * @param offset       Bytes.
 * @param[out] result  Where it is.
 * @return 0.
 * @retval -EINVAL  @p emu or @p result is NULL.
 * @retval -errno   As mmap(2).
 * @threads Shared.
 * @syscalls mmap.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_mmap(struct libiommu_emu *emu, void *address, size_t length, int prot,
                                   int flags, int fd, uint64_t offset, void **result);

/**
 * @brief munmap(2), after which the machine knows what is mapped no more.
 *
 * What is unmapped otherwise stays in use for the machine.
 *
 * @param emu      The machine.
 * @param address  As munmap(2).
 * @param length   Bytes.
 * @return 0.
 * @retval -EINVAL  @p emu is NULL.
 * @retval -errno   As munmap(2).
 * @threads Shared.
 * @syscalls munmap, epoll_wait.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_munmap(struct libiommu_emu *emu, void *address, size_t length);

LIBIOMMU_END_DECLS

/** @} */
#endif

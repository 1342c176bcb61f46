/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup sys The door to the kernel
 * @brief Every system call the library makes for a context goes through one replaceable door.
 *
 * A door is made, given functions for the operations to be replaced, and handed to a context
 * (libiommu_ctx_config_set_sys()), which copies it. What is not set is done by libc. This is where
 * tests, tracing, fault injection and emulated kernels come in.
 *
 * Every replacement gets the pointer of libiommu_sys_set_user() first, and returns a non-negative
 * result or a negative errno value; it does not set `errno`. Replacements are called from whatever
 * thread calls the library, several at a time. They must not call the library on the handle in
 * hand.
 * @{
 */
#ifndef LIBIOMMU_SYS_H
#define LIBIOMMU_SYS_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct pollfd;

/** @brief Open @p path with the flags of open(2), O_CLOEXEC among them; returns a descriptor. */
typedef int (*libiommu_sys_open_fn)(void *user, const char *path, int flags);
/** @brief Close @p fd; returns 0. It is closed also when an error is returned. */
typedef int (*libiommu_sys_close_fn)(void *user, int fd);
/** @brief Duplicate @p fd with close-on-exec set; returns the new descriptor. */
typedef int (*libiommu_sys_dup_fn)(void *user, int fd);
/** @brief ioctl(2) on @p fd; returns what the ioctl returns. */
typedef int (*libiommu_sys_ioctl_fn)(void *user, int fd, unsigned long request, void *arg);
/** @brief read(2): up to @p size bytes; returns the count. */
typedef ssize_t (*libiommu_sys_read_fn)(void *user, int fd, void *buffer, size_t size);
/** @brief write(2): up to @p size bytes; returns the count. */
typedef ssize_t (*libiommu_sys_write_fn)(void *user, int fd, const void *buffer, size_t size);
/** @brief pread(2): up to @p size bytes at @p offset; returns the count. */
typedef ssize_t (*libiommu_sys_pread_fn)(void *user, int fd, void *buffer, size_t size,
                                         uint64_t offset);
/** @brief pwrite(2): up to @p size bytes at @p offset; returns the count. */
typedef ssize_t (*libiommu_sys_pwrite_fn)(void *user, int fd, const void *buffer, size_t size,
                                          uint64_t offset);
/** @brief mmap(2), the address through @p result; returns 0. */
typedef int (*libiommu_sys_mmap_fn)(void *user, void *address, size_t length, int prot, int flags,
                                    int fd, uint64_t offset, void **result);
/** @brief munmap(2); returns 0. */
typedef int (*libiommu_sys_munmap_fn)(void *user, void *address, size_t length);
/** @brief readlink(2), but NUL-terminated; returns the length without the NUL, or -ENAMETOOLONG. */
typedef int (*libiommu_sys_readlink_fn)(void *user, const char *path, char *buffer, size_t size);
/**
 * @brief poll(2) on @p count descriptors for @p timeout milliseconds, without end when it is
 * negative; returns how many are ready. An interruption by a signal is -EINTR.
 */
typedef int (*libiommu_sys_poll_fn)(void *user, struct pollfd *fds, unsigned int count,
                                    int timeout);
/**
 * @brief The names in a directory, without "." and "..", each ended by a NUL, one after the other,
 * in any order.
 *
 * Returns the bytes they take, NULs included; when that is more than @p size, what is at @p buffer
 * is not to be used and the caller tries again with more room.
 */
typedef ssize_t (*libiommu_sys_list_fn)(void *user, const char *path, char *buffer, size_t size);

/**
 * @brief Make a door through which everything is done by libc.
 *
 * @param[out] sys  The door; freed with libiommu_sys_free().
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_new(struct libiommu_sys **sys);

/**
 * @brief Free a door. Contexts that were made with it keep their own copy.
 *
 * @param sys  The door; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_sys_free(struct libiommu_sys *sys);

/**
 * @brief Set the pointer that every replacement gets.
 *
 * @param sys   The door.
 * @param user  Handed to every replacement as its first argument; the library never follows it.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_user(struct libiommu_sys *sys, void *user);

/**
 * @brief Replace open(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_open(struct libiommu_sys *sys, libiommu_sys_open_fn fn);

/**
 * @brief Replace close(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_close(struct libiommu_sys *sys, libiommu_sys_close_fn fn);

/**
 * @brief Replace the duplication of a descriptor.
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_dup(struct libiommu_sys *sys, libiommu_sys_dup_fn fn);

/**
 * @brief Replace ioctl(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_ioctl(struct libiommu_sys *sys, libiommu_sys_ioctl_fn fn);

/**
 * @brief Replace read(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_read(struct libiommu_sys *sys, libiommu_sys_read_fn fn);

/**
 * @brief Replace pread(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_pread(struct libiommu_sys *sys, libiommu_sys_pread_fn fn);

/**
 * @brief Replace pwrite(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_pwrite(struct libiommu_sys *sys, libiommu_sys_pwrite_fn fn);

/**
 * @brief Replace mmap(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_mmap(struct libiommu_sys *sys, libiommu_sys_mmap_fn fn);

/**
 * @brief Replace munmap(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_munmap(struct libiommu_sys *sys, libiommu_sys_munmap_fn fn);

/**
 * @brief Replace readlink(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_readlink(struct libiommu_sys *sys, libiommu_sys_readlink_fn fn);

/**
 * @brief Replace the listing of a directory.
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_list(struct libiommu_sys *sys, libiommu_sys_list_fn fn);

/**
 * @brief Replace write(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_write(struct libiommu_sys *sys, libiommu_sys_write_fn fn);

/**
 * @brief Replace poll(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_poll(struct libiommu_sys *sys, libiommu_sys_poll_fn fn);

LIBIOMMU_END_DECLS

/** @} */
#endif

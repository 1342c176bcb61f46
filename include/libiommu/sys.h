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
struct epoll_event;

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
 * @brief memfd_create(2) with MFD_CLOEXEC and MFD_ALLOW_SEALING, and ftruncate(2) to @p size bytes;
 * returns the descriptor.
 */
typedef int (*libiommu_sys_memfd_fn)(void *user, const char *name, uint64_t size);
/** @brief fcntl(2), F_ADD_SEALS where @p seals is not 0, then F_GET_SEALS; returns the seals. */
typedef int (*libiommu_sys_seal_fn)(void *user, int fd, int seals);
/** @brief fcntl(2), F_GETFL; returns the flags of open(2) that @p fd has. */
typedef int (*libiommu_sys_getfl_fn)(void *user, int fd);
/** @brief fstat(2): the file's size in bytes through @p size; returns 0. */
typedef int (*libiommu_sys_size_fn)(void *user, int fd, uint64_t *size);
/** @brief madvise(2); returns 0. */
typedef int (*libiommu_sys_madvise_fn)(void *user, void *address, size_t length, int advice);
/** @brief mprotect(2); returns 0. */
typedef int (*libiommu_sys_mprotect_fn)(void *user, void *address, size_t length, int prot);
/** @brief mbind(2) with MPOL_BIND to one NUMA node, and no flags; returns 0. */
typedef int (*libiommu_sys_mbind_fn)(void *user, void *address, size_t length, int node);
/** @brief eventfd(2) from 0 with EFD_CLOEXEC and EFD_NONBLOCK; returns the descriptor. */
typedef int (*libiommu_sys_eventfd_fn)(void *user);
/**
 * @brief timerfd_create(2) on CLOCK_MONOTONIC with TFD_CLOEXEC and TFD_NONBLOCK; returns the
 * descriptor.
 */
typedef int (*libiommu_sys_timer_fn)(void *user);
/**
 * @brief timerfd_settime(2): once, at @p ns nanoseconds of CLOCK_MONOTONIC, or never where that is
 * 0; returns 0.
 */
typedef int (*libiommu_sys_timer_set_fn)(void *user, int fd, uint64_t ns);
/** @brief clock_gettime(2): CLOCK_MONOTONIC in nanoseconds through @p ns; returns 0. */
typedef int (*libiommu_sys_clock_fn)(void *user, uint64_t *ns);
/** @brief epoll_create1(2) with EPOLL_CLOEXEC; returns the descriptor. */
typedef int (*libiommu_sys_epoll_fn)(void *user);
/** @brief epoll_ctl(2); returns 0. */
typedef int (*libiommu_sys_epoll_ctl_fn)(void *user, int epoll, int operation, int fd,
                                         struct epoll_event *event);
/** @brief epoll_wait(2) for @p timeout milliseconds; returns how many events there are. */
typedef int (*libiommu_sys_epoll_wait_fn)(void *user, int epoll, struct epoll_event *events,
                                          int count, int timeout);
/** @brief socketpair(2): AF_UNIX, SOCK_SEQPACKET, SOCK_CLOEXEC; returns 0. */
typedef int (*libiommu_sys_socketpair_fn)(void *user, int ends[2]);
/**
 * @brief sendmsg(2) with MSG_NOSIGNAL and @p flags: @p size bytes, and @p count descriptors as
 * SCM_RIGHTS; returns the bytes sent.
 */
typedef ssize_t (*libiommu_sys_send_fn)(void *user, int fd, const void *data, size_t size,
                                        const int *fds, unsigned int count, int flags);
/**
 * @brief recvmsg(2) with MSG_CMSG_CLOEXEC and @p flags: up to @p size bytes, and up to *@p count
 * descriptors, how many came is in *@p count; returns the bytes, 0 at the end. A message with more
 * of either is -EMSGSIZE, its descriptors closed.
 */
typedef ssize_t (*libiommu_sys_receive_fn)(void *user, int fd, void *data, size_t size, int *fds,
                                           unsigned int *count, int flags);
/** @brief fcntl(2): O_NONBLOCK is added to the flags of @p fd; returns 0. */
typedef int (*libiommu_sys_nonblock_fn)(void *user, int fd);
/** @brief fcntl(2), F_SETFD: @p fd is closed on exec, or is not; returns 0. */
typedef int (*libiommu_sys_cloexec_fn)(void *user, int fd, bool on);
/**
 * @brief io_uring_setup(2), @p params being the kernel's struct io_uring_params; returns the
 * descriptor.
 */
typedef int (*libiommu_sys_uring_setup_fn)(void *user, unsigned int entries, void *params);
/** @brief io_uring_enter(2) with its arguments in their order; returns how many were submitted. */
typedef int (*libiommu_sys_uring_enter_fn)(void *user, int ring, unsigned int submit,
                                           unsigned int wait, unsigned int flags, const void *arg,
                                           size_t size);
/** @brief io_uring_register(2) with its arguments in their order; returns what that returns. */
typedef int (*libiommu_sys_uring_register_fn)(void *user, int ring, unsigned int operation,
                                              void *arg, unsigned int count);

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

/**
 * @brief Replace memfd_create(2) followed by ftruncate(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_memfd(struct libiommu_sys *sys, libiommu_sys_memfd_fn fn);

/**
 * @brief Replace the sealing of a memfd.
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_seal(struct libiommu_sys *sys, libiommu_sys_seal_fn fn);

/**
 * @brief Replace the question for how a descriptor was opened.
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_getfl(struct libiommu_sys *sys, libiommu_sys_getfl_fn fn);

/**
 * @brief Replace the question for a file's size.
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_size(struct libiommu_sys *sys, libiommu_sys_size_fn fn);

/**
 * @brief Replace madvise(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_madvise(struct libiommu_sys *sys, libiommu_sys_madvise_fn fn);

/**
 * @brief Replace mprotect(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_mprotect(struct libiommu_sys *sys, libiommu_sys_mprotect_fn fn);

/**
 * @brief Replace mbind(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_mbind(struct libiommu_sys *sys, libiommu_sys_mbind_fn fn);

/**
 * @brief Replace eventfd(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_eventfd(struct libiommu_sys *sys, libiommu_sys_eventfd_fn fn);

/**
 * @brief Replace timerfd_create(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_timer(struct libiommu_sys *sys, libiommu_sys_timer_fn fn);

/**
 * @brief Replace timerfd_settime(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_timer_set(struct libiommu_sys *sys, libiommu_sys_timer_set_fn fn);

/**
 * @brief Replace clock_gettime(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_clock(struct libiommu_sys *sys, libiommu_sys_clock_fn fn);

/**
 * @brief Replace epoll_create1(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_epoll(struct libiommu_sys *sys, libiommu_sys_epoll_fn fn);

/**
 * @brief Replace epoll_ctl(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_epoll_ctl(struct libiommu_sys *sys, libiommu_sys_epoll_ctl_fn fn);

/**
 * @brief Replace epoll_wait(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_epoll_wait(struct libiommu_sys *sys,
                                             libiommu_sys_epoll_wait_fn fn);

/**
 * @brief Replace socketpair(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_socketpair(struct libiommu_sys *sys,
                                             libiommu_sys_socketpair_fn fn);

/**
 * @brief Replace sendmsg(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_send(struct libiommu_sys *sys, libiommu_sys_send_fn fn);

/**
 * @brief Replace recvmsg(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_receive(struct libiommu_sys *sys, libiommu_sys_receive_fn fn);

/**
 * @brief Replace the setting of O_NONBLOCK.
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_nonblock(struct libiommu_sys *sys, libiommu_sys_nonblock_fn fn);

/**
 * @brief Replace the choice whether a descriptor is closed on exec.
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_cloexec(struct libiommu_sys *sys, libiommu_sys_cloexec_fn fn);

/**
 * @brief Replace io_uring_setup(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_uring_setup(struct libiommu_sys *sys,
                                              libiommu_sys_uring_setup_fn fn);

/**
 * @brief Replace io_uring_enter(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_uring_enter(struct libiommu_sys *sys,
                                              libiommu_sys_uring_enter_fn fn);

/**
 * @brief Replace io_uring_register(2).
 *
 * @param sys   The door.
 * @param fn  The replacement; NULL returns to libc.
 * @return 0.
 * @retval -EINVAL  @p sys is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_sys_set_uring_register(struct libiommu_sys *sys,
                                                 libiommu_sys_uring_register_fn fn);

LIBIOMMU_END_DECLS

/** @} */
#endif

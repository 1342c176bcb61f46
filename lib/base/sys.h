/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The one door to the kernel, as the rest of the library goes through it: every result is -errno
 * on failure.
 */
#ifndef LIBIOMMU_BASE_SYS_H
#define LIBIOMMU_BASE_SYS_H

#include <libiommu/sys.h>

/* A copy of @sys, of libc's door where that is NULL; NULL without memory. */
struct libiommu_sys *li_sys_copy(const struct libiommu_sys *sys);
/* All of it anew; nobody goes through it meanwhile. */
void li_sys_assign(struct libiommu_sys *to, const struct libiommu_sys *from);
/* Libc's door, for calls that have no context. */
const struct libiommu_sys *li_sys_libc(void);

int li_sys_open(const struct libiommu_sys *sys, const char *path, int flags);
int li_sys_close(const struct libiommu_sys *sys, int fd);
int li_sys_dup(const struct libiommu_sys *sys, int fd);
int li_sys_ioctl(const struct libiommu_sys *sys, int fd, unsigned long request, void *arg);
ssize_t li_sys_read(const struct libiommu_sys *sys, int fd, void *buffer, size_t size);
ssize_t li_sys_pread(const struct libiommu_sys *sys, int fd, void *buffer, size_t size,
                     uint64_t offset);
ssize_t li_sys_pwrite(const struct libiommu_sys *sys, int fd, const void *buffer, size_t size,
                      uint64_t offset);
int li_sys_mmap(const struct libiommu_sys *sys, void *address, size_t length, int prot, int flags,
                int fd, uint64_t offset, void **result);
int li_sys_munmap(const struct libiommu_sys *sys, void *address, size_t length);
int li_sys_readlink(const struct libiommu_sys *sys, const char *path, char *buffer, size_t size);
ssize_t li_sys_list(const struct libiommu_sys *sys, const char *path, char *buffer, size_t size);
ssize_t li_sys_write(const struct libiommu_sys *sys, int fd, const void *buffer, size_t size);
int li_sys_poll(const struct libiommu_sys *sys, struct pollfd *fds, unsigned int count,
                int timeout);
int li_sys_memfd(const struct libiommu_sys *sys, const char *name, uint64_t size);
int li_sys_seal(const struct libiommu_sys *sys, int fd, int seals);
int li_sys_getfl(const struct libiommu_sys *sys, int fd);
int li_sys_size(const struct libiommu_sys *sys, int fd, uint64_t *size);
int li_sys_madvise(const struct libiommu_sys *sys, void *address, size_t length, int advice);
/* Memory for all of it now: at a touch it would be a signal. 0, also before 5.14, or -ENOMEM. */
int li_sys_populate(const struct libiommu_sys *sys, void *address, size_t length);
int li_sys_mprotect(const struct libiommu_sys *sys, void *address, size_t length, int prot);
int li_sys_mbind(const struct libiommu_sys *sys, void *address, size_t length, int node);
int li_sys_eventfd(const struct libiommu_sys *sys);
int li_sys_timer(const struct libiommu_sys *sys);
int li_sys_timer_set(const struct libiommu_sys *sys, int fd, uint64_t ns);
int li_sys_clock(const struct libiommu_sys *sys, uint64_t *ns);
int li_sys_epoll(const struct libiommu_sys *sys);
int li_sys_epoll_ctl(const struct libiommu_sys *sys, int epoll, int operation, int fd,
                     struct epoll_event *event);
int li_sys_epoll_wait(const struct libiommu_sys *sys, int epoll, struct epoll_event *events,
                      int count, int timeout);
int li_sys_socketpair(const struct libiommu_sys *sys, int ends[2]);
ssize_t li_sys_send(const struct libiommu_sys *sys, int fd, const void *data, size_t size,
                    const int *fds, unsigned int count, int flags);
ssize_t li_sys_receive(const struct libiommu_sys *sys, int fd, void *data, size_t size, int *fds,
                       unsigned int *count, int flags);
int li_sys_nonblock(const struct libiommu_sys *sys, int fd);
int li_sys_cloexec(const struct libiommu_sys *sys, int fd, bool on);
int li_sys_uring_setup(const struct libiommu_sys *sys, unsigned int entries, void *params);
int li_sys_uring_enter(const struct libiommu_sys *sys, int ring, unsigned int submit,
                       unsigned int wait, unsigned int flags, const void *arg, size_t size);
int li_sys_uring_register(const struct libiommu_sys *sys, int ring, unsigned int operation,
                          void *arg, unsigned int count);

/*
 * Not of a context, and so not replaceable: the process's locked-memory limit in bytes,
 * UINT64_MAX for none.
 */
uint64_t li_sys_memlock_limit(void);
/* Likewise: the size of a page. */
uint64_t li_sys_page_size(void);
/* Of the machine. */
uint64_t li_sys_memory_size(void);
/* Likewise: so many milliseconds, or until a signal comes. */
void li_sys_pause(int ms);

#endif

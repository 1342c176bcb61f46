/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Libc's part of the door for files, devices and memory; for sys.c only. */
#ifndef LIBIOMMU_BASE_SYS_FILE_H
#define LIBIOMMU_BASE_SYS_FILE_H

#include <libiommu/sys.h>

int li_libc_open(void *user, const char *path, int flags);
int li_libc_close(void *user, int fd);
int li_libc_dup(void *user, int fd);
int li_libc_ioctl(void *user, int fd, unsigned long request, void *arg);
ssize_t li_libc_read(void *user, int fd, void *buffer, size_t size);
ssize_t li_libc_pread(void *user, int fd, void *buffer, size_t size, uint64_t offset);
ssize_t li_libc_pwrite(void *user, int fd, const void *buffer, size_t size, uint64_t offset);
int li_libc_mmap(void *user, void *address, size_t length, int prot, int flags, int fd,
                 uint64_t offset, void **result);
int li_libc_munmap(void *user, void *address, size_t length);
int li_libc_readlink(void *user, const char *path, char *buffer, size_t size);
ssize_t li_libc_list(void *user, const char *path, char *buffer, size_t size);
ssize_t li_libc_write(void *user, int fd, const void *buffer, size_t size);
int li_libc_poll(void *user, struct pollfd *fds, unsigned int count, int timeout);
int li_libc_memfd(void *user, const char *name, uint64_t size);
int li_libc_seal(void *user, int fd, int seals);
int li_libc_cloexec(void *user, int fd, bool on);
int li_libc_getfl(void *user, int fd);
int li_libc_size(void *user, int fd, uint64_t *size);
int li_libc_madvise(void *user, void *address, size_t length, int advice);
int li_libc_mprotect(void *user, void *address, size_t length, int prot);
int li_libc_mbind(void *user, void *address, size_t length, int node);

#endif

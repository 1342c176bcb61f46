/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Libc's part of the door for io_uring; for sys.c only. */
#ifndef LIBIOMMU_BASE_SYS_URING_H
#define LIBIOMMU_BASE_SYS_URING_H

#include <libiommu/sys.h>

int li_libc_nonblock(void *user, int fd);
int li_libc_uring_setup(void *user, unsigned int entries, void *params);
int li_libc_uring_enter(void *user, int ring, unsigned int submit, unsigned int wait,
                        unsigned int flags, const void *arg, size_t size);
int li_libc_uring_register(void *user, int ring, unsigned int operation, void *arg,
                           unsigned int count);

#endif

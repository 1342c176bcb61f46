/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Libc's part of the door for events, time and sockets; for sys.c only. */
#ifndef LIBIOMMU_BASE_SYS_EVENT_H
#define LIBIOMMU_BASE_SYS_EVENT_H

#include <libiommu/sys.h>

int li_libc_eventfd(void *user);
int li_libc_timer(void *user);
int li_libc_timer_set(void *user, int fd, uint64_t ns);
int li_libc_clock(void *user, uint64_t *ns);
int li_libc_epoll(void *user);
int li_libc_epoll_ctl(void *user, int epoll, int operation, int fd, struct epoll_event *event);
int li_libc_epoll_wait(void *user, int epoll, struct epoll_event *events, int count, int timeout);
int li_libc_socketpair(void *user, int ends[2]);
ssize_t li_libc_send(void *user, int fd, const void *data, size_t size, const int *fds,
                     unsigned int count, int flags);
ssize_t li_libc_receive(void *user, int fd, void *data, size_t size, int *fds, unsigned int *count,
                        int flags);

#endif

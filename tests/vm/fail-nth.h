/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The kernel's switch by which the n-th allocation of a thread fails. */
#ifndef FAIL_NTH_H
#define FAIL_NTH_H

/* The calling thread's, as a descriptor; -1 where the kernel has none. Its log will say nothing. */
int fail_nth_open(void);
/* From now on the @nth allocation of this thread in the kernel fails, counted from 1. 0, -errno. */
int fail_nth_start(int fd, unsigned int nth);
/* No longer; 1 if one has failed, 0 if there were not so many, -errno. */
int fail_nth_stop(int fd);

#endif

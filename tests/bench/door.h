/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A context over a kernel that is not there, so that what is measured is the library. */
#ifndef LIBIOMMU_BENCH_DOOR_H
#define LIBIOMMU_BENCH_DOOR_H

#include <libiommu.h>

/* Whatever is opened by name has the same descriptor. @ioctl: NULL where none is made. */
struct libiommu_ctx *bench_ctx(libiommu_sys_ioctl_fn ioctl);

#endif

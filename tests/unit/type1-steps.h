/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The steps of VFIO's groups and containers, as the library takes them without iommufd. */
#ifndef LIBIOMMU_TESTS_TYPE1_STEPS_H
#define LIBIOMMU_TESTS_TYPE1_STEPS_H

#include "objects.h"

#define CONTAINER "/dev/vfio/vfio"
#define PAGE      UINT64_C(4096)

/* Two groups with a device each, and the containers that they have at first. */
#define GROUP       "/dev/vfio/9"
#define GROUP_FD    110
#define HOLD_FD     120
#define NAME        "0000:00:04.0"
#define OTHER       "/dev/vfio/10"
#define OTHER_FD    111
#define OTHER_HOLD  121
#define OTHER_NAME  "0000:00:05.0"
#define OTHER_DEVFD 102

/* The ranges of expect_ranges(). */
#define LOW_LAST   UINT64_C(0xfedfffff)
#define HIGH_FIRST UINT64_C(0xfef00000)
#define HIGH_LAST  UINT64_C(0x7fffffffff)

struct libiommu_ctx_config *legacy_config(void);
struct libiommu_ctx *legacy_ctx(void);

void expect_status(int group_fd, uint32_t flags, int result);
void expect_enter(int group_fd, int container_fd, int result);
void expect_start(int container_fd, uintptr_t kind, int result);
void expect_leave(int group_fd);
void expect_device(int group_fd, const char *name, int result);
/* The group alone in a container, which is opened. */
void expect_hold(int group_fd, int container_fd);
/* Two ranges, with a hole between them for interrupts. */
void expect_ranges(int container_fd);
void expect_map(int container_fd, const void *memory, uint64_t iova, uint64_t length, int result);
void expect_unmap(int container_fd, uint64_t iova, uint64_t length, int result);

/* Open through its group, which is opened. */
struct libiommu_device *legacy_open(struct libiommu_ctx *ctx, const char *group, int group_fd,
                                    const char *name);
/* NAME, or OTHER_NAME, open and bound: its group is held in a container of its own. */
struct libiommu_device *legacy_device(struct libiommu_ctx *ctx);
struct libiommu_device *legacy_other(struct libiommu_ctx *ctx);
/* The last one of its group that is open. */
void legacy_close(struct libiommu_device *dev, int group_fd);
/* All of a test that has one of each: the value of its teardown. */
int legacy_end(void **state, struct libiommu_ctx *ctx, struct libiommu_device *dev,
               struct libiommu_ioas *ioas);
struct libiommu_ioas *legacy_ioas(struct libiommu_ctx *ctx);

/* The device's container becomes the address space's, with nothing mapped. */
void legacy_attach(struct libiommu_device *dev, int container_fd, struct libiommu_ioas *ioas);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Objects over the scripted door in one line each. All of them assert that it worked. */
#ifndef LIBIOMMU_TESTS_OBJECTS_H
#define LIBIOMMU_TESTS_OBJECTS_H

#include "script.h"

#define CTX_FD    100
#define DEVICE_FD 101
#define DEVICE_ID 7
#define LABEL     UINT64_C(0xfeedface00000001)

/* A context whose "/dev/iommu" is CTX_FD. */
struct libiommu_ctx *script_ctx(void);
/* Also closes CTX_FD. */
void script_ctx_close(struct libiommu_ctx *ctx);
/* Choices for a context over the door, for a test that wants others; freed by the test. */
struct libiommu_ctx_config *script_ctx_config(void);

struct libiommu_ioas *script_ioas(struct libiommu_ctx *ctx, uint32_t id);
void script_ioas_close(struct libiommu_ioas *ioas, uint32_t id);

/* "/dev/vfio/devices/vfio<fd>", open as DEVICE_FD or @fd, and not bound. */
struct libiommu_device *script_device_open(struct libiommu_ctx *ctx, int fd);
/* The same, bound as DEVICE_ID under LABEL, or as chosen. */
struct libiommu_device *script_device(struct libiommu_ctx *ctx);
struct libiommu_device *script_device_as(struct libiommu_ctx *ctx, int fd, uint32_t id,
                                         uint64_t label);
/* A device "0000:00:04.0" opened through "/dev/vfio/9": the group is @group_fd, the device @fd. */
struct libiommu_device *script_device_grouped(struct libiommu_ctx *ctx, int group_fd, int fd);
/* Its IOMMU group has others, as if its bind had found them. */
void script_device_share_group(struct libiommu_device *dev);
/* Whatever else it was: its descriptor is closed if it is the library's. */
void script_device_close(struct libiommu_device *dev);

/* @pt_id: what the kernel says is attached, for an IOAS. */
void script_attach_ioas(struct libiommu_device *dev, int fd, struct libiommu_ioas *ioas,
                        uint32_t ioas_id, uint32_t pt_id);
void script_detach(struct libiommu_device *dev, int fd);

struct libiommu_hwpt *script_hwpt(struct libiommu_device *dev, uint32_t dev_id,
                                  struct libiommu_ioas *ioas, uint32_t ioas_id, uint32_t id);
void script_hwpt_close(struct libiommu_hwpt *hwpt, uint32_t id);

/* Steps that several tests list. */
void expect_destroy(uint32_t id, int result);
void expect_bind(int fd, uint32_t id);

/* The last failure of this thread: its error, who said no, and the name of the public function. */
#define assert_failure(error, origin, operation)                                                   \
	assert_failure_at(error, LIBIOMMU_FAILURE_##origin, operation, __FILE__, __LINE__)
void assert_failure_at(int error, int origin, const char *operation, const char *file, int line);
/* Its explanation has these words in it. */
#define assert_explained(words) assert_explained_at(words, __FILE__, __LINE__)
void assert_explained_at(const char *words, const char *file, int line);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "type1-steps.h"

struct libiommu_ctx_config *legacy_config(void)
{
	struct libiommu_ctx_config *const config = script_ctx_config();

	assert_int_equal(libiommu_ctx_config_set_backend(config, LIBIOMMU_BACKEND_TYPE1), 0);
	return config;
}

struct libiommu_ctx *legacy_ctx(void)
{
	struct libiommu_ctx_config *const config = legacy_config();
	struct libiommu_ctx *ctx;

	EXPECT_OPEN(CONTAINER, CTX_FD);
	EXPECT_IOCTL(CTX_FD, VFIO_GET_API_VERSION);
	EXPECT_IOCTL(CTX_FD, VFIO_CHECK_EXTENSION, VALUE(UAPI_VFIO_TYPE1v2_IOMMU), .result = 1);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	return ctx;
}

void expect_status(int group_fd, uint32_t flags, int result)
{
	EXPECT_IOCTL(
		group_fd, VFIO_GROUP_GET_STATUS,
		IN(struct uapi_vfio_group_status, .argsz = sizeof(struct uapi_vfio_group_status)),
		SET(struct uapi_vfio_group_status, flags, flags), .result = result);
}

void expect_enter(int group_fd, int container_fd, int result)
{
	EXPECT_IOCTL(group_fd, VFIO_GROUP_SET_CONTAINER, IN(int32_t, container_fd),
	             .result = result);
}

void expect_start(int container_fd, uintptr_t kind, int result)
{
	EXPECT_IOCTL(container_fd, VFIO_SET_IOMMU, VALUE(kind), .result = result);
}

void expect_leave(int group_fd)
{
	EXPECT_IOCTL(group_fd, VFIO_GROUP_UNSET_CONTAINER, VALUE(0));
}

void expect_device(int group_fd, const char *name, int result)
{
	EXPECT_IOCTL(group_fd, VFIO_GROUP_GET_DEVICE_FD, IN_TEXT(name), .result = result,
	             .opens = result > 0 ? result : 0);
}

void expect_hold(int group_fd, int container_fd)
{
	EXPECT_OPEN(CONTAINER, container_fd);
	expect_enter(group_fd, container_fd, 0);
	expect_start(container_fd, UAPI_VFIO_TYPE1v2_IOMMU, 0);
}

void expect_ranges(int container_fd)
{
	static const struct {
		struct uapi_vfio_iommu_type1_info info;
		struct uapi_vfio_iommu_type1_info_dma_avail avail;
		uint32_t pad;
		struct uapi_vfio_info_cap_header header;
		uint32_t count, reserved;
		struct uapi_vfio_iova_range ranges[2];
	} reply = {
		.info = {.argsz = sizeof(reply),
	                 .flags = UAPI_VFIO_IOMMU_INFO_PGSIZES | UAPI_VFIO_IOMMU_INFO_CAPS,
	                 .iova_pgsizes = 0x40201000,
	                 .cap_offset = sizeof(reply.info)},
		.avail = {.header = {.id = UAPI_VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
	                             .next = offsetof(__typeof__(reply), header)},
	                  .avail = 65535},
		.header = {.id = UAPI_VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE},
		.count = 2,
		.ranges = {{0, LOW_LAST}, {HIGH_FIRST, HIGH_LAST}},
	};
	const uint32_t room[] = {sizeof(reply.info), sizeof(reply)};

	EXPECT_IOCTL(container_fd, VFIO_IOMMU_GET_INFO, IN_BYTES(&room[0], sizeof(room[0])),
	             OUT_BYTES(&reply, sizeof(reply.info)));
	EXPECT_IOCTL(container_fd, VFIO_IOMMU_GET_INFO, IN_BYTES(&room[1], sizeof(room[1])),
	             OUT_BYTES(&reply, sizeof(reply)));
}

void expect_map(int container_fd, const void *memory, uint64_t iova, uint64_t length, int result)
{
	EXPECT_IOCTL(container_fd, VFIO_IOMMU_MAP_DMA,
	             IN(struct uapi_vfio_iommu_type1_dma_map,
	                .argsz = sizeof(struct uapi_vfio_iommu_type1_dma_map),
	                .flags = UAPI_VFIO_DMA_MAP_FLAG_READ | UAPI_VFIO_DMA_MAP_FLAG_WRITE,
	                .vaddr = (uintptr_t)memory, .iova = iova, .size = length),
	             .result = result);
}

void expect_unmap(int container_fd, uint64_t iova, uint64_t length, int result)
{
	EXPECT_IOCTL(container_fd, VFIO_IOMMU_UNMAP_DMA,
	             IN(struct uapi_vfio_iommu_type1_dma_unmap,
	                .argsz = sizeof(struct uapi_vfio_iommu_type1_dma_unmap), .iova = iova,
	                .size = length),
	             .result = result);
}

struct libiommu_device *legacy_open(struct libiommu_ctx *ctx, const char *group, int group_fd,
                                    const char *name)
{
	struct libiommu_device *dev;

	EXPECT_OPEN(group, group_fd);
	expect_status(group_fd, UAPI_VFIO_GROUP_FLAGS_VIABLE, 0);
	assert_int_equal(libiommu_device_open_group(ctx, group, name, NULL, &dev), 0);
	return dev;
}

struct libiommu_device *legacy_device(struct libiommu_ctx *ctx)
{
	struct libiommu_device *const dev = legacy_open(ctx, GROUP, GROUP_FD, NAME);

	expect_hold(GROUP_FD, HOLD_FD);
	expect_device(GROUP_FD, NAME, DEVICE_FD);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), 0);
	return dev;
}

struct libiommu_device *legacy_other(struct libiommu_ctx *ctx)
{
	struct libiommu_device *const dev = legacy_open(ctx, OTHER, OTHER_FD, OTHER_NAME);

	expect_hold(OTHER_FD, OTHER_HOLD);
	expect_device(OTHER_FD, OTHER_NAME, OTHER_DEVFD);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), 0);
	return dev;
}

void legacy_close(struct libiommu_device *dev, int group_fd)
{
	expect_leave(group_fd);
	script_device_close(dev);
}

int legacy_end(void **state, struct libiommu_ctx *ctx, struct libiommu_device *dev,
               struct libiommu_ioas *ioas)
{
	legacy_close(dev, GROUP_FD);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	script_ctx_close(ctx);
	return script_teardown(state);
}

struct libiommu_ioas *legacy_ioas(struct libiommu_ctx *ctx)
{
	struct libiommu_ioas *ioas;

	assert_int_equal(libiommu_ioas_alloc(ctx, &ioas), 0);
	return ioas;
}

void legacy_attach(struct libiommu_device *dev, int container_fd, struct libiommu_ioas *ioas)
{
	expect_ranges(container_fd);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
}

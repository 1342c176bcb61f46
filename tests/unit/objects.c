/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "objects.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../../lib/object/device.h"
#include "../../lib/object/registry.h"

struct libiommu_ctx_config *script_ctx_config(void)
{
	struct libiommu_ctx_config *config;

	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, script_door()), 0);
	return config;
}

struct libiommu_ctx *script_ctx(void)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *ctx;

	EXPECT_OPEN("/dev/iommu", CTX_FD);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	return ctx;
}

void script_ctx_close(struct libiommu_ctx *ctx)
{
	EXPECT_CLOSE(CTX_FD);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
}

void expect_destroy(uint32_t id, int result)
{
	EXPECT_IOCTL(CTX_FD, DESTROY,
	             IN(struct uapi_destroy, .size = sizeof(struct uapi_destroy), .id = id),
	             .result = result);
}

struct libiommu_ioas *script_ioas(struct libiommu_ctx *ctx, uint32_t id)
{
	struct libiommu_ioas *ioas;

	EXPECT_IOCTL(CTX_FD, IOAS_ALLOC,
	             IN(struct uapi_ioas_alloc, .size = sizeof(struct uapi_ioas_alloc)),
	             SET(struct uapi_ioas_alloc, out_ioas_id, id));
	assert_int_equal(libiommu_ioas_alloc(ctx, &ioas), 0);
	return ioas;
}

void script_ioas_close(struct libiommu_ioas *ioas, uint32_t id)
{
	expect_destroy(id, 0);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
}

struct libiommu_device *script_device_open(struct libiommu_ctx *ctx, int fd)
{
	struct libiommu_device *dev;
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/devices/vfio%d", fd);
	EXPECT_OPEN(path, fd);
	assert_int_equal(libiommu_device_open_node(ctx, path, &dev), 0);
	return dev;
}

void expect_bind(int fd, uint32_t id)
{
	EXPECT_IOCTL(fd, VFIO_DEVICE_BIND_IOMMUFD,
	             IN(struct uapi_vfio_device_bind_iommufd,
	                .argsz = sizeof(struct uapi_vfio_device_bind_iommufd), .iommufd = CTX_FD),
	             SET(struct uapi_vfio_device_bind_iommufd, out_devid, id));
}

struct libiommu_device *script_device_as(struct libiommu_ctx *ctx, int fd, uint32_t id,
                                         uint64_t label)
{
	struct libiommu_device *const dev = script_device_open(ctx, fd);

	expect_bind(fd, id);
	assert_int_equal(libiommu_device_bind(dev, label, NULL, 0), 0);
	return dev;
}

struct libiommu_device *script_device(struct libiommu_ctx *ctx)
{
	return script_device_as(ctx, DEVICE_FD, DEVICE_ID, LABEL);
}

struct libiommu_device *script_device_grouped(struct libiommu_ctx *ctx, int group_fd, int fd)
{
	struct libiommu_device *dev;

	EXPECT_OPEN("/dev/vfio/9", group_fd);
	EXPECT_IOCTL(
		group_fd, VFIO_GROUP_GET_STATUS,
		IN(struct uapi_vfio_group_status, .argsz = sizeof(struct uapi_vfio_group_status)),
		SET(struct uapi_vfio_group_status, flags, UAPI_VFIO_GROUP_FLAGS_VIABLE));
	EXPECT_IOCTL(group_fd, VFIO_GROUP_SET_CONTAINER, IN(int32_t, CTX_FD));
	EXPECT_IOCTL(group_fd, VFIO_GROUP_GET_DEVICE_FD, IN_TEXT("0000:00:04.0"), .result = fd,
	             .opens = fd);
	assert_int_equal(libiommu_device_open_group(ctx, "/dev/vfio/9", "0000:00:04.0", NULL, &dev),
	                 0);
	return dev;
}

void script_device_share_group(struct libiommu_device *dev)
{
	atomic_store(&li_device_name(dev)->shared_group, true);
}

void script_device_close(struct libiommu_device *dev)
{
	assert_int_equal(libiommu_device_destroy(dev), 0);
}

void script_attach_ioas(struct libiommu_device *dev, int fd, struct libiommu_ioas *ioas,
                        uint32_t ioas_id, uint32_t pt_id)
{
	EXPECT_IOCTL(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
	             IN(struct uapi_vfio_device_attach_iommufd_pt,
	                .argsz = sizeof(struct uapi_vfio_device_attach_iommufd_pt),
	                .pt_id = ioas_id),
	             SET(struct uapi_vfio_device_attach_iommufd_pt, pt_id, pt_id));
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
}

void script_detach(struct libiommu_device *dev, int fd)
{
	EXPECT_IOCTL(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT,
	             IN(struct uapi_vfio_device_detach_iommufd_pt,
	                .argsz = sizeof(struct uapi_vfio_device_detach_iommufd_pt)));
	assert_int_equal(libiommu_device_detach(dev), 0);
}

struct libiommu_hwpt *script_hwpt(struct libiommu_device *dev, uint32_t dev_id,
                                  struct libiommu_ioas *ioas, uint32_t ioas_id, uint32_t id)
{
	struct libiommu_hwpt *hwpt;

	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .dev_id = dev_id, .pt_id = ioas_id),
	             SET(struct uapi_hwpt_alloc, out_hwpt_id, id));
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, NULL, &hwpt), 0);
	return hwpt;
}

void script_hwpt_close(struct libiommu_hwpt *hwpt, uint32_t id)
{
	expect_destroy(id, 0);
	assert_int_equal(libiommu_hwpt_destroy(hwpt), 0);
}

void assert_failure_at(int error, int origin, const char *operation, const char *file, int line)
{
	if (libiommu_failure_error() == error && libiommu_failure_origin() == origin &&
	    !strcmp(libiommu_failure_operation(), operation))
		return;
	print_error("expected failure %d, origin %d, of %s; recorded is %d, origin %d, of %s\n",
	            error, origin, operation, libiommu_failure_error(), libiommu_failure_origin(),
	            libiommu_failure_operation());
	_fail(file, line);
}

void assert_explained_at(const char *words, const char *file, int line)
{
	char text[1024];

	libiommu_failure_text(text, sizeof(text));
	if (strstr(text, words))
		return;
	print_error("the explanation lacks \"%s\": %s\n", words, text);
	_fail(file, line);
}
